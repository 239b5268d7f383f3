from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation

from events import actions as events
from events.invitations import actions as invitations
from events.invitations.rules import secret_token
from events.models import SETTLE, Event
from events.programs import actions as programs
from events.programs.models import Speaker
from events.registrations import actions as registrations
from events.reminders import actions, rules
from events.reminders.models import Anchor, Audience, Dispatch, Rule
from events.series.models import Series
from portal import composed
from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery, State
from tests import factories
from tests.events.conftest import SECRET_LINK
from tests.mail.conftest import post
from tests.mail.test_deliver import running
from tests.overtaken import overtaken
from tests.programs.conftest import line, person, put_off
from tests.registrations.test_register import register
from tests.shown import as_shown

__all__ = ["post"]

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def stockholm(*parts):
    return datetime(*parts, tzinfo=STOCKHOLM)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def remind(db):
    """A rule of all events, or of one; there are no others."""
    Rule.objects.all().delete()

    def made(audience=Audience.REGISTERED, anchor=Anchor.START, *, by=None, event=None, series=None, **when) -> Rule:
        values = {"days": None, "at": None, "minutes": None} | (when or {"days": 1})
        return actions.add(by=factories.user(), event=event, series=series, audience=audience, anchor=anchor, **values)

    with time_machine.travel(timezone.now() - timedelta(days=400)):
        yield made


@pytest.fixture
def now():
    """The time of now, as the fixtures above were made long ago."""
    with time_machine.travel(timezone.now() + timedelta(days=400), tick=False) as clock:
        yield clock


def invite(event, name):
    guest = {"name": name, "email": f"{name}@example.org", "language": "sv"}
    return invitations.invite(event, guests=[guest], by=factories.user())[0]


def planned() -> list[tuple[str, datetime]]:
    """Whom reminders are planned for, and for when, soonest first."""
    found = Delivery.objects.filter(kind=actions.REMINDER).waiting().order_by("due_at", "recipient")
    return [(recipient.split("@")[0], due) for recipient, due in found.values_list("recipient", "due_at")]


@pytest.mark.parametrize(
    ("starts_at", "day_before", "morning_before", "hour_before"),
    [
        # Ordinary winter and summer days.
        (stockholm(2027, 1, 14, 8, 30), utc(2027, 1, 13, 7, 30), utc(2027, 1, 13, 7, 0), utc(2027, 1, 14, 6, 30)),
        (stockholm(2027, 7, 14, 8, 30), utc(2027, 7, 13, 6, 30), utc(2027, 7, 13, 6, 0), utc(2027, 7, 14, 5, 30)),
        # The clocks go forward in the night before: the same time on the clock is 23 hours earlier.
        (stockholm(2027, 3, 28, 8, 30), utc(2027, 3, 27, 7, 30), utc(2027, 3, 27, 7, 0), utc(2027, 3, 28, 5, 30)),
        # 02:30 of the day before does not exist and moves forward to 03:30 summer time.
        (stockholm(2027, 3, 29, 2, 30), utc(2027, 3, 28, 1, 30), utc(2027, 3, 28, 6, 0), utc(2027, 3, 28, 23, 30)),
        # An hour before is an hour before, also when the clock says two.
        (stockholm(2027, 3, 28, 3, 30), utc(2027, 3, 27, 2, 30), utc(2027, 3, 27, 7, 0), utc(2027, 3, 28, 0, 30)),
        # The clocks go back: 25 hours.
        (stockholm(2027, 10, 31, 8, 30), utc(2027, 10, 30, 6, 30), utc(2027, 10, 30, 6, 0), utc(2027, 10, 31, 6, 30)),
        # 02:30 of the day before comes twice; the first is meant.
        (stockholm(2027, 11, 1, 2, 30), utc(2027, 10, 31, 0, 30), utc(2027, 10, 31, 7, 0), utc(2027, 11, 1, 0, 30)),
        # The second 02:30 itself: the day before has only one.
        (
            stockholm(2027, 10, 31, 2, 30).replace(fold=1),
            utc(2027, 10, 30, 0, 30),
            utc(2027, 10, 30, 6, 0),
            utc(2027, 10, 31, 0, 30),
        ),
    ],
)
def test_days_are_counted_on_the_clock_and_minutes_are_minutes(starts_at, day_before, morning_before, hour_before):
    start = {"anchor": Anchor.START}
    assert rules.due_at(Rule(days=1, **start), starts_at.astimezone(UTC)) == day_before
    assert rules.due_at(Rule(days=1, at=time(8), **start), starts_at.astimezone(UTC)) == morning_before
    assert rules.due_at(Rule(minutes=60, **start), starts_at.astimezone(UTC)) == hour_before


def test_a_time_of_day_that_the_clock_skips_moves_forward_and_one_that_comes_twice_is_the_first():
    rule = Rule(days=1, at=time(2, 30), anchor=Anchor.START)
    assert rules.due_at(rule, stockholm(2027, 3, 29, 18, 0)) == utc(2027, 3, 28, 1, 30)
    assert rules.due_at(rule, stockholm(2027, 11, 1, 18, 0)) == utc(2027, 10, 31, 0, 30)


