"""Asks ClamAV whether what was sent is known to be harmful, in its own words over TCP or a socket of the machine.

The whole file goes there (INSTREAM), and only the one answer that says that all is well lets it pass. When a scanner
is configured and does not answer, nothing passes.
"""

import select
import socket
import struct
import time
from typing import Final
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext

log = structlog.get_logger(__name__)

SECONDS: Final = 20.0
"""For the whole conversation: somebody waits for the page."""
CONNECT_SECONDS: Final = 5.0
CHUNK: Final = 64 * 1024
MOST_ANSWER: Final = 1024
_CLEAN: Final = b"stream: OK\0"


def scan(content: bytes, *, seconds: float = SECONDS) -> None:
    """ValidationError for what the scanner does not say to be clean; without a scanner nobody is asked."""
    url = settings.CLAMAV_URL
    if not url:
        return
    until = time.monotonic() + seconds
    try:
        with _connected(url, until) as scanner:
            answer = _ask(scanner, content, until)
    except OSError as error:
        log.error("virus_scanner_silent", error=type(error).__name__)
        raise _unanswered() from None
    if answer.startswith(b"stream: ") and answer.endswith(b" FOUND\0"):
        log.warning("virus_found")
        raise ValidationError(
            pgettext(
                "staff",
                "The virus scanner found something harmful in the file. Do not open it again, and tell those who run "
                "this site.",
            ),
            code="virus",
        )
    if answer != _CLEAN:
        log.error("virus_scanner_unusable")
        raise _unanswered()


def _unanswered() -> ValidationError:
    return ValidationError(
        pgettext(
            "staff",
            "The virus scanner cannot check files just now, so this one is not kept. Go on without it, and tell those "
            "who run this site.",
        ),
        code="unscanned",
    )


def _connected(url: str, until: float) -> socket.socket:
    parts = urlsplit(url)
    seconds = min(CONNECT_SECONDS, _left(until))
    if parts.scheme == "tcp":
        return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=seconds)
    scanner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        scanner.settimeout(seconds)
        scanner.connect(parts.path)
    except BaseException:
        scanner.close()
        raise
    return scanner


def _ask(scanner: socket.socket, content: bytes, until: float) -> bytes:
    """Its answer with the zero that ends it; empty for one that came before it had seen everything and is no refusal,
    and for one without an end."""
    try:
        _say(scanner, b"zINSTREAM\0", until)
        for place in range(0, len(content), CHUNK):
            chunk = content[place : place + CHUNK]
            _say(scanner, struct.pack("!L", len(chunk)) + chunk, until)
        is_early = _has_answered(scanner)
        _say(scanner, struct.pack("!L", 0), until)
    except (BrokenPipeError, ConnectionResetError):
        # It hung up on us, perhaps with a word about why.
        is_early = True
    answer = _read(scanner, until)
    return b"" if is_early and answer == _CLEAN else answer


def _say(scanner: socket.socket, words: bytes, until: float) -> None:
    scanner.settimeout(_left(until))
    scanner.sendall(words)


def _has_answered(scanner: socket.socket) -> bool:
    # Not `select`, which knows 1024 files.
    waiting = select.poll()
    waiting.register(scanner, select.POLLIN)
    return bool(waiting.poll(0))


def _read(scanner: socket.socket, until: float) -> bytes:
    answer = b""
    while b"\0" not in answer and len(answer) < MOST_ANSWER:
        scanner.settimeout(_left(until))
        piece = scanner.recv(MOST_ANSWER)
        if not piece:
            break
        answer += piece
    return answer


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
