"""Numbers as simple pictures: where each bar begins and how far it goes. `components/chart.html` draws them.

All measures are whole numbers, for a comma of the reader's language would break the drawing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

STEP: Final = 100
"""How wide one week is, with the gap beside its bar."""
GAP: Final = 20
HEIGHT: Final = 1000
WIDTH: Final = 1000
"""Of the longest bar that lies."""
SHOWN: Final = 6
"""So many series have a row of their own; the rest is one row together."""


def monday(day: date) -> date:
    """Of the ISO week that the day lies in."""
    return day - timedelta(days=day.weekday())


def weeks(first: date, last: date) -> list[date]:
    """The Mondays of all weeks that the days lie in."""
    start = monday(first)
    return [start + timedelta(weeks=number) for number in range((monday(last) - start).days // 7 + 1)]


def ceiling(number: int) -> int:
    """The round number at the top of a scale, which half of it is whole with."""
    power = 1
    while number > 10 * power:
        power *= 10
    return next(step * power for step in (2, 4, 6, 8, 10) if step * power >= number)


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    height: int
    is_unfinished: bool = False
    """Of a week that is not over."""

    width: int = STEP - GAP


@dataclass(frozen=True, slots=True)
class Series:
    """One row of bars, with its numbers in the order of the weeks."""

    name: str
    numbers: tuple[int, ...]
    bars: tuple[Bar, ...]

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True, slots=True)
class Weeks:
    """Numbers per week, a row of bars for each series, all on one scale."""

    weeks: tuple[date, ...]
    series: tuple[Series, ...]
    top: int
    unfinished: date | None = None

    @property
    def width(self) -> int:
        return STEP * len(self.weeks)

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def half(self) -> int:
        return self.top // 2

    @property
    def first(self) -> date:
        return self.weeks[0]

    @property
    def last(self) -> date:
        return self.weeks[-1]

    @property
    def is_empty(self) -> bool:
        return not any(series.total for series in self.series)

    @property
    def table(self) -> list[tuple[date, tuple[tuple[str, int], ...]]]:
        """A line for each week, with name and number of every series."""
        return [
            (week, tuple((series.name, series.numbers[place]) for series in self.series))
            for place, week in enumerate(self.weeks)
        ]


def per_week(
    mondays: Sequence[date],
    counts: Mapping[str, Mapping[date, int]],
    *,
    others: str = "",
    today: date | None = None,
) -> Weeks:
    """The largest series first and what is left as `others`; a week without a number is a zero."""
    rows = [(name, tuple(found.get(week, 0) for week in mondays)) for name, found in counts.items()]
    rows.sort(key=lambda row: (-sum(row[1]), row[0]))
    if len(rows) > SHOWN:
        rest = [numbers for _name, numbers in rows[SHOWN - 1 :]]
        rows = [*rows[: SHOWN - 1], (others, tuple(map(sum, zip(*rest, strict=True))))]
    highest = max((number for _name, numbers in rows for number in numbers), default=0)
    # Where there is one row, its scale is written beside it; many small ones say how high the highest bar is.
    top = ceiling(highest) if len(counts) == 1 else highest or 1
    unfinished = monday(today) if today else None
    series = [
        Series(
            name,
            numbers,
            tuple(
                _bar(place, number, top, is_unfinished=week == unfinished)
                for place, (week, number) in enumerate(zip(mondays, numbers, strict=True))
            ),
        )
        for name, numbers in rows
    ]
    return Weeks(tuple(mondays), tuple(series), top, unfinished if unfinished in mondays else None)


def _bar(place: int, number: int, top: int, *, is_unfinished: bool) -> Bar:
    height = round(number * HEIGHT / top)
    return Bar(place * STEP + GAP // 2, HEIGHT - height, height, is_unfinished)


@dataclass(frozen=True, slots=True)
class Line:
    """A bar that lies, with its name and its number beside it. `part` of it is drawn in another way."""

    name: str
    number: int
    width: int
    part: int = 0
    part_width: int = 0


def lines(rows: Iterable[tuple[str, int]], parts: Iterable[int] = ()) -> tuple[Line, ...]:
    """In the order given, the longest over the whole width. `parts` is how many of each are marked."""
    found = list(rows)
    marked = list(parts) or [0] * len(found)
    most = max((number for _name, number in found), default=0) or 1
    return tuple(
        Line(name, number, round(number * WIDTH / most), part, round(part * WIDTH / most))
        for (name, number), part in zip(found, marked, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bars to be held against each other, on the scale of all the pairs they stand with."""

    before: int
    after: int
    before_width: int
    after_width: int


def pairs(rows: Iterable[tuple[int, int]]) -> tuple[Pair, ...]:
    found = list(rows)
    most = max((number for row in found for number in row), default=0) or 1
    return tuple(Pair(*row, *(round(number * WIDTH / most) for number in row)) for row in found)
