from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from events.agreements import actions
from events.agreements.models import Agreement, Minutes
from events.series import actions as series
from portal.accounts.models import Role
from tests import factories
from tests.accounts.people import person, sign_in
from tests.events.conftest import make_event, public, staff

__all__ = ["make_event", "public", "staff"]

pytestmark = pytest.mark.django_db


def agree(what="Vi skriver ett brev.", **fields) -> Agreement:
    return actions.agree(what=what, by=factories.user(), **{"owner": "Skolan"} | fields)


@pytest.fixture
def sittings(make_event):
    """A series, and three sittings of it: two that were held, and one to come."""
    circle = series.create(name="Rundabordet", by=factories.user())
    return [make_event("sv", series=circle, starts_in=timedelta(days=days)) for days in (-60, -30, 10)]


def whats(found) -> set[str]:
    return {each.what for each in found}


def test_what_is_open_and_what_was_settled_since_the_last_sitting_is_carried_on(sittings):
    first, last, to_come = sittings
    agree("Öppen", event=first)
    agree("Från serien", series=first.series)
    done, old = agree("Klar", event=last), agree("Klar för länge sedan", event=first)
    actions.settle(done, outcome="done", reason="", by=factories.user())
    actions.settle(old, outcome="done", reason="", by=factories.user())
    Agreement.objects.filter(pk=old.pk).update(settled_at=last.starts_at - timedelta(days=1))
    agree("Här", event=to_come)
    assert whats(Agreement.objects.brought_to(to_come)) == {"Öppen", "Från serien", "Klar"}
    assert "Klar för länge sedan" in whats(Agreement.objects.brought_to(last))


def test_an_event_without_a_series_brings_nothing_along(make_event):
    agree(event=make_event(starts_in=-timedelta(days=3)))
    assert whats(Agreement.objects.brought_to(make_event())) == set()


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": ""},
        {"event": None},
        {"outcome": "done"},
        {"outcome": "dropped", "settled_at": timezone.now()},
    ],
)
def test_the_database_refuses_an_agreement_that_is_none(make_event, fields):
    values = {"event": make_event(), "what": "Vi ses", "owner": "Skolan"} | fields
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.create(**values)


def test_it_is_written_down_settled_and_opened_again(sittings, staff):
    event, client = sittings[1], staff(Role.EVENTS)
    path = f"/staff/events/{event.pk}/agreements/"
    refused = client.post(path, {"what": "Vi ses", "owner": "", "due_on": ""})
    assert refused.status_code == 422
    assert "Vi ses" in refused.content.decode()
    client.post(path, {"what": "Vi ses", "owner": "Skolan", "due_on": "2026-01-01"})
    made = Agreement.objects.get()
    settle = f"/staff/events/agreements/{made.pk}/settle/"
    assert client.post(settle, {"outcome": "dropped", "reason": ""}).status_code == 422
    client.post(settle, {"outcome": "dropped", "reason": "Ingen hann."})
    made.refresh_from_db()
    assert (made.outcome, made.reason) == ("dropped", "Ingen hann.")
    client.post(f"/staff/events/agreements/{made.pk}/reopen/")
    made.refresh_from_db()
    assert (made.outcome, made.settled_at) == ("", None)


def test_who_may_only_read_writes_nothing(sittings, staff):
    path = f"/staff/events/{sittings[1].pk}/agreements/"
    response = staff(Role.MANAGER).post(path, {"what": "Vi ses", "owner": "Skolan"})
    assert response.status_code == 403
    assert not Agreement.objects.exists()


def test_the_team_sees_what_is_overdue_when_they_come_to_work(make_event):
    colleague, stranger = person(Role.EVENTS), person(Role.EVENTS)
    event = make_event(team=[colleague])
    agree("Brevet är skrivet", event=event, due_on=timezone.localdate() - timedelta(days=1))
    agree("Detta hinner vi", event=event, due_on=timezone.localdate())
    home = sign_in(colleague).get("/staff/")
    assert whats(home.context["agreements"]) == {"Brevet är skrivet"}
    assert whats(sign_in(stranger).get("/staff/").context["agreements"]) == set()


def test_minutes_are_for_colleagues_until_they_are_published(make_event, staff, public):
    event = make_event("sv", starts_in=-timedelta(days=2))
    client = staff(Role.EVENTS)
    client.post(f"/staff/events/{event.pk}/minutes/", {"text": "## Vi talades vid\n\nOm **skolan**."})
    page = f"/ar/events/{event.slug}/"
    assert "Vi talades vid" not in public.get(page).content.decode()
    from django.core.cache import cache

    cache.clear()
    client.post(f"/staff/events/{event.pk}/minutes/publish/")
    html = public.get(page).content.decode()
    assert "<h2>Vi talades vid</h2>" in html
    assert '<div class="prose" lang="sv" dir="ltr">' in html
    cache.clear()
    client.post(f"/staff/events/{event.pk}/minutes/hide/")
    assert "Vi talades vid" not in public.get(page).content.decode()


def test_minutes_of_a_draft_are_not_published(make_event):
    minutes = actions.write_minutes(make_event(), text="Text", by=factories.user())
    with pytest.raises(actions.NotPublicError):
        actions.publish_minutes(minutes, by=factories.user())
    assert Minutes.objects.get().published_at is None
