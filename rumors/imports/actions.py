import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

import structlog
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import pgettext

from portal import guard
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Topic
from portal.guard import Excuse, Ground, Kind
from portal.public import CACHE_DOWN
from portal.sheets import plain
from rumors import actions as rumors
from rumors.actions import Number
from rumors.imports import cells, encoding, rules, words
from rumors.imports.models import Batch, Habit, Imported, Line, Outcome, State, Tongue
from rumors.models import Sighting

log = structlog.get_logger(__name__)

_LOCK: Final = 0x494D504F
_TITLE: Final = 100
_MANY_DIGITS: Final = re.compile(r"(?:\d\D*?){6}")
_PROGRESS_SECONDS: Final = 3600


def keep(file: "File[bytes]", *, by: User) -> Batch:
    """The rows of a file that was sent, to be looked at. ValidationError, in one sentence, for what is no table.

    What must not be kept is taken out before.
    """
    found = encoding.rows(file.read(cells.MOST_BYTES + 1))
    header = [_masked(plain(title))[0][:_TITLE] for title in found["header"]]
    with transaction.atomic():
        habit = Habit.objects.filter(owner=by).first() or Habit()
        batch: Batch = Batch.objects.create(
            owner=by, header=header, columns=words.guessed(header, habit.columns), fixed=habit.fixed
        )
        Line.objects.bulk_create([_line(batch, number, row) for number, row in found["rows"]], batch_size=500)
    return batch


def _line(batch: Batch, number: int, row: Sequence[str]) -> Line:
    kept = [_masked(plain(cell)) for cell in row]
    return Line(
        batch=batch,
        number=number,
        cells=[text for text, _is_masked in kept],
        masked=[place for place, (_text, is_masked) in enumerate(kept) if is_masked],
    )


def _masked(text: str) -> tuple[str, bool]:
    # The shortest of what is looked for has six digits; most cells have none.
    if not _MANY_DIGITS.search(text):
        return text, False
    blocking = [found for found in guard.find(text) if found.blocks]
    return guard.masked(text, blocking), bool(blocking)


@transaction.atomic
def check(
    batch: Batch,
    *,
    columns: Mapping[str, int],
    fixed: Mapping[str, str],
    understood: Mapping[int, Mapping[str, Any]],
    faults: Mapping[int, list[str]],
    kinds: Mapping[int, list[str]],
    guesses: Mapping[int, str],
    by: User,
) -> Batch:
    """Say which column is which, and what each row will do; rows by their number. Nothing of the register changes.

    `guesses` has the language of rows whose words were asked for it, empty where they do not tell.
    """
    held = _held(batch, by)
    if held.state not in {State.SENT, State.CHECKED}:
        raise ValidationError(pgettext("staff", "This list is being imported already."))
    lines = list(held.lines.all())
    for line in lines:
        line.values = dict(understood.get(line.number, {}))
        line.faults = faults.get(line.number, [])
        line.kinds = kinds.get(line.number, [])
        line.digest = rules.digest(line.values) if line.values else ""
        _put_language(line, guesses.get(line.number))
        line.outcome, line.rumor, line.follows = Outcome.REFUSED, None, None
    rules.place(lines, by=by)
    _save(lines, "values", "faults", "kinds", "tongue", "digest", "outcome", "rumor", "follows")
    held.columns, held.fixed, held.state = dict(columns), dict(fixed), State.CHECKED
    held.is_overtaken = False
    held.save(update_fields=["columns", "fixed", "state", "is_overtaken"])
    _remember(held, by)
    return held


def _put_language(line: Line, guess: str | None) -> None:
    if guess:
        line.values["original_language"], line.tongue = guess, Tongue.GUESSED
    else:
        line.tongue = Tongue.TOLD if guess is None else Tongue.UNSURE


def _save(lines: list[Line], *fields: str) -> None:
    # What `bulk_update` does in 12 seconds for 2,000 rows takes less than one so.
    Line.objects.bulk_create(lines, update_conflicts=True, unique_fields=["pk"], update_fields=fields, batch_size=500)


def _remember(batch: Batch, by: User) -> None:
    found, _ = Habit.objects.select_for_update(of=("self",)).get_or_create(owner=by)
    kept = words.habit(batch.header, batch.columns) | found.columns
    kept |= words.habit(batch.header, batch.columns)
    found.columns = dict(list(kept.items())[: Habit.MOST])
    # The day is another one the next time.
    found.fixed = {name: value for name, value in batch.fixed.items() if name != "seen_on"}
    found.save(update_fields=["columns", "fixed"])


