"""What somebody does on the page of their seat, and what the list of answers says, are the same."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.utils import timezone

from events import actions as events
from events.actors import actions as actors
from events.actors.models import Actor
from events.attendance import actions as attendance
from events.attendance.models import How
from events.invitations import actions, rules
from events.invitations.models import Answer, Invitation
from events.models import SETTLE
from events.registrations import actions as registrations
from events.registrations.models import Registration, State
from events.registrations.rules import private_url
from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.mail.models import State as Sent
from portal.public import form_token
from tests import factories
from tests.accounts.people import person
from tests.actors.conftest import actor, contact
from tests.invitations.conftest import guest, invite, page_of, sent
from tests.overtaken import overtaken
from tests.programs.conftest import put_off
from tests.shown import as_shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(round_table):
    return round_table("sv")


def seat_of(invitation: Invitation) -> Registration:
    """They say yes."""
    seat = actions.accept(invitation, language="sv")
    invitation.refresh_from_db()
    return seat


def own_page(seat: Registration) -> str:
    return urlsplit(private_url(seat)).path


def press(public, seat: Registration, do: str):
    return public.post(own_page(seat), {"token": form_token("registration"), "do": do})


def withdraw(invitation):
    actions.withdraw(invitation, by=factories.user())


def send_somebody_else(invitation):
    actions.name_substitute(invitation, name="Mira", email="mira@example.org", language="sv")


@pytest.mark.parametrize("end", [withdraw, send_somebody_else])
def test_who_is_not_expected_any_more_cannot_take_the_seat_back(event, public, end):
    invitation = invite(event)
    seat = seat_of(invitation)
    end(invitation)
    assert 'value="regret"' not in public.get(own_page(seat)).content.decode()
    assert "stängd" in press(public, seat, "regret").content.decode()
    seat.refresh_from_db()
    assert seat.state == State.CANCELED


def test_who_was_invited_by_mistake_and_then_anew_can_say_yes_again(event, public):
    invitation = invite(event)
    seat_of(invitation)
    withdraw(invitation)
    again = invite(event)
    assert public.post(page_of(again), sent("yes")).status_code == 302
    again.refresh_from_db()
    assert (again.answer, again.registration.state) == (Answer.YES, State.CONFIRMED)


def test_who_was_invited_anew_keeps_the_seat_that_they_took_themselves(make_event, public):
    event = make_event("sv")
    invitation = invite(event)
    seat = seat_of(invitation)
    withdraw(invitation)
    press(public, seat, "regret")  # registering is open to everybody
    again = invite(event)
    assert public.post(page_of(again), sent("yes")).status_code == 302
    again.refresh_from_db()
    assert again.registration == seat
    assert event.registrations.confirmed().count() == 1


def test_canceling_the_seat_is_an_answer_that_hosts_hear_of_and_so_is_coming_after_all(event, public):
    host = person(Role.EVENTS)
    (invitation,) = actions.invite(event, guests=[guest()], by=host)
    seat = seat_of(invitation)
    press(public, seat, "cancel")
    invitation.refresh_from_db()
    assert invitation.answer == Answer.NO
    assert list(Delivery.objects.filter(kind=actions.ANSWERED).values_list("recipient", flat=True)) == [host.email]
    press(public, seat, "regret")
    invitation.refresh_from_db()
    seat.refresh_from_db()
    assert (invitation.answer, seat.state) == (Answer.YES, State.CONFIRMED)


@pytest.mark.parametrize("by_staff", [False, True])
def test_who_deletes_everything_on_the_page_of_the_seat_is_forgotten_among_the_invited_too(
    event, public, staff, by_staff
):
    first = invite(event, note="Ringde i går.")
    withdraw(first)
    invitation = invite(event, note="Ringde i dag.")
    seat = seat_of(invitation)
    if by_staff:
        staff(Role.EVENTS).post(f"/staff/events/{event.pk}/registrations/{seat.pk}/change/", {"do": "erase"})
    else:
        asked = press(public, seat, "ask_erase")
        public.post(own_page(seat), {"token": asked.context["erase_token"], "do": "erase"})
    assert not Registration.objects.exists()
    for held in Invitation.objects.all():
        assert (held.name, held.email, held.note) == ("", "", "")
    assert not Delivery.objects.filter(recipient__contains="styrelsen").exists()


def test_who_has_come_and_deletes_everything_on_the_page_of_the_seat_has_come(event):
    seat = seat_of(invite(event, actor=actor("Föreningen")))
    with time_machine.travel(event.starts_at):
        attendance.check_in(seat, how=How.LIST, by=factories.user())
    with time_machine.travel(event.ends_at + timedelta(days=1)):
        registrations.erase(seat)
        (row,) = rules.coverage(Actor.objects.all(), Invitation.objects.of_organizations(), now=timezone.now())
    assert row.reach == rules.Reach.COMES


def test_a_name_that_is_deleted_from_the_register_stands_in_no_invitation_that_was_not_accepted(round_table, staff):
    of = actor("Fredens vänner", kind="faith_community")
    named = contact(of)
    waiting, accepted = (
        invite(round_table("sv"), named.name, email=named.email, actor=of, contact=named) for _again in range(2)
    )
    seat_of(accepted)
    office = staff(Role.EVENTS)
    page = f"/staff/events/actors/contacts/{named.pk}/delete/"
    assert "har tackat ja" in office.get(page).content.decode()
    office.post(page, as_shown(office.get(page)))
    waiting.refresh_from_db()
    accepted.refresh_from_db()
    assert (waiting.name, waiting.email, waiting.actor) == ("", "", of)
    assert accepted.email == named.email
    assert not waiting.event.invitations.unanswered().exists()
    assert not Delivery.objects.named(prefix=waiting.key).filter(recipient=named.email).exists()


def test_a_name_whose_consent_has_ended_stands_in_no_invitation(event):
    of = actor()
    named = contact(of, days_ago=729)
    waiting = invite(event, named.name, email=named.email, actor=of, contact=named)
    actors.purge(now=timezone.now() + timedelta(days=5))
    waiting.refresh_from_db()
    assert (waiting.name, waiting.email) == ("", "")


@pytest.mark.parametrize("end", ["withdrawn", "canceled", "lapsed"])
def test_a_name_that_is_deleted_stands_in_no_seat_that_was_given_back(event, end):
    named = contact(actor())
    invitation = invite(event, named.name, email=named.email, actor=named.actor, contact=named)
    seat = seat_of(invitation)
    if end == "withdrawn":
        withdraw(invitation)
    elif end == "canceled":
        registrations.cancel(seat)
    else:
        Registration.objects.update(state=State.LAPSED)
    actors.forget(named, by=factories.user())
    invitation.refresh_from_db()
    assert (invitation.name, invitation.email) == ("", "")
    assert not Registration.objects.filter(email=named.email).exists()


def test_who_comes_instead_of_somebody_whose_name_is_deleted_comes_all_the_same(event):
    named = contact(actor(), name="Ida", email="ida@example.org")
    invitation = invite(event, named.name, email=named.email, actor=named.actor, contact=named)
    send_somebody_else(invitation)
    actors.forget(named, by=factories.user())
    invitation.refresh_from_db()
    assert (invitation.name, invitation.substitutes.standing().count()) == ("", 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["delete", "purge"])
@pytest.mark.parametrize("is_invited_first", [True, False])
def test_who_is_invited_while_their_name_is_deleted_is_not_kept_in_the_invitation(event, end, is_invited_first):
    named, by = contact(actor(), days_ago=731 if end == "purge" else 0), factories.user()
    guests = [guest(named.name, email=named.email, actor=named.actor, contact=named)]

    def invited():
        actions.invite(event, guests=guests, by=by)

    def deleted():
        if end == "purge":
            actors.purge(now=timezone.now())
        else:
            actors.forget(named, by=by)

    overtaken(*((invited, deleted) if is_invited_first else (deleted, invited)))
    assert not Invitation.objects.exclude(name="", email="").exists()
    assert not Delivery.objects.filter(recipient=named.email).exists()


@pytest.mark.parametrize("where", ["seat", "invitation"])
def test_who_has_registered_without_the_invitation_and_deletes_everything_is_forgotten_in_both(round_table, where):
    event = round_table(registration_ends_at=timezone.now() + timedelta(days=3))
    found = invite(event)
    seat = registrations.register(event, name="Styrelsen", email=found.email.upper(), language="sv")
    without_address = registrations.register(event, name="Bo", email="", language="sv")
    if where == "seat":
        registrations.erase(seat)
    else:
        actions.erase(found)
    found.refresh_from_db()
    assert (found.name, found.email) == ("", "")
    assert Registration.objects.get() == without_address
    assert not Delivery.objects.filter(recipient__icontains="styrelsen").exists()


@pytest.mark.parametrize("where", ["the old seat", "the new invitation"])
def test_who_was_invited_twice_and_deletes_everything_is_forgotten_in_both(event, where):
    first = invite(event)
    seat = seat_of(first)
    withdraw(first)
    second = invite(event)
    if where == "the old seat":
        registrations.erase(seat)
    else:
        actions.erase(second)
    assert not Registration.objects.exists()
    assert set(Invitation.objects.values_list("name", "email")) == {("", "")}
    assert not Delivery.objects.exclude(recipient="").filter(recipient__contains="styrelsen").exists()
    assert not event.invitations.unanswered().exists()


def test_who_is_invited_just_before_it_moves_gets_the_new_time_in_one_mail(event):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        invite(event)
        put_off(event, days=1)
        clock.shift(SETTLE)
        actions.keep(timezone.now())
    assert Delivery.objects.get(kind=actions.INVITATION).context.keys() == {"invitation"}


def test_who_registered_without_their_invitation_is_forgotten_in_both(make_event):
    for erase in (lambda held, _seat: actions.erase(held), lambda _held, seat: registrations.erase(seat)):
        event = make_event("sv")
        held, other = invite(event, "Styrelsen"), invite(event, "Andra")
        seat = registrations.register(event, name="Eva", email="Styrelsen@example.org", language="sv")
        erase(held, seat)
        assert not event.registrations.exists()
        assert event.invitations.get(forgotten_at__isnull=True) == other


def test_who_said_no_and_registered_by_themselves_is_forgotten_as_invited_and_can_say_yes(make_event):
    event = make_event("sv")
    held = invite(event)
    registrations.cancel(seat_of(held))
    own = registrations.register(event, name="Eva", email=held.email, language="sv")
    assert seat_of(held) == own
    assert held.registration == own
    registrations.erase(own)
    held.refresh_from_db()
    assert (held.email, held.forgotten_at is None) == ("", False)
    assert not event.registrations.exists()


def test_who_was_invited_is_told_that_they_are_not_any_more_though_another_mail_still_waits(event):
    told, waiting = invite(event, "a"), invite(event, "b")
    moments = dict.fromkeys(("fenced_at", "sent_at", "ended_at"), timezone.now())
    Delivery.objects.filter(recipient=told.email).update(state=Sent.SENT, **moments)
    put_off(event, hours=1)
    with time_machine.travel(timezone.now() + SETTLE):
        actions.keep(timezone.now())
        for held in (told, waiting):
            actions.withdraw(held, by=factories.user())
    assert Delivery.objects.waiting().get().key == f"{told.key}ended"


def test_an_invitation_that_waits_while_its_event_is_put_off_waits_as_long_as_that(event):
    invite(event)
    event = put_off(event, days=30)
    with time_machine.travel(timezone.now() + SETTLE):
        actions.keep(timezone.now())
    waiting = Delivery.objects.get()
    assert (waiting.kind, waiting.expires_at) == (actions.INVITATION, event.starts_at)


@pytest.mark.parametrize("then", ["canceled", "restored elsewhere"])
def test_what_was_of_no_use_any_more_when_it_was_to_leave_has_told_nothing(event, then):
    """A worker that has looked what is to be planned a moment too early meets it first."""
    held, by = invite(event), factories.user()
    moments = dict.fromkeys(("fenced_at", "sent_at", "ended_at"), timezone.now())
    Delivery.objects.update(state=Sent.SENT, **moments)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        if then == "canceled":
            put_off(event, hours=1)
        else:
            events.cancel(event, by=by, reason="Sjukdom")
        clock.shift(SETTLE)
        actions.keep(timezone.now())
        if then == "canceled":
            events.cancel(event, by=by, reason="Sjukdom")
        else:
            events.restore(event, by=by)
            put_off(event, hours=1)
        clock.shift(SETTLE)
        for waiting in Delivery.objects.waiting():
            render = rules.invitation if then == "canceled" else rules.ended
            assert render(waiting) is None
            mail.cancel(key=waiting.key)
        actions.keep(timezone.now())
        kind = actions.ENDED if then == "canceled" else actions.INVITATION
        assert Delivery.objects.waiting().get().kind == kind
    assert held.key in Delivery.objects.waiting().get().key
