"""Child processes that cannot outlive us, and a ledger that names them for the next start."""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from portal.local.place import LocalError, read_json

LOG_LIMIT = 5_000_000
PR_SET_PDEATHSIG = 1

if sys.platform != "linux":
    raise SystemExit(
        "The embedded servers need Linux: elsewhere set DATABASE_URL and REDIS_URL, or use docker compose."
    )
_prctl: Callable[..., int] = ctypes.CDLL(None).prctl


def die_with_parent(parent: int, how: signal.Signals) -> None:
    """Ask the kernel for a signal when the parent is gone, even by kill -9."""
    _prctl(PR_SET_PDEATHSIG, int(how))
    if os.getppid() != parent:  # it was gone before we asked
        os._exit(1)


def started_at(pid: int) -> str | None:
    """When a process started; with its number this is its identity, since numbers are given again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}"


@dataclass(frozen=True)
class User:
    """The unprivileged user that root's servers run as."""

    uid: int
    gid: int


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    how_to_stop: signal.Signals
    when_orphaned: signal.Signals

    def has_ended(self) -> bool:
        # WNOWAIT leaves a zombie behind, so the number stays taken until `stop` has cleared the group.
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def ask_to_stop(self) -> None:
        if not self.has_ended():
            self.process.send_signal(self.how_to_stop)

    def stop(self, patience: float = 10) -> int:
        """Wait for the end, then clear what is left of its group. The exit code as a shell gives it."""
        until = time.monotonic() + patience
        while not self.has_ended() and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        return code if code >= 0 else 128 - code

    def last_lines(self, count: int = 12) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-count:]
        except OSError:
            lines = []
        return "".join(f"\n    {line[:400]}" for line in lines)


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    user: User | None = None,
    how_to_stop: signal.Signals = signal.SIGTERM,
    when_orphaned: signal.Signals | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
) -> Child:
    """Start a child in a session of its own, with its output in a log, that ends when we end."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    when_orphaned = when_orphaned or how_to_stop
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - every command is our own
            command,
            stdin=stdin,
            stdout=output if stdout is None else stdout,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,
            pass_fds=pass_fds,
            **dying_with_us(when_orphaned),
            **as_user(user),
        )
    return Child(name, process, log, how_to_stop, when_orphaned)


def finished(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    words: str = "",
    cwd: Path | None = None,
    user: User | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with words for its standard input."""
    return subprocess.run(  # noqa: S603 - every command is our own
        command,
        input=words,
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        **dying_with_us(signal.SIGTERM),
        **as_user(user),
    )


def dying_with_us(how: signal.Signals) -> dict[str, Any]:
    """The argument of `subprocess` that ties a child to us. We have one thread, so Python may run before exec."""
    us = os.getpid()
    # It comes after the change of user, which would undo it.
    return {"preexec_fn": lambda: die_with_parent(us, how)}


def as_user(user: User | None) -> dict[str, Any]:
    """The arguments of `subprocess` that give up root for good."""
    return {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}


class Ledger:
    """A locked file that says who runs here. The lock ends with us; what we started may be found by the next start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, Any] = {}
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Become the one that runs it, after ending whatever an earlier one left behind."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        opened = os.fdopen(descriptor, "r+")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            opened.close()
            return False
        self._file = opened
        self._end_leftovers()
        self.write(keeper=[os.getpid(), started_at(os.getpid())], processes=[])
        return True

    def write(self, **facts: object) -> None:
        assert self._file
        self.facts |= facts
        self._file.seek(0)
        self._file.truncate()
        json.dump(self.facts, self._file)
        self._file.flush()

    def forget(self, fact: str) -> None:
        self.facts.pop(fact, None)
        self.write()

    def add(self, child: Child) -> None:
        pid = child.process.pid
        self.write(processes=[*self.facts["processes"], [child.name, pid, started_at(pid), int(child.when_orphaned)]])

    def read(self) -> dict[str, Any]:
        """What the one that runs it wrote; nothing when it is gone."""
        facts = read_json(self.path)
        pid, started = facts.get("keeper") or (0, "")
        return facts if started and started_at(pid) == started else {}

    def release(self) -> None:
        if self._file:
            self._file.seek(0)
            self._file.truncate()
            self._file.close()
            self._file = None

    def _end_leftovers(self) -> None:
        """They are ending already (see `die_with_parent`), so patience first."""
        for _name, pid, started, how in read_json(self.path).get("processes") or []:
            end_leftover(pid, started, signal.Signals(how))


def end_leftover(pid: int, started: str, how: signal.Signals, patience: float = 15) -> None:
    """End a process that is not our child, if it still is the one that is meant."""
    try:
        until = time.monotonic() + patience
        if started_at(pid) == started:
            os.kill(pid, how)
        while started_at(pid) == started:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise LocalError(f"Process {pid} of an earlier run belongs to another user: end it, then try again.") from None