def _held(batch: Batch, by: User) -> Batch:
    held: Batch | None = Batch.objects.of(by).select_for_update(of=("self",)).filter(pk=batch.pk).first()
    if held is None:
        raise ValidationError(pgettext("staff", "This list is not there any more. Send the file again."))
    return held


@transaction.atomic
def promise(batch: Batch, *, by: User, skips_refused: bool = False, ground: str = "", ground_words: str = "") -> Batch:
    """That the rows shall be imported; a second time changes nothing."""
    held = _held(batch, by)
    if held.state != State.CHECKED:
        return held
    counts = held.lines.counts()
    if not counts[Outcome.NEW] + counts[Outcome.SIGHTING]:
        raise ValidationError(pgettext("staff", "There is nothing to import."))
    if counts[Outcome.REFUSED] and not skips_refused:
        raise ValidationError(pgettext("staff", "Some rows cannot be imported. Leave them out, or mend the file."))
    if held.lines.warned().exists() and ground not in Ground:
        raise ValidationError(pgettext("staff", "Take it out, or say why it may stand there."))
    held.state, held.promised_at, held.attempts = State.PROMISED, timezone.now(), 0
    held.skips_refused, held.ground, held.ground_words = skips_refused, ground, ground_words
    held.save(update_fields=["state", "promised_at", "attempts", "skips_refused", "ground", "ground_words"])
    return held


class _OvertakenError(Exception):
    """Something has changed since its sender looked: these rows cannot be imported any more."""

    def __init__(self, lines: list[Line]) -> None:
        super().__init__(f"{len(lines)} rows")
        self.lines = lines


def work() -> int:
    """Carry out what is promised, one list after the other; how many that were. Any number of workers may."""
    return sum(carry_out(pk) for pk in Batch.objects.due().values_list("pk", flat=True))


def carry_out(pk: int) -> bool:
    """All rows of a promised list, or none of them. False when there is nothing to do, or another one is at it, or at
    another list: two that hold the same rows would both not know of the other. Then the next tick comes back to it.

    Whoever dies in the middle has done nothing, and the next one begins anew; three times, for what kills its worker
    would kill all of them.
    """
    with _alone() as is_alone:
        return is_alone and _carry_out_alone(pk)


