import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.core.mail import send_mail
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone, translation

from portal.mail import actions, tasks
from portal.mail.models import Delivery, State, Suppression, address_hash
from portal.mail.rules import Message
from tests import factories
from tests.overtaken import closing

pytestmark = pytest.mark.django_db(transaction=True)

PYTHON = [sys.executable, "manage.py", "deliver"]


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def numbers(post):
    return sorted(int(letter["Subject"].split()[-1]) for letter in post.letters)


def state(number=1):
    return Delivery.objects.get(key=f"notice:{number}")


def make_due():
    Delivery.objects.filter(state=State.RETRY).update(retry_at=timezone.now())


def test_what_is_due_leaves_over_one_connection_and_is_marked_sent(post, plan):
    for number in range(3):
        plan(number)
    plan(3, due_at=timezone.now() + timedelta(minutes=1))
    assert actions.deliver() == {"sent": 3}
    assert numbers(post) == [0, 1, 2]
    assert post.recipients == ["reader0@example.org", "reader1@example.org", "reader2@example.org"]
    assert post.connections == 1
    first = state(0)
    assert (first.state, first.attempts, first.last_answer) == (State.SENT, 1, "250 2.0.0 Ok: queued as 1")
    assert first.sent_at >= first.fenced_at
    assert state(3).state == State.PLANNED
    assert actions.deliver() == {}


def test_the_task_of_the_beat_delivers(post, plan):
    plan(1)
    tasks.deliver()
    assert state().state == State.SENT


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL", "421 4.3.2 shutting down"),
        ("RCPT", "450 4.2.0 greylisted <reader1@example.org>"),
        ("RCPT", "421 4.7.0 too many"),
        ("DATA", "451 4.3.0 scanner down"),
        ("DATA", "421 4.3.2 shutting down"),
    ],
)
def test_a_server_that_cannot_now_is_asked_again_later(post, plan, command, answer):
    plan(1)
    post.answers[command].append(answer)
    before = timezone.now()
    assert actions.deliver() == {"retry": 1}
    waiting = state()
    assert waiting.last_answer == answer.replace("<reader1@example.org>", "…")
    assert timedelta(seconds=59) < waiting.retry_at - before < timedelta(seconds=70)
    assert actions.deliver() == {}
    make_due()
    assert actions.deliver() == {"sent": 1}
    assert (len(post.letters), state().attempts) == (1, 2)


def test_the_waits_grow_and_after_the_last_attempt_it_has_failed(post, plan):
    plan(1)
    waits = []
    for _ in range(5):
        post.answers["RCPT"].append("450 4.2.0 later")
        actions.deliver()
        waits.append(round((state().retry_at - timezone.now()).total_seconds() / 60))
        make_due()
    assert waits == [1, 5, 15, 60, 60]
    Delivery.objects.update(attempts=actions.MAX_ATTEMPTS - 1)
    post.answers["RCPT"].append("450 4.2.0 later")
    assert actions.deliver() == {"failed": 1}


def test_after_421_the_rest_waits_for_the_next_tick_without_losing_an_attempt(post, plan):
    for number in range(3):
        plan(number, due_at=timezone.now() - timedelta(minutes=10 - number))
    post.answers["MAIL"].append("421 4.7.0 too many messages")
    assert actions.deliver() == {"retry": 1}
    assert [state(number).attempts for number in range(3)] == [1, 0, 0]
    assert actions.deliver() == {"sent": 2}
    assert numbers(post) == [1, 2]


@pytest.mark.parametrize(
    ("command", "answer", "suppressed"),
    [
        ("RCPT", "550 5.1.1 <reader1@example.org> unknown", True),
        ("RCPT", "550 5.7.1 relaying denied", False),
        ("DATA", "554 5.6.0 looks like spam", False),
    ],
)
def test_a_refusal_is_final_and_only_an_unknown_mailbox_is_remembered(post, plan, command, answer, suppressed):
    plan(1)
    plan(2)
    post.answers[command].append(answer)
    assert actions.deliver() == {"failed": 1, "sent": 1}
    assert numbers(post) == [2]
    assert "@" not in state().last_answer
    assert Suppression.objects.filter(address_hash=address_hash("READER1@example.org")).exists() == suppressed
    plan(3, key="notice:3", to="reader1@example.org")
    assert actions.deliver() == ({"suppressed": 1} if suppressed else {"sent": 1})


