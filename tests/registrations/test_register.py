from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation

from events import actions as events
from events.models import Event
from events.programs import actions as programs
from events.programs.models import Speaker
from events.registrations import actions, rules
from events.registrations.models import Need, Registration, State
from events.reminders import actions as reminders
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from portal.mail.models import State as Sent
from portal.questions.models import Door, Question
from tests import factories


def register(event, name="bo", **fields) -> Registration:
    return actions.register(event, **{"name": name, "email": f"{name}@example.org", "language": "sv"} | fields)


def at_once(number, attempt):
    """What each of `number` threads got, all let loose at the same moment."""
    start = Barrier(number)

    def one(place):
        try:
            start.wait(10)
            return attempt(place)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@pytest.mark.django_db(transaction=True)
def test_twenty_people_at_once_fill_five_seats_and_the_rest_wait_in_the_order_they_came(make_event):
    event = make_event("sv", capacity=5)
    made = at_once(20, lambda place: register(event, f"p{place}"))
    assert Counter(each.state for each in made) == {State.CONFIRMED: 5, State.WAITING: 15}
    waiting = list(event.registrations.waiting())
    assert all(a.registered_at <= b.registered_at for a, b in pairwise(waiting))
    seated = event.registrations.confirmed().order_by("-registered_at").first()
    assert seated.registered_at <= waiting[0].registered_at
    assert Delivery.objects.filter(kind=actions.CONFIRMATION).count() == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", ["address", "form"])
def test_the_same_at_once_from_many_places_is_one_registration(make_event, same):
    event, form_id = make_event("sv", capacity=5), uuid4()

    def attempt(place):
        if same == "form":
            return register(event, email="", form_id=form_id)
        return register(event, email="Bo@Example.org" if place % 2 else "bo@example.org")

    assert len({each.pk for each in at_once(8, attempt)}) == 1
    assert event.registrations.count() == 1
    assert Delivery.objects.filter(kind=actions.CONFIRMATION).count() == (same == "address")


def test_who_registers_again_gets_the_confirmation_again_at_most_once_an_hour(make_event):
    event = make_event("sv")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = register(event)
        counts = []
        for minutes in (1, 30, 30, 30, 30):
            clock.shift(timedelta(minutes=minutes))
            assert register(event, "X", email="BO@example.org", language="en") == first
            counts.append(Delivery.objects.filter(kind=actions.CONFIRMATION).count())
    assert counts == [1, 1, 2, 2, 3]
    first.refresh_from_db()
    assert (first.name, first.language) == ("bo", "sv")


@pytest.mark.parametrize(
    "fields",
    [
        {"registration_ends_at": None},
        {"registration_ends_at": timezone.now() - timedelta(minutes=1)},
        {"starts_in": -timedelta(minutes=1)},
    ],
)
def test_nobody_registers_for_what_is_closed_or_has_begun(make_event, fields):
    event = make_event("sv", **fields)
    with pytest.raises(actions.ClosedError):
        register(event)
    assert not Registration.objects.exists()
    assert not Delivery.objects.filter(kind=actions.CONFIRMATION).exists()


def test_nobody_registers_for_a_draft_or_for_what_is_canceled(make_event):
    canceled = make_event("sv")
    events.cancel(canceled, by=factories.user(), reason="Sjukdom")
    for event in (make_event(), canceled):
        with pytest.raises(actions.ClosedError):
            register(event)
    assert not Registration.objects.exists()


def test_a_party_is_no_larger_than_the_event_allows(make_event):
    event = make_event("sv", largest_party=3)
    with pytest.raises(actions.NoSeatError):
        register(event, party_size=4)
    assert register(event, party_size=3).party_size == 3
    assert Event.objects.with_taken().get(pk=event.pk).taken == 3