def test_after_the_end_is_after(make_event):
    rule = Rule(days=1, at=time(10), anchor=Anchor.END)
    assert rules.due_at(rule, stockholm(2027, 3, 27, 18, 0)) == utc(2027, 3, 28, 8, 0)


@pytest.mark.parametrize(("at", "is_thanked"), [(time(18), False), (time(20), True)])
def test_nobody_is_thanked_on_the_day_itself_before_it_is_over(remind, make_event, now, at, is_thanked):
    remind(anchor=Anchor.END, days=0, at=at)
    starts_at = stockholm(2028, 5, 11, 18, 30)
    event = make_event("sv", starts_at=starts_at, ends_at=starts_at.replace(hour=19))
    register(event, "a")
    for hours in (17.99, 18, 18.75, 20, 20.5):
        now.move_to(starts_at.replace(hour=0, minute=0) + timedelta(hours=hours))
        actions.keep(timezone.now())
    assert [who for who, _due in planned()] == (["a"] if is_thanked else [])


@pytest.mark.parametrize("audience", set(Audience) - {Audience.REGISTERED})
def test_after_the_end_nobody_is_told_of_what_is_to_come(remind, make_event, now, staff, audience):
    client, page = staff(Role.EVENTS), "/staff/events/reminders/new/"
    filled = {"audience": audience, "anchor": Anchor.END, "number": 1, "unit": "hours", "is_active": "on"}
    refused = client.post(page, as_shown(client.get(page)) | filled)
    assert list(refused.context["form"].errors) == ["audience"]
    # One that there was before it was refused says nothing either.
    remind(audience, Anchor.END, minutes=60)
    event = make_event("sv", capacity=1, program=[line("09:00-10:00", "Ett", person("Ada"))])
    Speaker.objects.update(email="ada@example.org")
    events.edit(event, by=factories.user(), team=[factories.user()])
    register(event, "a")
    register(event, "b")
    invite(event, "tyst")
    now.move_to(event.ends_at + timedelta(minutes=61))
    actions.keep(timezone.now())
    assert planned() == []


def test_who_has_a_seat_is_reminded_when_it_is_due_and_not_before(remind, make_event, now):
    remind(days=1)
    event = make_event("sv")
    register(event, "a")
    register(event, "b", email="")
    due = rules.due_at(Rule.objects.get(), event.starts_at)
    now.move_to(due - timedelta(seconds=1))
    actions.keep(timezone.now())
    assert planned() == []
    now.move_to(due)
    for _again in range(2):
        actions.keep(timezone.now())
    assert planned() == [("a", due)]
    assert Dispatch.objects.get().number == 1


def test_who_registers_after_the_due_time_gets_the_confirmation_and_not_the_reminder(remind, make_event, now):
    remind(minutes=120)
    event = make_event("sv", registration_ends_at=None)
    events.edit(event, by=factories.user(), registration_ends_at=event.starts_at)
    register(event, "in-time")
    now.move_to(event.starts_at - timedelta(minutes=120))
    register(event, "just")
    now.shift(timedelta(seconds=1))
    # The clock has not come round yet, and they are late all the same.
    register(event, "late")
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["in-time", "just"]
    assert Delivery.objects.filter(kind=registrations.CONFIRMATION, recipient="late@example.org").exists()


@pytest.mark.django_db(transaction=True)
def test_who_registers_while_reminders_are_planned_is_seen_or_too_late(remind, make_event):
    remind(days=1)
    starts = timezone.now().replace(microsecond=0) + timedelta(days=401)
    event = make_event("sv", starts_at=starts, capacity=None)
    with time_machine.travel(starts - timedelta(days=1)) as clock, ThreadPoolExecutor(8) as pool:

        def one(place):
            try:
                return register(event, f"p{place}") if place % 4 else actions.keep(timezone.now())
            finally:
                connection.close()

        clock.shift(timedelta(seconds=-0.2))
        list(pool.map(one, range(80)))
    with time_machine.travel(starts - timedelta(hours=20)):
        actions.keep(timezone.now())
    due = Dispatch.objects.get().due_at
    in_time = set(event.registrations.filter(registered_at__lte=due).values_list("email", flat=True))
    assert {f"{who}@example.org" for who, _due in planned()} == in_time


def test_the_waiting_and_colleagues_are_reminded_of_their_own(remind, make_event, now):
    remind(Audience.WAITING, days=2)
    remind(Audience.STAFF, days=1, at=time(8))
    colleague, left = factories.user(), factories.user(is_active=False)
    event = make_event("sv", capacity=1)
    events.edit(event, by=colleague, team=[colleague, left])
    register(event, "a")
    register(event, "b")
    now.move_to(event.starts_at - timedelta(minutes=1))
    with time_machine.travel(event.starts_at - timedelta(hours=47)):
        actions.keep(timezone.now())
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["b", colleague.email.split("@")[0]]


