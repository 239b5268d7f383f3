import errno
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Lower
from django.utils import timezone, translation
from django.utils.translation import npgettext, pgettext

from portal import guard
from portal.accounts.models import User
from portal.audit import actions as audit
from rumors.exports import documents, rules, storage
from rumors.exports.documents import Reader
from rumors.exports.models import Export, State
from rumors.exports.words import FEWEST_IN_A_DISTRICT, Kind, Level, What, allowed
from rumors.models import Rumor, Sighting

log = structlog.get_logger(__name__)

_CHUNK: Final = 500
_DAY: Final = 86400
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@transaction.atomic
def order(
    *,
    what: str,
    kind: str,
    level: int,
    columns: Sequence[str],
    query: str,
    form_id: UUID,
    by: User,
    with_secret: bool = False,
) -> Export:
    """That a file shall be made; the one that is ordered already when the same form comes again with the same choices:
    whoever goes back and chooses otherwise wants another file."""
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
    mine = Export.objects.of(by)
    choices = json.dumps([what, kind, level, sorted(columns), query, with_secret])
    form_id = uuid5(form_id, choices)
    sent_before: Export | None = mine.filter(form_id=form_id).first()
    if sent_before:
        return sent_before
    if not rules.may(by, level=level, with_secret=with_secret):
        raise ValidationError(pgettext("staff", "You may not export this."))
    if mine.count() >= Export.MOST:
        raise ValidationError(pgettext("staff", "You have many exports. Delete one first."))
    made: Export = Export.objects.create(
        owner=by,
        form_id=form_id,
        what=what,
        kind=kind,
        level=level,
        columns=allowed(columns, level),
        query=query,
        with_secret=with_secret,
    )
    return made


# Made by a worker ------------------------------------------------------------------------------------------------


Filtered = Callable[[Export], tuple[Any, list[str]]]
"""The rumors that the filters leave, and these filters in words: read by a form, which stands above."""


class _LostError(Exception):
    """Somebody else has taken it over."""


def work(*, now: datetime, filtered: Filtered) -> int:
    """Make what is ordered, one after the other; how many those were. Any number of workers may."""
    return sum(make(pk, filtered=filtered) for pk in Export.objects.due(now).values_list("pk", flat=True))


def make(pk: int, *, filtered: Filtered) -> bool:
    """The file of an order. False when there is none to be made, or none can be.

    Whoever dies in the middle is not heard of for two minutes, and then the next one begins anew; three times, for
    what kills its worker would kill all of them.
    """
    export = _claimed(pk)
    if export is None:
        return False
    name = storage.new_name()
    try:
        path = storage.begin(name)
        with translation.override(export.owner.language):
            found, filters = filtered(export)
            _write(export, path, found)
            _finish(export, name, size=storage.finish(name), filters=filters)
    except BaseException as error:
        with suppress(OSError):
            storage.remove(name)
        if isinstance(error, OSError):
            return _give_up(export, error)
        if isinstance(error, _LostError):
            return False
        raise
    return True


@transaction.atomic
def _claimed(pk: int) -> Export | None:
    now = timezone.now()
    found: Export | None = (
        Export.objects.due(now).select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    )
    if found is None:
        return None
    found.attempts += 1
    if not rules.may_have(found.owner, found):
        found.state = State.REFUSED
    elif found.attempts > Export.MOST_ATTEMPTS:
        log.error("export_given_up", export=found.pk)
        found.state = State.FAILED
    else:
        found.state, found.claimed_until = State.MAKING, now + Export.LEASE
    found.rows_count = found.done_count = found.found_count = 0
    found.save()
    return found if found.state == State.MAKING else None


def _held(export: Export) -> Any:
    """Nobody else has taken it over since."""
    return Export.objects.filter(pk=export.pk, state=State.MAKING, attempts=export.attempts)


def _still(export: Export, **values: Any) -> None:
    if not _held(export).update(claimed_until=timezone.now() + Export.LEASE, **values):
        raise _LostError


@transaction.atomic
def _finish(export: Export, name: str, *, size: int, filters: list[str]) -> None:
    _still(export, state=State.MADE, made_at=timezone.now(), name=name, bytes=size)
    audit.record("export", export, by=export.owner, note=said(export, filters))


def _give_up(export: Export, error: OSError) -> bool:
    log.error("export_not_kept", export=export.pk, error=errno.errorcode.get(error.errno or 0, ""))
    _held(export).update(state=State.FULL if error.errno in _FULL else State.FAILED)
    return False


