"""Every way in which a conversation with the mail server can go, and the state to which it leads."""

import socket
import threading
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from portal.mail import actions
from portal.mail.models import Delivery, State

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = {
    # what the server says or does           when                              state, taken, what is kept of the answer
    "421 4.3.2 closing": ("MAIL", "retry", 0, "421 4.3.2 closing"),
    "552 5.3.4 larger than any": ("MAIL", "failed", 0, "552 5.3.4 larger than any"),
    "421 4.7.0 too many": ("RCPT", "retry", 0, "421 4.7.0 too many"),
    "450 4.2.0 greylisted": ("RCPT", "retry", 0, "450 4.2.0 greylisted"),
    "452 4.2.2 full": ("RCPT", "retry", 0, "452 4.2.2 full"),
    "550 5.1.1 unknown": ("RCPT", "failed", 0, "550 5.1.1 unknown"),
    "551 5.7.1 elsewhere": ("RCPT", "failed", 0, "551 5.7.1 elsewhere"),
    "553 odd name": ("RCPT", "failed", 0, "553 odd name"),
    "251 forwarded": ("RCPT", "sent", 1, "250 2.0.0 Ok"),
    "421 4.3.2 bye": ("354", "retry", 0, "421 4.3.2 bye"),
    "451 4.3.0 not now": ("354", "retry", 0, "451 4.3.0 not now"),
    "554 5.5.1 nobody to send it to": ("354", "failed", 0, "554 5.5.1 nobody"),
    "250 what?": ("354", "retry", 0, "(250, b'what?') before the fence"),
    "421 4.3.2 going down": ("DATA", "retry", 0, "421 4.3.2 going down"),
    "450 4.2.1 try again": ("DATA", "retry", 0, "450 4.2.1 try again"),
    "452 4.3.1 no room": ("DATA", "retry", 0, "452 4.3.1 no room"),
    "550 5.7.1 looks like spam": ("DATA", "failed", 0, "550 5.7.1 looks like spam"),
    "552 5.3.4 too large": ("DATA", "failed", 0, "552 5.3.4 too large"),
    "what was that": ("DATA", "uncertain", 0, "after the fence"),
    "150 in a moment": ("DATA", "uncertain", 0, "after the fence"),
    "drop_before_354": ("fault", "retry", 0, "before the fence"),
    "drop_after_354": ("fault", "uncertain", 0, "after the fence"),
    "drop_unanswered": ("fault", "uncertain", 0, "after the fence"),
    "drop_after_250": ("fault", "sent", 1, "250 2.0.0 Ok"),
    "hold_before_354": ("fault", "retry", 0, "timed out before the fence"),
    "hold_after_354": ("fault", "uncertain", 0, "timed out after the fence"),
    "hold_unanswered": ("fault", "uncertain", 0, "timed out after the fence"),
}


@pytest.mark.parametrize("what", TABLE)
def test_each_answer_leads_to_its_state_and_the_next_message_leaves(post, plan, settings, what):
    when, state, taken, kept = TABLE[what]
    settings.EMAIL_URL = post.url.replace("timeout=5", "timeout=0.3")
    plan(1)
    if when in ("fault", "354"):
        post.faults.append(what)
    else:
        post.answers[when].append(what)
    actions.deliver()
    row = Delivery.objects.get(key="notice:1")
    assert (row.state, len(post.letters), row.attempts) == (state, taken, 1)
    assert kept in row.last_answer
    has_passed_the_fence = state in ("sent", "uncertain") or (state == "failed" and when == "DATA")
    assert (row.fenced_at is not None) == has_passed_the_fence
    post.let_go()
    plan(2)
    assert actions.deliver() == {"sent": 1}
    # What may be tried again is, once, and what is settled or uncertain is never.
    Delivery.objects.filter(state=State.RETRY).update(retry_at=timezone.now())
    assert actions.deliver() == ({"sent": 1} if state == "retry" else {})
    sent = Delivery.objects.filter(state=State.SENT).count()
    assert len(post.letters) == len({letter["Message-ID"] for letter in post.letters}) == sent


OUTAGES = {
    # They are about the server or about us, who are the same for every message.
    "452 4.3.1 Insufficient system storage": "MAIL",
    "450 4.7.1 who are you": "MAIL",
    "550 5.7.1 not you": "MAIL",
    "421 4.3.2 busy": "CONNECT",
    "554 5.7.1 go away": "CONNECT",
    "drop": "CONNECT",
    "454 4.7.0 no TLS today": "STARTTLS",
    "220 ready, then nothing": "STARTTLS",
    "wrong password": "login",
    "a server without TLS": "smtps",
    "silence": "silence",
}