@contextmanager
def _alone() -> Iterator[bool]:
    """Nobody waits: who has sent a short list must not stand behind a long one. Held by the connection and not by a
    transaction, of which there are several; it ends with the process, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [_LOCK])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [_LOCK])


def _carry_out_alone(pk: int) -> bool:
    if not _begun(pk):
        return False
    # Committed before the long part: while the rows are made everybody else can go on numbering rumors.
    numbers = rumors.take_numbers(Line.objects.to_be_done().filter(batch=pk, outcome=Outcome.NEW).count())
    try:
        with transaction.atomic():
            batch = (
                Batch.objects.select_for_update(of=("self",), skip_locked=True)
                .filter(pk=pk, state=State.PROMISED)
                .first()
            )
            if batch is None:
                return False
            with translation.override(batch.owner.language):
                _make(batch, numbers)
    except _OvertakenError as error:
        _hand_back(pk, error.lines)
        return False
    return True


@transaction.atomic
def _begun(pk: int) -> bool:
    batch = Batch.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, state=State.PROMISED).first()
    if batch is None:
        return False
    if not (batch.owner.is_active and batch.owner.has_perm("rumors.log")):
        batch.state = State.FORBIDDEN
    elif batch.attempts >= Batch.MOST_ATTEMPTS:
        log.error("import_given_up", batch=batch.pk, attempts=batch.attempts)
        batch.state = State.FAILED
    batch.attempts += 1
    batch.save(update_fields=["state", "attempts"])
    return bool(batch.state == State.PROMISED)


@transaction.atomic
def _hand_back(pk: int, lines: list[Line]) -> None:
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=pk)
    batch.state, batch.is_overtaken = State.CHECKED, True
    batch.save(update_fields=["state", "is_overtaken"])
    _save(lines, "outcome", "faults", "rumor", "follows")


def _make(batch: Batch, numbers: Iterable[Number]) -> None:
    lines = list(batch.lines.to_be_done())
    rules.place(lines, by=batch.owner)
    _stop_if_overtaken(batch, lines)
    made = _Making(batch, numbers)
    for done, line in enumerate(lines):
        made.make(line)
        if done % 20 == 0:
            _tell(batch, done)
    _stop_if_overtaken(batch, lines)
    Imported.objects.bulk_create(made.imported, batch_size=500)
    _save(lines, "outcome", "faults", "rumor")
    # Nothing of a row is kept beside what was made of it; those that are to be mended can still be had.
    batch.lines.exclude(outcome=Outcome.REFUSED).update(cells=[], values={}, masked=[], kinds=[], digest="")
    batch.state, batch.done_at = State.DONE, timezone.now()
    batch.save(update_fields=["state", "done_at"])
    counts = batch.lines.counts()
    said = ". ".join(f"{outcome.label}: {counts[outcome]}" for outcome in Outcome if counts[outcome])
    audit.record("import", batch, by=batch.owner, note=said)


def _stop_if_overtaken(batch: Batch, lines: list[Line]) -> None:
    refused = [line for line in lines if line.outcome == Outcome.REFUSED]
    if refused and not batch.skips_refused:
        raise _OvertakenError(refused)


class _Making:
    """Makes what rows say, and knows what the ones before have become."""

    def __init__(self, batch: Batch, numbers: Iterable[Number]) -> None:
        self.imported: list[Imported] = []
        self._numbers = iter(numbers)
        self._batch, self._by = batch, batch.owner
        self._begun: dict[int, Line] = {}
        self._topics = Topic.objects.in_bulk()

    def make(self, line: Line) -> None:
        if line.outcome not in {Outcome.NEW, Outcome.SIGHTING}:
            return
        try:
            with guard.excused(self._excuse(line)):
                sighting = self._new(line) if line.outcome == Outcome.NEW else self._sighting(line)
        except ValidationError as error:
            # Somebody has merged the rumor this very moment.
            line.outcome, line.faults = Outcome.REFUSED, error.messages
            return
        line.rumor = sighting.rumor
        self.imported.append(Imported(digest=line.digest, sighting=sighting))

    def _excuse(self, line: Line) -> Excuse | None:
        if not line.kinds:
            return None
        kinds = tuple(Kind(kind) for kind in line.kinds)
        return Excuse(kinds, Ground(self._batch.ground), self._batch.ground_words)

    def _new(self, line: Line) -> Sighting:
        topic = self._topics.get(line.values.get("topic") or 0)
        values = rules.of_the_rumor(line.values) | rules.of_the_sighting(line.values)
        # More rows can be new than were when the numbers were taken: these wait like everybody else.
        rumor = rumors.log(by=self._by, topic=topic, number=next(self._numbers, None), **values)
        self._begun[line.number] = line
        return rumor.sightings.select_related("rumor").get()

    def _sighting(self, line: Line) -> Sighting:
        rumor = self._begun[line.follows].rumor if line.follows else line.rumor
        assert rumor is not None
        language = line.values["original_language"]
        return rumors.sight(rumor, by=self._by, language=language, **rules.of_the_sighting(line.values))


# How far it is ---------------------------------------------------------------------------------------------------


def _tell(batch: Batch, number: int) -> None:
    """The transaction hides what it has done until its end: the page is told beside it."""
    with suppress(*CACHE_DOWN):  # then the page only says that it is under way
        cache.set(_key(batch), number, _PROGRESS_SECONDS)


def progress(batch: Batch) -> int:
    """How many rows of a list that is being imported are done; 0 when nobody knows."""
    try:
        return int(cache.get(_key(batch), 0))
    except CACHE_DOWN:
        return 0


def _key(batch: Batch) -> str:
    return f"import-{batch.pk}"


# And away --------------------------------------------------------------------------------------------------------


@transaction.atomic
def drop(batch: Batch, *, by: User) -> bool:
    """Throw a list away; what was imported stays. False when it is being imported just now, or gone."""
    held: Batch | None = (
        Batch.objects.of(by).select_for_update(of=("self",)).exclude(state=State.PROMISED).filter(pk=batch.pk).first()
    )
    if held is None:
        return False
    held.delete()
    return True


def purge(*, now: datetime) -> int:
    """Delete lists that were sent long ago, whatever became of them; how many those were."""
    _count, per_model = Batch.objects.expired(now).delete()
    return int(per_model.get("imports.Batch", 0))
