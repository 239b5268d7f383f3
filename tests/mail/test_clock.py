"""Two beats, a clock that jumps, days without any of us: nothing is sent twice, too early or too late, and nothing is
forgotten."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import Celery

from portal.beat import Steady
from portal.mail import actions
from portal.mail.models import Delivery, State
from tests.mail.test_deliver import running

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 26, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def reminders(plan):
    """One for each minute of two hours, each of use for ten minutes."""
    with time_machine.travel(START - HOUR, tick=False):
        for number in range(120):
            due_at = START + number * MINUTE
            plan(number, due_at=due_at, expires_at=due_at + 10 * MINUTE)


def two_beats(at):
    """Two workers at once, as the clock of the machine has it."""
    with time_machine.travel(at, tick=True), running(actions.deliver), running(actions.deliver):
        pass


def sent(post):
    return Counter(int(letter["Subject"].split()[-1]) for letter in post.letters)


def test_two_beats_send_each_once_in_its_time(post, reminders):
    for minutes in range(0, 130, 5):
        before = sum(sent(post).values())
        two_beats(START + minutes * MINUTE)
        new = sorted(sent(post))[before:]
        assert all(minutes - 10 < number <= minutes for number in new)
    assert sent(post) == dict.fromkeys(range(120), 1)
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}


def test_a_clock_that_goes_an_hour_ahead_and_comes_back_loses_nothing(post, reminders):
    for minutes in range(0, 30, 5):
        two_beats(START + minutes * MINUTE)
    # It is half past: the clock shows half past the next hour, and what seems too late is given up.
    two_beats(START + 90 * MINUTE)
    given_up = Delivery.objects.filter(state=State.EXPIRED).count()
    assert given_up > 40
    for minutes in range(30, 130, 5):
        two_beats(START + minutes * MINUTE)
    assert set(sent(post).values()) == {1}
    # Those of the wrong half past left then.
    assert sorted(sent(post)) == list(range(120))


def test_a_clock_that_goes_back_an_hour_sends_nothing_again_and_goes_on(post, reminders):
    for minutes in (*range(0, 61, 5), *range(0, 130, 5)):
        two_beats(START + minutes * MINUTE)
    assert sent(post) == dict.fromkeys(range(120), 1)


def test_after_three_days_what_is_too_late_never_leaves_and_what_is_of_use_does(post, reminders, plan):
    with time_machine.travel(START, tick=False):
        plan(500, due_at=START, expires_at=START + timedelta(days=7))
        plan(501, due_at=START)
    two_beats(START + timedelta(days=3))
    assert sent(post) == {500: 1, 501: 1}
    assert Delivery.objects.filter(state=State.EXPIRED).count() == 120


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_what_a_worker_left_behind_is_found_whatever_the_clock_did(post, plan, jump):
    plan(1, due_at=START - 2 * HOUR)
    with time_machine.travel(START, tick=False):
        actions.claim(limit=1, now=START)
    with time_machine.travel(START + jump, tick=True):
        assert actions.deliver() == {"sent": 1}
    assert Delivery.objects.get().attempts == 2


def test_what_was_to_be_tried_again_is_not_put_off_by_a_clock_that_was_set_back(post, plan):
    plan(1, due_at=START - 3 * HOUR)
    with time_machine.travel(START, tick=False):
        Delivery.objects.update(state=State.RETRY, retry_at=START + HOUR)
        assert actions.deliver() == {}
    with time_machine.travel(START - 2 * HOUR, tick=True):
        assert actions.deliver() == {"sent": 1}


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_worker_in_the_middle_of_a_message_when_the_clock_jumps_sends_it_once(post, plan, jump):
    plan(1, due_at=START - 2 * HOUR)
    plan(2, due_at=START - 2 * HOUR)
    post.faults.append("hold_unanswered")
    with time_machine.travel(START, tick=True) as clock, running(actions.deliver):
        assert post.is_holding.wait(10)
        clock.shift(jump)
        actions.deliver()
        actions.deliver()
        post.let_go()
    with time_machine.travel(START + jump + HOUR, tick=True):
        actions.deliver()
    assert {row.state for row in Delivery.objects.all()} == {State.SENT}
    assert sent(post) == {2: 1}, "the other one was answered with 250 and not kept by this server"


def test_the_beat_goes_on_when_the_clock_is_set_back(tmp_path):
    app = Celery("clock", broker="memory://", set_as_current=False)
    app.conf.update(timezone="UTC", enable_utc=True)
    app.conf.beat_schedule = {
        "often": {"task": "often", "schedule": 10.0},
        "seldom": {"task": "seldom", "schedule": 60.0},
    }
    told = []

    class Told(Steady):
        def apply_entry(self, entry, producer=None):
            told.append((entry.name, self.app.now()))

    def run(beat, clock, seconds):
        for _ in range(seconds):
            while beat.tick() == 0:
                pass
            clock.shift(1)

    with time_machine.travel(START, tick=False) as clock:
        beat = Told(app=app, schedule_filename=str(tmp_path / "schedule"))
        run(beat, clock, 130)
        assert Counter(name for name, _ in told) == {"often": 12, "seldom": 2}
        told.clear()
        clock.shift(-3600)
        run(beat, clock, 130)
        assert Counter(name for name, _ in told)["often"] in (12, 13)
        assert Counter(name for name, _ in told)["seldom"] == 2
        beat.close()
        # Started anew, it finds in its file that it ran an hour from now.
        told.clear()
        clock.shift(-3600)
        again = Told(app=app, schedule_filename=str(tmp_path / "schedule"))
        run(again, clock, 61)
        assert {name for name, _ in told} == {"often", "seldom"}
        again.close()