def test_who_cancels_gives_the_seat_back_and_everything_planned_is_taken_back(make_event):
    event = make_event("sv", capacity=1)
    registration = register(event)
    for _again in range(2):
        actions.cancel(registration)
    assert dict(Delivery.objects.filter(key__startswith="event:").values_list("kind", "state")) == {
        actions.CONFIRMATION: Sent.CANCELED,
        actions.CANCELLATION: Sent.PLANNED,
    }
    again = register(event)
    assert again.pk != registration.pk
    assert again.state == State.CONFIRMED


def test_fewer_seats_throw_nobody_out_and_no_one_is_offered_what_is_not_there(make_event):
    event = make_event("sv", capacity=2)
    for number in range(3):
        register(event, f"p{number}")
    events.edit(event, by=factories.user(), capacity=1)
    actions.keep(timezone.now())
    assert Counter(event.registrations.values_list("state", flat=True)) == {State.CONFIRMED: 2, State.WAITING: 1}
    assert Event.objects.with_taken().get(pk=event.pk).is_full


def test_a_question_sent_along_is_kept_once_and_without_the_person(make_event):
    event = make_event("sv")
    for _again in range(2):
        register(event, "Bo Ek", email="bo@example.org", language="ar", question="ماذا يحدث بعد البلاغ؟")
    question = Question.objects.get()
    assert (question.text, question.language, question.door) == ("ماذا يحدث بعد البلاغ؟", "ar", Door.REGISTRATION)


# The waiting list ----------------------------------------------------------------------------------------------


def left(kind: str) -> None:
    """Mail of this kind that was planned has left."""
    now = timezone.now()
    planned = Delivery.objects.filter(kind=kind).waiting()
    planned.update(state=Sent.SENT, fenced_at=now, sent_at=now, ended_at=now)


def states(event) -> dict[str, str]:
    return dict(event.registrations.order_by("pk").values_list("name", "state"))


def test_a_seat_that_is_given_back_is_offered_to_who_waits_longest_and_is_theirs_when_they_take_it(make_event):
    event = make_event("sv", capacity=1)
    seated = register(event, "a")
    second, third = register(event, "b"), register(event, "c")
    actions.cancel(seated)
    for _again in range(2):
        actions.keep(timezone.now())
    assert states(event) == {"a": State.CANCELED, "b": State.OFFERED, "c": State.WAITING}
    assert list(Delivery.objects.filter(kind=actions.OFFER).values_list("recipient", flat=True)) == ["b@example.org"]
    # Nobody who comes now passes those who wait.
    assert register(event, "d").state == State.WAITING
    assert actions.accept(second).state == State.CONFIRMED
    actions.keep(timezone.now())
    third.refresh_from_db()
    assert third.state == State.WAITING


def test_an_offer_that_nobody_answers_goes_to_the_next_and_can_still_be_taken_up(make_event):
    event = make_event("sv", capacity=1)
    seated = register(event, "a")
    second = register(event, "b")
    register(event, "c")
    actions.cancel(seated)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        actions.keep(timezone.now())
        left(actions.OFFER)
        second.refresh_from_db()
        clock.move_to(second.offered_until)
        actions.keep(timezone.now())
        assert states(event) == {"a": State.CANCELED, "b": State.LAPSED, "c": State.OFFERED}
        assert Delivery.objects.filter(kind=actions.LAPSE).get().recipient == "b@example.org"
        # Too late, and the seat is another's: they wait again, behind whoever waits.
        register(event, "d")
        clock.shift(timedelta(minutes=1))
        assert actions.accept(second).state == State.WAITING
        assert [each.name for each in event.registrations.waiting()] == ["d", "b"]


def test_who_answers_late_has_the_seat_if_nobody_else_wants_it(make_event):
    event = make_event("sv", capacity=1)
    seated = register(event, "a")
    late = register(event, "b")
    actions.cancel(seated)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        actions.keep(timezone.now())
        late.refresh_from_db()
        # Whether or not the clock has come round.
        clock.move_to(late.offered_until + timedelta(minutes=5))
        assert actions.accept(late).state == State.CONFIRMED
    assert event.registrations.seats() == 1