@pytest.mark.parametrize(
    ("command", "answer", "kept"),
    [
        ("RCPT", '550 5.1.1 unknown user: "Anna.Ek"', '550 5.1.1 unknown user: "…"'),
        ("RCPT", "451 4.2.0 anna.ek is greylisted", "451 4.2.0 … is greylisted"),
        ("DATA", "250 2.0.0 kept for anna.ek", "250 2.0.0 kept for …"),
        ("DATA", "what, anna.ek?", "(-1, b', …?') after the fence"),
    ],
)
def test_of_what_a_server_says_the_name_in_an_address_is_kept_nowhere(post, plan, command, answer, kept):
    plan(1, to="anna.ek@example.org")
    post.answers[command].append(answer)
    actions.deliver()
    assert state().last_answer == kept
    assert list(Suppression.objects.values_list("note", flat=True)) in ([], [kept])


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        ("drop_before_354", "retry", 0),
        ("drop_after_354", "uncertain", 0),
        ("drop_unanswered", "uncertain", 0),
        ("drop_after_250", "sent", 1),
    ],
)
def test_a_lost_connection_is_told_apart_by_the_fence(post, plan, fault, outcome, taken):
    plan(1)
    post.faults.append(fault)
    assert actions.deliver() == {outcome: 1}
    assert (state().state, len(post.letters)) == (outcome, taken)
    make_due()
    assert actions.deliver() == ({"sent": 1} if outcome == "retry" else {})
    assert len(post.letters) == (0 if outcome == "uncertain" else 1)


def test_a_connection_that_the_server_closed_in_between_is_no_attempt(post, plan):
    plan(1)
    plan(2)
    post.faults.append("drop_after_250")
    assert actions.deliver() == {"sent": 2}
    assert post.connections == 2
    assert [state(1).attempts, state(2).attempts] == [1, 1]


def test_a_server_that_hangs_after_the_data_makes_it_uncertain(post, plan, settings):
    settings.EMAIL_URL = post.url.replace("timeout=5", "timeout=0.2")
    plan(1)
    post.faults.append("hold_unanswered")
    assert actions.deliver() == {"uncertain": 1}
    assert "timed out" in state().last_answer


def test_a_server_that_hangs_before_the_data_is_tried_again(post, plan, settings):
    settings.EMAIL_URL = post.url.replace("timeout=5", "timeout=0.2")
    plan(1)
    post.faults.append("hold_before_354")
    assert actions.deliver() == {"retry": 1}
    assert state().fenced_at is None


def test_a_slow_answer_after_the_data_is_waited_for(post, plan, settings):
    settings.EMAIL_URL = post.url.replace("timeout=5", "timeout=1")
    plan(1)
    post.faults.append("hold_unanswered")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        held_until = time.monotonic() + 1.2
        wait_for(lambda: time.monotonic() > held_until)
        post.let_go()
    assert state().state == State.SENT


@pytest.mark.parametrize("trouble", ["nobody", "starttls", "certificate", "greeting"])
def test_without_a_usable_server_everything_stays_and_no_attempt_is_lost(post, plan, settings, trouble, request):
    if trouble == "nobody":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            settings.EMAIL_URL = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    elif trouble == "starttls":  # the server does not offer it
        settings.EMAIL_URL = post.url.replace("smtp://", "smtp+tls://")
    elif trouble == "certificate":  # it does, with a certificate that nobody vouches for
        cert, key = request.getfixturevalue("certificate")
        post.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        post.tls.load_cert_chain(cert, key)
        settings.EMAIL_URL = post.url.replace("smtp://", "smtp+tls://")
    else:
        post.answers["EHLO"].append("421 4.3.2 not now")
        settings.EMAIL_URL = post.url.replace("smtp://", "smtp://user:secret@")
    plan(1)
    plan(2)
    assert actions.deliver() == {}
    assert [(d.state, d.attempts, d.fenced_at) for d in Delivery.objects.all()] == [("retry", 0, None)] * 2
    assert state().retry_at > timezone.now()
    assert "secret" not in state().last_answer
    assert re.search("Refused|NotSupported|CertVerif|Error", state().last_answer)
    assert post.letters == []


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtps"])
def test_a_server_with_a_good_certificate_gets_the_mail_encrypted(
    post, plan, settings, certificate, monkeypatch, scheme
):
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    if scheme == "smtps":
        plain = post._protocol
        ready = threading.Event()

        async def serve():
            post.tls_server = await post.loop.create_server(plain, "127.0.0.1", 0, ssl=context)
            ready.set()

        post.loop.call_soon_threadsafe(post.loop.create_task, serve())
        assert ready.wait(5)
        port = post.tls_server.sockets[0].getsockname()[1]
        request_close = post.tls_server.close
    else:
        post.tls, port, request_close = context, post.port, lambda: None
    settings.EMAIL_URL = f"{scheme}://127.0.0.1:{port}?timeout=5"
    plan(1)
    assert actions.deliver() == {"sent": 1}
    assert post.protocols[-1].session.ssl or scheme == "smtps"
    post.loop.call_soon_threadsafe(request_close)


