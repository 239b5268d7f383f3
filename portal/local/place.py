"""Where everything lies: one checkout has one place, and a throwaway place lives for one command."""

import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
SENTENCE = 3
"""Exit code of `prepare` that says: standard output holds one sentence for a person."""


class LocalError(Exception):
    """What a person can mend. It reaches the terminal as this one sentence, without a traceback."""


@dataclass(frozen=True)
class Place:
    local: Path
    """What people look at: logs, mailbox, demo logins, backups."""
    services: Path
    """Data of the servers, their passwords, and who runs now."""
    media: Path
    throwaway: bool = False

    @property
    def logs(self) -> Path:
        return own_folder(self.local / "logs")

    @property
    def mailbox(self) -> Path:
        return own_folder(self.local / "mailbox")

    def secret(self, name: str) -> str:
        """A random word that is made once and kept for its owner only."""
        file = (self.local if name == "secret-key" else self.services) / name
        if not file.exists():
            with tempfile.NamedTemporaryFile("w", dir=file.parent) as made, suppress(FileExistsError):
                made.write(secrets.token_urlsafe(32))
                made.flush()
                os.link(made.name, file)  # appears whole, and never replaces the word another process has made
        return file.read_text()


def kept_place() -> Place:
    """The place of this checkout, or of the folder that KLARLAGT_LOCAL names."""
    local = Path(os.environ.get("KLARLAGT_LOCAL") or CHECKOUT / ".local").resolve()
    own_folder(local)
    if os.geteuid() != 0:
        return Place(local, local, local.parent / "media")
    # PostgreSQL refuses to run as root, and a checkout of root is often inside a folder that nobody else may enter
    # (/root itself). So root's servers get a folder of their own that an unprivileged user can reach.
    digest = hashlib.sha256(bytes(local)).hexdigest()[:16]
    return Place(local, Path("/var/lib") / f"klarlagt-{digest}", local.parent / "media")


@contextmanager
def throwaway_place() -> Iterator[Place]:
    """A place that nothing else uses and that is gone afterwards."""
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="klarlagt-", dir="/tmp" if root else None))  # noqa: S108
    if root:
        folder.chmod(0o711)
    try:
        yield Place(folder, folder, folder / "media", throwaway=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def own_folder(path: Path, mode: int = 0o700) -> Path:
    """Make a folder of our own. One that is there already keeps its permissions, and must be ours."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        found = path.lstat()
        if not path.is_dir() or path.is_symlink() or found.st_uid != os.geteuid():
            raise LocalError(f"{path} belongs to somebody else: move it away, or run as its owner.") from None
    except OSError as error:
        raise LocalError(f"{path} cannot be made ({error.strerror}): free the way, or move the checkout.") from None
    else:
        path.chmod(mode)  # whatever the umask was
    return path


def say(words: str) -> None:
    """To the terminal; what a person should read, and nothing else."""
    if words:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()


def read_env_file(path: Path) -> dict[str, str]:
    """KEY=VALUE lines as in .env.example; what the environment already says wins (see the caller)."""
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            values[name.strip()] = value[1:-1] if quoted else value
    return values


def read_json(path: Path) -> dict[str, Any]:
    """What the file says, or nothing when it is missing or half written."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
