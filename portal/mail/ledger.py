"""What our own mail server knows of messages whose outcome was lost: has it taken them?"""

import gzip
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings
from django.utils import timezone

from portal.mail import mailboxes

PATIENCE: Final = timedelta(minutes=15)
"""How long after the fence a message may still be taken: Postfix waits five minutes for each next piece of it
(smtpd_timeout), as a filter may for its own answer, and a process of ours may have been asleep in between."""
JOURNAL_PATIENCE: Final = timedelta(hours=6)
"""The copy for the journal is a delivery of its own, which may wait in the server's queue while others pass it."""
EARLIER: Final = timedelta(hours=2)
"""How long before the fence records have to begin, for all that clocks and daylight saving time can do to them."""
SAME_CLOCK: Final = timedelta(minutes=5)
"""How far the last line of a log may be from when its file was written."""

_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_STAMP: Final = re.compile(rb"(?:(\d{4}-\d\d-\d\dT\S+)|([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d)) ")
# All of the line from its beginning, since daemons also log what strangers say to them.
_SAID: Final = re.compile(rb"(?:\d\S+|[A-Z]\w\w [ \d]\d \S+) \S+ \S+/(smtpd|cleanup|qmgr)\[(\d+)\]: (.*)")
_CUT: Final = re.compile(rb"(?:lost connection|timeout) after DATA ")
_REFUSAL: Final = re.compile(rb"(?:milter-)?reject: .*: (?:\d{3} )?([45])\.\d+\.\d+ ")

Span = tuple[datetime, datetime]


class Fate(Enum):
    TAKEN = auto()
    REFUSED = auto()
    """For good."""
    ABSENT = auto()
    """Not taken, and not to be taken any more."""
    UNKNOWN = auto()


class UnreadableError(Exception):
    """Nothing can be learned now. The text tells why, without addresses."""


class Ledger(Protocol):
    def fates(self, fenced: Mapping[str, datetime]) -> dict[str, Fate]:
        """Of each Message-ID, brackets included, by the moment of its fence. Raises UnreadableError."""


def configured() -> Ledger | None:
    kind, _, place = settings.MAIL_LEDGER.partition(":")
    if not kind:
        return None
    return PostfixLog(Path(place)) if kind == "postfix" else Journal(place)


def _unseen(fenced_at: datetime, span: Span | None, patience: timedelta) -> Fate:
    """What it means that records which reach from and to these moments say nothing of a message."""
    is_covered = span is not None and span[0] <= fenced_at - EARLIER and fenced_at + patience <= span[1]
    return Fate.ABSENT if is_covered else Fate.UNKNOWN


class Journal:
    """A mailbox to which our mail server sends a copy of all that it takes (`always_bcc`)."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fates(self, fenced: Mapping[str, datetime]) -> dict[str, Fate]:
        try:
            with mailboxes.opened(self.url) as mailbox:
                span = mailbox.span()
                taken = mailbox.holding(fenced, since=min(fenced.values()) - EARLIER)
        except mailboxes.UnreachableError as error:
            raise UnreadableError(str(error)) from error
        return {
            message_id: Fate.TAKEN if message_id in taken else _unseen(fenced_at, span, JOURNAL_PATIENCE)
            for message_id, fenced_at in fenced.items()
        }


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    inode: int
    written_at: datetime


class PostfixLog:
    """The log of a Postfix, with those rotated away beside it: mail.log.1, mail.log.2.gz, mail.log-20261129."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fates(self, fenced: Mapping[str, datetime]) -> dict[str, Fate]:
        try:
            known, span = self._read(fenced.keys(), since=min(fenced.values()) - EARLIER)
        except (OSError, EOFError) as error:
            raise UnreadableError(f"{type(error).__name__}: {error}") from error
        # That an earlier attempt came to nothing says nothing of the last one, until that has had its time.
        settled = {message_id: fate for message_id, fate in known.items() if fate != Fate.ABSENT}
        return {
            message_id: settled.get(message_id) or _unseen(fenced_at, span, PATIENCE)
            for message_id, fenced_at in fenced.items()
        }

    def _read(self, wanted: Set[str], *, since: datetime) -> tuple[dict[str, Fate], Span | None]:
        """What is said, and from when to when somebody listened."""
        files = self._files()
        begins_at = ends_at = None
        talk = _Talk(wanted)
        for file in _reaching_back(files, since):
            line = b""
            for line in _lines(file.path):
                begins_at = begins_at or _moment(line, file.written_at)
                talk.hear(line)
            if line:
                ends_at = _moment(line, file.written_at)
                # Otherwise its clock is not ours: another zone, or another year.
                if ends_at and abs(file.written_at - ends_at) > SAME_CLOCK:
                    ends_at = None
        # When logs were rotated meanwhile, some lines may have been in neither of two places.
        is_whole = {file.inode for file in files} == {file.inode for file in self._files()}
        return talk.known, (begins_at, ends_at) if begins_at and ends_at and is_whole else None

    def _files(self) -> list[_File]:
        """Oldest first."""
        name = re.compile(re.escape(self.path.name) + r"(\.\d+|-\d{8,})?(\.gz)?")
        stats = [(path, path.stat()) for path in self.path.parent.iterdir() if name.fullmatch(path.name)]
        files = [_File(path, stat.st_ino, datetime.fromtimestamp(stat.st_mtime, UTC)) for path, stat in stats]
        return sorted(files, key=lambda file: file.written_at)