def test_a_large_party_is_not_offered_too_few_seats_and_holds_nobody_up(make_event):
    event = make_event("sv", capacity=3, largest_party=3)
    first, other = register(event, "a", party_size=2), register(event, "b")
    register(event, "family", party_size=3)
    register(event, "single")
    actions.cancel(other)
    actions.keep(timezone.now())
    assert (states(event)["family"], states(event)["single"]) == (State.WAITING, State.OFFERED)
    actions.cancel(first)
    actions.keep(timezone.now())
    assert states(event)["family"] == State.WAITING
    actions.cancel(event.registrations.get(name="single"))
    actions.keep(timezone.now())
    assert states(event)["family"] == State.OFFERED


def test_more_seats_are_offered_by_the_clock(make_event):
    event = make_event("sv", capacity=1)
    for name in "abc":
        register(event, name)
    events.edit(event, by=factories.user(), capacity=2)
    actions.keep(timezone.now())
    assert states(event) == {"a": State.CONFIRMED, "b": State.OFFERED, "c": State.WAITING}
    events.edit(event, by=factories.user(), capacity=None)
    actions.keep(timezone.now())
    assert states(event)["c"] == State.OFFERED


def test_an_offer_ends_before_the_event_starts_and_none_is_made_after(make_event):
    event = make_event("sv", capacity=1, starts_in=timedelta(hours=2), registration_ends_at=None)
    events.edit(event, by=factories.user(), registration_ends_at=event.starts_at)
    seated, waiting = register(event, "a"), register(event, "b")
    actions.cancel(seated)
    actions.keep(timezone.now())
    waiting.refresh_from_db()
    assert waiting.offered_until == event.starts_at
    with time_machine.travel(event.starts_at + timedelta(minutes=1)):
        actions.keep(timezone.now())
        waiting.refresh_from_db()
        assert waiting.state == State.LAPSED
        assert actions.accept(waiting).state == State.LAPSED


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_offer_each_seat_once(make_event):
    event = make_event("sv", capacity=4)
    made = [register(event, f"p{number}") for number in range(12)]
    for registration in made[:4]:
        actions.cancel(registration)
    at_once(4, lambda _place: actions.keep(timezone.now()))
    actions.keep(timezone.now())
    assert event.registrations.filter(state=State.OFFERED).count() == 4
    assert Delivery.objects.filter(kind=actions.OFFER).count() == 4


@pytest.mark.django_db(transaction=True)
def test_two_who_take_the_last_seat_at_once_do_not_both_have_it(make_event):
    event = make_event("sv", capacity=1)
    seated = register(event, "a")
    lapsed = [register(event, name) for name in "bc"]
    actions.cancel(seated)
    event.registrations.filter(pk__in=[each.pk for each in lapsed]).update(state=State.LAPSED)
    outcomes = at_once(2, lambda place: actions.accept(lapsed[place]).state)
    assert sorted(outcomes) == [State.CONFIRMED, State.WAITING]


# Changing one's mind -------------------------------------------------------------------------------------------


def test_who_regrets_canceling_has_the_seat_again_with_the_same_entry_in_the_calendar(make_event):
    event = make_event("sv", capacity=1)
    registration = register(event)
    before = registration.uid, registration.calendar_sequence
    actions.cancel(registration)
    back = actions.regret(registration)
    assert (back.state, back.uid, back.canceled_at) == (State.CONFIRMED, before[0], None)
    assert back.calendar_sequence == before[1] + 2
    assert Delivery.objects.get(kind=actions.CANCELLATION).state == Sent.CANCELED
    assert Delivery.objects.filter(kind=actions.CONFIRMATION).waiting().count() == 1


