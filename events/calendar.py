"""iCalendar files (RFC 5545, 5546). The link to join is in none of them: calendars are shared."""

from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext
from icalendar import STATUS, Calendar, vCalAddress
from icalendar import Event as Entry

from events.models import Event
from portal import contacts, languages, markup
from portal.mail.rules import sender
from portal.public import absolute
from portal.revisions.rules import read

REQUEST: Final = "REQUEST"
CANCEL: Final = "CANCEL"


def published(events: Iterable[Event], code: str, *, name: str = "") -> bytes:
    """For everybody who reads `code`, as METHOD:PUBLISH. A place that is not public is left out."""
    file = _file("PUBLISH", code)
    if name:
        file.calendar_name = name
    kept = list(events)
    for event in kept:
        file.add_component(
            _entry(event, code, uid=event.uid, sequence=event.sequence, is_place_told=event.is_place_public)
        )
    return _bytes(file, kept)


def personal(event: Event, code: str, *, method: str, uid: UUID, sequence: int, attendee: str) -> bytes:
    """The entry of one person, who is its only attendee; `method` REQUEST puts it in or moves it, CANCEL takes it out.

    `attendee` is an address in ASCII. They have said that they come, so their calendar has nothing to ask or to answer.
    """
    file = _file(method, code)
    entry = _entry(event, code, uid=uid, sequence=sequence, is_place_told=True)
    if method == CANCEL:
        entry.status = STATUS.CANCELLED
    person = vCalAddress(f"mailto:{attendee}")
    person.params.update({"PARTSTAT": "ACCEPTED", "ROLE": "REQ-PARTICIPANT", "CUTYPE": "INDIVIDUAL", "RSVP": "FALSE"})
    entry.add("attendee", person)
    us = vCalAddress(f"mailto:{sender().addr_spec}")
    us.params["CN"] = settings.MUNICIPALITY
    entry.add("organizer", us)
    file.add_component(entry)
    return _bytes(file, [event])


def _file(method: str, code: str) -> Calendar:
    file = Calendar()
    file.add("version", "2.0")
    file.add("prodid", f"-//{settings.SITE_NAME}//events//{languages.get(code).tag}")
    file.add("method", method)
    return file


def _bytes(file: Calendar, events: Iterable[Event]) -> bytes:
    years = [timezone.now().year]
    for event in events:
        years += [event.starts_at.year, event.ends_at.year]
    # No more of the past and the future than the events need: all of it is three times the size of an event.
    file.add_missing_timezones(date(min(years), 1, 1), date(max(years) + 1, 12, 31))
    content: bytes = file.to_ical()
    return content


def _entry(event: Event, code: str, *, uid: UUID, sequence: int, is_place_told: bool) -> Entry:
    zone = timezone.get_default_timezone()
    url = absolute(reverse("event", args=[event.slug]))
    text = read(event, code)
    where = [event.place] if event.place and is_place_told else []
    if event.is_online:
        where.append(pgettext("event", "Online"))
    return Entry.new(
        uid=uid,
        sequence=sequence,
        stamp=timezone.now().replace(microsecond=0),
        start=event.starts_at.astimezone(zone),
        end=event.ends_at.astimezone(zone),
        summary=contacts.expand(text["title"]) if text else str(event.get_kind_display()),
        description="\n\n".join(filter(None, [contacts.expand(markup.plain(text["summary"])) if text else "", url])),
        location=", ".join(where) or None,
        status=STATUS.CANCELLED if event.is_canceled else STATUS.CONFIRMED,
        url=url,
    )
