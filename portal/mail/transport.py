"""SMTP with a fence: the caller hears of the moment after which only the receiving server knows the outcome."""

import contextlib
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from portal.mail import rules

PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}

TIMEOUT_SECONDS: Final = 30.0
# A server may think long before it takes a message, and an answer we did not wait for makes the outcome uncertain.
PATIENCE_AFTER_DATA: Final = 4


@dataclass(frozen=True, slots=True)
class Server:
    """`smtp://host:25`, `smtp+tls://user:password@host:587` (STARTTLS), `smtps://host:465`; `?timeout=` in seconds."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    timeout: float

    @classmethod
    def at(cls, url: str) -> Self:
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            raise ValueError(f"EMAIL_URL begins with one of: {' '.join(f'{scheme}://' for scheme in PORTS)}")
        return cls(
            parts.scheme,
            parts.hostname or "localhost",
            parts.port or PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            float(parse_qs(parts.query).get("timeout", [TIMEOUT_SECONDS])[0]),
        )


class OutageError(Exception):
    """No usable connection, or a sender who is not let in: nothing is said about any message. The text tells why,
    without addresses."""


class RefusedError(Exception):
    """The server answered, and did not take the message."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code

    @property
    def is_about_server(self) -> bool:
        """What it cannot do just now for any message: 4.3.x is its own status (RFC 3463)."""
        return self.code == 421 or rules.status_of(str(self)).startswith("4.3.")


class DroppedError(Exception):
    """The connection went away before the fence: the message has not been sent."""


class UnknownError(Exception):
    """The connection went away after the fence: only the server knows whether it took the message."""


class _Fenced(smtplib.SMTP):
    """354 is the server's "go ahead" for the data; nothing of a message has been written when it comes."""

    fence: Callable[[], None] | None = None
    is_past_fence = False
    last_reply = (-1, b"")

    def getreply(self) -> tuple[int, bytes]:
        self.last_reply = super().getreply()
        if self.last_reply[0] == 354 and self.fence:
            self.fence()
            self.is_past_fence = True
            if self.sock:
                self.sock.settimeout(self.timeout * PATIENCE_AFTER_DATA)
        return self.last_reply


class _FencedTLS(_Fenced, smtplib.SMTP_SSL):
    pass


class Connection:
    """One SMTP connection, opened when the first message needs it and used again for the next ones."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.is_turned_away = False
        """The server cannot be reached, or has said that it wants to be left alone for a while."""
        self._smtp: _Fenced | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._smtp is not None and error is None:
            with contextlib.suppress(smtplib.SMTPException):
                self._smtp.quit()
        self._drop()

    def send(self, content: bytes, *, sender: str, to: str, fence: Callable[[], None]) -> str:
        """The server's answer after it took the message; every other outcome is one of the errors above.

        `fence` is called between the server's 354 and the first byte of data. What it raises ends the connection, with
        nothing sent.
        """
        is_reused = self._smtp is not None
        try:
            return self._send(content, sender, to, fence)
        except DroppedError:
            if not is_reused:
                raise
        # The server had closed the idle connection: that says nothing about this message.
        return self._send(content, sender, to, fence)

    def _send(self, content: bytes, sender: str, to: str, fence: Callable[[], None]) -> str:
        smtp = self._smtp = self._smtp or self._open()
        smtp.fence, smtp.is_past_fence = fence, False
        if smtp.sock:
            smtp.sock.settimeout(self.server.timeout)
        try:
            smtp.sendmail(sender, [to], content)
        except smtplib.SMTPException as error:
            refusal = _refusal(error, to)
            if refusal is None or refusal.code == 421:
                self.is_turned_away = refusal is not None
                self._drop()
            elif _is_about_us(error):
                self.is_turned_away = True
                raise OutageError(str(refusal)) from error
            if refusal:
                raise refusal from error
            failure = UnknownError if smtp.is_past_fence else DroppedError
            raise failure(rules.without_addresses(str(error), to)) from error
        except BaseException:
            self._drop()
            raise
        code, answer = smtp.last_reply
        return f"{code} {_text(answer, to)}"

    def _open(self) -> _Fenced:
        server = self.server
        smtp: _Fenced | None = None
        try:
            if server.scheme == "smtps":
                smtp = _FencedTLS(
                    server.host,
                    server.port,
                    rules.hostname(),
                    timeout=server.timeout,
                    context=ssl.create_default_context(),
                )
            else:
                smtp = _Fenced(server.host, server.port, rules.hostname(), timeout=server.timeout)
            if server.scheme == "smtp+tls":
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                smtp.login(server.user, server.password)
            smtp.ehlo_or_helo_if_needed()
        except OSError as error:
            if smtp:
                smtp.close()
            self.is_turned_away = True
            raise OutageError(rules.without_addresses(f"{type(error).__name__}: {error}")) from error
        return smtp

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _refusal(error: smtplib.SMTPException, to: str) -> RefusedError | None:
    """The answer in what smtplib raised, when it is one that says no."""
    code: int
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = error.recipients[to]
    elif isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        code, text = error.smtp_code, error.smtp_error
    else:
        return None
    return RefusedError(code, _text(text, to)) if 400 <= code <= 599 else None


def _is_about_us(error: smtplib.SMTPException) -> bool:
    """At MAIL FROM a server knows the sender, who is the same for every message, and how large this one is: 552."""
    return isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code != 552


def _text(answer: bytes | str, to: str) -> str:
    return rules.without_addresses(answer.decode(errors="replace") if isinstance(answer, bytes) else answer, to)
