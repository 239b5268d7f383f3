"""What machines are told of an event: what its page says, and never how to join it."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import html5lib
import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from events import actions
from events.models import SETTLE
from events.reminders import actions as reminders
from events.series.models import Series
from tests import factories

pytestmark = pytest.mark.django_db

SITE = "https://fakta.example.org"
SCHEMA = "https://schema.org"
STARTS = datetime(2027, 3, 28, 9, 0, tzinfo=ZoneInfo("Europe/Stockholm"))


@pytest.fixture(autouse=True)
def _somewhere(settings):
    settings.PUBLIC_URL = SITE
    settings.MUNICIPALITY = "Å & Ö <kommun>"


@pytest.fixture
def told(client):
    def of(event, code="sv"):
        cache.clear()
        html = client.get(f"/{code}/events/{event.slug}/").content.decode()
        tree = html5lib.parse(html, namespaceHTMLElements=False)
        (block,) = [e for e in tree.iter("script") if e.get("type") == "application/ld+json"]
        return json.loads(block.text)

    return of


def test_an_event_is_told_with_its_place_its_languages_and_who_holds_it(make_event, told):
    event = make_event(
        "sv",
        "ar",
        slug="traff",
        starts_at=STARTS,
        place="Biblioteket </script>",
        is_place_public=True,
        spoken=["sv"],
        interpreted=["ar", "zh-hans", "sv"],
        capacity=40,
    )
    url = f"{SITE}/ar/events/traff/"
    assert told(event, "ar") == {
        "@context": SCHEMA,
        "@type": "Event",
        "url": url,
        "name": event.title_ar,
        "description": "Om ar.",
        "startDate": "2027-03-28T09:00+02:00",
        "endDate": "2027-03-28T10:30+02:00",
        "eventStatus": f"{SCHEMA}/EventScheduled",
        "eventAttendanceMode": f"{SCHEMA}/MixedEventAttendanceMode",
        "location": [
            {"@type": "Place", "name": "Biblioteket </script>", "address": "Biblioteket </script>"},
            {"@type": "VirtualLocation", "url": url},
        ],
        "inLanguage": ["sv", "ar", "zh-Hans"],
        "organizer": {"@type": "GovernmentOrganization", "name": "Å & Ö <kommun>"},
        "isAccessibleForFree": True,
        "maximumAttendeeCapacity": 40,
    }
    assert told(event, "so")["url"] == f"{SITE}/sv/events/traff/"


@pytest.mark.parametrize(
    ("fields", "mode", "locations"),
    [
        ({"is_online": True, "place": ""}, "Online", ["VirtualLocation"]),
        ({"is_online": False, "place": "Kyrkan", "is_place_public": True}, "Offline", ["Place"]),
        ({"is_online": False, "place": "Kyrkan"}, "Offline", []),
        ({"is_online": True, "place": "Kyrkan"}, "Mixed", ["VirtualLocation"]),
    ],
)
def test_a_place_that_is_not_public_is_not_told(make_event, told, fields, mode, locations):
    found = told(make_event("sv", **fields))
    assert found["eventAttendanceMode"] == f"{SCHEMA}/{mode}EventAttendanceMode"
    assert [location["@type"] for location in found["location"]] == locations
    assert ("Kyrkan" in json.dumps(found)) == ("Place" in locations)


@pytest.fixture
def later():
    """Lets so much time pass that what was changed is known to people."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield lambda: clock.shift(SETTLE)


def test_a_moved_canceled_and_restored_event_says_so_to_people_and_machines(make_event, told, client, later):
    event = make_event("sv", slug="traff", starts_at=STARTS, registration_ends_at=None)
    by = factories.user()

    def state():
        found = told(event)
        html = client.get("/en/events/traff/").content.decode()
        said = [words for words in ("is canceled.", "was to start on") if words in html]
        return found["eventStatus"].removeprefix(f"{SCHEMA}/Event"), found.get("previousStartDate"), said

    states = [state()]
    later()
    actions.edit(event, by=by, starts_at=STARTS + timedelta(hours=2), ends_at=event.ends_at + timedelta(hours=2))
    states.append(state())
    later()
    actions.edit(event, by=by, place="Kommunhuset")
    states.append(state())
    actions.cancel(event, by=by, reason="Sjukdom")
    states.append(state())
    actions.restore(event, by=by)
    states.append(state())
    actions.cancel(event, by=by, reason="Sjukdom")
    later()
    actions.restore(event, by=by)
    states.append(state())
    before = "2027-03-28T09:00+02:00"
    assert states == [
        ("Scheduled", None, []),
        ("Rescheduled", before, ["was to start on"]),
        ("Rescheduled", before, ["was to start on"]),
        ("Cancelled", None, ["is canceled."]),
        ("Rescheduled", before, ["was to start on"]),
        ("Scheduled", None, []),
    ]


def test_what_nobody_was_told_is_no_move(make_event, told, later):
    by = factories.user()

    def move(event, hours):
        moved = timedelta(hours=hours)
        actions.edit(event, by=by, starts_at=STARTS + moved, ends_at=STARTS + moved + timedelta(hours=1))

    draft = make_event(starts_at=STARTS, registration_ends_at=None)
    later()
    move(draft, 1)
    later()
    factories.publish(draft, title="Träff", summary="Om.", body="")
    draft.refresh_from_db()
    factories.put_out(draft)
    assert told(draft)["eventStatus"].endswith("EventScheduled")
    taken_back = make_event("sv", starts_at=STARTS, registration_ends_at=None)
    later()
    move(taken_back, 5)
    move(taken_back, 0)
    assert told(taken_back)["eventStatus"].endswith("EventScheduled")
    mended = make_event("sv", starts_at=STARTS, registration_ends_at=None)
    later()
    move(mended, 50)
    move(mended, 5)
    assert told(mended)["previousStartDate"] == "2027-03-28T09:00+02:00"


@pytest.mark.parametrize("what", ["end", "series", "reminders"])
def test_a_moved_event_still_says_so_after_something_else_of_it_was_changed(make_event, told, later, what):
    event, by = make_event("sv", slug="traff", starts_at=STARTS, registration_ends_at=None), factories.user()
    later()
    actions.edit(event, by=by, starts_at=STARTS + timedelta(hours=2), ends_at=event.ends_at + timedelta(hours=2))
    later()
    if what == "end":
        actions.edit(event, by=by, ends_at=event.ends_at + timedelta(hours=3))
    elif what == "series":
        actions.edit(event, by=by, series=Series.objects.create(name="Rundabordet"))
    else:
        reminders.own(event, by=by)
        reminders.share(event, by=by)
    later()
    assert told(event)["previousStartDate"] == "2027-03-28T09:00+02:00"
