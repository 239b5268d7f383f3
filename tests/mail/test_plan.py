from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.mail import actions
from portal.mail.models import Delivery, Pause, Reason, State, Suppression, address_hash
from portal.mail.rules import Promise
from tests import factories

pytestmark = pytest.mark.django_db


def test_planning_the_same_key_twice_leaves_the_first_promise(plan):
    first = plan(1)
    plan(1, to="other@example.org", due_at=timezone.now() + timedelta(days=3))
    again = Delivery.objects.get()
    assert (again.pk, again.recipient, again.due_at) == (first.pk, "reader1@example.org", first.due_at)


def test_planning_takes_one_query(plan):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        actions.plan(kind="notice", key="k", to="a@example.org", language="sv", due_at=timezone.now())
    assert [q["sql"].split()[0] for q in queries] == ["INSERT"]


@pytest.mark.parametrize("address", ["a@example.org\r\nBcc: all@example.org", "a@example.org, b@example.org", "", "no"])
def test_what_is_not_one_address_is_not_planned(plan, address):
    with pytest.raises(ValidationError):
        plan(1, to=address)
    assert not Delivery.objects.exists()


def test_a_promise_that_expires_before_it_is_due_is_refused(plan):
    now = timezone.now()
    with pytest.raises(IntegrityError, match="delivery_expires_after_it_is_due"):
        plan(1, due_at=now, expires_at=now)


def test_ten_thousand_are_planned_in_a_few_queries_each_in_its_language(plan):
    plan(1, key="r:1")
    promises = [
        Promise(f"r:{number}", f"reader{number}@example.org", ("sv", "ar")[number % 2], {"number": number})
        for number in range(10_000)
    ]
    due_at = timezone.now() + timedelta(days=1)
    with CaptureQueriesContext(connection) as queries:
        actions.plan_all(kind="news", promises=promises, due_at=due_at, expires_at=due_at + timedelta(hours=1))
    assert len([q for q in queries if q["sql"].startswith("INSERT")]) == 10
    assert Delivery.objects.count() == 10_000
    assert Delivery.objects.filter(kind="news", due_at=due_at, is_necessary=False).count() == 9_999
    last = Delivery.objects.get(key="r:9999")
    assert (last.recipient, last.language, last.context) == ("reader9999@example.org", "ar", {"number": 9999})
    actions.plan_all(kind="notice", promises=promises[:5], due_at=due_at)
    assert Delivery.objects.filter(kind="notice").count() == 1, "what was promised before stays as it was"


def test_a_bad_address_among_many_is_passed_over_and_nobody_reads_it_in_the_log(caplog):
    promises = [
        Promise("r:1", "a@example.org", "sv"),
        Promise("r:2", "b@@x", "sv"),
        Promise("r:3", "c@example.org", "sv"),
    ]
    actions.plan_all(kind="notice", promises=promises, due_at=timezone.now())
    assert set(Delivery.objects.values_list("key", flat=True)) == {"r:1", "r:3"}
    assert "mail_to_no_address" in caplog.text
    assert "r:2" in caplog.text
    assert "b@@x" not in caplog.text


def test_canceling_a_prefix_takes_back_what_waits_and_nothing_else(plan):
    for key in ("reminder:event:5:1", "reminder:event:5:2", "reminder:event:50:1"):
        plan(1, key=key)
    Delivery.objects.filter(key="reminder:event:5:2").update(
        state=State.SENT, sent_at=timezone.now(), ended_at=timezone.now(), fenced_at=timezone.now()
    )
    assert actions.cancel(prefix="reminder:event:5:") == 1
    assert dict(Delivery.objects.values_list("key", "state")) == {
        "reminder:event:5:1": "canceled",
        "reminder:event:5:2": "sent",
        "reminder:event:50:1": "planned",
    }


@pytest.mark.parametrize("name", [{}, {"prefix": ""}, {"key": "a", "prefix": "b"}])
def test_nothing_is_canceled_without_a_name(plan, name):
    plan(1)
    with pytest.raises(ValueError, match="key or by a prefix"):
        actions.cancel(**name)
    assert Delivery.objects.get().state == State.PLANNED


def test_what_is_postponed_waits_and_what_would_be_too_late_by_then_or_has_left_stays_as_it_is(plan):
    now = timezone.now()
    until = now + timedelta(minutes=2)
    plan("sent", due_at=now)
    Delivery.objects.update(state=State.SENT, sent_at=now, ended_at=now, fenced_at=now)
    plan("claimed", due_at=now)
    actions.claim(limit=1, now=now)
    plan("waits", due_at=now)
    plan("later", due_at=until + timedelta(days=1))
    plan("too-late", due_at=now, expires_at=until)
    plan("others", key="other", due_at=now)
    assert actions.postpone(prefix="notice:", until=until) == 2
    due = {each.key: each.due_at for each in Delivery.objects.waiting()}
    assert due == {
        "notice:claimed": until,
        "notice:waits": until,
        "notice:later": until + timedelta(days=1),
        "notice:too-late": now,
        "other": now,
    }


