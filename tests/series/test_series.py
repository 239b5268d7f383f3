from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from events.invitations import actions as invitations
from events.models import Event
from events.series import actions
from events.series.models import Series
from portal.accounts.models import Role
from tests import factories
from tests.actors.conftest import actor
from tests.events.conftest import make_event, staff
from tests.invitations.conftest import invite

__all__ = ["make_event", "staff"]

pytestmark = pytest.mark.django_db


def test_the_next_sitting_is_a_copy_of_the_last_with_the_same_circle(make_event, staff):
    member = actor("Fredens vänner")
    client = staff(Role.EVENTS)
    client.post("/staff/events/series/new/", {"name": "Rundabordet", "about": "Vi lyssnar.", "circle": [member.pk]})
    made = Series.objects.get()
    assert list(made.circle.all()) == [member]
    old, last = (make_event("sv", series=made, starts_in=timedelta(days=days), theme="Oro") for days in (-60, -30))
    page = client.get(f"/staff/events/series/{made.pk}/")
    assert [each.pk for each in page.context["sittings"]] == [last.pk, old.pk]
    assert f"/staff/events/{last.pk}/copy/" in page.content.decode()
    starts = timezone.localtime(timezone.now() + timedelta(days=20))
    client.post(f"/staff/events/{last.pk}/copy/", {"starts_at": f"{starts:%Y-%m-%dT%H:%M}"})
    new = Event.objects.latest("pk")
    assert (new.series, new.theme, new.status) == (made, "", "draft")


def test_two_series_have_two_names(staff):
    actions.create(name="Rundabordet", by=factories.user())
    other = actions.create(name="Nätverket", by=factories.user())
    response = staff(Role.EVENTS).post(f"/staff/events/series/{other.pk}/edit/", {"name": "Rundabordet"})
    assert response.status_code == 422
    other.refresh_from_db()
    assert other.name == "Nätverket"


def test_which_organizations_belong_and_come_is_for_who_may_read_the_register(make_event, staff):
    member, guest = actor("Fredens vänner"), actor("Moskén i dalen")
    made = actions.create(name="Rundabordet", circle=[member], by=factories.user())
    event = make_event("sv", series=made, theme="Oro")
    invitations.accept(invite(event, actor=guest), form_id=uuid4(), language="sv")
    at = f"/staff/events/series/{made.pk}/"
    office = staff(Role.MANAGER).get(at).content.decode()
    assert "Fredens vänner" in office
    assert "Moskén i dalen" in office
    for role in (Role.TRANSLATOR, Role.REPORTER, Role.ADMIN):
        page = staff(role).get(at).content.decode()
        assert "Oro" in page
        assert "Fredens vänner" not in page
        assert "Moskén i dalen" not in page
