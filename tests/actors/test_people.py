"""Contacts, bridge builders and interpreters: named only because they have agreed, and not for longer."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from events.actors import actions
from events.actors.models import Contact, Helper
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail import actions as mail
from portal.mail.models import Delivery, State
from portal.pages import actions as pages
from tests import factories
from tests.accounts.people import person, sign_in
from tests.actors.conftest import actor, agreed, contact, helper
from tests.shown import as_shown

pytestmark = pytest.mark.django_db

ACTORS = "/staff/events/actors/"
HELPERS = f"{ACTORS}helpers/"


def sent(**fields) -> dict[str, object]:
    return {name: str(value) for name, value in agreed().items()} | fields


def of_helper(**fields) -> dict[str, object]:
    return sent(kind="interpreter", languages=["ti", "sv"]) | fields


def logged() -> str:
    """All that the audit log holds, but who is on staff."""
    rows = AuditEvent.objects.exclude(kind="accounts.user").values("verb", "kind", "changes", "note", "excuse")
    return json.dumps(list(rows), ensure_ascii=False)


# Consent ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_written_down_with_their_consent(office):
    found = actor()
    page = f"{ACTORS}{found.pk}/contacts/new/"
    response = office.post(page, sent(role="Ordförande", phone="010-123 45 67"))
    assert response["Location"] == found.get_absolute_url()
    made = found.contacts.get()
    assert (made.name, made.role, made.email, made.phone) == (
        "Mira Sandhav",
        "Ordförande",
        "mira@example.org",
        "010-123 45 67",
    )
    assert (made.consented_on, made.consent_note) == (timezone.localdate(), "Sa ja per e-post.")
    assert made.consent_until == timezone.localdate() + timedelta(days=730)
    shown = office.get(found.get_absolute_url()).content.decode()
    assert "Mira Sandhav" in shown
    assert "Ordförande" in shown


def test_a_helper_works_in_languages_and_belongs_to_nobody(office):
    office.post(f"{HELPERS}new/", of_helper())
    made = Helper.objects.get()
    assert (made.kind, made.languages) == ("interpreter", ["sv", "ti"])
    shown = office.get(HELPERS).content.decode()
    assert "Mira Sandhav" in shown
    assert "tigrinska" in shown
    fields = {field.name for field in Helper._meta.get_fields()}
    assert not fields & {"actor", "faith", "religion", "ethnicity", "origin", "country"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"consented_on": ""}, {"consented_on"}),
        ({"consent_note": ""}, {"consent_note"}),
        ({"consented_on": str(timezone.localdate() + timedelta(days=2))}, {"consented_on"}),
        ({"consented_on": str(timezone.localdate() - timedelta(days=740))}, {"consented_on"}),
        ({"email": ""}, {"email"}),
        ({"consent_note": "Är muslim och sa ja"}, {"consent_note", "guard_reason"}),
    ],
)
def test_without_consent_and_a_way_to_be_reached_nobody_is_named(office, fields, wrong):
    for page in (f"{ACTORS}{actor().pk}/contacts/new/", f"{HELPERS}new/"):
        response = office.post(page, of_helper(**fields))
        assert response.status_code == 422
        assert set(response.context["form"].errors) == wrong
        assert "Mira Sandhav" in response.content.decode()
    assert not Contact.objects.exists()
    assert not Helper.objects.exists()


@pytest.mark.parametrize(
    ("make", "fields", "constraint"),
    [
        (contact, {"consent_note": ""}, "contact_has_agreed_in_some_way"),
        (contact, {"consented_on": None}, "consented_on"),
        (contact, {"email": ""}, "contact_has_a_name_and_can_be_reached"),
        (contact, {"name": ""}, "contact_has_a_name_and_can_be_reached"),
        (helper, {"consent_note": ""}, "helper_has_agreed_in_some_way"),
        (helper, {"consented_on": None}, "consented_on"),
        (helper, {"email": ""}, "helper_has_a_name_and_can_be_reached"),
        (helper, {"languages": []}, "helper_works_in_a_language"),
    ],
)
def test_the_database_itself_keeps_nobody_without_consent(make, fields, constraint):
    made = make()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        type(made).objects.filter(pk=made.pk).update(**fields)


def test_a_title_that_tells_a_faith_has_to_be_taken_out_or_explained(office):
    found = actor(kind="faith_community")
    page = f"{ACTORS}{found.pk}/contacts/new/"
    refused = office.post(page, sent(role="Imam"))
    assert set(refused.context["form"].errors) == {"role", "guard_reason"}
    still = office.post(page, sent(role="Imam", guard_reason="organization", guard_words="Han är muslim"))
    assert set(still.context["form"].errors) == {"guard_words"}
    assert not Contact.objects.exists()
    office.post(page, sent(role="Talesperson"))
    assert Contact.objects.get().role == "Talesperson"


# Who reads, and what the log holds --------------------------------------------------------------------------------


def test_every_page_with_a_name_is_logged_without_the_name(office):
    found = contact(name="Marker Namn")
    helped = helper(name="Marker Namn")
    pages = [
        (f"{ACTORS}{found.actor.pk}/", "actors.actor", str(found.actor.pk)),
        (f"{ACTORS}contacts/{found.pk}/edit/", "actors.contact", str(found.pk)),
        (f"{ACTORS}contacts/{found.pk}/delete/", "actors.contact", str(found.pk)),
        (HELPERS, "actors.helper", ""),
        (f"{HELPERS}{helped.pk}/edit/", "actors.helper", str(helped.pk)),
        (f"{HELPERS}{helped.pk}/delete/", "actors.helper", str(helped.pk)),
    ]
    for page, kind, pk in pages:
        assert "Marker Namn" in office.get(page).content.decode(), page
        last = AuditEvent.objects.first()
        assert (last.verb, last.kind, last.object_id) == ("read", kind, pk), page
    assert "arker" not in logged()


def test_the_log_holds_nothing_of_anybody_whatever_is_done_with_them(office):
    found = actor()
    values = sent(name="Marker Ett", role="Marker roll", email="marker@example.org", phone="010-987 65 43")
    office.post(f"{ACTORS}{found.pk}/contacts/new/", values | {"consent_note": "Marker not"})
    made = found.contacts.get()
    page = f"{ACTORS}contacts/{made.pk}/edit/"
    office.post(page, as_shown(office.get(page)) | {"name": "Marker Två", "phone": "010-987 65 44"})
    made.refresh_from_db()
    assert made.name == "Marker Två"
    changes = AuditEvent.objects.about(made).get(verb="edit").changes
    assert changes == {"name": ["…", "…"], "phone": ["…", "…"]}
    office.post(f"{ACTORS}contacts/{made.pk}/delete/")
    office.post(f"{HELPERS}new/", of_helper(name="Marker Tre", email="marker3@example.org"))
    helped = Helper.objects.get()
    office.post(f"{HELPERS}{helped.pk}/delete/")
    assert not Contact.objects.exists()
    assert not Helper.objects.exists()
    assert "arker" not in logged()
    assert "987" not in logged()


def test_somebody_is_deleted_at_once_after_a_question_and_a_second_press_changes_nothing(office):
    made = contact()
    page = f"{ACTORS}contacts/{made.pk}/delete/"
    assert office.get(page).status_code == 200
    assert Contact.objects.exists()
    assert office.post(page)["Location"] == made.actor.get_absolute_url()
    assert not Contact.objects.exists()
    assert AuditEvent.objects.get(verb="delete").object_id == str(made.pk)
    actions.forget(made, by=factories.user())
    assert AuditEvent.objects.filter(verb="delete").count() == 1


def test_only_who_plans_events_reads_of_people():
    made = contact(name="Marker Namn")
    helped = helper(name="Marker Namn")
    for role in set(Role) - {Role.EVENTS}:
        client = sign_in(person(role))
        for page in (
            f"{ACTORS}{made.actor.pk}/",
            f"{ACTORS}contacts/{made.pk}/edit/",
            f"{ACTORS}contacts/{made.pk}/delete/",
            HELPERS,
            f"{HELPERS}{helped.pk}/edit/",
        ):
            assert "arker" not in client.get(page).content.decode(), (role, page)
        assert client.post(f"{ACTORS}contacts/{made.pk}/delete/").status_code == 403
    assert Contact.objects.exists()


def test_helpers_are_found_by_language(office):
    helper(name="Ett", languages=["ti", "sv"])
    helper(name="Två", languages=["ar"], kind="bridge_builder")

    def listed(language: str) -> list[str]:
        return [found.name for found in office.get(HELPERS, {"language": language}).context["page"]]

    assert listed("ti") == ["Ett"]
    assert listed("") == ["Ett", "Två"]
    assert listed("xx") == ["Ett", "Två"]
    assert listed("pl") == []


def test_two_who_change_somebody_at_once_see_each_other(office):
    made = helper(languages=["ti"])
    page = f"{HELPERS}{made.pk}/edit/"
    one, other = as_shown(office.get(page)), as_shown(office.get(page))
    office.post(page, one | {"languages": ["ti", "sv"], "kind": "bridge_builder"})
    refused = office.post(page, other | {"languages": ["ti", "am"]})
    assert set(refused.context["form"].errors) == {"languages"}
    made.refresh_from_db()
    assert (made.kind, made.languages) == ("bridge_builder", ["sv", "ti"])
    assert office.post(page, as_shown(refused)).status_code == 302
    made.refresh_from_db()
    # The kind is not what the second one changed: it stays as the first one put it.
    assert (made.kind, made.languages) == ("bridge_builder", ["ti", "am"])


@pytest.mark.parametrize("make", [contact, helper])
def test_two_who_each_take_away_another_way_to_reach_somebody_see_each_other(office, make):
    made = make(phone="0303 12 34 56")
    page = f"{HELPERS}{made.pk}/edit/" if make is helper else f"{ACTORS}contacts/{made.pk}/edit/"
    one, other = as_shown(office.get(page)), as_shown(office.get(page))
    assert office.post(page, one | {"email": ""}).status_code == 302
    refused = office.post(page, other | {"phone": ""})
    assert set(refused.context["form"].errors) == {"email"}
    assert office.post(page, as_shown(refused)).status_code == 302
    made.refresh_from_db()
    assert (made.email, made.phone) == ("mira@example.org", "")


# How long --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [contact, helper])
def test_after_two_years_somebody_who_was_not_asked_again_is_forgotten(make):
    stays, goes = make(days_ago=730), make(days_ago=731)
    assert actions.purge(now=timezone.now()) == 1
    assert list(type(stays).objects.all()) == [stays]
    event = AuditEvent.objects.get(verb="purge")
    assert (event.object_id, event.by, event.changes, event.note) == (str(goes.pk), None, {}, "")
    assert actions.purge(now=timezone.now()) == 0


def test_the_purge_of_the_site_does_it():
    contact(days_ago=800)
    helper(days_ago=800)
    assert pages.purge(now=timezone.now()).counts["contacts and helpers"] == 2
    assert not Contact.objects.exists()


def test_whoever_is_responsible_is_reminded_once_and_the_letter_names_nobody(inbox):
    keeper, _colleague = person(Role.EVENTS), person(Role.EVENTS)
    found = actor("Föreningen Tvärbro", responsible=keeper)
    made = contact(found, days_ago=700, name="Marker Namn", email="marker@example.org")
    contact(found, days_ago=699)
    helped = helper(days_ago=720, name="Marker Namn", responsible=keeper)
    for _tick in range(3):
        assert actions.remind(today=timezone.localdate()) == 2
    mail.deliver()
    assert [letter["To"] for letter in inbox] == [keeper.email] * 2
    said = [letter.get_body(("plain",)).get_content() for letter in inbox]
    (of_contact,) = (text for text in said if "Föreningen Tvärbro" in text)
    (of_helper,) = (text for text in said if text != of_contact)
    assert made.get_absolute_url() in of_contact
    assert helped.get_absolute_url() in of_helper
    assert "arker" not in "".join(said) + "".join(letter["Subject"] for letter in inbox)


def test_when_nobody_is_responsible_or_has_left_all_who_plan_events_are_reminded():
    gone = person(Role.EVENTS)
    contact(actor(responsible=gone), days_ago=710)
    gone.is_active = False
    gone.save()
    all_of_them = {person(Role.EVENTS).email for _ in range(2)}
    person(Role.MANAGER)
    actions.remind(today=timezone.localdate())
    assert set(Delivery.objects.values_list("recipient", flat=True)) == all_of_them


def test_no_letter_leaves_about_somebody_who_was_asked_again_or_is_deleted(inbox):
    keeper = person(Role.EVENTS)
    asked, deleted, gone = (contact(days_ago=710) for _ in range(3))
    actions.remind(today=timezone.localdate())
    actions.change(asked, by=keeper, consented_on=timezone.localdate())
    actions.forget(deleted, by=keeper)
    actions.delete(gone.actor, by=keeper)
    mail.deliver()
    assert inbox == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.CANCELED}
    with time_machine.travel(timezone.now() + timedelta(days=710)):
        assert actions.remind(today=timezone.localdate()) == 1
        mail.deliver()
    assert len(inbox) == 1


def test_a_letter_that_could_not_leave_in_time_is_never_sent(inbox):
    person(Role.EVENTS)
    contact(days_ago=730)
    actions.remind(today=timezone.localdate())
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        mail.deliver()
    assert inbox == []
    assert Delivery.objects.get().state == State.EXPIRED


def test_who_is_to_be_asked_again_is_marked(office):
    found = actor()
    contact(found)
    page = office.get(found.get_absolute_url()).content.decode()
    assert 'class="state warn"' not in page
    contact(found, days_ago=710)
    assert 'class="state warn"' in office.get(found.get_absolute_url()).content.decode()
