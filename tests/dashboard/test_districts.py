"""Of a district with one to four sightings nobody learns how many there are."""

from collections import defaultdict
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from rumors.dashboard.rules import FEW, suppressed

COUNTS = st.dictionaries(st.text(min_size=1, max_size=8), st.integers(0, 40), max_size=8)


@given(COUNTS, st.integers(0, 20))
def test_only_large_numbers_stand_there_and_together_they_are_all(counts, nameless):
    told = suppressed(counts, nameless=nameless)
    assert all(number >= FEW and counts[name] == number for name, number in told.named)
    assert sum(number for _name, number in told.named) + told.rest == sum(counts.values()) + nameless
    # What is left to be subtracted from is never itself a small number, but where nothing else was heard at all.
    assert told.rest == 0 or told.rest >= FEW or not told.named


@given(COUNTS, st.integers(0, 20))
def test_one_sighting_more_or_less_in_a_small_district_shows_nowhere(counts, nameless):
    """Another town in which that district has another number, and of which the same is told."""
    told = suppressed(counts, nameless=nameless)
    for name, number in counts.items():
        if 1 <= number < FEW:
            other = counts | {name: number - 1}
            assert suppressed(other, nameless=nameless + 1) == told


def test_whatever_is_told_every_small_number_could_be_another_one():
    """All small towns of three districts, and what is told of them."""
    most = 9
    possible = defaultdict(list)
    for *numbers, nameless in product(range(most), repeat=4):
        counts = dict(zip("abc", numbers, strict=True))
        possible[suppressed(counts, nameless=nameless)].append(counts)
    for told, towns in possible.items():
        if told.rest >= most:
            continue  # then not all towns of which this is told are among these
        for name in "abc":
            numbers = {town[name] for town in towns}
            assert len(numbers) > 1 or not numbers & set(range(1, FEW)), (told, name)


def test_a_lone_small_district_takes_the_smallest_large_one_with_it():
    assert suppressed({"Öster": 20, "Centrum": 8, "Kulla": 2}, nameless=0).named == (("Öster", 20),)
    assert suppressed({"Öster": 20, "Centrum": 8, "Kulla": 2}, nameless=0).rest == 10
    assert suppressed({"Öster": 20, "Kulla": 0}, nameless=0).named == (("Öster", 20),)
    assert suppressed({"Kulla": 3}, nameless=0).named == ()
    assert suppressed({}, nameless=0).rest == 0
