import base64
import logging
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.audit.models import AuditEvent
from portal.mail import actions, bounces, tasks
from portal.mail.models import Delivery, Reason, State, Suppression, address_hash
from tests.mail.test_deliver import wait_for, worker  # noqa: F401
from tests.mail.test_mailboxes import Folder

pytestmark = pytest.mark.django_db

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mail.example.org (Mail Delivery System)
To: noreply@example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4Fz0Qx1/mail.example.org"

This is a MIME-encapsulated message.

--4Fz0Qx1/mail.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<{to}>: host mx.example.org[192.0.2.1] said: {diagnostic} (in reply to RCPT TO command)

--4Fz0Qx1/mail.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
X-Postfix-Queue-ID: 4Fz0Qx1
Arrival-Date: Thu, 26 Nov 2026 12:00:00 +0100 (CET)

Final-Recipient: rfc822; {to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; {diagnostic}

--4Fz0Qx1/mail.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <noreply@example.org>
From: Klarlagt <noreply@example.org>
To: {to}
Subject: =?utf-8?q?P=C3=A5minnelse?=
Message-ID: {message_id}

--4Fz0Qx1/mail.example.org--
"""
EXCHANGE = """\
From: <postmaster@example.org>
To: <noreply@example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="c0ffee"; type="multipart/alternative"
Content-Language: sv-SE
Subject: Kan inte levereras: =?utf-8?q?P=C3=A5minnelse?=

--c0ffee
Content-Type: multipart/alternative; differences=Content-Type; boundary="tea"

--tea
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

TWVkZGVsYW5kZXQga3VuZGUgaW50ZSBsZXZlcmVyYXMu
--tea
Content-Type: text/html; charset="utf-8"

<p>Meddelandet kunde inte levereras.</p>
--tea--

--c0ffee
Content-Type: message/delivery-status

Reporting-MTA: dns;VI1.eurprd01.prod.example.com
Received-From-MTA: dns;mail.example.org

Final-recipient: RFC822;{to}
Action: {action}
Status: {status}
Diagnostic-code: smtp;{diagnostic}

--c0ffee
Content-Type: message/rfc822

Received: from mail.example.org
From: Klarlagt <noreply@example.org>
To: {to}
Message-ID:
 {message_id}
Content-Type: text/plain

Hej
--c0ffee--
"""


def report(
    delivery, *, shape=POSTFIX, to="reader1@example.org", action="failed", status="5.1.1", diagnostic="", **more
):
    values = {"to": to, "action": action, "status": status, "message_id": delivery.message_id}
    values["diagnostic"] = diagnostic or f"550 {status} <{to}>: User unknown"
    return shape.format(**values | more).replace("\n", "\r\n").encode()


@pytest.fixture
def box(settings, tmp_path):
    folder = Folder(tmp_path / "bounces")
    settings.BOUNCES = folder.url
    return folder


@pytest.fixture
def sent(plan):
    """A delivery that a server has taken."""

    def send(number=1, *, state=State.SENT, **values):
        delivery, now = plan(number, **values), timezone.now()
        times = {"fenced_at": now, "sent_at": now if state == State.SENT else None}
        times |= {"lease_until": now + timedelta(minutes=5)} if state == State.SENDING else {"ended_at": now}
        Delivery.objects.filter(pk=delivery.pk).update(state=state, last_answer="250 2.0.0 Ok", **times)
        delivery.refresh_from_db()
        return delivery

    return send


def after(delivery):
    delivery.refresh_from_db()
    return delivery.state, delivery.last_answer


@pytest.mark.parametrize("shape", [POSTFIX, EXCHANGE], ids=["postfix", "exchange"])
@pytest.mark.parametrize("state", [State.SENT, State.UNCERTAIN, State.SENDING])
def test_a_message_to_a_mailbox_that_is_not_there_has_failed_and_the_address_gets_no_more(
    box, sent, plan, shape, state
):
    delivery = sent(state=state)
    box.put(report(delivery, shape=shape))
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery) == (State.FAILED, "550 5.1.1 …: User unknown")
    assert (delivery.sent_at, delivery.lease_until) == (None, None)
    suppression = Suppression.objects.get()
    assert (suppression.address_hash, suppression.reason) == (address_hash("reader1@example.org"), Reason.UNKNOWN)
    assert suppression.note == "550 5.1.1 …: User unknown"
    assert AuditEvent.objects.get().verb == "suppress"
    assert box.seen() == [True]
    plan(2, to="Reader1@example.org")
    assert actions.deliver() == {"suppressed": 1}


@pytest.mark.parametrize(
    ("status", "diagnostic", "answer", "reason"),
    [
        ("5.1.1", "550 5.1.1 no", "550 5.1.1 no", Reason.UNKNOWN),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", None, Reason.UNKNOWN),
        ("5.1.1 (bad destination mailbox address)", "", None, Reason.UNKNOWN),
        ("5.0.0", "550 5.1.1 <reader1@example.org> no such user", "550 5.1.1 … no such user", Reason.UNKNOWN),
        ("5.0.0", "550-5.1.1 The account that you tried to reach does not exist", None, Reason.UNKNOWN),
        ("", "550 #5.1.1 who?", "550 #5.1.1 who?", Reason.UNKNOWN),
        ("5.1.1", 'unknown user: "Reader1"', '5.1.1 unknown user: "…"', Reason.UNKNOWN),
        ("5.2.2", "552 5.2.2 mailbox full", "552 5.2.2 mailbox full", None),
        ("5.2.1", "550 5.2.1 disabled", "550 5.2.1 disabled", None),
        ("5.7.1", "550 5.7.1 blocked, see 5.1.1.1 at https://example.org/?q=5.1.1", None, None),
        ("5.0.0", "554 no enhanced code here, version 5.1.1", "5.0.0 554 no enhanced code here, version 5.1.1", None),
        ("4.4.7", "450 4.2.0 greylisted for five days", "4.4.7 450 4.2.0 greylisted for five days", None),
        ("5.4.4", "Host or domain name not found", "5.4.4 Host or domain name not found", None),
    ],
)
def test_only_what_says_that_there_is_no_such_mailbox_stops_an_address_at_once(
    box, sent, status, diagnostic, answer, reason
):
    delivery = sent()
    box.put(report(delivery, status=status, diagnostic=diagnostic))
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[0] == State.FAILED
    assert answer in {None, delivery.last_answer}
    assert "@" not in delivery.last_answer
    assert list(Suppression.objects.values_list("reason", flat=True)) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("statuses", "stopped"),
    [
        (["5.2.1", "5.0.0", "5.4.4"], True),
        (["5.2.1", "5.2.1"], False),
        (["5.2.1", "sent", "5.2.1", "5.2.1"], False),
        (["sent", "5.2.1", "5.2.1", "5.2.1"], True),
        (["5.2.1", "5.2.2", "5.2.1", "5.2.1"], False),  # full: somebody makes room
        *(([about_us] * 3, False) for about_us in ("5.1.7", "5.1.8", "5.2.3", "5.3.4", "5.5.4", "5.6.0", "5.7.1")),
        (["4.4.7", "4.4.7", "4.4.7"], False),
    ],
)
def test_three_refusals_in_a_row_stop_an_address_unless_they_are_about_us(box, sent, statuses, stopped):
    for number, status in enumerate(statuses):
        due_at = timezone.now() - timedelta(minutes=60 - number)
        delivery = sent(number, to="reader1@example.org", due_at=due_at)
        if status != "sent":
            for _ in range(2):  # the same report twice counts once
                box.put(report(delivery, status=status, diagnostic="no"))
            actions.read_bounces()
    assert list(Suppression.objects.values_list("reason", flat=True)) == ([Reason.REFUSED] if stopped else [])


def test_refusals_of_others_do_not_count(box, sent):
    for number in range(4):
        box.put(report(sent(number), to=f"reader{number}@example.org", status="5.2.1"))
    assert actions.read_bounces() == {"failed": 4}
    assert not Suppression.objects.exists()


def test_what_takes_its_time_is_only_noted(box, sent):
    delivery = sent()
    box.put(report(delivery, action="delayed", status="4.4.1", diagnostic="connect to reader1@example.org timed out"))
    assert actions.read_bounces() == {"delayed": 1}
    assert after(delivery) == (State.SENT, "delayed: 4.4.1 connect to … timed out")
    box.put(report(delivery))
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[0] == State.FAILED


def test_why_may_stand_behind_what_became_of_it(box, sent):
    delivery = sent()
    box.put(report(delivery, action="Failed (bad destination)"))
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[0] == State.FAILED


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "", "nonsense"])
def test_what_arrived_is_no_bounce(box, sent, action):
    delivery = sent()
    box.put(report(delivery, action=action))
    assert actions.read_bounces() == {"no_report": 1}
    assert after(delivery)[0] == State.SENT


def test_the_same_report_twice_changes_nothing_the_second_time(box, sent):
    delivery = sent()
    box.put(report(delivery))
    box.put(report(delivery, action="delayed"))
    box.put(report(delivery, status="5.2.1"))
    assert actions.read_bounces() == {"failed": 1, "known": 2}
    assert after(delivery) == (State.FAILED, "550 5.1.1 …: User unknown")
    assert AuditEvent.objects.count() == 1


def test_what_a_crash_left_unmarked_is_read_again(box, sent, monkeypatch):
    delivery = sent()
    box.put(report(delivery))
    with monkeypatch.context() as broken:
        broken.setattr("portal.mail.mailboxes.Maildir.mark", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            actions.read_bounces()
    assert (after(delivery)[0], box.seen()) == (State.FAILED, [False])
    assert actions.read_bounces() == {"known": 1}
    assert box.seen() == [True]


@pytest.mark.parametrize("state", [State.PLANNED, State.CANCELED, State.EXPIRED, State.SUPPRESSED])
def test_what_never_left_cannot_come_back(box, plan, state):
    delivery = plan(1)
    if state != State.PLANNED:
        Delivery.objects.update(state=state, ended_at=timezone.now())
    box.put(report(delivery))
    assert actions.read_bounces() == {"known": 1}
    assert (after(delivery)[0], Suppression.objects.count()) == (state, 0)


def forged(delivery):
    real = report(delivery).decode()
    guess = re.sub("<[0-9a-f]{32}@", "<" + "0" * 32 + "@", real)
    return {
        "an id that we never sent": guess,
        "somebody else's address": real.replace("reader1@", "reader2@"),
        "an address that only begins alike": real.replace("reader1@example.org", "reader1@example.org.evil.example"),
        "an id in the text only": guess.replace("This is a MIME", f"Message-ID: {delivery.message_id}\r\n\r\n"),
        "an id in the report's own header": f"Message-ID: {delivery.message_id}\r\n{guess}",
        "no recipient": re.sub(r"(Final|Original)-Recipient:.*\r\n", "", real),
        "no action": real.replace("Action: failed\r\n", ""),
        "no returned headers": re.sub(
            r"--4Fz[^\n]+\r\nContent-Description: Undelivered.*?(?=--4Fz)", "", real, flags=re.S
        ),
        "a bounce of a bounce": nested(real, "message/rfc822"),
        "forwarded by a person": nested(real, "message/rfc822", subtype="mixed"),
        "the report as text": nested(real, "text/plain", subtype="mixed"),
    }


def nested(inner, content_type, *, subtype="report; report-type=delivery-status"):
    """Of the report before it nothing is left but what is returned."""
    status = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    status += "Final-Recipient: rfc822; noreply@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--outer\r\n"
    head = f"From: a@example.org\r\nContent-Type: multipart/{subtype}; boundary=outer\r\n\r\n--outer\r\n"
    return f"{head}{status if 'report' in subtype else ''}Content-Type: {content_type}\r\n\r\n{inner}\r\n--outer--\r\n"


FORGERIES = list(forged(Delivery(message_id="<0@example.org>")))


@pytest.mark.parametrize("kind", FORGERIES)
def test_what_is_forged_or_about_something_else_changes_nothing(box, sent, kind):
    delivery = sent()
    sent(2)
    box.put(forged(delivery)[kind].encode())
    told = actions.read_bounces()
    assert told.keys() <= {"stranger", "no_report"}
    assert told.total() == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}
    assert not Suppression.objects.exists()
    assert box.seen() == [True]


def parts(report_type, *parts):
    return f"Content-Type: multipart/report; report-type={report_type}; boundary=x\r\n\r\n" + "".join(
        f"--x\r\nContent-Type: {kind}\r\n\r\n{text}\r\n" for kind, text in parts
    )


ABOUT = "Final-Recipient: rfc822;reader1@example.org\r\nOriginal-Message-ID: {id}\r\nDisposition: x; displayed"
AUTO_REPLIES = {
    "away": "Auto-Submitted: auto-replied\r\nSubject: Away\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\n\r\nBack soon",
    "an answer": "Subject: Re: Reminder\r\n\r\n> Message-ID: {id}\r\n> 550 5.1.1 reader1@example.org",
    "read": parts("disposition-notification", ("text/plain", "x"), ("message/disposition-notification", ABOUT)),
    "abuse": parts("feedback-report", ("message/feedback-report", ABOUT), ("message/rfc822", "Message-ID: {id}")),
    "nothing": "",
}


@pytest.mark.parametrize("kind", AUTO_REPLIES)
def test_what_answers_by_itself_is_no_bounce(box, sent, kind):
    delivery = sent()
    box.put(AUTO_REPLIES[kind].replace("{id}", delivery.message_id).encode())
    assert actions.read_bounces() == {"no_report": 1}
    assert after(delivery)[0] == State.SENT
    assert box.seen() == [True]


def test_a_report_that_a_server_put_into_another_multipart_is_found(box, sent):
    delivery = sent()
    inner = report(delivery).decode()
    footer = "Content-Type: text/plain\r\n\r\nScanned by example\r\n--f--\r\n"
    box.put(f"Content-Type: multipart/mixed; boundary=f\r\n\r\n--f\r\n{inner}\r\n--f\r\n{footer}".encode())
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[0] == State.FAILED


def test_of_several_recipients_ours_is_the_one_that_counts(box, sent):
    delivery = sent()
    other = "Final-Recipient: rfc822; else@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    box.put(report(delivery, status="5.2.2").replace(b"Final-Recip", other.encode() + b"Final-Recip", 1))
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[1].startswith("550 5.2.2")
    assert not Suppression.objects.exists()


def test_mail_that_was_forwarded_is_known_by_the_address_we_wrote_to(box, sent):
    delivery = sent()
    box.put(report(delivery).replace(b"Final-Recipient: rfc822; reader1@", b"Final-Recipient: rfc822; moved@"))
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[0] == State.FAILED


def test_headers_that_were_encoded_on_the_way_are_read(box, sent):
    delivery = sent()
    head, _, rest = report(delivery).partition(b"text/rfc822-headers\r\n\r\n")
    returned, mark, end = rest.rpartition(b"\r\n--4Fz")
    body = b"text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(returned)
    box.put(head + body + mark + end)
    assert actions.read_bounces() == {"failed": 1}
    assert after(delivery)[0] == State.FAILED


@pytest.mark.parametrize("to", ["anna@ängelholm.example", "anna@xn--ngelholm-zza.example"])
def test_a_domain_that_is_not_ascii_is_recognized_as_it_travels(box, sent, to):
    delivery = sent(to=to)
    Delivery.objects.update(recipient="")
    box.put(report(delivery, to="Anna@xn--ngelholm-zza.example"))
    assert actions.read_bounces() == {"failed": 1}
    assert Suppression.objects.get().address_hash == address_hash(to)


def test_a_large_message_that_comes_back_whole_is_read_from_its_beginning(box, sent):
    delivery = sent()
    box.put(report(delivery, shape=EXCHANGE).replace(b"Hej\r\n", b"x" * 76 * 50_000))
    assert actions.read_bounces() == {"failed": 1}


def test_hostile_messages_do_not_stop_the_ones_behind_them(box, sent, caplog):
    delivery, depth = sent(), 2_000
    opened = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    hostile = [
        opened.encode(),
        b"Content-Type: multipart/report; boundary=\r\n\r\n--\r\n",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n" + b"--x\r\n" * 40_000,
        report(delivery).replace(b"Message-ID", b"\xff\x00Message-ID"),
        report(Delivery(message_id="<a\x00b@example.org>")),
        report(delivery, to="\u202e" * 200),
        report(delivery).replace(b"message/delivery-status", b"message/delivery-status; charset*=\xff''%ff"),
        b"\x00" * 100_000,
        b"From nobody\n" * 10_000,
        b"A" * 10_000_000,
    ]
    for content in hostile:
        box.put(content)
    box.put(report(delivery))
    with caplog.at_level(logging.INFO):
        told = actions.read_bounces()
    assert told.total() == len(hostile) + 1
    assert told["failed"] == 1
    assert "@example.org" not in caplog.text
    assert after(delivery)[0] == State.FAILED
    assert box.seen() == [True] * told.total()


NASTY = ["\r\n", "\r\n\r\n", "--4Fz0Qx1/mail.example.org\r\n", "\x00", "=?utf-8?b?////?=", "é", "\u202e", "; "]
NASTY += ["Content-Type: message/rfc822\r\n", "Content-Transfer-Encoding: base64\r\n", "Final-Recipient: x\r\n"]


@given(st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_becomes_of_a_report_on_the_way_it_is_read_or_passed_over(data):
    written = report(
        Delivery(message_id="<0@example.org>"), shape=data.draw(st.sampled_from([POSTFIX, EXCHANGE]))
    ).decode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(written)))
        end = data.draw(st.integers(start, min(len(written), start + 200)))
        written = written[:start] + data.draw(st.sampled_from(NASTY) | st.text(max_size=20)) + written[end:]
    found = bounces.read(written.encode("utf-8", "replace"))
    assert found is None or all("@" not in one.answer for one in found.recipients)
    if found:
        assert actions.take_back(bounce=found) == "stranger"


def test_it_ends_when_its_time_is_over_and_goes_on_the_next_time(box, sent):
    for number in range(3):
        box.put(report(sent(number), to=f"reader{number}@example.org"))
    assert actions.read_bounces(seconds=-1) == {"failed": 1}
    assert actions.read_bounces(is_stopping=lambda: True) == {"failed": 1}
    tasks.read_bounces()
    assert box.seen() == [True] * 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.FAILED}


def test_a_mailbox_that_cannot_be_reached_stops_nothing(settings, tmp_path):
    settings.BOUNCES = f"maildir:{tmp_path}/none"
    assert actions.read_bounces() == {}


def test_a_refusal_that_is_said_at_once_counts_like_one_that_is_reported(post, plan):
    for number in range(3):
        plan(number, to="reader1@example.org", due_at=timezone.now() - timedelta(minutes=9 - number))
        post.answers["RCPT"].append("550 5.2.1 disabled")
    plan(3, to="reader1@example.org", due_at=timezone.now() - timedelta(minutes=1))
    assert actions.deliver() == {"failed": 3, "suppressed": 1}
    assert Suppression.objects.get().reason == Reason.REFUSED


@pytest.mark.django_db(transaction=True)
def test_the_loop_reads_what_comes_back_as_well(box, sent, worker, monkeypatch):  # noqa: F811
    delivery = sent()
    box.put(report(delivery))
    monkeypatch.setenv("BOUNCES", box.url)
    process = worker("--loop", "--interval", "0.1")
    wait_for(lambda: after(delivery)[0] == State.FAILED)
    process.terminate()
    assert process.wait(60) == 0
    assert box.seen() == [True]