def test_a_moved_event_reminds_at_its_new_time_also_those_who_were_reminded(remind, make_event, now):
    remind(days=1)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    (first,) = planned()
    later = event.starts_at + timedelta(days=7)
    event = events.edit(event, by=factories.user(), starts_at=later, ends_at=event.ends_at + timedelta(days=7))
    # What was planned and has not left says nothing any more.
    assert rules.reminder(Delivery.objects.filter(kind=actions.REMINDER).get()) is None
    actions.keep(timezone.now())
    assert planned() == [(first[0], timezone.now() + registrations.SETTLE)]
    now.move_to(later - timedelta(hours=20))
    actions.keep(timezone.now())
    assert planned()[1:] == [(first[0], rules.due_at(Rule.objects.get(), later))]


def test_an_event_that_moves_nearer_than_the_reminder_is_told_by_the_change_alone(remind, make_event, now):
    remind(days=1)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(days=3))
    soon = timezone.now() + timedelta(hours=5)
    events.edit(
        event, by=factories.user(), starts_at=soon, ends_at=soon + timedelta(hours=1), registration_ends_at=None
    )
    actions.keep(timezone.now())
    assert planned() == []


def test_nothing_is_planned_for_what_is_canceled_a_draft_or_over(remind, make_event, now):
    remind(days=1)
    draft, canceled, over = make_event(), make_event("sv"), make_event("sv")
    for event in (canceled, over):
        register(event, "a")
    events.cancel(canceled, by=factories.user(), reason="Sjuk")
    now.move_to(over.starts_at + timedelta(seconds=1))
    actions.keep(timezone.now())
    assert planned() == []
    now.move_to(draft.starts_at - timedelta(hours=1))
    actions.keep(timezone.now())
    assert {Dispatch.objects.filter(event=event).count() for event in (draft, canceled)} == {0}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [timedelta(), timedelta(seconds=30)], ids=["planned", "falls due meanwhile"])
def test_a_reminder_outlives_that_its_event_is_canceled_for_a_moment(remind, make_event, inbox, before):
    remind(minutes=60)
    starts = timezone.now().replace(microsecond=0) + timedelta(days=401)
    event = make_event("sv", starts_at=starts)
    register(event, "a", email="")
    register(event, "b")
    mail.deliver()
    inbox.clear()
    with time_machine.travel(starts - timedelta(minutes=60) - before, tick=False) as clock:
        actions.keep(timezone.now())
        events.cancel(event, by=factories.user(), reason="Fel knapp")
        clock.shift(timedelta(seconds=90))
        mail.deliver()
        assert inbox == []
        events.restore(event, by=factories.user())
        clock.shift(registrations.SETTLE)
        mail.deliver()
        mail.deliver()
    (letter,) = inbox
    assert letter["List-Unsubscribe-Post"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [timedelta(), timedelta(seconds=30)], ids=["planned", "falls due meanwhile"])
@pytest.mark.parametrize(("back_after", "letters"), [(90, ["reminder"]), (200, ["changed", "changed"])])
def test_a_reminder_outlives_that_its_event_is_moved_for_a_moment(
    remind, make_event, inbox, before, back_after, letters
):
    remind(minutes=60)
    starts = timezone.now().replace(microsecond=0) + timedelta(days=401)
    event = make_event("sv", starts_at=starts)
    register(event, "b")
    mail.deliver()
    inbox.clear()
    with time_machine.travel(starts - timedelta(minutes=60) - before, tick=False) as clock:
        actions.keep(timezone.now())
        put_off(event, days=7)
        clock.shift(timedelta(seconds=back_after))
        mail.deliver()
        put_off(Event.objects.get(), days=-7)
        clock.shift(registrations.SETTLE)
        mail.deliver()
        mail.deliver()
    assert ["reminder" if letter["List-Unsubscribe-Post"] else "changed" for letter in inbox] == letters


@pytest.mark.parametrize("is_edited", [False, True])
def test_what_fell_due_while_people_knew_that_it_is_canceled_is_not_made_up_for(remind, make_event, now, is_edited):
    remind(days=1)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(days=2))
    events.cancel(event, by=factories.user(), reason="Sjuk")
    now.move_to(event.starts_at - timedelta(hours=20))
    if is_edited:
        events.edit(event, by=factories.user(), place="Kommunhuset")
    events.restore(event, by=factories.user())
    actions.keep(timezone.now())
    assert planned() == []


def test_after_three_days_without_a_clock_only_the_newest_reminder_leaves(remind, make_event, now):
    remind(days=3)
    remind(days=1)
    remind(minutes=60)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    assert [due for _who, due in planned()] == [rules.due_at(Rule.objects.get(days=1), event.starts_at)]
    assert Delivery.objects.get(kind=actions.REMINDER).expires_at == event.starts_at - timedelta(minutes=60)