def test_a_claim_takes_the_oldest_due_rows_and_nobody_gets_them_twice(plan):
    now = timezone.now()
    plan(1, due_at=now - timedelta(hours=1))
    plan(2, due_at=now - timedelta(hours=2))
    plan(3, due_at=now + timedelta(seconds=1))
    plan(4, due_at=now - timedelta(hours=3), expires_at=now)
    first = actions.claim(limit=1, now=now)
    second = actions.claim(limit=10, now=now)
    assert [d.context["number"] for d in (*first, *second)] == [2, 1]
    assert actions.claim(limit=10, now=now) == []
    assert Delivery.objects.get(key="notice:2").lease_until == now + actions.LEASE


def test_what_is_too_late_expires_and_loses_its_text(plan):
    now = timezone.now()
    plan(1, due_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1), payload={"text": "secret link"})
    plan(2, expires_at=now + timedelta(hours=1))
    assert actions.expire(now=now) == 1
    late = Delivery.objects.get(key="notice:1")
    assert (late.state, late.payload) == (State.EXPIRED, {})
    assert Delivery.objects.get(key="notice:2").state == State.PLANNED


def test_the_oldest_unsent_age_counts_from_when_the_message_was_due(plan):
    now = timezone.now()
    assert Delivery.objects.all().oldest_unsent_age(now) == timedelta()
    plan(1, due_at=now + timedelta(days=1))
    assert Delivery.objects.all().oldest_unsent_age(now) == timedelta()
    plan(2, due_at=now - timedelta(hours=3))
    Delivery.objects.filter(key="notice:2").update(state=State.RETRY, retry_at=now + timedelta(hours=1))
    assert Delivery.objects.all().oldest_unsent_age(now) == timedelta(hours=3)
    actions.cancel(key="notice:2")
    assert Delivery.objects.all().oldest_unsent_age(now) == timedelta()


def test_a_pause_holds_back_its_prefix_alone_until_it_is_resumed(plan):
    now = timezone.now()
    by = factories.user()
    for key in ("event:12:registration:7:reminder", "event:12:invitation:1", "event:120:registration:7", "event:1%"):
        plan(1, key=key)
    actions.pause(prefix="event:12:", reason="Salen har brunnit", by=by)
    actions.pause(prefix="event:12:", reason="Igen", by=factories.user())
    held = Pause.objects.get()
    assert (held.prefix, held.reason, held.by) == ("event:12:", "Salen har brunnit", by)
    assert {d.key for d in Delivery.objects.due(now)} == {"event:120:registration:7", "event:1%"}
    actions.resume(prefix="event:12:", by=by)
    actions.resume(prefix="event:12:", by=by)
    assert Delivery.objects.due(now).count() == 4
    told = AuditEvent.objects.order_by("pk").values_list("verb", "by", "changes", "note")
    assert list(told) == [
        ("pause", by.pk, {"prefix": ["", "event:12:"]}, "Salen har brunnit"),
        ("resume", by.pk, {"prefix": ["event:12:", ""]}, "Salen har brunnit"),
    ]


def test_a_pause_of_everything_lets_people_sign_in(plan):
    now = timezone.now()
    plan(1, due_at=now - timedelta(hours=1))
    plan(2, kind="account", key="account:1", due_at=now - timedelta(minutes=1))
    actions.pause(prefix="", reason="Fel", by=factories.user())
    assert [d.key for d in Delivery.objects.due(now)] == ["account:1"]
    assert Delivery.objects.oldest_unsent_age(now) == timedelta(minutes=1)
    actions.pause(prefix="account:", reason="Fel", by=factories.user())
    assert not Delivery.objects.due(now).exists()
    assert Delivery.objects.oldest_unsent_age(now) == timedelta()


def test_a_pause_of_half_a_number_is_refused(plan):
    with pytest.raises(IntegrityError, match="pause_names_whole_parts_of_keys"):
        actions.pause(prefix="event:1", reason="Fel", by=factories.user())


