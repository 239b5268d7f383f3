from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from events.agreements import actions
from events.agreements.models import Agreement, Minutes
from events.series import actions as series
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from tests import factories
from tests.accounts.people import person, sign_in
from tests.actors.conftest import actor
from tests.events.conftest import make_event, public, staff
from tests.overtaken import overtaken
from tests.shown import as_shown

__all__ = ["make_event", "public", "staff"]

pytestmark = pytest.mark.django_db


def form_of(client, agreement) -> dict[str, str]:
    """What stands in the form to change it, with what it was opened with."""
    form = client.get(f"/staff/events/agreements/{agreement.pk}/edit/").context["form"]
    now = {field.html_name: "" if field.value() is None else str(field.value()) for field in form}
    return now | {f"initial-{name}": value for name, value in now.items()}


def change(client, agreement, form=None, **fields):
    """Send that form with other values; it is opened now unless it was before."""
    url = f"/staff/events/agreements/{agreement.pk}/edit/"
    return client.post(url, (form or form_of(client, agreement)) | fields)


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
    for each in (done, old):
        actions.edit(each, outcome="done", by=factories.user())
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
    assert change(client, made, outcome="dropped").status_code == 422
    change(client, made, outcome="dropped", reason="Ingen hann.")
    made.refresh_from_db()
    assert (made.outcome, made.reason) == ("dropped", "Ingen hann.")
    change(client, made, outcome="")
    made.refresh_from_db()
    assert (made.outcome, made.reason, made.settled_at) == ("", "", None)
    verbs = AuditEvent.objects.filter(kind="agreements.agreement").values_list("verb", flat=True)
    assert sorted(verbs) == ["agree", "reopen_agreement", "settle_agreement"]


def test_a_form_sent_twice_is_one_agreement_and_two_that_say_the_same_are_two(sittings, staff):
    event, client = sittings[1], staff(Role.EVENTS)
    for path in (f"/staff/events/{event.pk}/agreements/", f"/staff/events/series/{event.series_id}/agreements/"):
        Agreement.objects.all().delete()
        opened, opened_once_more = as_shown(client.get(path)), as_shown(client.get(path))
        for form in (opened, opened):
            client.post(path, form | {"what": "Vi ses", "owner": "Skolan"})
        assert Agreement.objects.count() == 1
        client.post(path, opened_once_more | {"what": "Vi ses", "owner": "Skolan"})
        assert Agreement.objects.count() == 2
    assert AuditEvent.objects.filter(verb="agree").count() == 4


def test_a_form_that_is_sent_again_with_other_words_mends_the_agreement(sittings, staff):
    client, path = staff(Role.EVENTS), f"/staff/events/{sittings[1].pk}/agreements/"
    Agreement.objects.all().delete()
    opened = as_shown(client.get(path))
    for words in ("Vi ses", "Vi ses i mars"):
        client.post(path, opened | {"what": words, "owner": "Skolan"})
    assert Agreement.objects.get().what == "Vi ses i mars"


def test_a_form_that_is_sent_again_takes_nothing_back_that_somebody_else_has_mended(sittings, staff):
    client, path = staff(Role.EVENTS), f"/staff/events/{sittings[1].pk}/agreements/"
    opened = as_shown(client.get(path)) | {"what": "Vi ses", "owner": "Skolan"}
    client.post(path, opened)
    actions.edit(Agreement.objects.get(), what="Vi ses i mars, alla tio.", by=factories.user())
    again = client.post(path, opened | {"what": "Vi ses i maj"})
    assert again.status_code == 422
    assert as_shown(again)["what"] == ["Vi ses i maj"]
    assert Agreement.objects.get().what == "Vi ses i mars, alla tio."


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_from_two_taps_at_the_same_moment_is_one_agreement(make_event):
    event, by, form_id = make_event(), factories.user(), uuid4()

    def agreed() -> Agreement:
        return actions.agree(event=event, what="Vi ses", owner="Skolan", form_id=form_id, by=by)

    assert overtaken(agreed, agreed) == Agreement.objects.get()
    assert AuditEvent.objects.filter(verb="agree").count() == 1


