"""iCalendar files (RFC 5545, 5546). The link to join is in none of them: calendars are shared."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext
from icalendar import STATUS, Calendar, Timezone, vCalAddress, vText
from icalendar import Event as Entry

from events.models import Event
from portal import contacts, languages, markup
from portal.mail.rules import one_line, sender
from portal.public import absolute
from portal.revisions.rules import read

REQUEST: Final = "REQUEST"
CANCEL: Final = "CANCEL"

SWEDISH_TIME: Final = Timezone.from_ical(
    """\
BEGIN:VTIMEZONE
TZID:Europe/Stockholm
BEGIN:DAYLIGHT
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
)
"""As the whole union keeps it. icalendar can make one out of the zone, but lets summer begin an hour late, and lists
days where Outlook wants a rule."""


def published(events: Iterable[Event], code: str, *, name: str = "") -> bytes:
    """For everybody who reads `code`, as METHOD:PUBLISH. A place that is not public is left out."""
    file = _file("PUBLISH", code)
    if name:
        file.calendar_name = vText(one_line(name))  # else icalendar does not escape it
    for event in events:
        file.add_component(
            _entry(event, code, uid=event.uid, sequence=event.sequence, is_place_told=event.is_place_public)
        )
    return _bytes(file)


def personal(event: Event, code: str, *, method: str, uid: UUID, sequence: int, attendee: str) -> bytes:
    """The entry of one person, who is its only attendee; `method` REQUEST puts it in or moves it, CANCEL takes it out,
    which is all that can be done about a canceled event.

    `attendee` is an address in ASCII. They have said that they come, so their calendar has nothing to ask or to answer.
    """
    if event.is_canceled:
        method = CANCEL
    file = _file(method, code)
    entry = _entry(event, code, uid=uid, sequence=sequence, is_place_told=True)
    if method == CANCEL:
        entry.status = STATUS.CANCELLED
    person = _mailbox(attendee)
    person.params.update({"PARTSTAT": "ACCEPTED", "ROLE": "REQ-PARTICIPANT", "CUTYPE": "INDIVIDUAL", "RSVP": "FALSE"})
    entry.add("attendee", person)
    file.add_component(entry)
    return _bytes(file)


def _file(method: str, code: str) -> Calendar:
    file = Calendar()
    file.add("version", "2.0")
    file.add("prodid", f"-//{settings.SITE_NAME}//events//{languages.get(code).tag}")
    file.add("method", method)
    return file


def _bytes(file: Calendar) -> bytes:
    if file.get_missing_tzids():
        file.subcomponents.insert(0, SWEDISH_TIME)
    content: bytes = file.to_ical()
    return content


def _entry(event: Event, code: str, *, uid: UUID, sequence: int, is_place_told: bool) -> Entry:
    url = absolute(reverse("event", args=[event.slug]))
    text = read(event, code)
    where = [one_line(event.place)] if is_place_told else []
    if event.is_online:
        where.append(pgettext("event", "Online"))
    about = markup.plain(text["summary"]).splitlines() if text else []
    us = _mailbox(sender().addr_spec)
    us.params["CN"] = one_line(settings.MUNICIPALITY)
    return Entry.new(
        uid=uid,
        sequence=sequence,
        stamp=timezone.now().replace(microsecond=0),
        start=_on_the_clock(event.starts_at),
        end=_on_the_clock(event.ends_at),
        summary=one_line(contacts.expand(text["title"]) if text else "") or str(event.get_kind_display()),
        description="\n".join([*(one_line(contacts.expand(line)) for line in about), "", url]).strip(),
        location=", ".join(filter(None, where)) or None,
        status=STATUS.CANCELLED if event.is_canceled else STATUS.CONFIRMED,
        organizer=us,
        url=url,
    )


def _on_the_clock(moment: datetime) -> datetime:
    """Swedish time; UTC in the hour that comes twice: there a calendar takes a local time for the first of the two."""
    local = moment.astimezone(timezone.get_default_timezone())
    is_there_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return moment.astimezone(UTC) if is_there_twice else local


def _mailbox(address: str) -> vCalAddress:
    return vCalAddress("mailto:" + quote(address, safe="@!$'*+,"))