def test_an_expired_reminder_is_never_sent_late(post, plan):
    now = timezone.now()
    plan(1, due_at=now - timedelta(hours=2), expires_at=now - timedelta(seconds=1))
    assert actions.deliver() == {}
    assert (state().state, post.letters) == (State.EXPIRED, [])


def test_a_reminder_that_expires_during_the_conversation_stops_at_the_fence(post, plan):
    expires_at = timezone.now() + timedelta(seconds=1)
    plan(1, expires_at=expires_at)
    post.faults.append("hold_before_354")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        wait_for(lambda: timezone.now() > expires_at)
        post.let_go()
    assert (state().state, post.letters) == (State.EXPIRED, [])


def test_canceling_during_the_conversation_stops_it_at_the_fence(post, plan):
    plan(1)
    plan(2)
    post.faults.append("hold_before_354")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        assert actions.cancel(key="notice:1") == 1
        post.let_go()
    assert (state(1).state, state(2).state, numbers(post)) == (State.CANCELED, State.SENT, [2])


def test_who_unsubscribes_during_the_conversation_gets_no_more_of_what_is_optional(post, plan):
    plan(1, kind="news", to="anna@example.org")
    plan(2, to="anna@example.org")
    plan(3, kind="news", to="bo@example.org")
    post.faults.append("hold_before_354")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        actions.unsubscribe(delivery=state(1))
        post.let_go()
    assert sorted(numbers(post)) == [2, 3]
    assert (state(1).state, state(1).attempts) == (State.SUPPRESSED, 1)


def test_a_pause_during_the_conversation_stops_it_at_the_fence_and_costs_no_attempt(post, plan):
    for number in (1, 2, 3):
        plan(number, key=f"event:{number}:reminder")
    post.faults.append("hold_before_354")
    by = factories.user()
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        actions.pause(prefix="event:1:", reason="Fel", by=by)
        actions.pause(prefix="event:2:", reason="Fel", by=by)
        post.let_go()
    assert numbers(post) == [3]
    assert list(Delivery.objects.order_by("key").values_list("state", "attempts")) == [
        ("retry", 0),
        ("retry", 0),
        ("sent", 1),
    ]
    actions.resume(prefix="event:1:", by=by)
    assert actions.deliver() == {"sent": 1}


def test_what_expires_during_a_pause_is_never_sent_late(post, plan):
    plan(1, expires_at=timezone.now() + timedelta(hours=1))
    by = factories.user()
    actions.pause(prefix="", reason="Fel", by=by)
    assert actions.deliver() == {}
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=True):
        actions.resume(prefix="", by=by)
        assert actions.deliver() == {}
    assert (state().state, post.letters) == (State.EXPIRED, [])


def test_what_a_clock_has_to_plan_is_planned_before_and_leaves_at_once(post, plan):
    moments = []

    def work(now):
        moments.append(now)
        plan(1, due_at=now)

    actions.plan_before_delivering(work)
    before = timezone.now()
    assert actions.deliver() == {"sent": 1}
    assert before <= moments[0] <= timezone.now()
    assert len(moments) == 1


def test_a_module_that_cannot_plan_holds_up_neither_mail_nor_the_others(post, plan):
    def broken(now):
        with transaction.atomic():
            plan(2)
            raise RuntimeError("Anna Karlsson")

    actions.plan_before_delivering(broken)
    actions.plan_before_delivering(lambda now: plan(3))
    plan(1)
    assert actions.deliver() == {"sent": 2}
    assert numbers(post) == [1, 3]


