"""The local commands; see `--help`."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import FrameType

from portal.local import backup
from portal.local.environment import environment
from portal.local.place import LocalError, kept_place, throwaway_place
from portal.local.processes import die_with_parent, dying_with_us
from portal.local.run import run, setup

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal asked us to end; on its way up it stops whatever was started."""


def stop(number: int, _frame: FrameType | None) -> None:
    for each in SIGNALS:  # one is enough: a second must not interrupt the stopping
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


def execute(command: Sequence[str], *, fresh: bool, sink: bool) -> int:
    """Run a command with the servers up and pass on its exit code."""
    with (
        throwaway_place() if fresh else nullcontext(kept_place()) as place,
        environment(place, sink=sink) as around,
    ):
        try:
            # In our own group, so that it may use the terminal.
            process = subprocess.Popen(command, env=around.variables, **dying_with_us(signal.SIGTERM))  # noqa: S603 - as asked
        except OSError as error:
            raise LocalError(f"{command[0]} cannot be started ({error.strerror}): see that it is installed.") from None
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: pass_on(process, number))
        code = process.wait()
        for number in SIGNALS:
            signal.signal(number, stop)
    return code if code >= 0 else 128 - code


def pass_on(process: subprocess.Popen[bytes], number: int) -> None:
    if number != signal.SIGINT or not has_the_terminal():  # Ctrl-C reaches the whole group by itself
        process.send_signal(number)


def has_the_terminal() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portal.local", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    commands.add_parser("run", help="web, worker and beat, until Ctrl-C")
    commands.add_parser("setup", help="the servers and their content made ready, without the site")
    execution = commands.add_parser("exec", help="a command with PostgreSQL and Valkey up")
    execution.add_argument("--fresh", action="store_true", help="with servers that are thrown away afterwards")
    execution.add_argument("command", nargs="+")
    tests = commands.add_parser("test", help="pytest with servers that are thrown away afterwards")
    tests.add_argument("arguments", nargs="*")
    saving = commands.add_parser("backup", help="database and media into one file")
    saving.add_argument("file", nargs="?", type=Path)
    restoring = commands.add_parser("restore", help="such a file into an empty place")
    restoring.add_argument("file", type=Path)
    return parser.parse_args(arguments)


def main() -> int:
    if "MAKELEVEL" in os.environ:  # so that a kill -9 of make leaves nothing behind either
        die_with_parent(os.getppid(), signal.SIGTERM)
    for number in SIGNALS:
        signal.signal(number, stop)
    chosen = parsed(None)
    try:
        match chosen.name:
            case "run":
                run()
            case "setup":
                setup()
            case "exec":
                return execute(chosen.command, fresh=chosen.fresh, sink=True)
            case "test":
                return execute([sys.executable, "-m", "pytest", *chosen.arguments], fresh=True, sink=False)
            case "backup":
                backup.backup(chosen.file)
            case "restore":
                backup.restore(chosen.file)
    except LocalError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except Stopped as stopped:
        return 0 if chosen.name == "run" else 128 + int(stopped.args[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