def test_a_clock_that_jumps_back_and_forth_doubles_nothing(remind, make_event, now):
    remind(days=1)
    event = make_event("sv")
    register(event, "a")
    for hours in (20, 30, 23, 40, 10, 1):
        now.move_to(event.starts_at - timedelta(hours=hours))
        actions.keep(timezone.now())
    assert len(planned()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_plan_everything_once(remind, make_event):
    remind(days=1)
    starts = timezone.now().replace(microsecond=0) + timedelta(days=401)
    event = make_event("sv", starts_at=starts)
    for number in range(30):
        register(event, f"p{number}")
    with time_machine.travel(starts - timedelta(hours=20)), ThreadPoolExecutor(4) as pool:

        def one(_place):
            try:
                actions.keep(timezone.now())
            finally:
                connection.close()

        list(pool.map(one, range(8)))
    assert len(planned()) == 30
    assert Dispatch.objects.get().number == 30


# Rules ---------------------------------------------------------------------------------------------------------


def test_an_event_uses_its_own_rules_else_those_of_its_series_else_the_default_ones(remind, make_event):
    default = remind(days=1)
    series = Series.objects.create(name="Rundabord")
    event = make_event("sv", series=series)
    assert list(Rule.objects.of(event)) == [default]
    of_series = remind(days=7, series=series)
    assert list(Rule.objects.of(event)) == [of_series]
    actions.own(event, by=factories.user())
    own = Rule.objects.get(event=event)
    assert (own.days, own.series) == (7, None)
    assert list(Rule.objects.of(event)) == [own]
    actions.share(event, by=factories.user())
    assert list(Rule.objects.of(event)) == [of_series]


def test_own_rules_do_not_send_again_what_the_others_have_sent(remind, make_event, now):
    remind(days=1)
    remind(minutes=60)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    actions.own(event, by=factories.user())
    actions.keep(timezone.now())
    assert len(planned()) == 1
    actions.share(event, by=factories.user())
    actions.keep(timezone.now())
    assert len(planned()) == 1
    now.move_to(event.starts_at - timedelta(minutes=50))
    actions.keep(timezone.now())
    assert len(planned()) == 2


def test_a_rule_that_is_changed_to_a_time_that_has_passed_sends_nothing_now(remind, make_event, now):
    rule = remind(minutes=30)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(hours=5))
    actions.edit(rule, by=factories.user(), days=1, minutes=None, at=None, text="")
    actions.keep(timezone.now())
    assert planned() == []


@pytest.mark.parametrize("ended", [State.CANCELED, State.EXPIRED])
def test_who_cancels_and_regrets_after_it_was_due_gets_the_confirmation_and_not_the_reminder(
    remind, make_event, now, ended
):
    remind(days=1)
    remind(minutes=60)
    event = make_event("sv")
    registration = register(event, "a")
    Delivery.objects.all().delete()
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    if ended == State.EXPIRED:
        now.move_to(event.starts_at - timedelta(minutes=59))
        mail.expire(now=timezone.now())
    registrations.cancel(registration)
    assert Delivery.objects.get(kind=actions.REMINDER).state == ended
    registrations.regret(registration)
    assert [each.kind for each in Delivery.objects.waiting()] == [registrations.CONFIRMATION]
    # What falls due from now on is theirs again.
    now.move_to(event.starts_at - timedelta(minutes=50))
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["a"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"days": 1, "minutes": 5}, "rule_counts_days_on_the_clock_or_minutes"),
        ({"minutes": 5, "at": time(8)}, "rule_counts_days_on_the_clock_or_minutes"),
        ({"days": 61}, "rule_reaches_sixty_days"),
    ],
)
def test_the_database_refuses_rules_that_make_no_sense(db, wrong, sentence):
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        Rule.objects.create(audience="registered", anchor="start", **wrong)


@pytest.mark.django_db(transaction=True)
def test_a_reminder_leaves_in_the_tick_in_which_it_is_due(remind, make_event, inbox):
    remind(minutes=60)
    starts = timezone.now().replace(microsecond=0) + timedelta(days=401)
    event = make_event("sv", "ar", starts_at=starts)
    register(event, "bo", language="ar")
    Delivery.objects.update(state=State.CANCELED, ended_at=timezone.now())
    with time_machine.travel(starts - timedelta(minutes=59)):
        mail.deliver(seconds=20)
        mail.deliver(seconds=20)
    (letter,) = inbox
    assert event.title_ar in letter["Subject"]
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.django_db(transaction=True)
def test_no_reminder_leaves_that_a_change_has_made_wrong_however_old_what_it_was_made_of(
    remind, make_event, post, monkeypatch
):
    monkeypatch.setattr(composed, "SECONDS", 3600)
    remind(minutes=60)
    starts = timezone.now().replace(microsecond=0) + timedelta(days=401)
    event = make_event("sv", starts_at=starts)
    for name in ("ana", "bo", "cia", "dag"):
        register(event, name)
    Delivery.objects.update(state=State.CANCELED, ended_at=timezone.now())
    reminders = Delivery.objects.filter(kind=actions.REMINDER).order_by("pk").values_list("state", flat=True)
    with time_machine.travel(starts - timedelta(minutes=59)):
        post.faults.extend(["", "", "hold_before_354"])
        with running(mail.deliver):
            assert post.is_holding.wait(10)
            later = {"starts_at": event.starts_at + timedelta(days=1), "ends_at": event.ends_at + timedelta(days=1)}
            events.edit(Event.objects.get(), by=factories.user(), **later)
            post.let_go()
        assert list(reminders.all()) == ["sent", "sent", "planned", "planned"]
    with time_machine.travel(starts - timedelta(minutes=50)):
        mail.deliver(seconds=20)
    assert list(reminders.all()) == ["sent", "sent", "canceled", "canceled"]


