"""Where pictures lie: `MEDIA_ROOT/pictures/ab/<name>`, for the site alone. No address of the web leads there.

Beside each lies `<name>.preview`, its small copy.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Final

from django.conf import settings

PREVIEW: Final = ".preview"
_UNFINISHED: Final = ".part"
_SUFFIXES: Final = ("", PREVIEW, _UNFINISHED, PREVIEW + _UNFINISHED)
_NAME: Final = re.compile(r"[0-9a-f]{32}")


def new_name() -> str:
    return token_hex(16)


def write(name: str, *, picture: bytes, preview: bytes) -> None:
    """Both files, or none and an OSError. When this returns they survive a power cut."""
    try:
        folder = _folder(name)
        private(folder.parent)
        private(folder)
        for suffix, content in ((PREVIEW, preview), ("", picture)):
            _put(folder / f"{name}{suffix}", content)
        settle(folder)
        settle(folder.parent)
    except BaseException:
        with suppress(OSError):
            remove(name)
        raise


def read(name: str, suffix: str = "") -> BinaryIO:
    """The open file; OSError when there is none."""
    return open(_folder(name) / f"{name}{suffix}", "rb", opener=not_through_a_link)


def remove(name: str) -> None:
    """What there is of it; nothing when another one was here first."""
    for suffix in _SUFFIXES:
        (_folder(name) / f"{name}{suffix}").unlink(missing_ok=True)


def close() -> None:
    """Let nobody else in, whatever a restored backup has left."""
    root = _root()
    if root.is_dir():
        private(root)


def untouched_since(moment: float) -> Iterator[set[str]]:
    """Folder by folder the names of pictures, no file of which has changed since."""
    root = _root()
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if folder.is_symlink() or not folder.is_dir():
            continue
        changed: dict[str, float] = {}
        for path in folder.iterdir():
            name = path.name[:32]
            if _NAME.fullmatch(name) and name[:2] == folder.name and path.name[32:] in _SUFFIXES:
                with suppress(FileNotFoundError):  # its worker has just finished it
                    changed[name] = max(changed.get(name, 0.0), path.lstat().st_mtime)
        yield {name for name, at in changed.items() if at < moment}


def _root() -> Path:
    return Path(settings.MEDIA_ROOT) / "pictures"


def _folder(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ValueError("This is no name of a picture.")
    return _root() / name[:2]


def private(folder: Path) -> None:
    """It is there, and nobody else may look into it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


def _put(target: Path, content: bytes) -> None:
    unfinished = target.with_name(target.name + _UNFINISHED)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)


def settle(folder: Path) -> None:
    """A new name in a folder is on the disk when the folder is."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def not_through_a_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
