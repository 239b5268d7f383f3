from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from events.actors import actions
from events.actors.models import Actor, Contact, Helper
from portal.accounts.models import Role
from tests import factories
from tests.accounts.people import person, sign_in

_numbers = count(1)


def actor(name: str = "", **fields) -> Actor:
    values = {"name": name or f"Förening {next(_numbers)}", "kind": "association"} | fields
    return actions.create(by=factories.user(), **values)


def agreed(**fields) -> dict[str, object]:
    """What is known of somebody who agreed today."""
    return {
        "name": "Mira Sandhav",
        "email": "mira@example.org",
        "consented_on": timezone.localdate(),
        "consent_note": "Sa ja per e-post.",
    } | fields


def contact(of: Actor | None = None, *, days_ago: int = 0, **fields) -> Contact:
    day = timezone.localdate() - timedelta(days=days_ago)
    return actions.add_contact(of or actor(), by=factories.user(), **agreed(consented_on=day, **fields))


def helper(*, days_ago: int = 0, **fields) -> Helper:
    day = timezone.localdate() - timedelta(days=days_ago)
    values = {"kind": "interpreter", "languages": ["ti"]} | fields
    return actions.add_helper(by=factories.user(), **agreed(consented_on=day, **values))


@pytest.fixture
def office(db):
    """The browser of somebody who plans events."""
    return sign_in(person(Role.EVENTS))


@pytest.fixture
def manager(db):
    return sign_in(person(Role.MANAGER))