def test_who_is_invited_and_has_not_answered_is_reminded_before_the_deadline(remind, make_event):
    remind(Audience.INVITED, Anchor.ANSWERS, days=3, at=time(9))
    starts_at = timezone.now().replace(microsecond=0) + timedelta(days=20)
    event = make_event("sv", starts_at=starts_at, answers_due_at=starts_at - timedelta(days=5))
    silent, answered = invite(event, "tyst"), invite(event, "svarat")
    invitations.decline(answered)
    with time_machine.travel(event.answers_due_at - timedelta(days=2)):
        actions.keep(timezone.now())
        actions.keep(timezone.now())
    (delivery,) = Delivery.objects.filter(kind=actions.REMINDER)
    assert delivery.recipient == silent.email
    assert delivery.key.startswith(silent.key)
    message = rules.reminder(delivery)
    assert secret_token(silent) in message.text
    invitations.accept(silent, language="sv")
    assert rules.reminder(delivery) is None


def test_nobody_is_asked_for_an_answer_that_cannot_be_given_any_more(remind, make_event, now):
    remind(Audience.INVITED, Anchor.START, days=2)
    remind(Audience.INVITED, Anchor.START, days=6)
    starts_at = timezone.now().replace(microsecond=0) + timedelta(days=20)
    event = make_event("sv", starts_at=starts_at, answers_due_at=starts_at - timedelta(days=5))
    invite(event, "tyst")
    now.move_to(starts_at - timedelta(days=6))
    actions.keep(timezone.now())
    (delivery,) = Delivery.objects.filter(kind=actions.REMINDER)
    assert delivery.expires_at == event.answers_due_at
    # The deadline comes nearer while it waits.
    events.edit(event, by=factories.user(), answers_due_at=timezone.now() + timedelta(minutes=1))
    assert rules.reminder(delivery) is not None
    now.shift(timedelta(minutes=2))
    assert rules.reminder(delivery) is None
    now.move_to(starts_at - timedelta(days=1))
    actions.keep(timezone.now())
    assert len(planned()) == 1


@pytest.mark.parametrize("days", [60, 90])
def test_a_deadline_long_before_the_event_is_reminded_of_in_time(remind, make_event, days):
    remind(Audience.INVITED, Anchor.ANSWERS, days=7)
    starts_at = timezone.now().replace(microsecond=0) + timedelta(days=150)
    event = make_event("sv", starts_at=starts_at, answers_due_at=starts_at - timedelta(days=days))
    invite(event, "tyst")
    due = event.answers_due_at - timedelta(days=7)
    with time_machine.travel(due + timedelta(minutes=1)):
        actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["tyst"]


def test_a_reminder_does_not_go_to_the_address_that_a_speaker_had_before(remind, make_event, now):
    remind(Audience.SPEAKERS, days=1)
    event = make_event("sv", program=[line("09:00-10:00", "Ett", person("Ada"))])
    Speaker.objects.update(email="wrong@example.org")
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    (delivery,) = Delivery.objects.filter(kind=actions.REMINDER)
    assert rules.reminder(delivery) is not None
    programs.describe(Speaker.objects.get(), by=factories.user(), email="right@example.org")
    assert rules.reminder(delivery) is None


@pytest.mark.parametrize("code", ["sv", "ar", "ti"])
def test_a_reminder_before_its_link_may_be_shown_says_when_and_is_plain_text(remind, make_event, code):
    rule = remind(days=1)
    event = make_event("sv", starts_in=timedelta(days=500))
    with translation.override(code):
        message = rules.to_participant(rule, rules.sample(event, code))
    assert "<" not in message.text
    assert f"{timezone.localtime(event.join_opens_at):%H:%M}" in message.text
    assert SECRET_LINK not in message.text + message.html


@pytest.mark.parametrize("how", ["series", "remove own", "remove of series"])
def test_other_rules_that_hold_from_now_on_do_not_remind_again(remind, make_event, now, how):
    remind(days=1)
    series = Series.objects.create(name="Rundabord")
    of_series = remind(days=1, series=series)
    event = make_event("sv", **({} if how == "series" else {"series": series}))
    own = remind(days=1, event=event) if how == "remove own" else None
    register(event, "a")
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    assert len(planned()) == 1
    if how == "series":
        events.edit(event, by=factories.user(), series=series)
    else:
        actions.remove(own or of_series, by=factories.user())
    actions.keep(timezone.now())
    assert len(planned()) == 1


