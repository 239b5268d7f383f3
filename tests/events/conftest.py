from datetime import date, datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from events import actions
from events.models import Event
from events.programs import actions as programs
from events.programs.models import Speaker
from portal.accounts.models import Role
from portal.public import FAST_SECONDS, form_token
from tests import factories
from tests.accounts.people import person, sign_in

SECRET_LINK = "https://meeting.example.org/only-for-who-has-registered"

_numbers = count(1)


@pytest.fixture
def make_event(db):
    """An event in ten days, a draft; `published` names the languages in which it has a text, and puts it out. Its
    program is published, and all of its speakers let themselves be named. Unless it is said when it is, it begins with
    its program, and has two hours left when that ends."""

    def make(*published: str, starts_in=None, lasts=timedelta(minutes=90), **fields) -> Event:
        number = next(_numbers)
        starts_at = fields.pop("starts_at", None)
        if starts_at is None:
            starts_at = timezone.now().replace(microsecond=0) + (starts_in or timedelta(days=10))
            if starts_in is None and fields.get("program"):
                starts_at, lasts = _hours(timezone.localdate(starts_at), fields["program"])
        values = {
            "kind": "seminar",
            "slug": f"traff-{number}",
            "starts_at": starts_at,
            "ends_at": starts_at + lasts,
            "is_online": True,
            "join_url": SECRET_LINK,
            "registration_ends_at": starts_at,
        } | fields
        lines = values.pop("program", ())
        event = actions.create(by=factories.user(), **values)
        if lines:
            programs.write(event, lines, by=event.created_by)
            for speaker in Speaker.objects.of(event):
                programs.agree(speaker, by=event.created_by)
            programs.publish(event, by=event.created_by)
        for code in published:
            factories.publish(
                event, code, title=f"Träff {code} {number}", summary=f"Om {code}.", body="## Rubrik\n\nText."
            )
        if "sv" in published:
            event.refresh_from_db()
            factories.put_out(event)
        event.refresh_from_db()
        return event

    return make


def _hours(on: date, program) -> tuple[datetime, timedelta]:
    zone = timezone.get_default_timezone()
    starts, ends = (
        [datetime.combine(on + timedelta(days=row["day"] - 1), row[name], tzinfo=zone) for row in program]
        for name in ("starts", "ends")
    )
    return min(starts), max(ends) - min(starts) + timedelta(hours=2)


@pytest.fixture
def public():
    """A reader's browser: it keeps no cookies worth anything and sends no CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def form():
    """What a browser sends from the registration form."""

    def filled(**fields):
        with time_machine.travel(timezone.now() - timedelta(seconds=FAST_SECONDS + 1)):
            token = form_token("register")
        empty = {"party_size": "1", "interpreter": "", "access": "", "question": "", "website": ""}
        return {"token": token, "name": "Bo", "email": "bo@example.org", "language": "sv", **empty} | fields

    return filled


@pytest.fixture
def staff(db):
    """A signed-in browser of somebody with these roles."""

    def signed_in(*roles: Role) -> Client:
        return sign_in(person(*roles))

    return signed_in