def test_who_regrets_when_the_seat_is_gone_waits(make_event):
    event = make_event("sv", capacity=1)
    registration = register(event, "a")
    actions.cancel(registration)
    register(event, "b")
    assert actions.regret(registration).state == State.WAITING


def test_who_has_registered_again_cannot_bring_the_old_one_back(make_event):
    event = make_event("sv")
    old = register(event)
    actions.cancel(old)
    register(event)
    with pytest.raises(actions.ClosedError):
        actions.regret(old)


def test_wishes_change_and_what_stays_the_same_stays_as_far_as_it_has_come(make_event):
    event = make_event("sv", capacity=3, largest_party=4)
    interpreter = {"kind": Need.Kind.INTERPRETER, "language": "so"}
    access = {"kind": Need.Kind.ACCESS, "detail": "Plats för rullstol"}
    registration = register(event, needs=[interpreter, access], party_size=2)
    actions.settle_need(registration.needs.get(kind="interpreter"), state=Need.State.BOOKED, by=factories.user())
    actions.change(registration, language="so", party_size=3, needs=[interpreter])
    registration.refresh_from_db()
    assert (registration.language, registration.party_size) == ("so", 3)
    assert [(need.kind, need.state) for need in registration.needs.all()] == [("interpreter", "booked")]
    with pytest.raises(actions.NoSeatError):
        actions.change(registration, language="sv", party_size=4, needs=[])
    registration.refresh_from_db()
    assert (registration.language, registration.party_size, registration.needs.count()) == ("so", 3, 1)
    actions.change(registration, language="so", party_size=3, needs=[interpreter | {"language": "ar"}])
    assert registration.needs.get().state == Need.State.ASKED


def test_what_cannot_be_had_or_is_late_raises_an_alarm(make_event):
    soon, later = make_event("sv", starts_in=timedelta(days=2)), make_event("sv", starts_in=timedelta(days=9))
    need = [{"kind": Need.Kind.INTERPRETER, "language": "ti"}]
    late, early = (register(event, needs=need).needs.get() for event in (soon, later))
    now = timezone.now()
    assert list(Need.objects.alarming(now)) == [late]
    actions.settle_need(late, state=Need.State.CONFIRMED, by=factories.user())
    actions.settle_need(early, state=Need.State.FAILED, by=factories.user())
    assert list(Need.objects.alarming(now)) == [early]
    assert list(Need.objects.to_come(now)) == [early, late]


def test_everything_about_somebody_is_deleted_at_once_when_they_ask(make_event):
    event = make_event("sv", capacity=1)
    registration = register(event, "marker", needs=[{"kind": Need.Kind.ACCESS, "detail": "Rullstol"}])
    waiting = register(event, "b")
    Delivery.objects.filter(recipient="marker@example.org").update(
        state=Sent.SENT, sent_at=timezone.now(), ended_at=timezone.now(), fenced_at=timezone.now()
    )
    actions.erase(registration)
    assert not Delivery.objects.filter(recipient="marker@example.org").exists()
    assert not Need.objects.exists()
    assert not event.registrations.filter(name="marker").exists()
    assert "marker" not in str(list(AuditEvent.objects.values_list("changes", "note")))
    actions.keep(timezone.now())
    waiting.refresh_from_db()
    assert waiting.state == State.OFFERED


