from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import rules
from django.conf import settings
from django.utils import timezone

from events.models import SETTLE, Event, Status
from portal import contacts, languages
from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Link
from portal.revisions.rules import Text

rules.add_perm("events.view", is_anyone_on_staff)
rules.add_perm("events.edit", has_role(Role.EVENTS))
rules.add_perm("events.translate", has_role(Role.EVENTS, Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("events.approve", has_role(Role.APPROVER))
rules.add_perm("events.publish", has_role(Role.EVENTS, Role.APPROVER))


def moved_from(event: Event) -> datetime | None:
    """When an event `with_surroundings` was to start, as everybody could read, before it was moved to when it starts
    now."""
    starts: list[tuple[datetime, datetime]] = []
    for row in event.appointment_rows:  # type: ignore[attr-defined]
        starts_at, at = datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["at"])
        if starts and starts[-1][0] != starts_at and at - starts[-1][1] < SETTLE:
            starts.pop()
        if not starts or starts[-1][0] != starts_at:
            starts.append((starts_at, at))
    is_known = len(starts) > 1 and event.public_since is not None and starts[-1][1] >= event.public_since
    return starts[-2][0] if is_known else None


@dataclass(frozen=True, slots=True)
class Sister:
    """Another event of the same series."""

    link: Link
    starts_at: datetime
    is_canceled: bool

    @classmethod
    def of(cls, row: Mapping[str, str], code: str) -> "Sister":
        """From one of an event's `sister_rows`."""
        return cls(Link.of(row, code), datetime.fromisoformat(row["starts_at"]), row["status"] == Status.CANCELED)


# A month -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Showing:
    """An event on one of its days."""

    event: Event
    text: Text | None
    number: int
    """Which of its days it is, from 1."""
    total: int


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    is_today: bool
    showings: list[Showing] = field(default_factory=list)


def month_of(moment: datetime) -> date:
    """The first day of the month that a moment is in."""
    return timezone.localdate(moment).replace(day=1)


def next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def weeks(month: date, events: Sequence[tuple[Event, Text | None]], *, today: date) -> list[list[Day | None]]:
    """The days of the month that begins on `month`, in weeks from Monday on; None for those of other months."""
    days = {day.date: day for day in _days(month, today)}
    for event, text in events:
        first, last = event.days
        for day in days.values():
            if first <= day.date <= last:
                day.showings.append(Showing(event, text, (day.date - first).days + 1, (last - first).days + 1))
    return [[days.get(each) for each in week] for week in Calendar().monthdatescalendar(month.year, month.month)]


def _days(month: date, today: date) -> list[Day]:
    length = (next_month(month) - month).days
    return [Day(day, day == today) for day in (month + timedelta(days=number) for number in range(length))]


# For machines ----------------------------------------------------------------------------------------------------

_SCHEMA: Final = "https://schema.org"


def linked_data(event: Event, text: Text, *, url: str) -> dict[str, Any]:
    """What a machine may know of the page of an event `with_surroundings`, in the words of schema.org: the link to join
    is the page's own address."""
    before = moved_from(event)
    status = "EventCancelled" if event.is_canceled else "EventRescheduled" if before else "EventScheduled"
    found: dict[str, Any] = {
        "@context": _SCHEMA,
        "@type": "Event",
        "url": url,
        "name": contacts.expand(text["title"]),
        "description": contacts.expand(text["summary"]),
        "startDate": timezone.localtime(event.starts_at).isoformat(timespec="minutes"),
        "endDate": timezone.localtime(event.ends_at).isoformat(timespec="minutes"),
        "eventStatus": f"{_SCHEMA}/{status}",
        "eventAttendanceMode": f"{_SCHEMA}/{_attendance(event)}EventAttendanceMode",
        "location": _locations(event, url),
        "inLanguage": [languages.get(code).tag for code in dict.fromkeys([*event.spoken, *event.interpreted])],
        "organizer": {"@type": "GovernmentOrganization", "name": settings.MUNICIPALITY},
        "isAccessibleForFree": True,
    }
    if before and not event.is_canceled:
        found["previousStartDate"] = timezone.localtime(before).isoformat(timespec="minutes")
    if event.capacity:
        found["maximumAttendeeCapacity"] = event.capacity
    return found


def _attendance(event: Event) -> str:
    if event.is_online:
        return "Mixed" if event.place else "Online"
    return "Offline"


def _locations(event: Event, url: str) -> list[dict[str, str]]:
    found = []
    if event.place and event.is_place_public:
        found.append({"@type": "Place", "name": event.place, "address": event.place})
    if event.is_online:
        found.append({"@type": "VirtualLocation", "url": url})
    return found
