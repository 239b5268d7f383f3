"""An invitation is answered by a person who presses a button, and by nothing else."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import formats, timezone, translation

from events import actions as events
from events.agreements import actions as agreements
from events.attendance import actions as attendance
from events.attendance.models import How
from events.invitations import actions, rules
from events.invitations.models import Answer, Invitation
from events.models import SETTLE, Event
from events.registrations import actions as registrations
from events.registrations.models import Registration, State
from events.series import actions as series
from portal import languages
from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.pages.actions import purge
from portal.questions.models import Door, Question
from tests import factories
from tests.accounts.people import browser, person
from tests.invitations.conftest import guest, instead, invite, page_of, sent
from tests.programs.conftest import put_off
from tests.registrations.test_pages import erasing
from tests.registrations.test_register import left
from tests.shown import as_shown
from tests.traces import tables

pytestmark = pytest.mark.django_db

LINK = re.compile(r"https?://[^\s\"<>]+/invitation/[^\s\"<>]+")


def planned(kind: str) -> list[str]:
    """Whom mail of this kind is promised to."""
    return sorted(Delivery.objects.filter(kind=kind).waiting().values_list("recipient", flat=True))


def rendered(delivery: Delivery):
    with translation.override(delivery.language):
        return mail.kinds()[delivery.kind].render(delivery)


def test_a_scanner_that_follows_every_link_of_the_mail_leaves_the_database_as_it_is(round_table):
    event = round_table("sv", "ar")
    found = invite(event, language="ar")
    message = rendered(Delivery.objects.get(kind=actions.INVITATION))
    links = {link.partition("://")[2].partition("/")[2] for link in LINK.findall(message.text + message.html)}
    assert {link.split("/")[0] for link in links} == {"ar", "sv"}
    before = tables()
    for link in links:
        for headers in ({}, {"sec-purpose": "prefetch"}, {"user-agent": "LinkScanner/1.0"}):
            for method in ("get", "head", "options"):
                getattr(browser(), method)(f"/{link}", headers=headers)
    assert browser().get(f"/{link}").status_code == 200
    assert tables() == before
    # A scanner that presses buttons has no token of a page.
    browser().post(f"/{link}", {"do": "yes", "language": "ar"})
    assert tables() == before
    assert browser().post(page_of(found), sent("no")).status_code == 302
    assert tables() != before


def test_the_page_of_an_invitation_is_kept_nowhere(round_table, public):
    response = public.get(page_of(invite(round_table())))
    assert response.headers["Cache-Control"] == "no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert not response.cookies
    assert "Folkets hus" in response.content.decode()


def test_yes_is_a_registration_like_any_other(round_table, public):
    found = invite(round_table())
    answer = sent("yes", interpreter="ti", access="Hiss", question="Vem leder samtalet?", language="sv")
    assert public.post(page_of(found), answer).status_code == 302
    found.refresh_from_db()
    seat = found.registration
    assert (found.answer, seat.state, seat.name, seat.email) == ("yes", "confirmed", found.name, found.email)
    assert {(need.kind, need.language, need.detail) for need in seat.needs.all()} == {
        ("interpreter", "ti", ""),
        ("access", "", "Hiss"),
    }
    assert [(each.text, each.door) for each in Question.objects.all()] == [("Vem leder samtalet?", Door.REGISTRATION)]
    assert planned(registrations.CONFIRMATION) == [found.email]
    assert planned(actions.INVITATION) == []
    # Twice is once, and other needs are a change.
    public.post(page_of(found), sent("yes", access="Hörslinga"))
    assert Registration.objects.count() == 1
    assert [need.detail for need in seat.needs.all()] == ["Hörslinga"]


def test_who_is_invited_takes_a_seat_that_is_free_or_waits(round_table):
    event = round_table(capacity=1)
    first, second = invite(event), invite(event, "Kansliet")
    for each in (first, second):
        actions.accept(each, language="sv")
    assert [each.state for each in event.registrations.all()] == [State.CONFIRMED, State.WAITING]
    # The first gives it back, and the second is offered it by the same clock as everybody.
    actions.decline(first)
    registrations.keep(timezone.now())
    assert event.registrations.get(email=second.email).state == State.OFFERED


def test_an_answer_can_be_changed_until_the_deadline_and_taken_back_after_it(round_table, public):
    event = round_table()
    found, late = invite(event), invite(event, "Kansliet")
    public.post(page_of(found), sent("no"))
    public.post(page_of(found), sent("yes"))
    found.refresh_from_db()
    assert (found.answer, found.registration.state) == ("yes", "confirmed")
    with time_machine.travel(event.answers_due_at + timedelta(minutes=1)):
        assert public.post(page_of(late), sent("yes")).status_code == 422
        assert not Registration.objects.filter(email=late.email).exists()
        assert public.post(page_of(found), sent("no")).status_code == 302
    found.refresh_from_db()
    assert (found.answer, found.registration.state) == ("no", "canceled")
    with time_machine.travel(event.starts_at + timedelta(minutes=1)), pytest.raises(actions.ClosedError):
        actions.decline(late)


def test_a_faith_community_sends_a_substitute_who_answers_alone(round_table, public):
    found = invite(round_table("sv", "ar"))
    public.post(page_of(found), sent("yes"))
    assert public.post(page_of(found), instead()).status_code == 302
    found.refresh_from_db()
    other = found.substitutes.get()
    assert (found.answer, found.registration.state) == (Answer.SUBSTITUTE, State.CANCELED)
    assert (other.name, other.language, other.actor, other.answer) == ("Mira", "ar", found.actor, "")
    assert planned(actions.INVITATION) == ["mira@example.org"]
    assert planned(actions.SUBSTITUTE) == [found.email]
    # Nothing that was typed on the page is in the mail to somebody else.
    letter = rendered(Delivery.objects.get(kind=actions.INVITATION, recipient="mira@example.org"))
    assert "Mira" not in letter.text + letter.html
    assert rules.secret_token(other) in letter.text
    assert rules.secret_token(found) not in letter.text
    public.post(page_of(other), sent("yes", language="ar"))
    assert Registration.objects.get(email="mira@example.org").state == State.CONFIRMED
    assert public.get(page_of(found)).context["instead"].answer == "yes"
    # Whoever was invited comes after all, and the other one is told.
    public.post(page_of(found), sent("yes"))
    assert Registration.objects.get(email="mira@example.org").state == State.CANCELED
    assert planned(registrations.CANCELLATION) == ["mira@example.org"]
    found.refresh_from_db()
    assert (found.answer, found.registration.state) == ("yes", "confirmed")


@pytest.mark.parametrize(
    "fields",
    [
        {"is_agreed": ""},
        {"email": ""},
        {"name": "19121212-1212"},
        {"email": "styrelsen@example.org"},
        {"language": "xx"},
    ],
)
def test_a_substitute_that_cannot_be_is_refused_with_what_was_typed(round_table, public, fields):
    found = invite(round_table())
    response = public.post(page_of(found), instead(**fields))
    assert response.status_code == 422
    assert (fields.get("name") or "Mira") in response.content.decode()
    assert Invitation.objects.count() == 1
    found.refresh_from_db()
    assert found.answer == ""


def test_when_a_substitute_cannot_come_one_can_answer_anew_until_the_deadline(round_table, public):
    found = invite(round_table())
    public.post(page_of(found), instead())
    public.post(page_of(found.substitutes.get()), sent("no"))
    anew, over = "Du kan svara på nytt.", "Svarstiden är slut."
    for moment, told in ((found.event.answers_due_at, (False, True)), (timezone.now(), (True, False))):
        with time_machine.travel(moment):
            page = public.get(page_of(found)).content.decode()
        assert (anew in page, over in page) == told


@pytest.mark.parametrize("has_answered", [True, False])
def test_nobody_counts_on_a_substitute_who_has_deleted_everything(round_table, public, has_answered):
    found = invite(round_table())
    public.post(page_of(found), instead())
    other = found.substitutes.get()
    if has_answered:
        public.post(page_of(other), sent("yes"))
    actions.erase(other)
    other.refresh_from_db()
    assert (other.answer, other.email) == ("no", "")
    assert "Du kan svara på nytt." in public.get(page_of(found)).content.decode()


def test_a_substitute_names_nobody_in_turn(round_table, public):
    found = invite(round_table())
    public.post(page_of(found), instead())
    other = found.substitutes.get()
    assert public.post(page_of(other), instead(email="tredje@example.org")).status_code == 422
    assert Invitation.objects.count() == 2


def test_another_site_cannot_answer(round_table, public):
    found = invite(round_table())
    response = public.post(page_of(found), sent("yes"), headers={"origin": "https://elsewhere.example"})
    assert response.status_code == 403
    found.refresh_from_db()
    assert found.answer == ""


def test_a_new_link_ends_the_old_one(round_table, public):
    found = invite(round_table())
    old = page_of(found)
    actions.send_again(found, by=factories.user())
    found.refresh_from_db()
    assert public.get(old).status_code == 404
    assert public.post(old, sent("yes")).status_code == 404
    assert public.get(page_of(found)).status_code == 200


def test_a_person_is_invited_once_and_again_after_it_was_withdrawn(round_table):
    event = round_table()
    found = invite(event)
    assert actions.invite(event, guests=[guest(email="STYRELSEN@example.org")], by=factories.user()) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(event=event, name="B", email="Styrelsen@example.org")
    actions.accept(found, language="sv")
    actions.withdraw(found, by=factories.user())
    assert event.registrations.get().state == State.CANCELED
    assert invite(event).pk != found.pk


def test_nobody_is_written_to_before_the_event_is_published(round_table):
    event = round_table(is_draft=True)
    found = invite(event)
    actions.keep(timezone.now())
    assert not Delivery.objects.exists()
    factories.publish(event, title="Rundabord", summary="Om oro.", body="Text.")
    factories.put_out(event)
    actions.keep(timezone.now())
    actions.keep(timezone.now())
    assert planned(actions.INVITATION) == [found.email]


def test_who_has_not_answered_is_told_that_it_moves_or_is_canceled(round_table):
    event = round_table()
    found, answered = invite(event), invite(event, "Kansliet")
    actions.decline(answered)
    Delivery.objects.all().delete()
    ends_at = event.ends_at + timedelta(hours=1)
    events.edit(event, by=factories.user(), starts_at=event.starts_at + timedelta(hours=1), ends_at=ends_at)
    actions.keep(timezone.now())
    assert not Delivery.objects.exists()
    later = timezone.now() + timedelta(minutes=3)
    actions.keep(later)
    actions.keep(later)
    assert planned(actions.INVITATION) == [found.email]
    assert rendered(Delivery.objects.get()).subject.startswith("Ny tid eller plats")
    event.refresh_from_db()
    events.cancel(event, by=factories.user(), reason="Sjukdom.")
    actions.keep(later)
    assert planned(actions.ENDED) == [found.email]


@pytest.mark.parametrize("is_merged", [True, False])
def test_a_change_that_waits_is_told_also_when_a_slip_after_it_is_mended(round_table, is_merged):
    event = round_table()
    found = invite(event)
    Delivery.objects.all().delete()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        put_off(event, days=7)
        clock.shift(SETTLE)
        actions.keep(timezone.now())
        for days in (1, -1):
            put_off(Event.objects.get(), days=days)
        clock.shift(SETTLE)
        if is_merged:
            actions.keep(timezone.now())
        message = rendered(Delivery.objects.waiting().get())
    assert message.subject.startswith("Ny tid eller plats")
    assert formats.date_format(timezone.localtime(Event.objects.get().starts_at), "j F Y") in message.text
    assert planned(actions.INVITATION) == [found.email]


@pytest.mark.parametrize("what", ["moved", "canceled"])
def test_what_is_taken_back_before_its_mail_has_left_is_told_to_nobody_who_is_invited(round_table, what):
    event, by = round_table(), factories.user()
    invite(event)
    Delivery.objects.all().delete()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        if what == "moved":
            put_off(event, days=1)
        else:
            events.cancel(event, by=by, reason="Sjukdom.")
        clock.shift(SETTLE)
        actions.keep(timezone.now())
        assert Delivery.objects.waiting().count() == 1
        if what == "moved":
            put_off(Event.objects.get(), days=-1)
        else:
            events.restore(event, by=by)
        clock.shift(SETTLE)
        actions.keep(timezone.now())
    assert not Delivery.objects.waiting().exists()


def test_what_has_left_after_a_change_has_told_who_is_invited_of_it(round_table):
    event = round_table()
    invite(event)
    Delivery.objects.all().delete()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        put_off(event, days=1)
        clock.shift(SETTLE)
        actions.keep(timezone.now())
        put_off(Event.objects.get(), days=1)
        clock.shift(SETTLE)
        left(actions.INVITATION)
        actions.keep(timezone.now())
    assert not Delivery.objects.waiting().exists()


def test_the_invitation_is_in_two_languages_each_with_its_direction(round_table):
    event = round_table("sv", "ar", theme="Oro i skolan")
    invite(event, language="ar")
    message = rendered(Delivery.objects.get())
    first, second = (message.html.index(f'lang="{tag}" dir="{way}"') for tag, way in (("ar", "rtl"), ("sv", "ltr")))
    assert first < second
    assert "Träff ar" in message.text
    assert message.text.index("Träff ar") < message.text.index("Träff sv")
    assert message.text.count("Oro i skolan") == 2
    assert "<time" not in message.text
    assert "Folkets hus" in message.text


def test_what_was_agreed_is_told_to_who_is_invited_next_time(round_table, public, make_event):
    circle = series.create(name="Rundabordet", by=factories.user())
    past = make_event("sv", series=circle, starts_in=-timedelta(days=30))
    agreed = agreements.agree(event=past, what="Vi skriver.", owner="Skolan", by=factories.user())
    agreements.edit(agreed, what="Vi skriver om 16 a §.", by=factories.user())
    found = invite(round_table("sv", "ar", series=circle), language="ar")
    message = rendered(Delivery.objects.get(kind=actions.INVITATION))
    assert message.text.count("Vi skriver om 16 a §.") == 2
    assert "Det är klart." not in message.text
    page = public.get(page_of(found)).content.decode()
    assert re.search(r'<span lang="sv" dir="ltr">Vi skriver om', page)
    # It is carried on as it stands when somebody reads it.
    agreements.edit(agreed, outcome="done", by=factories.user())
    assert "Det är klart." in rendered(Delivery.objects.get(kind=actions.INVITATION)).text


def test_after_thirty_days_nobody_is_named_and_it_is_known_who_came(round_table):
    event = round_table()
    came, absent, gave_back = invite(event), invite(event, "Kansliet"), invite(event, "Ledaren")
    stayed_away = invite(event, "Gruppen")
    for each in (came, gave_back, stayed_away):
        actions.accept(each, language="sv")
    registrations.cancel(gave_back.event.registrations.get(email=gave_back.email))
    attendance.check_in(event.registrations.get(email=came.email), how=How.LIST, by=factories.user())
    with time_machine.travel(event.ends_at + timedelta(days=29)):
        actions.purge(now=timezone.now())
    came.refresh_from_db()
    assert came.email
    with time_machine.travel(event.ends_at + timedelta(days=31)):
        purge(now=timezone.now())
    found = {each.pk: each for each in Invitation.objects.all()}
    assert [found[each.pk].came for each in (came, absent, gave_back, stayed_away)] == [True, False, False, False]
    rows = str([tables()[model._meta.db_table] for model in (Invitation, Registration, Delivery)])
    assert "@example.org" not in rows
    assert not [name for name in ("Styrelsen", "Kansliet", "Ledaren", "Gruppen") if name in rows]
    assert found[came.pk].answer == "yes"


def test_who_came_and_wants_to_be_forgotten_has_come(round_table, public):
    event = round_table()
    found = invite(event)
    actions.accept(found, language="sv")
    attendance.check_in(event.registrations.get(), how=How.SCAN, by=factories.user())
    path = page_of(found)
    asked = public.post(path, sent("ask_erase"))
    for _double_click in range(2):
        assert public.post(path, erasing(asked)).status_code == 200
    found.refresh_from_db()
    assert (found.name, found.has_come) == ("", True)


def test_the_check_in_alone_tells_who_came_and_can_be_taken_back(round_table, staff):
    event, by = round_table(), factories.user()
    came, stayed_away = invite(event), invite(event, "Kansliet")
    for each in (came, stayed_away):
        actions.accept(each, language="sv")
    url = f"/staff/events/{event.pk}/invitations/"
    with time_machine.travel(event.ends_at + timedelta(days=1)):
        client = staff(Role.EVENTS)
        assert client.get(url).context["is_nobody_checked_in"]
        attendance.check_in(event.registrations.get(email=came.email), how=How.LIST, by=by)
        page = client.get(url).context
        assert (page["came"], page["is_nobody_checked_in"]) == (1, False)
        assert {each.pk: each.has_come for each in page["invitations"]} == {came.pk: True, stayed_away.pk: False}
        attendance.undo_check_in(event.registrations.get(email=came.email), by=by)
        assert client.get(url).context["came"] == 0


# Who is told -----------------------------------------------------------------------------------------------------


def test_the_team_and_who_has_invited_are_told_once_of_all_that_do_not_come(round_table):
    colleague, inviting = person(Role.EVENTS), person(Role.EVENTS)
    event = round_table(team=[colleague, person(Role.EDITOR)])
    everybody = [guest(name) for name in ("Styrelsen", "Kansliet", "Ledaren")]
    first, second, comes = actions.invite(event, guests=everybody, by=inviting)
    began = timezone.now().replace(minute=1)
    with time_machine.travel(began, tick=False):
        actions.accept(comes, language="sv")
        assert planned(actions.ANSWERED) == []
        actions.decline(first)
        actions.decline(first)
        actions.name_substitute(second, name="Mira", email="mira@example.org", language="ar")
    assert planned(actions.ANSWERED) == sorted([colleague.email, inviting.email])
    told = rendered(Delivery.objects.get(kind=actions.ANSWERED, recipient=inviting.email))
    assert "Träff sv" in told.subject
    assert told.text.splitlines()[0:3:2] == ["Kommer inte: 1", "Skickar någon annan: 1"]
    assert f"/staff/events/{event.pk}/invitations/" in told.text
    assert not [name for name in ("Styrelsen", "Mira", "@") if name in told.text]
    # What the substitute answers later is the next mail, to the same people.
    with time_machine.travel(began + timedelta(hours=1), tick=False):
        actions.decline(second.substitutes.get())
        late = Delivery.objects.filter(kind=actions.ANSWERED, recipient=inviting.email).last()
        assert rendered(late).text.splitlines()[0] == "Kommer inte: 1"


def test_nobody_is_told_what_holds_no_more(round_table):
    inviting = person(Role.EVENTS)
    (found,) = actions.invite(round_table(), guests=[guest()], by=inviting)
    actions.decline(found)
    message = Delivery.objects.get(kind=actions.ANSWERED)
    actions.accept(found, language="sv")
    assert rendered(message) is None
    actions.decline(found)
    assert rendered(message) is not None
    inviting.groups.clear()
    assert rendered(message) is None


def test_the_newest_answer_stands_first_and_then_who_has_not_answered(round_table, staff):
    event = round_table()
    waits, late, early = invite(event), invite(event, "Kansliet"), invite(event, "Ledaren")
    actions.decline(early)
    actions.accept(late, language="sv")
    page = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/invitations/")
    assert [each.pk for each in page.context["invitations"]] == [late.pk, early.pk, waits.pk]


def test_who_wants_to_be_forgotten_is_at_once(round_table, public):
    found = invite(round_table())
    path = page_of(found)
    public.post(path, sent("yes"))
    asked = public.post(path, sent("ask_erase"))
    # Only the page that asks has the form that does it.
    assert public.post(path, sent("erase")).status_code == 422
    assert Registration.objects.exists()
    first, second = [public.post(path, erasing(asked)) for _double_click in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    # Nobody else is told that there was somebody.
    assert [public.get(path).status_code, public.post(path, sent("erase")).status_code] == [404, 404]
    assert not Registration.objects.exists()
    found.refresh_from_db()
    assert (found.name, found.email, found.answer, found.came) == ("", "", "no", False)
    assert not Delivery.objects.waiting().exists()


def test_who_needs_an_interpreter_of_a_language_that_the_portal_has_left_out_still_does(round_table, public):
    (left_out,) = {code for code, _name in languages.CHOICES[-1:]} - {each.code for each in languages.ACTIVE}
    found = invite(round_table())
    seat = actions.accept(found, language="sv", needs=[{"kind": "interpreter", "language": left_out}])
    path = page_of(found)
    assert public.post(path, as_shown(public.get(path)) | {"do": "yes"}).status_code == 302
    assert seat.needs.get().language == left_out


def test_an_invitation_can_be_withdrawn_while_the_event_is_held(round_table):
    event = round_table()
    found = invite(event)
    Delivery.objects.update(state="sent", fenced_at=timezone.now(), sent_at=timezone.now(), ended_at=timezone.now())
    with time_machine.travel(event.starts_at + timedelta(minutes=5)):
        actions.withdraw(found, by=factories.user())
    found.refresh_from_db()
    assert found.withdrawn_at
    assert planned(actions.ENDED) == []


def test_a_double_click_on_sending_it_again_sends_it_again(round_table):
    found = invite(round_table())
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False) as clock:
        for _click in range(2):
            actions.send_again(found, by=factories.user())
            clock.shift(timedelta(milliseconds=200))
    assert planned(actions.INVITATION) == [found.email]


@pytest.mark.parametrize("state", [State.OFFERED, State.LAPSED, "erased"])
def test_who_has_said_yes_is_not_told_of_a_seat_that_they_have_not(round_table, public, state):
    found = invite(round_table())
    seat = actions.accept(found, language="sv")
    if state == "erased":
        registrations.erase(seat)
    else:
        until = found.event.starts_at if state == State.OFFERED else None
        Registration.objects.filter(pk=seat.pk).update(state=state, offered_until=until)
    page = public.get(page_of(found)).content.decode()
    assert "ja, jag kommer" not in page
