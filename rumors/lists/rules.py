"""Turning the pages of a long list by the place of its rows, not by counting them: what is logged meanwhile moves
nothing, and the last page costs what the first does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q

from rumors.models import Rumor, RumorQuerySet

PAGE: Final = 50

_PLACE: Final = re.compile(r"(-?\d{1,18})\.(\d{1,18})", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Rumor]
    previous: str
    """For the address: `before=…`; empty on the first page, as `next` is on the last."""
    next: str
    total: int
    """Of all pages."""

    def __iter__(self) -> Iterator[Rumor]:
        return iter(self.rows)


def page(rumors: RumorQuerySet, *, after: str = "", before: str = "") -> Page:
    """The rows after or before a place, the most urgent first. What is no place stands for the beginning."""
    ordered = rumors.with_total().most_urgent_first()
    place = _read(after or before)
    is_backward = bool(before and not after and place)
    if place:
        due_at, pk = place
        ahead = Q(sort_due__gt=due_at) | Q(sort_due=due_at, pk__lt=pk)
        behind = Q(sort_due__lt=due_at) | Q(sort_due=due_at, pk__gt=pk)
        ordered = ordered.filter(behind if is_backward else ahead)
    found = list((ordered.reverse() if is_backward else ordered)[: PAGE + 1])
    rows, has_more = found[:PAGE], len(found) > PAGE
    if is_backward:
        rows.reverse()
    total = rows[0].total if rows else rumors.count() if place else 0  # type: ignore[attr-defined]  # annotated
    has_previous, has_next = (has_more, True) if is_backward else (bool(place), has_more)
    return Page(
        rows,
        f"before={_written(rows[0])}" if rows and has_previous else "",
        f"after={_written(rows[-1])}" if rows and has_next else "",
        total,
    )


def _written(rumor: Rumor) -> str:
    return f"{(rumor.sort_due - _EPOCH) // timedelta(microseconds=1)}.{rumor.pk}"  # type: ignore[attr-defined]


def _read(place: str) -> tuple[datetime, int] | None:
    found = _PLACE.fullmatch(place)
    if not found:
        return None
    try:
        due_at = _EPOCH + timedelta(microseconds=int(found[1]))
    except OverflowError:
        return None
    return (due_at, int(found[2])) if _FIRST < due_at < _LAST else None