def test_a_worker_that_slept_past_its_lease_does_not_send_what_another_has_taken(post, plan):
    plan(1)
    post.faults.append("hold_before_354")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        actions.recover(now=timezone.now() + actions.LEASE)
        make_due()
        assert actions.deliver() == {"sent": 1}
        post.let_go()
    assert (state().state, numbers(post)) == (State.SENT, [1])


def test_a_worker_that_slept_past_its_lease_does_not_act_on_the_lease_of_another(post, plan):
    plan(1)
    post.faults.append("hold_before_354")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        actions.recover(now=timezone.now() + actions.LEASE)
        make_due()
        [theirs] = actions.claim(limit=1, now=timezone.now())
        post.let_go()
    row = state()
    assert (row.state, row.lease_until, row.fenced_at) == (State.QUEUED, theirs.lease_until, None)
    assert post.letters == []


def test_an_answer_that_comes_after_the_row_was_held_for_uncertain_is_believed(post, plan):
    plan(1)
    post.faults.append("hold_unanswered")
    with running(actions.deliver):
        assert post.is_holding.wait(10)
        actions.recover(now=timezone.now() + 2 * actions.LEASE)
        assert state().state == State.UNCERTAIN
        post.let_go()
    assert (state().state, state().last_answer) == (State.SENT, "250 2.0.0 Ok: late")


@pytest.mark.parametrize(
    ("answer", "ended"),
    [("250 2.0.0 Ok", State.SENT), ("550 5.7.1 no", State.FAILED), ("451 4.2.0 not now", State.CANCELED)],
)
def test_who_is_forgotten_while_the_mail_is_on_its_way_is_not_kept_and_not_written_to_again(post, plan, answer, ended):
    class Answers(deque):
        def popleft(self):
            pool.submit(closing, lambda: actions.forget(prefix="notice:")).result(20)
            return super().popleft()

    plan(1)
    post.answers["DATA"] = Answers([answer])
    with ThreadPoolExecutor(1) as pool:
        assert actions.deliver() == {ended: 1}
    row = state()
    assert (row.state, row.recipient) == (ended, "")


class running:  # noqa: N801
    """Another worker: a thread with its own database connection."""

    def __init__(self, action):
        self.action, self.error = action, None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.action()
        except BaseException as error:  # noqa: BLE001
            self.error = error
        finally:
            connections.close_all()

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.thread.join(30)
        assert not self.thread.is_alive()
        assert self.error is None


def test_workers_at_once_send_every_message_once(post, plan):
    for number in range(150):
        plan(number)
    with running(actions.deliver), running(actions.deliver), running(actions.deliver):
        pass
    assert numbers(post) == list(range(150))
    assert post.connections > 1
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_broken_renderer_holds_up_nobody_and_tells_no_secrets(post, plan, kinds):
    def render(delivery):
        raise ValueError("Anna Karlsson, 070-123 45 67")

    kinds("broken", render, label="Broken")
    plan(1, kind="broken")
    plan(2)
    assert actions.deliver() == {"retry": 1, "sent": 1}
    assert state(1).last_answer == "ValueError while rendering"


def test_a_message_whose_reason_is_gone_is_canceled(post, plan, kinds):
    kinds("gone", lambda delivery: None, label="Gone")
    plan(1, kind="gone")
    assert actions.deliver() == {"canceled": 1}
    assert (state().state, post.letters) == (State.CANCELED, [])


def test_messages_are_rendered_in_the_recipients_language(post, plan, kinds):
    kinds("language", lambda delivery: Message(translation.get_language(), "text"), label="Language")
    with translation.override("sv"):
        plan(1, kind="language", language="ti")
        actions.deliver()
        assert translation.get_language() == "sv"
    assert (post.letters[0]["Subject"], post.letters[0]["Content-Language"]) == ("ti", "ti")


def test_the_message_id_is_the_same_for_every_attempt(post, plan):
    promised = plan(1).message_id
    post.faults.append("hold_before_354")
    post.answers["DATA"].append("451 4.3.0 once more")
    post.let_go()
    assert actions.deliver() == {"retry": 1}
    make_due()
    actions.deliver()
    assert [letter["Message-ID"] for letter in post.letters] == [promised]


def test_who_unsubscribed_gets_what_is_necessary_and_nothing_else(post, plan):
    actions.unsubscribe(delivery=plan(1, kind="news"))
    plan(2, kind="notice", to="reader1@example.org")
    plan(3, kind="news")
    assert actions.deliver() == {"suppressed": 1, "sent": 2}
    assert numbers(post) == [2, 3]


