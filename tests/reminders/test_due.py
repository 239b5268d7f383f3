from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from events import actions, rules
from portal.mail.models import Delivery, State
from tests import factories

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def stockholm(*parts):
    return datetime(*parts, tzinfo=STOCKHOLM)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def planned():
    """Due times of the reminders that are still to leave, soonest first."""
    return list(
        Delivery.objects.filter(kind=actions.REMINDER).waiting().order_by("due_at").values_list("due_at", flat=True)
    )


@pytest.mark.parametrize(
    ("starts_at", "day_before", "hour_before"),
    [
        # Ordinary winter and summer days.
        (stockholm(2027, 1, 14, 8, 30), utc(2027, 1, 13, 7, 30), utc(2027, 1, 14, 6, 30)),
        (stockholm(2027, 7, 14, 8, 30), utc(2027, 7, 13, 6, 30), utc(2027, 7, 14, 5, 30)),
        # The clocks go forward in the night before: the same time on the clock is 23 hours earlier.
        (stockholm(2027, 3, 28, 8, 30), utc(2027, 3, 27, 7, 30), utc(2027, 3, 28, 5, 30)),
        # 02:30 of the day before does not exist and moves forward to 03:30 summer time.
        (stockholm(2027, 3, 29, 2, 30), utc(2027, 3, 28, 1, 30), utc(2027, 3, 28, 23, 30)),
        # An hour before is an hour before, also when the clock says two.
        (stockholm(2027, 3, 28, 3, 30), utc(2027, 3, 27, 2, 30), utc(2027, 3, 28, 0, 30)),
        # The clocks go back: 25 hours.
        (stockholm(2027, 10, 31, 8, 30), utc(2027, 10, 30, 6, 30), utc(2027, 10, 31, 6, 30)),
        # 02:30 of the day before comes twice; the first is meant.
        (stockholm(2027, 11, 1, 2, 30), utc(2027, 10, 31, 0, 30), utc(2027, 11, 1, 0, 30)),
        # The second 02:30 itself: the day before has only one.
        (stockholm(2027, 10, 31, 2, 30).replace(fold=1), utc(2027, 10, 30, 0, 30), utc(2027, 10, 31, 0, 30)),
    ],
)
def test_reminders_are_due_a_day_before_on_the_clock_and_an_hour_before(make_event, starts_at, day_before, hour_before):
    event = make_event(starts_at=starts_at)
    event.refresh_from_db()
    actions.register(event, name="Bo", email="bo@example.org", language="sv")
    assert planned() == [day_before, hour_before]


def test_a_reminder_that_could_not_leave_in_time_is_never_sent_late(make_event):
    event = make_event()
    actions.register(event, name="Bo", email="bo@example.org", language="sv")
    assert set(Delivery.objects.filter(kind=actions.REMINDER).values_list("expires_at", flat=True)) == {event.starts_at}


def test_the_reminders_move_with_the_event_and_come_again_although_one_was_sent(make_event):
    event = make_event()
    registration = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    first = Delivery.objects.get(kind=actions.REMINDER, key__contains=":day:")
    now = timezone.now()
    Delivery.objects.filter(pk=first.pk).update(state=State.SENT, sent_at=now, ended_at=now, fenced_at=now)
    later = event.starts_at + timedelta(days=7)
    actions.edit(
        event,
        by=factories.user(),
        starts_at=later,
        ends_at=event.ends_at + timedelta(days=7),
        registration_ends_at=None,
    )
    assert planned() == sorted(rules.reminders(later).values())
    first.refresh_from_db()
    assert first.state == State.SENT
    # And back: the time it had first is as good as any other.
    actions.edit(event, by=factories.user(), starts_at=event.starts_at, ends_at=event.ends_at)
    assert planned() == sorted(rules.reminders(event.starts_at).values())
    assert all(d.context == {"registration": registration.pk} for d in Delivery.objects.waiting())


def test_an_event_that_only_changes_its_place_keeps_its_reminders(make_event):
    event = make_event()
    actions.register(event, name="Bo", email="bo@example.org", language="sv")
    before = set(Delivery.objects.waiting().values_list("key", "due_at"))
    assert actions.edit(event, by=factories.user(), place="Biblioteket").sequence == 0
    assert set(Delivery.objects.waiting().values_list("key", "due_at")) == before


@pytest.mark.parametrize(("starts_in", "expected"), [(timedelta(hours=5), ["hour"]), (timedelta(minutes=30), [])])
def test_who_registers_late_gets_the_confirmation_and_only_what_is_still_to_come(make_event, starts_in, expected):
    event = make_event(starts_in=starts_in)
    actions.register(event, name="Bo", email="bo@example.org", language="sv")
    assert len(planned()) == len(expected)
    assert all(f":{name}:" in d.key for name in expected for d in Delivery.objects.filter(kind=actions.REMINDER))
    confirmation = Delivery.objects.get(kind=actions.CONFIRMATION)
    assert confirmation.due_at <= timezone.now()


def test_moving_an_event_plans_nothing_for_who_has_canceled(make_event):
    event = make_event()
    actions.cancel(actions.register(event, name="Bo", email="bo@example.org", language="sv"))
    actions.edit(event, by=factories.user(), starts_at=event.starts_at - timedelta(hours=1))
    assert planned() == []
