"""Where exports lie: `MEDIA_ROOT/exports/ab/<name>`, for the site alone. No address of the web leads there."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

from portal.pictures.storage import new_name, not_through_a_link, private, settle

__all__ = ["begin", "close", "finish", "new_name", "read", "remove", "sweep", "untouched_since"]

_UNFINISHED: Final = ".part"
_NAME: Final = re.compile(r"[0-9a-f]{32}")


def begin(name: str) -> Path:
    """Where to write the file, empty and nobody else's; OSError when there is no room."""
    folder = _folder(name)
    private(folder.parent)
    private(folder)
    unfinished = folder / f"{name}{_UNFINISHED}"
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    return unfinished


def finish(name: str) -> int:
    """What was written is whole: it survives a power cut from now on. How many bytes it has."""
    folder = _folder(name)
    unfinished = folder / f"{name}{_UNFINISHED}"
    with open(unfinished, "rb+", opener=not_through_a_link) as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    unfinished.replace(folder / name)
    settle(folder)
    settle(folder.parent)
    return size


def read(name: str) -> BinaryIO:
    """The open file; OSError when there is none."""
    return open(_folder(name) / name, "rb", opener=not_through_a_link)


def remove(name: str) -> None:
    """What there is of it."""
    for suffix in ("", _UNFINISHED):
        (_folder(name) / f"{name}{suffix}").unlink(missing_ok=True)


def close() -> None:
    """Let nobody else in, whatever a restored backup has left."""
    root = _root()
    if root.is_dir():
        private(root)


def untouched_since(moment: float) -> Iterator[Path]:
    """Files, and folders of parts, that nobody has written to since, whatever they are called."""
    root = _root()
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if folder.is_symlink() or not folder.is_dir():
            continue
        for path in folder.iterdir():
            with suppress(FileNotFoundError):  # its worker has just finished it
                if path.lstat().st_mtime < moment:
                    yield path


def sweep(path: Path) -> None:
    """What `untouched_since` has found."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _root() -> Path:
    return Path(settings.MEDIA_ROOT) / "exports"


def _folder(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ValueError("This is no name of an export.")
    return _root() / name[:2]
