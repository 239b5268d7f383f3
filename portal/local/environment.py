"""The environment that commands are given: the servers it names are up as long as it lasts."""

import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from portal.local import mailbox, postgres, valkey
from portal.local.place import CHECKOUT, LocalError, Place, own_folder, read_env_file, say
from portal.local.processes import Child, Ledger

Start = Callable[[Place, Ledger], tuple[Child, dict[str, str]]]


@dataclass
class Environment:
    variables: dict[str, str]
    children: list[Child] = field(default_factory=list)
    """The servers that we started ourselves."""


@contextmanager
def environment(place: Place, *, sink: bool = True, waits: bool = True) -> Iterator[Environment]:
    """Start what is not set from outside. With `waits`, the end waits for other commands that joined our servers."""
    given = dict(os.environ) if place.throwaway else read_env_file(CHECKOUT / ".env") | os.environ
    # A throwaway place never touches a server that somebody named for something else.
    servers: dict[str, tuple[str, Start]] = {
        "DATABASE_URL": ("postgres", postgres.start),
        "REDIS_URL": ("valkey", valkey.start),
        "EMAIL_URL": ("mailbox", mailbox.start),
    }
    missing = {name for name in servers if place.throwaway or not given.get(name)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        if name not in missing:
            require_answer(name, given[name])
    if not sink:
        missing.discard("EMAIL_URL")

    outside = {key: value for key, value in given.items() if key not in {"KLARLAGT_DEMO", "MAILBOX_DIR"}}
    bin_folder = str(Path(sys.executable).parent)
    with ExitStack() as stack:
        inside: dict[str, str] = {}
        children: list[Child] = []
        for name in [name for name in servers if name in missing]:
            variables, child = stack.enter_context(shared(*servers[name], place, waits=waits))
            inside |= variables
            children += [child] if child else []
        if "DATABASE_URL" in missing and not place.throwaway:
            inside["KLARLAGT_DEMO"] = "1"
        if place.throwaway:
            inside["MEDIA_ROOT"] = str(place.media)
        yield Environment(
            {
                "DJANGO_SETTINGS_MODULE": "portal.settings",
                "PUBLIC_URL": f"http://localhost:{given.get('PORT') or 8000}",
                "SECRET_KEY": place.secret("secret-key"),
                "MEDIA_ROOT": str(place.media),
                "LOG_FORMAT": "console",
                **{key: value for key, value in outside.items() if value},
                **inside,
                "KLARLAGT_LOCAL": str(place.local),
                "PATH": f"{bin_folder}{os.pathsep}{outside.get('PATH') or os.defpath}",
            },
            children,
        )


@contextmanager
def shared(name: str, start: Start, place: Place, *, waits: bool) -> Iterator[tuple[dict[str, str], Child | None]]:
    """Join the server that runs here already, or start it and stop it afterwards."""
    ledger = Ledger(own_folder(place.services, mode=0o711) / f"{name}.json")
    # Each user holds a lock on this file together with the others; the one that stops the server waits for them.
    with (place.services / f"{name}.users").open("a") as users:
        variables = join(ledger, users.fileno(), name)
        if variables is not None:
            yield variables, None
            return
        child = None
        try:
            child, variables = start(place, ledger)
            ledger.write(variables=variables)
            yield variables, child
            if waits:
                wait_for_users(users.fileno(), name)
        finally:
            ledger.forget("variables")  # from here on nobody joins
            if child is not None:
                child.ask_to_stop()
                child.stop()
            ledger.release()


def join(ledger: Ledger, users: int, name: str) -> dict[str, str] | None:
    """What another command's server is to be reached by; nothing when the ledger became ours, and with it the start."""
    until = time.monotonic() + 90
    while not ledger.take():
        fcntl.flock(users, fcntl.LOCK_SH)
        facts = ledger.read()
        if "variables" in facts:
            return dict(facts["variables"])
        fcntl.flock(users, fcntl.LOCK_UN)
        if time.monotonic() > until:
            raise LocalError(f"Another command has been starting {name} for too long: end it, then try again.")
        time.sleep(0.1)
    return None


def wait_for_users(lock: int, name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"Another command still uses {name}; it is stopped when that command ends.")
        fcntl.flock(lock, fcntl.LOCK_EX)


def require_answer(name: str, address: str) -> None:
    """One clear sentence instead of the traceback that a server which is down would cause later."""
    what, schemes, port = {
        "DATABASE_URL": ("database", {"postgres", "postgresql"}, 5432),
        "REDIS_URL": ("Valkey or Redis", {"redis", "rediss", "unix"}, 6379),
    }[name]
    try:
        parts = urlsplit(address)
        if parts.scheme not in schemes:
            raise ValueError
        host = unquote(parts.hostname or parse_qs(parts.query).get("host", [""])[0])
        port = parts.port or port
    except ValueError:
        raise LocalError(f"{name} is not an address of a {what}: see .env.example for its form.") from None
    path = parts.path if parts.scheme == "unix" else f"{host}/.s.PGSQL.{port}" if host.startswith("/") else ""
    try:
        if path:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
        else:
            socket.create_connection((host or "localhost", port), timeout=5).close()
    except OSError as error:
        where = path or f"{host or 'localhost'}:{port}"
        raise LocalError(
            f"The {what} at {where} does not answer ({error.strerror or error}): "
            f"start it, correct {name}, or unset {name} to use the embedded one."
        ) from None
