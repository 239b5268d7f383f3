import asyncio
import socket
import subprocess
import threading
from collections import deque
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from django.utils import timezone

from portal.mail import actions
from portal.mail.models import Delivery
from portal.mail.rules import Message


class Post:
    """A real SMTP server in a thread of its own.

    `answers` are said instead of the next usual ones, by command; CONNECT is the greeting. `faults` happen in the next
    DATA commands: drop_before_354, drop_after_354, drop_unanswered (the data is read), drop_after_250, and
    hold_before_354, hold_after_354, hold_unanswered, which wait until `let_go()` after having set `is_holding`. Any
    other fault is said instead of 354.
    """

    def __init__(self, *, tls=None):
        self.letters = []
        self.recipients = []
        self.connections = 0
        self.answers = {
            "CONNECT": deque(),
            "STARTTLS": deque(),
            "EHLO": deque(),
            "MAIL": deque(),
            "RCPT": deque(),
            "DATA": deque(),
        }
        self.faults = deque()
        self.is_holding = threading.Event()
        self.tls = tls
        self.loop = asyncio.new_event_loop()
        self.may_go_on = asyncio.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}?timeout=5"
        self.protocols = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def let_go(self):
        self.loop.call_soon_threadsafe(self.may_go_on.set)

    def close(self):
        self.let_go()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(self.loop.create_server(self._protocol, sock=self.listener))
        self.loop.run_forever()
        server.close()
        for protocol in self.protocols:
            if protocol.transport:
                protocol.transport.abort()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def _protocol(self):
        self.connections += 1
        protocol = Protocol(self, tls_context=self.tls)
        self.protocols.append(protocol)
        return protocol

    async def hold(self):
        self.is_holding.set()
        await self.may_go_on.wait()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        return [self.answers["EHLO"].popleft()] if self.answers["EHLO"] else responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if self.answers["MAIL"]:
            return self.answers["MAIL"].popleft()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self.answers["RCPT"].popleft() if self.answers["RCPT"] else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.answers["DATA"]:
            return self.answers["DATA"].popleft()
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        return f"250 2.0.0 Ok: queued as {len(self.letters)}"


class Protocol(SMTP):
    def __init__(self, post, **options):
        self.post = post
        super().__init__(post, hostname="post.test", loop=post.loop, authenticator=self._nobody, **options)

    def _nobody(self, *_):
        return AuthResult(success=False, handled=False, message="535 5.7.8 wrong password for <user@example.org>")

    async def push(self, status):
        if str(status).startswith("220 post.test") and self.post.answers["CONNECT"]:
            status = self.post.answers["CONNECT"].popleft()
        if str(status).startswith("220 Ready") and self.post.answers["STARTTLS"]:
            status = self.post.answers["STARTTLS"].popleft()
        if status == "drop":
            self.transport.close()
        else:
            await super().push(status)

    async def smtp_DATA(self, arg):  # noqa: N802
        fault = self.post.faults.popleft() if self.post.faults else ""
        if fault == "drop_before_354":
            self.transport.close()
            return
        if fault == "hold_before_354":
            await self.post.hold()
        if fault in {"drop_after_354", "hold_after_354", "drop_unanswered", "hold_unanswered"}:
            await self.push("354 go ahead")
        if fault == "hold_after_354":
            await self.post.hold()
        if fault in {"drop_unanswered", "hold_unanswered"}:
            while await self._reader.readuntil(b"\r\n") != b".\r\n":
                pass
        if fault == "hold_unanswered":
            await self.post.hold()
            await self.push("250 2.0.0 Ok: late")
            return
        if fault in {"drop_after_354", "drop_unanswered", "hold_after_354"}:
            if self.transport:
                self.transport.close()
            return
        if fault[:3].isdigit():
            await self.push(fault)
            return
        await super().smtp_DATA(arg)
        if fault == "drop_after_250":
            self.transport.close()


@pytest.fixture
def post(settings):
    server = Post()
    settings.EMAIL_URL = server.url
    yield server
    server.close()


@pytest.fixture
def certificate(tmp_path):
    """Paths of a self-signed certificate for 127.0.0.1 and of its key."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    """`notice` is necessary, `news` is not; both say what the context tells them."""
    monkeypatch.setattr(actions, "_kinds", dict(actions._kinds))
    monkeypatch.setattr(actions, "_planners", [])

    def render(delivery):
        return Message(subject=f"About {delivery.context['number']}", text=f"Number {delivery.context['number']}")

    actions.register("notice", render, label="Notice")
    actions.register("news", render, label="News", is_necessary=False)
    return actions.register


@pytest.fixture
def plan():
    def promise(number=1, **values):
        values = {
            "kind": "notice",
            "key": f"notice:{number}",
            "to": f"reader{number}@example.org",
            "language": "sv",
            "due_at": timezone.now() - timedelta(seconds=1),
            "context": {"number": number},
        } | values
        actions.plan(**values)
        return Delivery.objects.get(key=values["key"])

    return promise


@pytest.fixture
def part():
    def text(letter: EmailMessage, subtype: str) -> str:
        [found] = [p for p in letter.walk() if p.get_content_type() == f"text/{subtype}" and not p.is_attachment()]
        return found.get_content().replace("\r\n", "\n")

    return text
