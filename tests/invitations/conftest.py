from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from events.invitations import actions, rules
from events.invitations.models import Invitation
from portal.public import form_token
from tests import factories
from tests.events.conftest import make_event, public, staff

__all__ = ["make_event", "public", "staff"]


def guest(name="Styrelsen", **fields) -> dict[str, object]:
    return {"name": name, "email": f"{name.lower()}@example.org", "language": "sv"} | fields


def invite(event, name="Styrelsen", **fields) -> Invitation:
    (made,) = actions.invite(event, guests=[guest(name, **fields)], by=factories.user())
    return made


def page_of(invitation: Invitation) -> str:
    """Where its secret link leads."""
    return urlsplit(rules.secret_url(invitation)).path


def sent(do: str, **fields) -> dict[str, str]:
    """What a browser sends from the page of an invitation."""
    return {"token": form_token("invitation"), "do": do, "language": "sv", "interpreter": "", "access": ""} | fields


def instead(**fields) -> dict[str, str]:
    values = {"name": "Mira", "email": "mira@example.org", "language": "ar", "is_agreed": "on"} | fields
    return sent("substitute", **{f"instead-{name}": value for name, value in values.items()})


@pytest.fixture
def round_table(make_event):
    """A published round table for which nobody can register, with two days left to answer."""

    def make(*codes: str, is_draft=False, **fields):
        starts_at = timezone.now().replace(microsecond=0) + timedelta(days=6)
        values = {
            "kind": "round_table",
            "starts_at": starts_at,
            "registration_ends_at": None,
            "answers_due_at": starts_at - timedelta(days=4),
            "place": "Folkets hus",
        }
        return make_event(*(() if is_draft else codes or ("sv",)), **values | fields)

    return make