@pytest.mark.parametrize("trouble", OUTAGES)
def test_what_is_about_no_message_costs_none_of_them_an_attempt(post, plan, settings, trouble, certificate):
    import ssl

    where = OUTAGES[trouble]
    url = post.url.replace("timeout=5", "timeout=0.5")
    if where == "STARTTLS":
        post.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        post.tls.load_cert_chain(*certificate)
        # It says that it is ready, and hangs up during the handshake.
        post.answers[where].append("drop" if trouble.startswith("220") else trouble)
        url = url.replace("smtp://", "smtp+tls://")
    elif where in ("CONNECT", "MAIL"):
        post.answers[where].append(trouble)
    elif where == "login":
        url = url.replace("smtp://", "smtp://user:secret@")
    elif where == "smtps":
        url = url.replace("smtp://", "smtps://")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{silent.getsockname()[1]}?timeout=0.3" if where == "silence" else url
        for number in (1, 2, 3):
            plan(number)
        assert actions.deliver() == {}
    rows = list(Delivery.objects.all())
    assert {(row.state, row.attempts, row.fenced_at) for row in rows} == {("retry", 0, None)}
    assert all(row.retry_at > timezone.now() and row.last_answer for row in rows)
    assert not any("secret" in row.last_answer or "@" in row.last_answer for row in rows)
    settings.EMAIL_URL = post.url
    Delivery.objects.update(retry_at=timezone.now())
    assert actions.deliver() == {"sent": 3}


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL", "452 4.3.1 Insufficient system storage"),
        ("MAIL", "550 5.7.1 we do not know this sender"),
        ("MAIL", "421 4.3.2 shutting down"),
        ("RCPT", "451 4.3.0 lookup failed"),
        ("RCPT", "421 4.7.0 too many"),
        ("DATA", "452 4.3.1 no room"),
        ("fault", "drop_before_354"),
    ],
)
def test_three_days_of_a_server_that_takes_nothing_lose_nothing(post, plan, command, answer):
    troubles = post.faults if command == "fault" else post.answers[command]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        plan(1)
        plan(2)
        for _hour in range(3 * 24):
            troubles.extend([answer] * 2)
            actions.deliver()
            clock.shift(timedelta(hours=1))
        assert post.letters == []
        assert Delivery.objects.oldest_unsent_age(timezone.now()) > timedelta(days=3)
        troubles.clear()
        clock.shift(timedelta(hours=1))
        assert actions.deliver() == {"sent": 2}


def test_a_message_that_makes_the_server_fail_does_not_hold_up_the_others(post, plan):
    plan(1, due_at=timezone.now() - timedelta(minutes=5))
    plan(2)
    post.answers["DATA"].append("451 4.3.0 the filter has crashed")
    assert actions.deliver() == {"retry": 1, "sent": 1}


def test_a_server_that_says_each_letter_slowly_is_listened_to(plan, settings):
    """Nothing of what it says takes longer than the patience of one read."""

    def talk(listener, took):
        client, _ = listener.accept()
        with client, client.makefile("rb") as lines:
            say(client, "220 slow.test\r\n")
            for line in lines:
                if line.startswith(b"data"):
                    say(client, "354 go ahead\r\n")
                    took.append([*iter(lines.readline, b".\r\n")])
                say(client, "221 bye\r\n" if line.startswith(b"quit") else "250 2.0.0 Ok: slowly\r\n")

    def say(client, text):
        for letter in text:
            client.sendall(letter.encode())
            pause.wait(0.01)

    pause, took = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{listener.getsockname()[1]}?timeout=0.4"
        server = threading.Thread(target=talk, args=(listener, took))
        server.start()
        plan(1)
        assert actions.deliver() == {"sent": 1}, Delivery.objects.get().last_answer
        server.join(10)
    assert len(took) == 1
    assert Delivery.objects.get().last_answer == "250 2.0.0 Ok: slowly"


# They pass Django's check: its pattern ignores case, and to Unicode ſ is a small S and the sign of Kelvin a K.
@pytest.mark.parametrize("address", ["\u017fara@example.org", "\u212aim@example.org", f"a@{'ü' * 60}.org"])
def test_an_address_that_no_server_takes_fails_at_once_and_is_not_tried_for_a_day(post, plan, address):
    plan(1, to=address)
    plan(2)
    assert actions.deliver() == {"failed": 1, "sent": 1}
    assert Delivery.objects.oldest_unsent_age(timezone.now()).total_seconds() == 0
