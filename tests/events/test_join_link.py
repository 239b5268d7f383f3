"""The link to join is in nothing that everybody can fetch, whatever has become of the event."""

import re
from datetime import timedelta

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import actions
from events.registrations import actions as registrations
from events.registrations import rules
from portal.revisions import actions as revisions
from portal.search.models import IndexRow
from tests import factories
from tests.events.conftest import SECRET_LINK
from tests.test_access import PUBLIC, TABLE, names

SECRET = SECRET_LINK.rpartition("/")[2]
"""No letter of it is written in another way in HTML, JSON, XML or calendars."""


def routes() -> dict[str, str]:
    """Public addresses of the active language, but those of one fact, rumor, question or pack."""
    public = {name: f"/{route}" for name, route in names().items() if TABLE.get(name) == PUBLIC}
    return {name: route for name, route in public.items() if "<" not in route or "/events/<slug:slug>" in route}


def addresses(event, registration) -> list[str]:
    own = {"<slug:slug>": event.slug, "<str:token>": rules.private_token(registration)}
    found = []
    for code in ("sv", "ar"):
        with translation.override(code):
            found += [re.sub("<.*?>", lambda parameter: own[parameter[0]], route) for route in routes().values()]
        found.append(f"/{code}/events/?month={timezone.localdate(event.starts_at):%Y-%m}")
        found.append(f"/{code}/search/?q=Träff")
    return [*dict.fromkeys(found), "/api/v1/events?language=ar"]


def move(event, by):
    hours = timedelta(hours=3)
    actions.edit(
        event, by=by, starts_at=event.starts_at + hours, ends_at=event.ends_at + hours, registration_ends_at=None
    )


STEPS = {
    "publish the text": lambda event, by: factories.publish(event, title="Träff", summary="Om.", body="Text."),
    "put out": lambda event, by: factories.put_out(event),
    "move": move,
    "cancel": lambda event, by: actions.cancel(event, by=by, reason="Sjukdom"),
    "restore": lambda event, by: actions.restore(event, by=by),
    "tell the place": lambda event, by: actions.edit(event, by=by, place="Biblioteket", is_place_public=True),
    "hold it in a place": lambda event, by: actions.edit(event, by=by, place="Kyrkan", is_online=False),
    "another link": lambda event, by: actions.edit(event, by=by, join_url=f"{SECRET_LINK}?again"),
    "withdraw": lambda event, by: revisions.withdraw(event, language="sv", by=by, reason="Fel"),
}


def test_every_way_to_an_event_is_among_the_addresses():
    assert routes().keys() >= {"event", "event_ics", "register", "registration", "find_registration"}
    assert routes().keys() >= {"events", "events_ics", "feed", "sitemap", "front", "search", "list_events"}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=7),
    is_out=st.booleans(),
    minutes=st.sampled_from([-9000, -30, 20, 9000]),
)
def test_the_join_link_is_nowhere_whatever_has_become_of_the_event(make_event, steps, is_out, minutes):
    starts_in, by = timedelta(minutes=minutes), factories.user()
    event = make_event(*(["sv", "ar"] if is_out else []), starts_in=starts_in)
    registration = registrations.Registration.objects.create(event=event, name="Bo")
    for step in steps:
        event.refresh_from_db()
        try:
            STEPS[step](event, by)
        except (ValidationError, ValueError):
            continue  # not a step that it can take now
    event.refresh_from_db()
    assert SECRET in event.join_url
    browser, seen = Client(), 0
    for path in addresses(event, registration):
        cache.clear()
        response = browser.get(path)
        assert response.status_code in {200, 302, 404, 410, 503}, path  # nobody beats here, /readyz says
        content = response.content.replace(b"\r\n ", b"")
        assert SECRET.encode() not in content, path
        assert SECRET not in str(response.headers), path
        seen += event.slug.encode() in content
    # Otherwise nothing has been looked at.
    assert seen or not is_out or "withdraw" in steps
    for row in IndexRow.objects.all():
        assert SECRET not in f"{row.title} {row.text} {row.url}"
