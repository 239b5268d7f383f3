"""Reports about mail that could not be delivered (RFC 3464), as other servers write them: trusted in nothing.

What answers by itself, forwards or complains is no report. Of a report only the outermost is read: one about a report
returns what we never sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from enum import StrEnum
from typing import Final

import structlog

from portal.mail import rules

log = structlog.get_logger(__name__)

_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]+>")
_ADDRESS: Final = re.compile(r"[^\s<>()\";,:]+@[^\s<>()\";,:]+")
_STATUS: Final = "message/delivery-status"
_RETURNED: Final = {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"}
_MOST_BLOCKS: Final = 50


class Action(StrEnum):
    FAILED = "failed"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Returned:
    """What is said about one recipient."""

    addresses: tuple[str, ...]
    """As we wrote it and as it was in the end, where both are told."""
    action: Action
    answer: str
    """Its status code first (RFC 3463), then the words of the server that refused it; without addresses."""


@dataclass(frozen=True, slots=True)
class Bounce:
    message_id: str
    """Of the message that is returned, with its angle brackets."""
    recipients: tuple[Returned, ...]


def read(content: bytes) -> Bounce | None:
    """None for all that is no report of a delivery that failed or takes its time."""
    try:
        return _read(message_from_bytes(content))
    except Exception as error:  # noqa: BLE001 - hostile messages have broken Python's parser in any way before
        # What it complains about may be an address.
        log.warning("bounce_not_read", error=type(error).__name__)
        return None


def _read(letter: Message) -> Bounce | None:
    parts = _parts(_report(letter))
    statuses = [part for part in parts if part.get_content_type() == _STATUS]
    headers = [part for part in parts if part.get_content_type() in _RETURNED]
    if not (statuses and headers):
        return None
    recipients, message_id = tuple(_returned(statuses[0])), _message_id(headers[0])
    return Bounce(message_id, recipients) if message_id and recipients else None


def _report(letter: Message) -> Message | None:
    """The report itself: servers on the way put it into another multipart when they add a footer."""
    if letter.get_content_maintype() != "multipart":
        return None
    parts = _parts(letter)
    if any(part.get_content_type() == _STATUS for part in parts):
        return letter
    return next(filter(None, (_report(part) for part in parts)), None)


def _parts(letter: Message | None) -> list[Message]:
    payload = letter.get_payload() if letter else None
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _returned(status: Message) -> Iterator[Returned]:
    for block in _parts(status)[:_MOST_BLOCKS]:
        told = f"{_text(block, 'Original-Recipient')} {_text(block, 'Final-Recipient')}"
        addresses = tuple(dict.fromkeys(_ADDRESS.findall(told)))
        # Some say why in brackets behind it.
        action = _text(block, "Action").lower().partition(" ")[0]
        words = _text(block, "Diagnostic-Code").partition(";")[2].strip()
        if addresses and action in set(Action):
            yield Returned(
                addresses, Action(action), _answer(_text(block, "Status"), rules.without_addresses(words, *addresses))
            )


def _answer(status: str, words: str) -> str:
    """`5.0.0` says nothing; the server that refused it may have said more."""
    told = rules.status_of(status)
    more = rules.status_of(words)
    return words if more and (not told or told.endswith(".0.0") or told == more) else f"{told} {words}".strip()


def _message_id(part: Message) -> str:
    parsed = _parts(part)
    if not parsed:
        body = part.get_payload(decode=True)
        parsed = [HeaderParser().parsestr(body.decode("ascii", "replace") if isinstance(body, bytes) else "")]
    match = _MESSAGE_ID.search(_text(parsed[0], "Message-ID"))
    return match[0] if match else ""


def _text(block: Message, name: str) -> str:
    """A header as one line, whatever bytes it was written in."""
    written = str(block.get(name, ""))
    return " ".join(written.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