def test_mail_of_django_leaves_through_rows_and_its_text_is_gone_afterwards(post, part):
    with translation.override("en"):
        sent = send_mail(
            "Reset your password", "https://example.org/secret", None, ["Anna <anna@example.org>", "b@example.org"]
        )
    assert (sent, post.letters) == (1, [])
    row = Delivery.objects.get(recipient="anna@example.org")
    assert (row.kind, row.language, row.expires_at - row.due_at) == ("account", "en", timedelta(hours=1))
    assert "secret" in row.payload["text"]
    actions.deliver()
    assert sorted(post.recipients) == ["anna@example.org", "b@example.org"]
    assert "https://example.org/secret" in part(post.letters[0], "plain")
    assert post.letters[0]["Subject"] == "Reset your password"
    assert list(Delivery.objects.values_list("payload", flat=True)) == [{}, {}]


@pytest.fixture
def worker(post):
    """Starts `manage.py deliver` as a process of its own, on this database and this server."""
    processes = []
    database = connection.settings_dict
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    host = quote(database["HOST"], safe="")
    url = f"postgres://{database['USER']}{password}@{host}:{database['PORT']}/{quote(database['NAME'])}"

    def start(*options):
        process = subprocess.Popen(
            [*PYTHON, *options],
            env=os.environ | {"DATABASE_URL": url, "EMAIL_URL": post.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        sys.stderr.write(process.communicate()[1].decode())  # shown when the test has failed


def account_mail():
    send_mail("About 1", "text", None, ["a@example.org"])


def test_a_worker_killed_before_the_fence_has_sent_nothing_and_the_next_one_sends_it_once(post, worker):
    account_mail()
    post.faults.append("hold_before_354")
    process = worker()
    assert post.is_holding.wait(60)
    process.kill()
    process.wait()
    post.let_go()
    row = Delivery.objects.get()
    assert (row.state, row.fenced_at) == (State.QUEUED, None)
    assert actions.deliver() == {}, "the lease still holds"
    actions.recover(now=row.lease_until)
    make_due()
    assert actions.deliver() == {"sent": 1}
    assert len(post.letters) == 1


def test_a_worker_killed_after_the_fence_leaves_the_message_uncertain_and_unsent_again(post, worker):
    account_mail()
    post.faults.append("hold_after_354")
    process = worker()
    wait_for(lambda: Delivery.objects.filter(fenced_at__isnull=False).exists())
    process.kill()
    process.wait()
    post.let_go()
    actions.recover(now=Delivery.objects.get().lease_until)
    assert Delivery.objects.get().state == State.UNCERTAIN
    assert actions.deliver() == {}
    assert post.letters == []


def test_the_loop_plans_what_the_clock_asks_for_also_while_there_is_always_more_to_send(post, plan, kinds, monkeypatch):
    def endless(delivery):
        number = delivery.context["number"] + 1
        plan(number, kind="endless", context={"number": number})
        if number > 100:
            signal.raise_signal(signal.SIGTERM)
        return Message("s", "t")

    def work(now):
        moments.append(now)
        if len(moments) == 2:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(actions, "TURN_SECONDS", 0.2)
    moments = []
    kinds("endless", endless, label="Endless")
    actions.plan_before_delivering(work)
    plan(1, kind="endless")
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        call_command("deliver", loop=True, interval=0.01)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(moments) == 2


def test_the_loop_needs_no_broker_and_ends_on_sigterm_after_the_message_at_hand(post, worker):
    account_mail()
    send_mail("About 2", "text", None, ["a@example.org"])
    post.faults.append("hold_unanswered")
    process = worker("--loop", "--interval", "0.1")
    assert post.is_holding.wait(60)
    process.send_signal(signal.SIGTERM)
    post.let_go()
    assert process.wait(60) == 0
    assert sorted(Delivery.objects.values_list("state", "attempts")) == [("retry", 0), ("sent", 1)]
    again = worker("--loop", "--interval", "0.1")
    wait_for(lambda: Delivery.objects.filter(state=State.SENT).count() == 2)
    send_mail("About 3", "text", None, ["a@example.org"])
    wait_for(lambda: Delivery.objects.filter(state=State.SENT).count() == 3)
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0
