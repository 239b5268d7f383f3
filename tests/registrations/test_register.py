from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from events import actions as events
from events.models import Event
from events.programs.models import Speaker
from events.registrations import actions
from events.registrations.models import Registration
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery, State
from portal.questions.models import Door, Question
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_twenty_people_at_once_fill_five_seats_and_no_more(make_event):
    event = make_event(capacity=5)
    start = Barrier(20)

    def attempt(number):
        try:
            start.wait(10)
            actions.register(event, name=f"Person {number}", email=f"p{number}@example.org", language="sv")
        except actions.FullError:
            return "full"
        finally:
            connection.close()
        return "seat"

    with ThreadPoolExecutor(20) as pool:
        outcomes = sorted(pool.map(attempt, range(20)))
    assert outcomes == ["full"] * 15 + ["seat"] * 5
    assert event.registrations.confirmed().count() == 5
    # Who got no seat gets no mail.
    assert Delivery.objects.filter(kind=actions.CONFIRMATION).count() == 5


@pytest.mark.django_db(transaction=True)
def test_one_address_at_once_from_many_places_takes_one_seat(make_event):
    event = make_event(capacity=5)
    start = Barrier(8)

    def attempt(number):
        try:
            start.wait(10)
            email = "Bo@Example.org" if number % 2 else "bo@example.org"
            actions.register(event, name="Bo", email=email, language="sv")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(8)))
    assert event.registrations.count() == 1
    assert Delivery.objects.filter(kind=actions.CONFIRMATION).count() == 1


def test_who_registers_again_gets_the_confirmation_again_at_most_once_an_hour(make_event):
    event = make_event()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = actions.register(event, name="Bo", email="bo@example.org", language="sv")
        counts = []
        for minutes in (1, 30, 30, 30, 30):
            clock.shift(timedelta(minutes=minutes))
            assert actions.register(event, name="X", email="BO@example.org", language="en") == first
            counts.append(Delivery.objects.filter(kind=actions.CONFIRMATION).count())
    assert counts == [1, 1, 2, 2, 3]
    first.refresh_from_db()
    assert (first.name, first.language) == ("Bo", "sv")


def test_the_last_seat_taken_with_a_double_click_is_no_bad_news(make_event):
    event = make_event(capacity=1)
    first = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    assert actions.register(event, name="Bo", email="bo@example.org", language="sv") == first


def test_a_full_event_does_not_tell_a_stranger_who_has_a_seat(make_event):
    event = make_event(capacity=1)
    actions.register(event, name="Bo", email="bo@example.org", language="sv")
    Registration.objects.update(registered_at=timezone.now() - timedelta(hours=2))
    said = set()
    for email in ("bo@example.org", "stranger@example.org"):
        with pytest.raises(actions.FullError) as error:
            actions.register(event, name="?", email=email, language="sv")
        said.add(error.value.message)
    assert len(said) == 1
    assert Delivery.objects.filter(kind=actions.CONFIRMATION).count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"registration_ends_at": None},
        {"registration_ends_at": timezone.now() - timedelta(minutes=1)},
        {"starts_in": -timedelta(minutes=1)},
    ],
)
def test_nobody_registers_for_what_is_closed_or_has_begun(make_event, fields):
    event = make_event(**fields)
    with pytest.raises(actions.ClosedError):
        actions.register(event, name="Bo", email="bo@example.org", language="sv")
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()


def test_canceling_frees_the_seat_and_takes_the_reminders_back(make_event):
    event = make_event(capacity=1)
    registration = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    actions.cancel(registration)
    actions.cancel(registration)
    states = dict(Delivery.objects.values_list("kind", "state"))
    assert states == {
        actions.CONFIRMATION: State.CANCELED,
        actions.REMINDER: State.CANCELED,
        actions.CANCELLATION: State.PLANNED,
    }
    again = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    assert again.pk != registration.pk
    assert Delivery.objects.filter(kind=actions.REMINDER).waiting().count() == 2


def test_fewer_seats_throw_nobody_out(make_event):
    event = make_event(capacity=2)
    for number in range(2):
        actions.register(event, name="Bo", email=f"bo{number}@example.org", language="sv")
    events.edit(event, by=factories.user(), capacity=1)
    assert event.registrations.confirmed().count() == 2
    assert Event.objects.with_taken().get(pk=event.pk).is_full


def test_a_question_sent_along_is_kept_once_and_without_the_person(make_event):
    event = make_event()
    for _again in range(2):
        actions.register(event, name="Bo Ek", email="bo@example.org", language="ar", question="ماذا يحدث بعد البلاغ؟")
    question = Question.objects.get()
    assert (question.text, question.language, question.door) == ("ماذا يحدث بعد البلاغ؟", "ar", Door.REGISTRATION)


def test_participants_are_forgotten_thirty_days_after_and_the_log_never_knew_them(make_event):
    old = make_event(starts_in=timedelta(hours=2))
    recent = make_event(starts_in=timedelta(days=3))
    for event in (old, recent):
        registration = actions.register(event, name="Marker Markersson", email="marker@example.org", language="sv")
    actions.cancel(registration)
    Speaker.objects.create(name="Speaker of nothing")
    assert actions.purge(now=old.ends_at + timedelta(days=29)) == 0
    assert actions.purge(now=old.ends_at + timedelta(days=30, minutes=1)) == 1
    assert list(Registration.objects.values_list("event", flat=True)) == [recent.pk]
    assert not Speaker.objects.exists()
    rows = [(e.verb, str(e.changes), e.note) for e in AuditEvent.objects.all()]
    assert ("purge", "{}", "1 registrations") in rows
    assert {verb for verb, _changes, _note in rows} >= {"register", "cancel", "purge"}
    assert "arker" not in str(rows)
