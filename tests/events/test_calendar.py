import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from icalendar import Calendar

from events import actions, calendar
from tests import factories
from tests.events.conftest import SECRET_LINK


def checked(content: bytes) -> Calendar:
    """What parsers let pass and calendars do not: ends of lines, their length, zones, double identities."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    file = Calendar.from_ical(content)
    assert file["METHOD"] == "PUBLISH"
    assert file["VERSION"] == "2.0"
    used = set(re.findall(rb"TZID=([^:;]+)", content))
    defined = {str(zone["TZID"]).encode() for zone in file.walk("VTIMEZONE")}
    assert used == defined
    uids = [str(event["UID"]) for event in file.walk("VEVENT")]
    assert len(uids) == len(set(uids))
    for event in file.walk("VEVENT"):
        assert event.start < event.end
        assert "ATTENDEE" not in event
        assert "ORGANIZER" not in event
    return file


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
