import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from urllib.parse import unquote
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from events import actions, calendar
from events.models import PUBLIC, Event, Kind
from portal.mail.rules import ascii_address
from tests import factories
from tests.events.calendars import checked, entries, libical_says
from tests.events.conftest import SECRET_LINK


def test_one_event_is_a_valid_file_with_its_zone(client, make_event):
    starts = datetime(2027, 3, 28, 8, 30, tzinfo=ZoneInfo("Europe/Stockholm"))
    event = make_event(
        "sv", starts_at=starts, place="Kommunhuset, stora salen; våning 2", is_place_public=True, is_online=False
    )
    response = client.get(f"/sv/events/{event.slug}.ics")
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    file = checked(response.content)
    (entry,) = file.walk("VEVENT")
    assert entry.start == starts
    assert str(entry["DTSTART"].to_ical().decode()) == "20270328T083000"
    assert str(entry["UID"]) == str(event.uid)
    assert str(entry["LOCATION"]) == "Kommunhuset, stora salen; våning 2"
    assert str(entry["URL"]).endswith(f"/sv/events/{event.slug}/")
    # The zone as the file itself describes it, read by who knows no zones.
    (zone,) = file.walk("VTIMEZONE")
    described = zone.to_tz(lookup_tzid=False)
    for moment in (starts, starts - timedelta(days=2), starts + timedelta(days=250)):
        naive = moment.replace(tzinfo=None)
        assert naive.replace(tzinfo=described).utcoffset() == naive.replace(tzinfo=starts.tzinfo).utcoffset()


def test_a_long_title_in_another_script_is_folded_between_letters(make_event):
    event = make_event()
    title = "محاضرة على الإنترنت: " * 7
    for code in ("sv", "ar"):
        factories.publish(event, code, title=title, summary="ሓበሬታ " * 60, body="")
    event.refresh_from_db()
    (entry,) = checked(calendar.published([event], "ar")).walk("VEVENT")
    assert str(entry["SUMMARY"]) == title.strip()


def test_text_of_editors_cannot_add_lines_to_the_file(make_event):
    event = make_event(place="Sal 1\r\nATTENDEE:mailto:x@example.org")
    checked(calendar.published([event], "sv"))


def test_the_feed_has_what_is_to_come_and_no_more(client, make_event):
    coming = [make_event("sv"), make_event("sv", starts_in=timedelta(days=200))]
    make_event("sv", starts_in=-timedelta(days=2))
    make_event()  # nothing published
    file = checked(client.get("/sv/events.ics").content)
    assert {str(e["UID"]) for e in file.walk("VEVENT")} == {str(e.uid) for e in coming}
    assert str(file["X-WR-CALNAME"])


def test_an_empty_feed_is_still_a_calendar(client, db):
    file = Calendar.from_ical(client.get("/sv/events.ics").content)
    assert file.walk("VEVENT") == []


def test_a_moved_event_keeps_its_identity_and_counts_on(make_event):
    event = make_event()
    moved = actions.edit(event, by=factories.user(), ends_at=event.ends_at + timedelta(minutes=30))
    (before,), (after,) = (checked(calendar.published([e], "sv")).walk("VEVENT") for e in (event, moved))
    assert before["UID"] == after["UID"]
    assert (int(before["SEQUENCE"]), int(after["SEQUENCE"])) == (0, 1)


@pytest.mark.parametrize("path", ["events.ics", "events/{slug}.ics"])
def test_the_meeting_link_is_in_no_calendar_file(client, make_event, path):
    event = make_event("sv", place="Kommunhuset", is_place_public=True)
    content = client.get(f"/sv/{path.format(slug=event.slug)}").content
    assert b"Kommunhuset" in content
    assert SECRET_LINK.encode() not in content.replace(b"\r\n ", b"")


def test_the_zone_covers_years_far_away(make_event):
    starts = datetime(2041, 7, 1, 6, 30, tzinfo=UTC)
    (zone,) = checked(calendar.published([make_event(starts_at=starts)], "sv")).walk("VTIMEZONE")
    described = zone.to_tz(lookup_tzid=False)
    assert datetime(2041, 7, 1, 8, 30, tzinfo=described).utcoffset() == timedelta(hours=2)
    assert timezone.now().date() < date(2041, 7, 1)


def test_a_place_that_is_not_public_is_in_no_file_for_everybody(client, make_event):
    event = make_event("sv", place="Hemliga salen")
    for path in ("events.ics", f"events/{event.slug}.ics"):
        assert b"Hemliga" not in client.get(f"/sv/{path}").content


# Whatever editors write, and whenever it is -----------------------------------------------------------------------

STRANGE = '\r\n\t \x00\x07\x0b\x1b\x7f\x85\u2028\ufeff\u202e\U0001f600ሓشå,;:\\"'
texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(STRANGE)), max_size=160)
nights = st.builds(
    lambda year, month, minutes: (
        datetime(year, month, 31, 1, 0, tzinfo=UTC)
        - timedelta(days=date(year, month, 31).isoweekday() % 7)
        + timedelta(minutes=minutes)
    ),
    st.integers(2000, 2100),
    st.sampled_from([3, 10]),
    st.integers(-180, 180),
)
"""Around the hour that is not there in spring and the one that is there twice in autumn."""
days = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
moments = st.one_of(nights, days.map(lambda moment: moment.replace(second=0, microsecond=0)))
events = st.builds(
    lambda starts_at, lasts, **values: Event(starts_at=starts_at, ends_at=starts_at + lasts, **values),
    moments,
    st.builds(timedelta, minutes=st.integers(1, 50_000)),
    kind=st.sampled_from(Kind.values),
    slug=st.just("traff"),
    title_sv=texts,
    summary_sv=texts,
    title_ar=texts,
    summary_ar=texts,
    place=texts,
    is_place_public=st.booleans(),
    is_online=st.booleans(),
    join_url=st.just(SECRET_LINK),
    status=st.sampled_from(PUBLIC),
    sequence=st.integers(0, 99),
)
addresses = st.one_of(st.emails(), st.just("åsa+1=2%@räksmörgås.example.org"))
TWICE = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


