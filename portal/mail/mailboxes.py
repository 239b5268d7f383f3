"""Mailboxes that this site reads: where what could not be delivered comes back, and a journal of all that our own mail
server took. Nothing is deleted in them."""

import contextlib
import imaplib
import os
import re
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from portal.mail import rules

PORTS: Final = {"imaps": 993, "imap+tls": 143}
TIMEOUT_SECONDS: Final = 30.0
MOST_BYTES: Final = 256 * 1024
"""Of a message, however large it is: a report and the headers of what it returns stand at its beginning."""
HEADER_BYTES: Final = 64 * 1024
_BLOCK: Final = 5_000
"""Messages asked about at once: the answer to a search is one line, which may not become too long."""

_MESSAGE_ID: Final = re.compile(rb"^message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_SEARCHABLE: Final = re.compile(r"<[!#-\[\]-~]+>")
_FOLDER: Final = re.compile(r"[ !#-\[\]-~]+")
_FLAGS: Final = re.compile(r":2,([A-Za-z]*)\Z")


class UnreachableError(Exception):
    """The mailbox cannot be read now. The text tells why, without addresses."""


@dataclass(frozen=True, slots=True)
class Letter:
    name: str
    """By which its mailbox knows it."""
    content: bytes
    """At most MOST_BYTES of it, from its beginning."""


class Maildir:
    def __init__(self, path: Path) -> None:
        self.path = path

    def unread(self) -> Iterator[Letter]:
        """Oldest first. What is not marked is read again the next time."""
        for path in sorted(self._files(), key=lambda path: path.name):
            if "S" in _flags(path):
                continue
            content = _beginning(path, MOST_BYTES)
            if content is not None:
                yield Letter(str(path.relative_to(self.path)), content)

    def mark(self, letter: Letter) -> None:
        """As seen; one rename, so that it is marked or not, whatever happens."""
        path = self.path / letter.name
        flags = "".join(sorted({*_flags(path), "S"}))
        # Somebody else may have marked it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            path.rename(self.path / "cur" / f"{_FLAGS.sub('', path.name)}:2,{flags}")

    def holding(self, message_ids: Iterable[str], *, since: datetime) -> set[str]:
        """Those of the Message-IDs that came here after `since`."""
        wanted = {message_id.encode(): message_id for message_id in message_ids}
        found = set()
        for path in self._files():
            if wanted and _arrived_at(path) >= since:
                header = (_beginning(path, HEADER_BYTES) or b"").replace(b"\r\n", b"\n").partition(b"\n\n")[0]
                if (match := _MESSAGE_ID.search(header)) and match[1] in wanted:
                    found.add(wanted.pop(match[1]))
        return found

    def span(self) -> tuple[datetime, datetime] | None:
        """When the oldest and when the newest message came; None when there is none."""
        moments = [_arrived_at(path) for path in self._files()]
        return (min(moments), max(moments)) if moments else None

    def _files(self) -> list[Path]:
        try:
            entries = [entry for name in ("new", "cur") for entry in os.scandir(self.path / name)]
        except OSError as error:
            raise UnreachableError(f"{type(error).__name__}: {error.strerror}") from error
        return [Path(entry.path) for entry in entries if _is_letter(entry)]


def _is_letter(entry: "os.DirEntry[str]") -> bool:
    return not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)


def _flags(path: Path) -> str:
    match = _FLAGS.search(path.name)
    return match[1] if match and path.parent.name == "cur" else ""


def _beginning(path: Path, size: int) -> bytes | None:
    """None for a file that is gone or that may not be read: the others still are."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return None


def _arrived_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


class Imap:
    """Messages are named by their number in the mailbox, which stays theirs as long as nothing but SEARCH, FETCH and
    STORE is asked (RFC 3501, 7.4.1)."""

    def __init__(self, connection: imaplib.IMAP4, count: int) -> None:
        self.connection = connection
        self.count = count

    def unread(self) -> Iterator[Letter]:
        """Oldest first. What is not marked is read again the next time."""
        for first in range(1, self.count + 1, _BLOCK):
            for number in self._search(f"{first}:{min(first + _BLOCK - 1, self.count)}", "UNSEEN"):
                # PEEK: it is marked when it has been dealt with, not by being read.
                said, answers = self.connection.fetch(number, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
                # What is gone is answered with NO or with nothing; news about other messages may stand between.
                if said == "OK" and answers != [None]:
                    contents = [answer[1] for answer in answers if isinstance(answer, tuple)]
                    yield Letter(number, contents[0] if contents else b"")

    def mark(self, letter: Letter) -> None:
        """As seen."""
        self.connection.store(letter.name, "+FLAGS.SILENT", r"(\Seen)")

    def holding(self, message_ids: Iterable[str], *, since: datetime) -> set[str]:
        """Those of the Message-IDs that came here after `since`, or up to two days before it."""
        # Servers go by the date alone, in a zone of their own.
        day = time.strftime("%d-%b-%Y", (since - timedelta(days=1)).utctimetuple())
        searchable = filter(_SEARCHABLE.fullmatch, message_ids)
        return {found for found in searchable if self._search("SINCE", day, "HEADER", "Message-ID", f'"{found}"')}

    def span(self) -> tuple[datetime, datetime] | None:
        """When the oldest and when the newest message came; None when there is none."""
        return (self._arrived_at(1), self._arrived_at(self.count)) if self.count else None

    def _arrived_at(self, number: int) -> datetime:
        _, answers = self.connection.fetch(str(number), "(INTERNALDATE)")
        moments = [imaplib.Internaldate2tuple(answer) for answer in answers if isinstance(answer, bytes)]
        if not any(moments):
            raise UnreachableError("The server does not say when a message came.")
        return datetime.fromtimestamp(time.mktime(next(filter(None, moments))), UTC)

    def _search(self, *criteria: str) -> list[str]:
        said, lines = self.connection.search(None, *criteria)
        if said != "OK":
            raise UnreachableError(f"SEARCH: {said}")
        return [number.decode() for line in lines for number in (line or b"").split()]


Mailbox = Maildir | Imap


@contextmanager
def opened(url: str) -> Iterator[Mailbox]:
    """`maildir:/path`, `imaps://user:password@host/INBOX` or `imap+tls://` (STARTTLS); `?timeout=` in seconds.

    Whatever goes wrong with it, also inside of the `with`, is an UnreachableError.
    """
    parts = urlsplit(url)
    if parts.scheme == "maildir":
        yield Maildir(Path(unquote(parts.path)))
        return
    if parts.scheme not in PORTS:
        raise ValueError(f"A mailbox begins with one of: maildir: {' '.join(f'{scheme}://' for scheme in PORTS)}")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if not _FOLDER.fullmatch(folder):
        raise ValueError("The folder of a mailbox is named with ASCII characters, without quotes.")
    try:
        connection = _connected(parts.scheme, parts.hostname or "localhost", parts.port, _timeout(parts.query))
        try:
            _sign_in(connection, unquote(parts.username or ""), unquote(parts.password or ""))
            said, [count] = connection.select(f'"{folder}"')
            if said != "OK" or count is None:
                raise UnreachableError(f"{folder}: {said}")
            yield Imap(connection, int(count))
        finally:
            _leave(connection)
    except (imaplib.IMAP4.error, OSError) as error:
        raise UnreachableError(rules.without_addresses(f"{type(error).__name__}: {error}")) from error


def _timeout(query: str) -> float:
    return float(parse_qs(query).get("timeout", [TIMEOUT_SECONDS])[0])


def _connected(scheme: str, host: str, port: int | None, timeout: float) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    port = port or PORTS[scheme]
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=timeout)
    connection = imaplib.IMAP4(host, port, timeout=timeout)
    try:
        connection.starttls(ssl_context=context)
    except BaseException:
        connection.shutdown()
        raise
    return connection


def _leave(connection: imaplib.IMAP4) -> None:
    try:
        connection.logout()
    except (imaplib.IMAP4.error, OSError):
        with contextlib.suppress(OSError):
            connection.shutdown()


def _sign_in(connection: imaplib.IMAP4, user: str, password: str) -> None:
    # What LOGIN sends must be ASCII, and imaplib does not quote the name.
    connection.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