def _reaching_back(files: list[_File], moment: datetime) -> list[_File]:
    """Those that say something since then, and one before them, if there is one."""
    older = [file for file in files if file.written_at < moment]
    return older[-1:] + files[len(older) :]


def _lines(path: Path) -> Iterator[bytes]:
    """Those that are whole: the last one may be being written."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as log:
        for line in log:
            if line.endswith(b"\n"):
                yield line


def _moment(line: bytes, written_at: datetime) -> datetime | None:
    """When a line was written, in a file that was last written to at `written_at`."""
    if not (match := _STAMP.match(line)):
        return None
    full, month, day, clock = (group.decode() if group else "" for group in match.groups())
    with suppress(ValueError):
        if full:
            return datetime.fromisoformat(full).astimezone(UTC)
        # Without a year: the last time that this day came.
        written = timezone.localtime(written_at)
        for year in (written.year, written.year - 1):
            with suppress(ValueError):  # the 29th of February
                text = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{clock}"
                moment = timezone.make_aware(datetime.fromisoformat(text))
                if moment <= written_at + timedelta(days=1):
                    return moment
    return None


class _Talk:
    """What Postfix's daemons say of the messages that are asked about.

    cleanup names a Message-ID whether or not the message ever came to its end. It was taken when the queue manager has
    it, and it was not when smtpd says that it was cut off, which may stand before the name. In between is what waits
    for the queue manager, and what a filter has put aside: of these nothing is known.
    """

    def __init__(self, wanted: Set[str]) -> None:
        self.known: dict[str, Fate] = {}
        self._wanted = wanted
        # By queue id; short ones are given again to later messages.
        self._names: dict[bytes, str] = {}
        self._cut: set[bytes] = set()
        # The queue id that each process of smtpd is busy with.
        self._at_hand: dict[bytes, bytes] = {}

    def hear(self, line: bytes) -> None:
        if match := _SAID.match(line):
            daemon, pid, text = match.groups()
            queue_id, _, said = text.partition(b": ")
            if said.startswith(b"client="):
                self._begin(pid, queue_id)
            elif _CUT.match(text):
                self._cut_off(self._at_hand.get(pid, b""))
            elif said.startswith(b"message-id="):
                self._name(queue_id, said.removeprefix(b"message-id=").decode(errors="replace"))
            elif daemon == b"qmgr" and said.endswith(b"(queue active)"):
                self._judge(queue_id, Fate.TAKEN)
            elif refusal := _REFUSAL.match(said):
                self._judge(queue_id, Fate.REFUSED if refusal[1] == b"5" else Fate.ABSENT)

    def _begin(self, pid: bytes, queue_id: bytes) -> None:
        self._at_hand[pid] = queue_id
        self._cut.discard(queue_id)

    def _cut_off(self, queue_id: bytes) -> None:
        self._cut.add(queue_id)
        self._judge(queue_id, Fate.ABSENT)

    def _name(self, queue_id: bytes, message_id: str) -> None:
        self._names.pop(queue_id, None)
        if message_id in self._wanted:
            self._names[queue_id] = message_id
            self._judge(queue_id, Fate.ABSENT if queue_id in self._cut else Fate.UNKNOWN)

    def _judge(self, queue_id: bytes, fate: Fate) -> None:
        message_id = self._names.get(queue_id, "")
        if message_id and self.known.get(message_id) != Fate.TAKEN:
            self.known[message_id] = fate
