import errno
import hashlib
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction
from django.utils.translation import pgettext

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.pictures import encoding, pixels, storage, transport
from portal.pictures.models import Picture

log = structlog.get_logger(__name__)

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def keep(file: "File[bytes]", *, by: User) -> Picture:
    """A picture made anew from the pixels of what was sent; ValidationError, in one sentence, when there can be none.

    Until something refers to it, it lasts a day.
    """
    content = _content(file)
    transport.scan(content)
    encoded = encoding.encode(content)
    name = storage.new_name()
    try:
        storage.write(name, picture=encoded.content, preview=encoded.preview)
    except OSError as error:
        raise _not_kept(error) from None
    try:
        with transaction.atomic():
            picture: Picture = Picture.objects.create(
                name=name,
                kind=encoded.kind,
                sha256=hashlib.sha256(encoded.content).hexdigest(),
                sent_sha256=hashlib.sha256(content).hexdigest(),
                width=encoded.width,
                height=encoded.height,
                bytes=len(encoded.content),
                kept_by=by,
            )
            audit.record("keep_picture", picture, by=by)
    except BaseException:
        # If this fails as well, or a transaction around us does: a file without a row is found by `purge`.
        with suppress(OSError):
            storage.remove(name)
        raise
    return picture


def _content(file: "File[bytes]") -> bytes:
    """All of it, unless it says itself that it is too large, or is larger than it says."""
    if file.size > pixels.MOST_BYTES:
        raise encoding.too_large()
    file.seek(0)
    content: bytes = file.read(pixels.MOST_BYTES + 1)
    if len(content) > pixels.MOST_BYTES:
        raise encoding.too_large()
    return content


def _not_kept(error: OSError) -> ValidationError:
    log.error("picture_not_kept", error=errno.errorcode.get(error.errno or 0, ""))
    if error.errno in _FULL:
        sentence = pgettext(
            "staff",
            "There is no room left for pictures. Send the form without it, and tell those who run this site.",
        )
        return ValidationError(sentence, code="full")
    sentence = pgettext(
        "staff", "The picture could not be kept. Send the form without it, and tell those who run this site."
    )
    return ValidationError(sentence, code="not_kept")


@transaction.atomic
def remove(picture: Picture, *, by: User | None) -> bool:
    """The row, and once that is certain the files. False when another one has removed it already."""
    found: Picture | None = Picture.objects.select_for_update(of=("self",)).filter(pk=picture.pk).first()
    if found is None:
        return False
    _delete(found, "remove_picture", by=by)
    return True


def purge(*, now: datetime) -> int:
    """Remove pictures that nobody refers to, and files without a row; how many pictures that were."""
    swept = _sweep(now=now)  # before rows go, whose files stay until that is certain
    found = list(Picture.objects.orphans(now).values_list("pk", flat=True))
    return sum(_remove_orphan(pk, now=now) for pk in found) + swept


@transaction.atomic
def _remove_orphan(pk: int, *, now: datetime) -> bool:
    # Whoever refers to a row locks it; asked again behind our own lock, nobody does or can.
    locked: Picture | None = Picture.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    if locked is None or not Picture.objects.orphans(now).filter(pk=pk).exists():
        return False
    _delete(locked, "purge", by=None)
    return True


def _delete(picture: Picture, verb: str, *, by: User | None) -> None:
    audit.record(verb, picture, by=by)
    name = picture.name
    picture.delete()
    transaction.on_commit(partial(_remove_files, name))


def _remove_files(name: str) -> None:
    try:
        storage.remove(name)
    except OSError as error:
        log.error("picture_files_left", error=errno.errorcode.get(error.errno or 0, ""))


def _sweep(*, now: datetime) -> int:
    """Files whose row never came to be, or which could not be removed with it; how many pictures that were."""
    lost: set[str] = set()
    try:
        for names in storage.untouched_since((now - Picture.WAITS).timestamp()):
            lost |= names - set(Picture.objects.filter(name__in=names).values_list("name", flat=True))
    except OSError as error:
        _tell_not_swept(error)
    transaction.on_commit(partial(_remove_lost, lost))
    return len(lost)


def _remove_lost(names: set[str]) -> None:
    try:
        storage.close()
        for name in names:
            storage.remove(name)
    except OSError as error:
        _tell_not_swept(error)


def _tell_not_swept(error: OSError) -> None:
    log.error("pictures_not_swept", error=errno.errorcode.get(error.errno or 0, ""))