def test_a_worker_that_never_came_back_costs_nothing_before_the_fence_and_certainty_after_it(plan):
    now = timezone.now()
    for number in (1, 2, 3):
        plan(number, payload={"text": "secret link"})
    actions.claim(limit=3, now=now)
    Delivery.objects.filter(key="notice:2").update(state=State.SENDING, fenced_at=now)
    Delivery.objects.filter(key="notice:3").update(attempts=actions.MAX_ATTEMPTS)
    assert actions.recover(now=now + actions.LEASE - timedelta(seconds=1)) == 0
    assert actions.recover(now=now + actions.LEASE) == 3
    assert {d.key: (d.state, bool(d.payload)) for d in Delivery.objects.all()} == {
        "notice:1": ("retry", True),
        "notice:2": ("uncertain", True),
        "notice:3": ("failed", False),
    }


def test_the_purge_forgets_addresses_after_30_days_and_rows_after_400(plan):
    now = timezone.now()
    ages = {"fresh": 29, "old": 30, "ancient": 400}
    for key, days in ages.items():
        plan(1, key=key)
        Delivery.objects.filter(key=key).update(state=State.FAILED, ended_at=now - timedelta(days=days))
    plan(1, key="waiting", due_at=now - timedelta(days=500))
    for reason in Reason:
        actions.suppress(address_hash=address_hash("x@example.org"), reason=reason)
    Suppression.objects.update(at=now - timedelta(days=401))
    assert (actions.forget_addresses(now=now), actions.purge(now=now)) == (2, 1 + 2)
    assert {d.key: d.recipient for d in Delivery.objects.all()} == {
        "fresh": "reader1@example.org",
        "old": "",
        "waiting": "reader1@example.org",
    }
    assert Delivery.objects.get(key="old").recipient_hash == address_hash("reader1@example.org")
    assert Suppression.objects.get().reason == Reason.UNSUBSCRIBED


SAID = {
    '550 5.1.1 unknown: "anna.ek", 0701234567': "550 5.1.1",
    "5.2.1 Anna Ek has left": "5.2.1",
    "250 kept for Anna": "250",
    "0701234567 is unknown": "",
    "delayed: 4.4.1 anna.ek does not answer": "",
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("how", ["purge", "forget"])
def test_with_the_address_the_words_of_the_server_are_forgotten_and_its_codes_stay(plan, said, how):
    now = timezone.now()
    delivery = plan(1)
    Delivery.objects.update(state=State.FAILED, last_answer=said, ended_at=now - timedelta(days=30))
    actions.suppress(address_hash=delivery.recipient_hash, reason=Reason.UNKNOWN, note=said)
    if how == "purge":
        assert actions.forget_addresses(now=now) == 1
        assert Suppression.objects.get().note == said
        Suppression.objects.update(at=now - timedelta(days=30))
        actions.forget_addresses(now=now)
    else:
        actions.forget(prefix="notice:")
    delivery.refresh_from_db()
    assert (delivery.recipient, delivery.last_answer, Suppression.objects.get().note) == ("", SAID[said], SAID[said])


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": State.QUEUED}, "delivery_is_leased_while_a_worker_has_it"),
        ({"state": State.SENDING, "fenced_at": timezone.now()}, "delivery_is_leased_while_a_worker_has_it"),
        (
            {"state": State.SENDING, "lease_until": timezone.now()},
            "delivery_has_passed_the_fence_when_it_may_have_arrived",
        ),
        (
            {"state": State.QUEUED, "lease_until": timezone.now(), "fenced_at": timezone.now()},
            "delivery_is_before_the_fence_until_it_is_being_sent",
        ),
        ({"state": State.RETRY}, "delivery_to_be_tried_again_says_when"),
        ({"state": State.FAILED}, "delivery_ends_with_its_time"),
        ({"ended_at": timezone.now()}, "delivery_ends_with_its_time"),
        ({"fenced_at": timezone.now()}, "delivery_is_before_the_fence_until_it_is_being_sent"),
        (
            {"state": State.UNCERTAIN, "ended_at": timezone.now()},
            "delivery_has_passed_the_fence_when_it_may_have_arrived",
        ),
        (
            {"state": State.FAILED, "ended_at": timezone.now(), "payload": {"a": "b"}},
            "settled_delivery_keeps_no_payload",
        ),
        ({"left_at": timezone.now()}, "only_an_uncertain_delivery_is_left_as_it_is"),
        ({"recipient": ""}, "delivery_has_a_recipient_until_it_has_left"),
        ({"sent_at": timezone.now()}, "delivery_is_sent_with_its_time"),
    ],
)
def test_the_database_refuses_states_that_make_no_sense(plan, values, constraint):
    plan(1)
    with pytest.raises(IntegrityError, match=constraint):
        Delivery.objects.update(**values)