@pytest.mark.parametrize(("role", "told"), [(Role.EVENTS, 2), (Role.TRANSLATOR, 0), (Role.REPORTER, 0)], ids=str)
def test_a_preview_shows_the_link_to_join_to_those_alone_who_may_edit_it(remind, make_event, staff, role, told):
    event, client = make_event("sv", starts_in=timedelta(minutes=30)), staff(role)
    pages = [
        client.get(f"/staff/events/{event.pk}/reminders/{remind(audience).pk}/sv/").content.decode()
        for audience in (Audience.REGISTERED, Audience.SPEAKERS, Audience.INVITED)
    ]
    assert all('<article class="letter"' in page for page in pages)
    assert sum(SECRET_LINK in page for page in pages) == told


@pytest.mark.parametrize("owner", ["event", "series"])
def test_a_number_that_is_longer_than_any_is_nobodys(staff, owner):
    assert staff(Role.EVENTS).get(f"/staff/events/reminders/new/?{owner}={'9' * 5000}").status_code == 404


def test_a_reminder_of_an_event_and_of_a_series_is_none(staff, make_event):
    circle = Series.objects.create(name="Rundabord")
    at, client = "/staff/events/reminders/new/", staff(Role.EVENTS)
    filled = as_shown(client.get(at)) | {"audience": "registered", "unit": "days", "anchor": "start"}
    before = Rule.objects.count()
    assert client.post(f"{at}?event={make_event().pk}&series={circle.pk}", filled).status_code == 404
    assert Rule.objects.count() == before
    client.post(f"{at}?series={circle.pk}", filled)
    assert Rule.objects.filter(series=circle).count() == 1


@pytest.mark.parametrize("role", [Role.TRANSLATOR, Role.EDITOR])
def test_who_translates_a_reminder_does_not_change_what_it_says_in_swedish(remind, staff, role):
    rule, client = remind(days=1, text="Kom!"), staff(role)
    listed = client.get("/staff/events/reminders/").content.decode()
    for code in ("sv", "ar"):
        at = f"/staff/events/reminders/{rule.pk}/{code}/"
        assert (at in listed) == (code == "ar")
        client.post(at, as_shown(client.get(at)) | {"text": "Kom inte!"})
    rule.refresh_from_db()
    assert (rule.text_sv, rule.text_ar) == ("Kom!", "Kom inte!")


@pytest.mark.django_db
@pytest.mark.parametrize("migration", ["0002_the_default_ones", "0005_who_has_not_answered"])
def test_a_migration_that_is_taken_back_and_run_once_more_reminds_nobody_twice(migration):
    before = Rule.objects.count()
    import_module(f"events.reminders.migrations.{migration}").forward(apps, None)
    assert Rule.objects.count() == before


def leave() -> None:
    """What is planned is sent."""
    Delivery.objects.filter(kind=actions.REMINDER).update(state=State.SENT, **sent_now())


def sent_now() -> dict[str, datetime]:
    return dict.fromkeys(("fenced_at", "sent_at", "ended_at"), timezone.now())


@pytest.mark.parametrize(("change", "whom"), [({"days": 1}, ["a"]), ({"days": 1, "audience": Audience.WAITING}, ["b"])])
def test_a_rule_that_is_set_anew_after_it_was_sent_is_another_reminder_and_set_back_it_is_not(
    remind, make_event, now, staff, change, whom
):
    rule = remind(days=7)
    event = make_event("sv", capacity=1, starts_in=timedelta(days=410))
    register(event, "a")
    register(event, "b")
    now.move_to(event.starts_at - timedelta(days=6))
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["a"]
    leave()
    actions.edit(rule, by=factories.user(), **change)
    (row,) = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/reminders/").context["planned"]
    assert row[1] is None  # to come
    now.move_to(event.starts_at - timedelta(hours=23))
    actions.edit(rule, by=factories.user(), text="Välkommen!")
    for _again in range(2):
        actions.keep(timezone.now())
    assert [who for who, _due in planned()] == whom
    actions.edit(rule, by=factories.user(), days=7, audience=Audience.REGISTERED)
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == whom


@pytest.mark.parametrize("change", ["end", "series"])
def test_a_reminder_that_is_due_but_not_planned_yet_outlives_a_change_of_something_else(
    remind, make_event, now, change
):
    remind(minutes=60)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(minutes=50))
    if change == "end":
        events.edit(event, by=factories.user(), ends_at=event.ends_at + timedelta(minutes=30))
    else:
        events.edit(event, by=factories.user(), series=Series.objects.create(name="Rundabordet"))
    for _again in range(2):
        actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["a"]


def test_rules_of_its_own_stay_until_what_they_are_sending_has_left(remind, make_event, now, staff):
    remind(days=1)
    event = make_event("sv")
    register(event, "a")
    actions.own(event, by=factories.user())
    now.move_to(event.starts_at - timedelta(hours=5))
    office, page = staff(Role.EVENTS), f"/staff/events/{event.pk}/reminders/"
    answer = office.post(f"{page}share/", follow=True).content.decode()
    assert "är på väg" in answer
    assert event.reminder_rules.exists()
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["a"]
    leave()
    office.post(f"{page}share/")
    assert not event.reminder_rules.exists()
    actions.keep(timezone.now())
    assert planned() == []