def said(export: Export, filters: list[str]) -> str:
    """What it is, in words, for the log: no value of it, and nothing that the guard finds in the filters."""
    parts = [
        str(What(export.what).label).partition(":")[0],
        str(Kind(export.kind).label).partition(":")[0],
        str(Level(export.level).label),
        npgettext("staff", "%(number)d row", "%(number)d rows", export.rows_count) % {"number": export.rows_count},
        *([pgettext("staff", "with secret ones and threats")] if export.with_secret else []),
        *(filters or [pgettext("staff", "without filters")]),
    ]
    text = ". ".join(parts)
    return guard.masked(text, guard.find(text))


def _write(export: Export, path: Path, found: Any) -> None:
    export.of_count = found.count()
    reader = Reader(export, districts=_districts() if export.level == Level.OTHERS else ())
    with documents.written(path, export, reader) as file:
        for chunk in _chunks(found):
            _still(export, of_count=export.of_count, done_count=export.done_count)
            sightings = _sightings(export, chunk)
            for rumor in chunk:
                own = sightings.get(rumor.pk, [])
                file.write(reader.of(rumor), map(reader.of, own))
                if rumor.is_secret or any(sighting.is_threat for sighting in own):
                    audit.record("read", rumor, by=export.owner)
            export.done_count += len(chunk)
    export.rows_count, export.found_count = file.rows, reader.found
    _still(export, done_count=export.done_count, rows_count=export.rows_count, found_count=export.found_count)


def _chunks(found: Any) -> Iterator[list[Rumor]]:
    """By their keys, a few hundred at a time: no cursor stays open, and memory does not grow."""
    ordered = (
        found.as_rows().select_related("topic", "same_as", "assignee", "logged_by").prefetch_related("narratives")
    ).order_by("pk")
    chunk = list(ordered[:_CHUNK])
    while chunk:
        yield chunk
        chunk = list(ordered.filter(pk__gt=chunk[-1].pk)[:_CHUNK])


def _sightings(export: Export, chunk: list[Rumor]) -> dict[int, list[Sighting]]:
    if export.what == What.RUMORS and export.kind != Kind.JSON:
        return {}
    found = Sighting.objects.visible_to(export.owner).filter(rumor__in=chunk).select_related("logged_by")
    if not export.with_secret:
        found = found.filter(is_threat=False)
    ordered = found.order_by("rumor_id", "seen_on", "pk")
    return {pk: list(own) for pk, own in groupby(ordered, key=lambda sighting: int(sighting.rumor_id))}


def _districts() -> set[str]:
    """Those in which so much was heard that naming one points at nobody."""
    heard = Sighting.objects.filter(is_threat=False, rumor__in=Rumor.objects.countable()).exclude(area="")
    counted = heard.order_by().annotate(lower=Lower("area")).values("lower").annotate(number=Count("pk"))
    return set(counted.filter(number__gte=FEWEST_IN_A_DISTRICT).values_list("lower", flat=True))


# And away --------------------------------------------------------------------------------------------------------


@transaction.atomic
def tell_download(export: Export, *, filters: list[str], by: User) -> None:
    """Each time that it is taken is logged."""
    audit.record("download", export, by=by, note=said(export, filters))


@transaction.atomic
def forget(export: Export, *, by: User) -> bool:
    """The row, and once that is certain the file; False when it is gone already."""
    found: Export | None = Export.objects.of(by).select_for_update(of=("self",)).filter(pk=export.pk).first()
    if found is None:
        return False
    _delete(found)
    return True


def _delete(export: Export) -> None:
    name = export.name
    export.delete()
    if name:
        transaction.on_commit(partial(_remove_file, name))


def _remove_file(name: str) -> None:
    try:
        storage.remove(name)
    except OSError as error:
        log.error("export_file_left", error=errno.errorcode.get(error.errno or 0, ""))


def purge(*, now: datetime) -> int:
    """Delete exports after a week, and files without a row; how many exports those were."""
    _sweep(now=now)  # before rows go, whose files stay until that is certain
    purged = 0
    for pk in Export.objects.expired(now).values_list("pk", flat=True):
        with transaction.atomic():
            found = Export.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
            if found is not None:
                _delete(found)
                purged += 1
    return purged


def _sweep(*, now: datetime) -> None:
    old: list[Path] = []
    try:
        old.extend(storage.untouched_since(now.timestamp() - _DAY))
    except OSError as error:
        _tell_not_swept(error)
    has_row = set(Export.objects.filter(name__in=[path.name for path in old]).values_list("name", flat=True))
    transaction.on_commit(partial(_remove_lost, [path for path in old if path.name not in has_row]))


def _remove_lost(paths: list[Path]) -> None:
    try:
        storage.close()
        for path in paths:
            storage.sweep(path)
    except OSError as error:
        _tell_not_swept(error)


def _tell_not_swept(error: OSError) -> None:
    log.error("exports_not_swept", error=errno.errorcode.get(error.errno or 0, ""))