def test_words_owner_and_day_are_changed_and_the_log_is_not_told_the_words(sittings, staff):
    made, school = agree(event=sittings[1], due_on=timezone.localdate()), actor("Exempelskolan")
    change(staff(Role.EVENTS), made, what="Vi ringer dem.", owner="", owner_actor=school.pk, due_on="2027-01-31")
    made.refresh_from_db()
    assert (made.what, made.owner, made.owner_actor, str(made.due_on)) == ("Vi ringer dem.", "", school, "2027-01-31")
    log = AuditEvent.objects.get(verb="edit", kind="agreements.agreement")
    assert log.changes["due_on"][1] == "2027-01-31"
    assert "ringer" not in str(log.changes)
    assert "Skolan" not in str(log.changes)


def test_who_sees_to_it_already_may_go_on_though_they_could_not_be_chosen_anew(sittings, staff):
    gone = actor("Föreningen som upphörde", is_active=False)
    made = agree(event=sittings[1], owner="", owner_actor=gone)
    assert change(staff(Role.EVENTS), made, what="Vi ringer dem.").status_code == 302
    made.refresh_from_db()
    assert (made.what, made.owner_actor) == ("Vi ringer dem.", gone)


def test_two_who_change_it_at_once_lose_nothing(sittings, staff):
    made, client = agree(event=sittings[1]), staff(Role.EVENTS)
    opened, also_opened = form_of(client, made), form_of(client, made)
    assert change(client, made, opened, what="Först.").status_code == 302
    second = change(client, made, also_opened, what="Sedan.", due_on="2027-01-31")
    assert second.status_code == 422
    assert "Först." in second.content.decode()
    assert "Sedan." in second.content.decode()
    made.refresh_from_db()
    assert (made.what, made.due_on) == ("Först.", None)
    # What nobody else has touched is saved, and what was read is put in its place by sending it once more.
    assert change(client, made, also_opened, due_on="2027-01-31").status_code == 302
    shown = {each.html_name: each.value() for each in second.context["form"]}
    again = shown | {f"initial-{name}": second.context["form"].data[f"initial-{name}"] for name in shown}
    assert change(client, made, again, due_on="2027-01-31").status_code == 302
    made.refresh_from_db()
    assert (made.what, str(made.due_on)) == ("Sedan.", "2027-01-31")


def test_two_who_name_different_owners_leave_no_two(sittings, staff):
    made, client, school = agree(event=sittings[1]), staff(Role.EVENTS), actor("Exempelskolan")
    colleague = person(Role.EVENTS)
    also_opened = form_of(client, made)
    change(client, made, owner="", owner_user=colleague.pk)
    assert change(client, made, also_opened, owner="", owner_actor=school.pk).status_code == 422
    made.refresh_from_db()
    assert (made.owner, made.owner_actor, made.owner_user) == ("", None, colleague)


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


def test_two_who_write_the_minutes_at_once_lose_nothing(make_event, staff):
    event, first, second = make_event("sv"), staff(Role.EVENTS), staff(Role.EVENTS)
    address = f"/staff/events/{event.pk}/minutes/"
    opened = as_shown(second.get(address))
    first.post(address, {"text": "Skolan ringer först."})
    response = second.post(address, opened | {"text": "Kyrkan bjuder in."})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Kyrkan bjuder in." in page
    assert "Skolan ringer först." in page
    assert Minutes.objects.get().text == "Skolan ringer först."
    # Who has seen what the other wrote may put their own in its place, and who has changed nothing changes nothing.
    second.post(address, as_shown(response) | {"text": "Skolan ringer först. Kyrkan bjuder in."})
    assert Minutes.objects.get().text == "Skolan ringer först. Kyrkan bjuder in."
    first.post(address, {"text": "Skolan ringer först.", "initial-text": "Skolan ringer först."})
    assert Minutes.objects.get().text == "Skolan ringer först. Kyrkan bjuder in."


def test_minutes_of_a_draft_are_not_published(make_event):
    minutes = actions.write_minutes(make_event(), text="Text", by=factories.user())
    with pytest.raises(actions.NotPublicError):
        actions.publish_minutes(minutes, by=factories.user())
    assert Minutes.objects.get().published_at is None