def test_a_reminder_that_brings_the_link_late_counts_as_having_brought_it(remind, make_event, now):
    remind(minutes=90)
    event = make_event("sv")
    held = register(event, "a")
    now.move_to(event.starts_at - timedelta(minutes=85))
    actions.keep(timezone.now())
    held.refresh_from_db()
    assert held.told_join == 0
    now.move_to(event.starts_at - timedelta(minutes=40))
    with translation.override("sv"):
        assert SECRET_LINK in rules.reminder(Delivery.objects.get(kind=actions.REMINDER)).text
    held.refresh_from_db()
    assert held.told_join == event.join_version


@pytest.fixture
def speaking(remind, make_event, now):
    """An event of tomorrow whose speaker has just been promised a reminder."""

    def made(**fields):
        remind(Audience.SPEAKERS, days=1)
        event = make_event("sv", program=[line("09:00-10:00", "Lagen", person("Nils Fjällvind"))], **fields)
        Speaker.objects.update(email="nils@example.org")
        now.move_to(event.starts_at - timedelta(hours=23))
        actions.keep(timezone.now())
        return event

    return made


def new_links() -> list[str]:
    return list(Delivery.objects.filter(kind=actions.NEW_LINK).waiting().values_list("recipient", flat=True))


def give_link(event, number=2):
    events.edit(event, by=factories.user(), join_url=f"https://meeting.example.org/{number}")
    for _again in range(2):
        actions.keep(timezone.now())


def test_speakers_who_were_reminded_are_told_a_new_link_once(speaking, now):
    event = speaking()
    leave()
    for number in (2, 3):
        give_link(event, number)
    assert new_links() == ["nils@example.org"]
    told = Delivery.objects.get(kind=actions.NEW_LINK)
    message = rules.speaker_link(told)
    assert "https://meeting.example.org/3" in message.text
    assert message.subject.startswith("Ny länk")
    now.move_to(event.ends_at + timedelta(seconds=1))
    assert rules.speaker_link(told) is None


def test_a_new_link_that_waited_when_the_event_was_canceled_is_told_when_it_is_held_after_all(remind, make_event, now):
    remind(Audience.SPEAKERS, days=1)
    event = make_event("sv", program=[line("09:00-10:00", "Lagen", person("Nils"), person("Eva"))])
    for speaker in Speaker.objects.all():
        programs.describe(speaker, by=factories.user(), email=f"{speaker.name.lower()}@example.org")
    now.move_to(event.starts_at - timedelta(hours=23))
    actions.keep(timezone.now())
    leave()
    give_link(event)
    Delivery.objects.filter(kind=actions.NEW_LINK, recipient="eva@example.org").update(state=State.SENT, **sent_now())
    events.cancel(event, by=factories.user(), reason="Sjukdom")
    waiting = Delivery.objects.filter(kind=actions.NEW_LINK).waiting().get()
    assert rules.speaker_link(waiting) is None
    mail.cancel(key=waiting.key)
    now.shift(SETTLE)
    events.restore(event, by=factories.user())
    for _again in range(2):
        actions.keep(timezone.now())
    assert new_links() == ["nils@example.org"]
    assert "https://meeting.example.org/2" in rules.speaker_link(Delivery.objects.waiting().get()).text


def test_a_reminder_that_still_waits_brings_speakers_the_new_link_itself(speaking):
    event = speaking()
    give_link(event)
    assert new_links() == []
    assert "https://meeting.example.org/2" in rules.reminder(Delivery.objects.get(kind=actions.REMINDER)).text


def test_speakers_are_told_the_first_link_that_comes_after_their_reminder(speaking):
    event = speaking(join_url="")
    leave()
    give_link(event)
    assert new_links() == ["nils@example.org"]


@pytest.mark.parametrize("give_up", ["share", "remove"])
def test_speakers_are_told_a_new_link_also_when_the_rule_that_reminded_them_is_gone(speaking, give_up):
    event = speaking()
    leave()
    if give_up == "share":
        actions.own(event, by=factories.user())
        actions.share(event, by=factories.user())
    else:
        actions.remove(Rule.objects.get(), by=factories.user())
    give_link(event)
    assert new_links() == ["nils@example.org"]


def test_what_waits_for_a_speaker_goes_to_their_address_when_that_is_mended(speaking):
    event = speaking()
    speaker = Speaker.objects.get()
    programs.describe(speaker, by=factories.user(), email="nils.f@example.org")
    waiting = Delivery.objects.get(kind=actions.REMINDER)
    assert waiting.recipient == "nils.f@example.org"
    assert rules.reminder(waiting) is not None
    leave()
    give_link(event)
    Speaker.objects.update(email="nils.fjall@example.org")
    assert rules.speaker_link(Delivery.objects.get(kind=actions.NEW_LINK)) is None


@pytest.mark.parametrize("change", ["own", "first of the series", "first of the event"])
def test_what_is_due_but_not_planned_yet_outlives_that_other_rules_hold(remind, make_event, now, change):
    remind(minutes=60)
    series = Series.objects.create(name="Rundabordet")
    event = make_event("sv", series=series)
    register(event, "a")
    now.move_to(event.starts_at - timedelta(minutes=50))
    if change == "own":
        actions.own(event, by=factories.user())
    else:
        remind(days=2, **({"series": series} if change == "first of the series" else {"event": event}))
    actions.keep(timezone.now())
    assert [who for who, _due in planned()] == ["a"]


