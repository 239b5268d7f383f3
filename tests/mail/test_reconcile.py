"""What was lost after the fence is settled by what our mail server has written down, and never sent again blindly."""

import os
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from portal.mail import actions, ledger
from portal.mail.models import Decision, Delivery, State
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

QUARTER = ledger.PATIENCE.total_seconds()


class Postfix:
    """Writes what a Postfix would about messages, in a log from three hours ago until now."""

    def __init__(self, path):
        self.path = path
        self.texts = []
        self.since = timezone.now() - timedelta(hours=3)
        self.until = timezone.now()
        self.write()

    def takes(self, delivery):
        self.names(delivery)
        self.texts.append(f"qmgr[9]: {delivery.pk}: from=<n@x.se>, size=9, nrcpt=1 (queue active)")
        self.write()

    def names(self, delivery, *more):
        self.texts.append(f"cleanup[8]: {delivery.pk}: message-id={delivery.message_id}")
        self.texts += [f"cleanup[8]: {delivery.pk}: {text}" for text in more]
        self.write()

    def write(self):
        lines = [f"{self.since.isoformat()} mail postfix/master[1]: daemon started"]
        lines += [f"{self.until.isoformat()} mail postfix/{text}" for text in [*self.texts, "anvil[2]: statistics"]]
        self.path.write_text("".join(f"{line}\n" for line in lines))
        os.utime(self.path, (self.until.timestamp(), self.until.timestamp()))


@pytest.fixture
def postfix(settings, tmp_path):
    settings.MAIL_LEDGER = f"postfix:{tmp_path}/mail.log"
    return Postfix(tmp_path / "mail.log")


@pytest.fixture(autouse=True)
def watch(monkeypatch):
    """What this process remembers is of this test alone."""
    fresh = actions._Watch()
    monkeypatch.setattr(actions, "_watch", fresh)
    return fresh


@pytest.fixture
def lost(plan):
    """A message whose worker ended after the fence, and which has been held for uncertain since."""

    def lose(number=1, ago=timedelta(hours=1), **values):
        delivery = plan(number, **values)
        Delivery.objects.filter(pk=delivery.pk).update(
            state=State.SENDING, attempts=1, fenced_at=timezone.now() - ago, lease_until=timezone.now()
        )
        actions.recover(now=timezone.now())
        delivery.refresh_from_db()
        assert delivery.state == State.UNCERTAIN
        return delivery

    return lose


@pytest.fixture
def wait(watch):
    """As if this process had seen everything for so many seconds more."""

    def pass_by(seconds=QUARTER):
        watch.since = {message_id: since - seconds for message_id, since in watch.since.items()}
        watch.looked_at -= seconds

    return pass_by


def test_what_the_server_took_was_sent_when_it_passed_the_fence(postfix, lost):
    delivery = lost()
    postfix.takes(delivery)
    assert actions.reconcile(now=timezone.now()) == 1
    before = delivery.fenced_at
    delivery.refresh_from_db()
    assert (delivery.state, delivery.sent_at, delivery.payload) == (State.SENT, before, {})
    assert "records of the mail server" in delivery.last_answer
    assert actions.reconcile(now=timezone.now()) == 0


def test_what_the_server_never_saw_is_sent_again_under_the_same_name(post, postfix, lost, wait):
    delivery = lost()
    actions.reconcile(now=timezone.now())
    wait()
    assert actions.reconcile(now=timezone.now()) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.fenced_at, delivery.ended_at) == (State.RETRY, None, None)
    Delivery.objects.update(retry_at=timezone.now())
    assert actions.deliver() == {"sent": 1}
    assert [letter["Message-ID"] for letter in post.letters] == [delivery.message_id]
    delivery.refresh_from_db()
    assert delivery.attempts == 2


def test_a_clock_that_jumps_ahead_does_not_make_anybody_send_what_is_being_sent(post, postfix, plan, lost, wait):
    """The log of a server on the same machine jumps, too, and reaches an hour past the fence at once."""
    delivery = lost(ago=timedelta(seconds=1))
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=True):
        postfix.until = timezone.now()
        postfix.write()
        for _ in range(3):
            assert actions.reconcile(now=timezone.now()) == 0
            wait(QUARTER / 4)
        delivery.refresh_from_db()
        assert delivery.state == State.UNCERTAIN
        wait(QUARTER / 2)
        assert actions.reconcile(now=timezone.now()) == 1


def test_what_the_server_refused_for_good_has_failed(postfix, lost):
    delivery = lost()
    postfix.names(delivery, "milter-reject: END-OF-MESSAGE from x: 5.7.1 spam; from=<n>")
    assert actions.reconcile(now=timezone.now()) == 1
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED


@pytest.mark.parametrize("records", ["too young", "unreadable", "none", "named only"])
def test_without_proof_it_stays_uncertain_and_is_never_sent_again(post, postfix, lost, wait, settings, records, caplog):
    delivery = lost()
    if records == "too young":
        postfix.since = timezone.now() - timedelta(minutes=61)
        postfix.write()
    elif records == "unreadable":
        settings.MAIL_LEDGER = "postfix:/nowhere/mail.log"
    elif records == "none":
        settings.MAIL_LEDGER = ""
    else:
        postfix.names(delivery)
    for _ in range(3):
        assert actions.deliver() == {}
        wait()
    delivery.refresh_from_db()
    assert (delivery.state, post.letters) == (State.UNCERTAIN, [])
    assert ("mail_ledger_unreadable" in caplog.text) == (records == "unreadable")


def test_workers_look_into_the_records_before_they_send_but_not_at_every_tick(post, postfix, lost, wait):
    delivery = lost()
    actions.deliver()
    postfix.takes(delivery)
    actions.deliver()
    delivery.refresh_from_db()
    assert delivery.state == State.UNCERTAIN
    wait(actions.LOOK_EVERY_SECONDS)
    actions.deliver()
    delivery.refresh_from_db()
    assert (delivery.state, post.letters) == (State.SENT, [])


def test_what_is_too_late_by_now_is_not_sent_again(post, postfix, lost, wait):
    delivery = lost(expires_at=timezone.now() + timedelta(minutes=10), due_at=timezone.now() - timedelta(hours=1))
    actions.reconcile(now=timezone.now())
    wait()
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        assert actions.deliver() == {}
        delivery.refresh_from_db()
    assert (delivery.state, post.letters) == (State.EXPIRED, [])


def test_a_text_of_its_own_is_kept_as_long_as_it_may_have_to_be_sent_again(post, postfix, lost, wait):
    now = timezone.now()
    payload = {"subject": "About 1", "text": "secret link"}
    first = lost(1, kind="account", payload=payload, expires_at=now + timedelta(minutes=30))
    taken = lost(2, kind="account", payload=payload, expires_at=now + timedelta(minutes=30))
    late = lost(3, kind="account", payload=payload, expires_at=now + timedelta(minutes=1))
    postfix.takes(taken)
    actions.reconcile(now=now)
    actions.expire(now=now + timedelta(minutes=2))
    kept = dict(Delivery.objects.values_list("key", "payload"))
    assert kept == {first.key: payload, taken.key: {}, late.key: {}}
    late.delete()
    wait()
    actions.reconcile(now=now)
    Delivery.objects.filter(state=State.RETRY).update(retry_at=now)
    assert actions.deliver() == {"sent": 1}
    assert dict(Delivery.objects.values_list("key", "payload"))[first.key] == {}


def test_after_three_days_it_is_for_people_to_decide(postfix, lost):
    delivery = lost()
    postfix.takes(delivery)
    Delivery.objects.update(ended_at=timezone.now() - actions.RECONCILE_FOR)
    assert actions.reconcile(now=timezone.now()) == 0


def test_a_late_answer_finds_nothing_to_change_once_it_is_settled(postfix, lost, wait):
    delivery = lost()
    actions.reconcile(now=timezone.now())
    wait()
    actions.reconcile(now=timezone.now())
    actions._end(delivery, State.SENT, "250 late", sent_at=timezone.now())
    delivery.refresh_from_db()
    assert delivery.state == State.RETRY


def test_an_address_and_a_text_that_nobody_decided_on_are_forgotten(lost):
    lost(kind="account", payload={"subject": "s", "text": "secret link"})
    Delivery.objects.update(ended_at=timezone.now() - Delivery.KEEP_RECIPIENT)
    actions.forget_addresses(now=timezone.now())
    assert list(Delivery.objects.values_list("state", "recipient", "payload")) == [("uncertain", "", {})]


def test_what_never_arrived_is_not_sent_to_who_was_forgotten_and_stops_nobody_elses(post, postfix, lost, wait, plan):
    delivery = lost()
    actions.forget(prefix="notice:")
    plan(2)
    actions.reconcile(now=timezone.now())
    wait()
    assert actions.deliver() == {"sent": 1}
    delivery.refresh_from_db()
    assert delivery.state in {State.UNCERTAIN, State.CANCELED}


def test_what_somebody_left_is_settled_by_what_the_server_took_and_never_sent_again(post, postfix, lost, wait):
    """Nobody needs to know it any more: that a person has decided."""
    left, taken = lost(1), lost(2)
    actions.decide(deliveries=Delivery.objects.all(), decision=Decision.LEAVE, by=factories.user())
    postfix.takes(taken)
    actions.reconcile(now=timezone.now())
    wait()
    actions.reconcile(now=timezone.now())
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {left.pk: State.UNCERTAIN, taken.pk: State.SENT}
    assert actions.deliver() == {}
