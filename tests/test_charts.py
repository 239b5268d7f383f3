"""Numbers as bars."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal import charts

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(DAYS, st.integers(0, 400))
def test_weeks_are_mondays_without_a_gap_around_both_days(first, days):
    last = first + timedelta(days=days)
    found = charts.weeks(first, last)
    assert found[0] <= first < found[0] + timedelta(days=7)
    assert found[-1] <= last < found[-1] + timedelta(days=7)
    assert all(day.isoweekday() == 1 for day in found)
    assert {b - a for a, b in pairwise(found)} <= {timedelta(days=7)}


@given(st.integers(0, 10**7))
def test_the_top_of_a_scale_is_round_whole_when_halved_and_not_far_above(number):
    top = charts.ceiling(number)
    assert top >= number
    assert top % 2 == 0
    assert top <= max(2, 2 * number)


def test_the_turn_of_the_year_is_one_week():
    assert charts.weeks(date(2026, 12, 31), date(2027, 1, 2)) == [date(2026, 12, 28)]


MONDAYS = charts.weeks(date(2026, 9, 1), date(2026, 11, 29))
COUNTS = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(MONDAYS), st.integers(1, 500)),
    min_size=1,
    max_size=12,
)


@given(COUNTS)
def test_nothing_is_lost_in_the_row_of_all_others_and_no_bar_leaves_the_picture(counts):
    chart = charts.per_week(MONDAYS, counts, others="others")
    assert len(chart.series) <= charts.SHOWN
    for place, week in enumerate(MONDAYS):
        total = sum(found.get(week, 0) for found in counts.values())
        assert sum(series.numbers[place] for series in chart.series) == total
    for series in chart.series:
        for bar, number in zip(series.bars, series.numbers, strict=True):
            assert 0 <= bar.y <= charts.HEIGHT
            assert bar.y + bar.height == charts.HEIGHT
            assert (bar.height == 0) <= (number * charts.HEIGHT <= chart.top)
            assert bar.x >= 0
            assert bar.x + bar.width <= chart.width


def test_the_largest_comes_first_and_empty_weeks_are_zeros():
    chart = charts.per_week(MONDAYS, {"a": {MONDAYS[0]: 1}, "b": {MONDAYS[1]: 5}}, today=date(2026, 11, 25))
    assert [(series.name, series.total) for series in chart.series] == [("b", 5), ("a", 1)]
    assert chart.series[1].numbers == (1, *[0] * 12)
    assert [bar.is_unfinished for bar in chart.series[0].bars] == [*[False] * 12, True]
    assert charts.per_week(MONDAYS, {}).is_empty


def test_lying_bars_are_measured_by_the_longest():
    drawn = charts.lines([("a", 4), ("b", 1), ("c", 0)], [1, 0, 0])
    assert [(line.width, line.part_width) for line in drawn] == [(1000, 250), (250, 0), (0, 0)]
    assert [(pair.before_width, pair.after_width) for pair in charts.pairs([(10, 5), (0, 2)])] == [
        (1000, 500),
        (0, 200),
    ]
    assert charts.lines([("a", 0)])[0].width == 0