def test_the_page_says_that_was_sent_what_left_before_its_rule_was_set_anew(remind, make_event, now, staff):
    rule = remind(days=1)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(hours=20))
    actions.keep(timezone.now())
    actions.edit(rule, by=factories.user(), days=2)
    (row,) = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/reminders/").context["planned"]
    assert row[1].number == 1


@pytest.mark.django_db(transaction=True)
def test_a_rule_of_a_series_is_taken_away_while_it_sends(make_event):
    Rule.objects.all().delete()
    series, by = Series.objects.create(name="Rundabordet"), factories.user()
    event = make_event("sv", series=series)
    register(event, "a")
    rule = actions.add(by=by, series=series, audience=Audience.REGISTERED, anchor=Anchor.START, days=1)
    with time_machine.travel(event.starts_at - timedelta(hours=5)):
        overtaken(lambda: actions.keep(timezone.now()), lambda: actions.remove(rule, by=by))
    assert not Rule.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_gives_up_the_rules_of_an_event_waits_for_who_sends_by_them(make_event):
    Rule.objects.all().delete()
    event, by = make_event("sv"), factories.user()
    register(event, "a")
    rule = actions.add(by=by, event=event, audience=Audience.REGISTERED, anchor=Anchor.START, days=1)
    with time_machine.travel(event.starts_at - timedelta(hours=5)), pytest.raises(actions.LeavingError):
        overtaken(lambda: actions.keep(timezone.now()), lambda: actions.share(event, by=by))
    assert Dispatch.objects.get().rule == rule


def test_speakers_are_told_a_new_link_whose_reminder_is_being_sent_with_the_old_one(speaking):
    event = speaking()
    lease_until = timezone.now() + timedelta(minutes=5)
    Delivery.objects.filter(kind=actions.REMINDER).update(state=State.QUEUED, lease_until=lease_until)
    give_link(event)
    reminder = Delivery.objects.get(kind=actions.REMINDER)
    assert (reminder.state, new_links()) == (State.PLANNED, [])
    assert reminder.due_at > timezone.now() + timedelta(seconds=composed.SECONDS)


@pytest.mark.parametrize("why", ["moved", "unsubscribed"])
def test_speakers_are_told_a_new_link_whose_reminder_waits_and_will_not_leave(speaking, why):
    event = speaking()
    if why == "moved":
        event = put_off(event, hours=-1)
    else:
        mail.unsubscribe(delivery=Delivery.objects.get(kind=actions.REMINDER))
    give_link(event)
    assert new_links() == ["nils@example.org"]


def test_who_was_shown_an_older_link_is_told_the_new_one_though_a_reminder_brings_it(remind, make_event, now):
    """Which not everybody gets: somebody may have unsubscribed."""
    remind(minutes=30)
    event = make_event("sv")
    register(event, "a")
    now.move_to(event.starts_at - timedelta(minutes=30))
    assert registrations.reveal(event.registrations.select_related("event").get())
    give_link(event)
    assert Dispatch.objects.get().number == 1
    registrations.keep(timezone.now())
    assert Delivery.objects.filter(kind=registrations.NEW_LINK).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_mends_the_address_of_a_speaker_mends_that_of_reminders_planned_meanwhile(make_event):
    Rule.objects.all().delete()
    event, by = make_event("sv", program=[line("09:00-10:00", "Lagen", person("Nils Fjällvind"))]), factories.user()
    Speaker.objects.update(email="nils@example.org")
    speaker = Speaker.objects.get()
    actions.add(by=by, audience=Audience.SPEAKERS, anchor=Anchor.START, days=1)
    with time_machine.travel(event.starts_at - timedelta(hours=5)):
        overtaken(
            lambda: programs.describe(speaker, by=by, email="nils.f@example.org"),
            lambda: actions.keep(timezone.now()),
        )
    assert Delivery.objects.get(kind=actions.REMINDER).recipient == "nils.f@example.org"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["own", "remove"])
def test_who_plans_by_rules_that_hold_no_more_plans_nothing(make_event, change):
    Rule.objects.all().delete()
    series = Series.objects.create(name="Rundabordet")
    event, by = make_event("sv", series=series), factories.user()
    register(event, "a")
    rule = actions.add(by=by, series=series, audience=Audience.REGISTERED, anchor=Anchor.START, days=1)
    due_at = event.starts_at - timedelta(days=1)
    with time_machine.travel(due_at - timedelta(seconds=1), tick=False):
        overtaken(
            lambda: actions.own(event, by=by) if change == "own" else actions.remove(rule, by=by),
            lambda: actions.keep(due_at),
        )
    with time_machine.travel(due_at + timedelta(seconds=1), tick=False):
        actions.keep(timezone.now())
    assert Delivery.objects.filter(kind=actions.REMINDER).count() == (change == "own")