# What the database keeps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"party_size": 0}, "party_has_somebody"),
        ({"state": State.OFFERED}, "offer_stands_until_some_time"),
        ({"state": State.CANCELED}, "registration_is_canceled_at_some_time"),
        ({"email": "OTHER@example.org"}, "person_registers_once_per_event"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(make_event, wrong, sentence):
    event = make_event("sv")
    registration = register(event)
    register(event, "other")
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(**wrong)


def test_participants_are_forgotten_thirty_days_after_their_needs_after_seven_and_the_log_never_knew_them(make_event):
    old = make_event("sv", starts_in=timedelta(hours=2))
    recent = make_event("sv", starts_in=timedelta(days=3))
    need = [{"kind": Need.Kind.ACCESS, "detail": "Marker"}]
    for event in (old, recent):
        registration = register(event, "Marker Markersson", email="marker@example.org", needs=need)
    actions.cancel(registration)
    assert actions.forget_needs(now=old.ends_at + timedelta(days=7, minutes=1)) == 1
    assert not old.registrations.get().needs.exists()
    assert actions.purge(now=old.ends_at + timedelta(days=29)) == 0
    assert actions.purge(now=old.ends_at + timedelta(days=30, minutes=1)) == 1
    assert list(Registration.objects.values_list("event", flat=True)) == [recent.pk]
    assert not Delivery.objects.filter(key__startswith=f"event:{old.pk}:").exclude(recipient="").exists()
    rows = [(e.verb, str(e.changes), e.note) for e in AuditEvent.objects.all()]
    assert ("purge", "{}", "1 registrations") in rows
    assert {verb for verb, _changes, _note in rows} >= {"register", "cancel", "purge"}
    assert "arker" not in str(rows)


def test_speakers_of_no_program_are_forgotten(db):
    Speaker.objects.create(name="Speaker of nothing")
    assert programs.purge(now=timezone.now()) == 1
    assert not Speaker.objects.exists()


def test_an_offer_holds_as_many_seats_as_it_was_made_for(make_event):
    event = make_event("sv", capacity=1, largest_party=4)
    seated, offered = register(event, "a"), register(event, "b")
    actions.cancel(seated)
    actions.keep(timezone.now())
    with pytest.raises(actions.NoSeatError):
        actions.change(offered, language="sv", party_size=4, needs=[])
    actions.accept(offered)
    assert event.registrations.seats() == 1


def test_an_offer_that_lapses_when_all_is_over_holds_up_nobody_elses(make_event):
    """The clock stood still for days, or the event was moved nearer than the offer reaches."""
    over, other = (make_event("sv", capacity=1, slug=slug, starts_in=timedelta(days=2)) for slug in ("over", "other"))
    for event in (over, other):
        seated = register(event, "a")
        register(event, "b")
        actions.cancel(seated)
        if event == over:
            actions.keep(timezone.now())
    events.edit(
        other,
        by=factories.user(),
        starts_at=other.starts_at + timedelta(days=9),
        ends_at=other.ends_at + timedelta(days=9),
    )
    with time_machine.travel(over.ends_at + timedelta(minutes=1)):
        actions.keep(timezone.now())
        assert states(over)["b"] == State.LAPSED
        assert states(other)["b"] == State.OFFERED
    assert not Delivery.objects.filter(kind=actions.LAPSE).exists()


@pytest.mark.parametrize(("state", "kind"), [(State.OFFERED, actions.OFFER), (State.LAPSED, actions.LAPSE)])
def test_who_registers_again_with_an_offer_is_told_of_the_offer(make_event, state, kind):
    event = make_event("sv", capacity=1)
    seated, waiting = register(event, "a"), register(event, "b")
    actions.cancel(seated)
    actions.keep(timezone.now())
    if state == State.LAPSED:
        left(actions.OFFER)
        waiting.refresh_from_db()
        with time_machine.travel(waiting.offered_until + timedelta(minutes=1)):
            actions.keep(timezone.now())
    Delivery.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        register(event, "b")
    assert [each.kind for each in Delivery.objects.all()] == [kind]


def test_one_form_that_is_sent_for_two_events_is_two_registrations(public, form, make_event):
    filled = form(email="")
    for event in (make_event("sv"), make_event("sv")):
        response = public.post(f"/sv/events/{event.slug}/register/", filled)
        assert response.status_code == 302
        assert event.registrations.get().name == "Bo"


def test_who_takes_a_seat_when_the_link_is_shown_is_told_when_it_changes(make_event):
    event = make_event("sv", capacity=1, starts_in=timedelta(hours=3), join_minutes=60)
    seated, waiting = register(event, "a"), register(event, "b")
    actions.cancel(seated)
    actions.keep(timezone.now())
    with time_machine.travel(event.starts_at - timedelta(minutes=30)):
        actions.accept(waiting)
        with translation.override("sv"):  # it leaves
            rules.confirmation(Delivery.objects.filter(kind=actions.CONFIRMATION).latest("pk"))
        events.edit(event, by=factories.user(), join_url="https://meeting.example.org/other")
        actions.keep(timezone.now())
    assert Delivery.objects.get(kind=actions.NEW_LINK).recipient == "b@example.org"


@pytest.mark.parametrize(
    ("starts", "now", "ends"),
    [
        # Three hours later would be one o'clock at night, or the night is over, or has not begun.
        ((25, 18), (24, 22), (25, 10)),
        ((25, 18), (25, 6), (25, 10)),
        ((25, 18), (25, 9), (25, 12)),
        ((25, 8), (24, 22), (25, 8)),
        # The longer time, too; and the night in which clocks go back.
        ((30, 18), (20, 23), (23, 10)),
        ((31, 18), (30, 22), (31, 10)),
    ],
)
def test_no_offer_ends_while_people_sleep(starts, now, ends):
    def october(day, hour):
        return datetime(2027, 10, day, hour, tzinfo=ZoneInfo("Europe/Stockholm"))

    event = Event(starts_at=october(*starts))
    assert rules.offer_ends(event, october(*now).astimezone(UTC)) == october(*ends)


def test_the_clock_reads_no_texts_of_events_and_rules(make_event, django_assert_max_num_queries):
    event = make_event("sv", "ar", capacity=1)
    for name in "ab":
        register(event, name)
    with django_assert_max_num_queries(30) as captured:
        actions.keep(timezone.now())
        reminders.keep(timezone.now())
    asked = "".join(query["sql"] for query in captured.captured_queries)
    assert "starts_at" in asked
    assert "body_ar" not in asked
    assert "text_ar" not in asked


def test_the_same_form_sent_again_after_canceling_takes_that_back(make_event):
    event, form_id = make_event("sv", capacity=2), uuid4()
    registration = register(event, form_id=form_id)
    actions.cancel(registration)
    assert register(event, form_id=form_id).pk == registration.pk
    registration.refresh_from_db()
    assert registration.state == State.CONFIRMED
    waiting = Delivery.objects.named(prefix=registration.key).waiting()
    assert [delivery.kind for delivery in waiting] == [actions.CONFIRMATION]


def test_the_same_form_sent_again_hours_after_canceling_is_confirmed_once(make_event):
    event, form_id = make_event("sv", capacity=2), uuid4()
    registration = register(event, form_id=form_id)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        actions.cancel(registration)
        register(event, form_id=form_id)
    confirmations = Delivery.objects.named(prefix=registration.key).filter(kind=actions.CONFIRMATION)
    assert confirmations.waiting().count() == 1


@pytest.mark.parametrize("over", ["registration", "event"])
def test_nothing_is_changed_of_what_is_canceled(make_event, over):
    event = make_event("sv")
    registration = register(event)
    if over == "registration":
        actions.cancel(registration)
    else:
        events.cancel(event, reason="Sjukdom", by=factories.user())
    with pytest.raises(actions.ClosedError):
        actions.change(registration, language="so", party_size=1, needs=[])
    registration.refresh_from_db()
    assert registration.language == "sv"


def test_who_deletes_everything_is_forgotten_with_what_they_had_canceled_before(make_event):
    event = make_event("sv")
    actions.cancel(register(event, needs=[{"kind": "access", "detail": "Ramp"}]))
    other = register(event, "eva")
    actions.erase(register(event, email="Bo@example.org"))
    assert event.registrations.get() == other
    assert set(Delivery.objects.values_list("recipient", flat=True)) == {"", other.email}