VALID = Event(
    kind="seminar",
    slug="traff",
    title_sv="Frågor, svar " + "å" * 60,
    starts_at=datetime(2026, 11, 26, 13, 0, tzinfo=UTC),
    ends_at=datetime(2026, 11, 26, 15, 0, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"METHOD:PUBLISH", b"METHOD:REQUEST"),
        (r"ORGANIZER.*?(?=\r\nEND)", b"X:1"),
        (r"ORGANIZER", b"ATTENDEE:mailto:bo@example.org\r\nORGANIZER"),
        (r"SEQUENCE:0\r\n", b""),
        (r"STATUS:CONFIRMED", b"STATUS:SURE"),
        (r"(?<=DTSTART;TZID=)Europe/Stockholm", b"Europe/Oslo"),
        (r"DTSTART;TZID=Europe/Stockholm", b"DTSTART"),
        (r"DTEND;(.*)20261126", b"DTEND;\\g<1>20261125"),
        (r"20261126T140000", b"20260329T023000"),  # the clock went from 2 to 3
        (r"20261126T140000", b"20261025T023000"),  # and from 3 to 2
        (r"DTSTAMP:(\w+)Z", b"DTSTAMP:\\1"),
        (r"BEGIN:VEVENT.*END:VEVENT\r\n", b"\\g<0>\\g<0>"),
        (r"BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", b""),
        (r"BEGIN:STANDARD.*END:STANDARD\r\n", b""),
        (r"19960331T020000", b"19960331T030000"),  # summer begins at 2, by the clock before it
        (r"svar", b"svar" + b"x" * 20),
        (r"\r\n (.)", b"\\1\r\n "),
        (r"\\,", b","),
        (r"svar", b"s\\\\var"),
        (r"svar", b"s\x07var"),
        (r"\r\nUID", b"\nUID"),
        (r"\r\nUID", b"\r\n\r\nUID"),
        (r"END:VEVENT\r\n", b""),
    ],
)
def test_the_checks_refuse_what_is_wrong(right, wrong):
    content = calendar.published([VALID], "sv")
    checked(content)
    broken, count = re.subn(right.encode(), wrong, content, count=1, flags=re.DOTALL)
    assert count == 1
    method = "REQUEST" if b"REQUEST" in broken else "PUBLISH"
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        checked(broken, method=method)


def test_libical_knows_what_a_method_needs():
    content = calendar.published([VALID], "sv")
    assert libical_says(content) == []
    assert any("ATTENDEE" in error for error in libical_says(content.replace(b"METHOD:PUBLISH", b"METHOD:REQUEST")))
    assert libical_says(content.replace(b"20261126T140000", b"soon"))


def test_a_canceled_event_is_only_ever_taken_out_of_a_calendar():
    event = Event(kind="seminar", slug="a", starts_at=VALID.starts_at, ends_at=VALID.ends_at, status="canceled")
    mine = {"uid": uuid4(), "sequence": 1, "attendee": "bo@example.org"}
    checked(calendar.personal(event, "sv", method=calendar.REQUEST, **mine), method="CANCEL")


def letters(text: str) -> str:
    """Without what no calendar can hold, and without how words are parted."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cc" and not letter.isspace())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(event=events, code=st.sampled_from(["sv", "ar"]), address=addresses)
@example(  # ends in the hour that comes twice, the second time
    event=Event(kind="seminar", slug="a", starts_at=TWICE - timedelta(hours=2), ends_at=TWICE, title_sv="a"),
    code="sv",
    address="bo@example.org",
)
def test_whatever_editors_write_and_whenever_it_is_every_calendar_can_read_the_file(event, code, address):
    mine = {"uid": uuid4(), "sequence": event.sequence, "attendee": ascii_address(address)}
    files = [("PUBLISH", calendar.published([event], code, name=f"A{event.place}"))]
    if not event.is_canceled:
        files.append(("REQUEST", calendar.personal(event, code, method=calendar.REQUEST, **mine)))
    files.append(("CANCEL", calendar.personal(event, code, method=calendar.CANCEL, **mine)))
    title = (event.title_ar if code == "ar" else "") or event.title_sv
    for method, content in files:
        (read,) = checked(content, method=method).walk("VEVENT")
        (entry,) = entries(content)
        assert (entry.one("DTSTART").moment, entry.one("DTEND").moment) == (event.starts_at, event.ends_at)
        assert (read.start, read.end) == (event.starts_at, event.ends_at)
        assert letters(entry.one("SUMMARY").text) == letters(title) or letters(event.get_kind_display())
        assert str(read["SUMMARY"]) == entry.one("SUMMARY").text
        assert SECRET_LINK not in str(read)
        for line in entry.all("ATTENDEE"):
            assert unquote(line.value) == f"mailto:{mine['attendee']}"
