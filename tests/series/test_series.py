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
from tests.overtaken import overtaken

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


@pytest.mark.django_db(transaction=True)
def test_who_takes_the_name_of_a_series_in_the_same_moment_is_asked_for_another_one(staff):
    client, by = staff(Role.EVENTS), factories.user()
    answer = overtaken(
        lambda: actions.create(name="Rundabordet", by=by),
        lambda: client.post("/staff/events/series/new/", {"name": "Rundabordet", "about": "Vi lyssnar."}),
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["name"]
    assert "Vi lyssnar." in answer.content.decode()
    assert Series.objects.count() == 1


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
    for name in ("Styrelsen", "Kansliet"):
        invitations.accept(invite(event, name, actor=guest), form_id=uuid4(), language="sv")
    at = f"/staff/events/series/{made.pk}/"
    office = staff(Role.MANAGER).get(at).content.decode()
    assert "Fredens vänner" in office
    assert office.count("Moskén i dalen") == 1  # though two of it come
    for role in (Role.TRANSLATOR, Role.REPORTER, Role.ADMIN):
        page = staff(role).get(at).content.decode()
        assert "Oro" in page
        assert "Fredens vänner" not in page
        assert "Moskén i dalen" not in page


def test_two_who_change_one_circle_lose_nobody_of_it(staff):
    always, first, second = actor("Alltid"), actor("Den ena"), actor("Den andra")
    made = actions.create(name="Rundabordet", about="Vi lyssnar.", circle=[always], by=factories.user())
    at = f"/staff/events/series/{made.pk}/edit/"
    office = staff(Role.EVENTS)
    opened = {"initial-name": "Rundabordet", "initial-about": "Vi lyssnar.", "initial-circle": [always.pk]}
    page = office.get(at).content.decode()
    assert all(f'name="{name}"' in page for name in opened)
    fields = opened | {"name": "Rundabordet", "about": "Vi lyssnar."}
    office.post(at, fields | {"circle": [always.pk, first.pk]})
    assert office.post(at, fields | {"about": "Vi talar.", "circle": [always.pk]}).status_code == 302
    response = office.post(at, fields | {"circle": [always.pk, second.pk]})
    assert response.status_code == 422
    assert "Alltid, Den ena" in response.content.decode()
    made.refresh_from_db()
    assert (made.about, set(made.circle.all())) == ("Vi talar.", {always, first})
