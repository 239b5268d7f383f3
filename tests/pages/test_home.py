"""The page that staff begin with: what waits for whom, and which ways on there are."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import Role
from rumors.imports.models import Batch, State
from tests import factories
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import log, published

pytestmark = pytest.mark.django_db

CALM = "Nothing is waiting for you right now."


def home(*roles: Role, user=None) -> str:
    return sign_in(user or person(*roles, language="en")).get("/staff/").content.decode()


def test_nothing_waits_on_an_empty_site():
    assert CALM in home(*Role)


def test_an_alarm_waits():
    log(is_threat=True)
    page = home(Role.SECURITY)
    assert reverse("alarms") in page
    assert CALM not in page


def test_an_answer_whose_fact_has_changed_waits():
    fact = factories.published_fact()
    rebuttal = published(fact=fact)
    factories.publish(fact, title="Fråga?", summary="Svar.", body="Nytt.", significance="major", change_note="Nytt")
    page = home(Role.EDITOR)
    assert reverse("staff_rebuttal", args=[rebuttal.pk]) in page
    assert CALM not in page


@pytest.mark.parametrize(
    ("state", "is_overtaken", "waits"),
    [
        (State.CHECKED, True, True),
        (State.FAILED, False, True),
        (State.CHECKED, False, False),
        (State.DONE, True, False),
    ],
)
def test_a_list_that_was_not_imported_waits_for_its_sender(state, is_overtaken, waits):
    user = person(Role.REPORTER, language="en")
    values = {"header": ["Datum"], "state": state, "is_overtaken": is_overtaken, "done_at": timezone.now()}
    batch = Batch.objects.create(owner=user, **values)
    address = reverse("import_check", args=[batch.pk])
    page = home(user=user)
    assert ((address in page), (CALM in page)) == (waits, not waits)
    assert CALM in home(Role.REPORTER)


@pytest.mark.parametrize("role", Role)
def test_every_way_that_the_navigation_offers_may_be_gone(role):
    client = sign_in(person(role))
    nav = re.search(r'<nav class="staff-nav".*?</nav>', client.get("/staff/").content.decode(), re.DOTALL)[0]
    ways = re.findall(r'href="([^"]+)"', nav)
    assert len(ways) > 6
    assert {way: client.get(way).status_code for way in ways} == dict.fromkeys(ways, 200)
    assert (reverse("staff_reports") in ways) == (role in {Role.MANAGER, Role.AUDITOR, Role.EDITOR})
    assert (reverse("staff_contacts") in ways) == (role in {Role.ADMIN, Role.EDITOR})
