"""`make run`: web, worker and beat under one parent, which is this process."""

import http.client
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from portal.local.environment import environment
from portal.local.place import CHECKOUT, SENTENCE, LocalError, Place, kept_place, read_env_file, say
from portal.local.processes import Child, Ledger, spawn

ACCESS_FORMAT = "access %(s)s %(m)s %(U)s"


@dataclass
class Site:
    place: Place
    ledger: Ledger
    variables: dict[str, str]
    children: list[Child] = field(default_factory=list)

    def start(
        self, name: str, *command: str, stdout: int | None = None, when_orphaned: signal.Signals | None = None
    ) -> Child:
        child = spawn(
            name,
            [sys.executable, "-m", *command],
            log=self.place.logs / f"{name}.log",
            env=self.variables,
            cwd=CHECKOUT,
            stdout=stdout,
            when_orphaned=when_orphaned,
        )
        self.children.append(child)
        self.ledger.add(child)
        return child

    def prepare(self) -> str:
        """Database, content and static files; what is to be told about the demo logins."""
        say("Preparing database, content and static files ...")
        child = self.start("prepare", "portal.local.prepare", stdout=subprocess.PIPE)
        assert child.process.stdout
        said = child.process.stdout.read().decode(errors="replace").strip()
        code = child.stop()
        self.children.remove(child)
        if code == SENTENCE:
            raise LocalError(said)
        if code:
            raise LocalError(f"Preparing failed; its last words ({child.log}):{child.last_lines()}")
        return said

    def stop(self) -> None:
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.stop(patience=6)


def run() -> None:
    place = kept_place()
    port = chosen_port()
    ledger = Ledger(place.local / "run.json")
    become_the_only_run(ledger, f"http://localhost:{port}")
    with ExitStack() as stack:
        stack.callback(ledger.release)
        require_free_port(port)
        around = stack.enter_context(environment(place, waits=False))
        site = Site(place, ledger, around.variables)
        stack.callback(site.stop)
        bring_up(site, port, around.children)


def setup() -> None:
    place = kept_place()
    ledger = Ledger(place.local / "setup.json")
    if not ledger.take():
        raise LocalError("Another setup is running here: wait for its end.")
    with ExitStack() as stack:
        stack.callback(ledger.release)
        around = stack.enter_context(environment(place))
        site = Site(place, ledger, around.variables)
        stack.callback(site.stop)
        site.prepare()
    say("Everything is ready: `make run` starts the site.")


def bring_up(site: Site, port: int, servers: list[Child]) -> None:
    logins = site.prepare()
    web = site.start("web", *gunicorn(port), stdout=subprocess.PIPE)
    wait_until_it_answers(port, [*servers, web])
    worker = ("celery", "-A", "portal", "worker", "-c", "2", "--without-gossip", "--without-mingle")
    # With nobody left to lose patience, SIGTERM would wait for running tasks and for a broker that is gone.
    site.start("worker", *worker, when_orphaned=signal.SIGKILL)
    site.start("beat", "celery", "-A", "portal.beat", "beat", "-s", str(site.place.local / "beat-schedule"))
    say(logins)
    say(f"http://localhost:{port} is up (logs in {site.place.logs}). Ctrl-C ends it.")
    watch(web, [*servers, *site.children])


def gunicorn(port: int) -> list[str]:
    return [
        "gunicorn",
        "portal.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--worker-class=gthread",
        "--workers=2",
        "--threads=4",
        "--preload",  # the workers share the memory of what is loaded before they are made
        "--config=python:portal.local.web",
        "--no-control-socket",
        "--forwarded-allow-ips=127.0.0.1",
        # Else a stranger's SCRIPT_NAME becomes part of every link of a page that is then kept for others.
        "--forwarder-headers=X-NONE",
        "--log-level=error",  # its warnings name the addresses of readers
        "--graceful-timeout=5",
        "--access-logfile=-",
        f"--access-logformat={ACCESS_FORMAT}",
    ]


def chosen_port() -> int:
    port = os.environ.get("PORT") or read_env_file(CHECKOUT / ".env").get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise LocalError(f"PORT={port} is no port: choose a number from 1024 to 65535.")
    return int(port)


def become_the_only_run(ledger: Ledger, address: str) -> None:
    until = time.monotonic() + 20
    while not ledger.take():
        # One that is stopping says nothing about an address any more and is gone in a moment.
        if "address" in (facts := ledger.read()):
            raise LocalError(f"It is already running at {facts['address']} (process {facts['keeper'][0]}).")
        if time.monotonic() > until:
            raise LocalError("An earlier run is still stopping: wait a moment, then try again.")
        time.sleep(0.1)
    ledger.write(address=address)


def require_free_port(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except PermissionError:
        raise LocalError(f"Port {port} is for root only: choose another with PORT={port + 8000} make run.") from None
    except OSError:
        raise LocalError(
            f"Port {port} is taken by another program: end it, or choose another with PORT={port + 1} make run."
        ) from None


def wait_until_it_answers(port: int, watched: list[Child], patience: float = 60) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        require_alive(watched)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise LocalError(
        f"/healthz does not answer with 200; last words of web ({watched[-1].log}):{watched[-1].last_lines()}"
    )


def watch(web: Child, watched: list[Child]) -> None:
    """Until a signal ends it, or one of the children does."""
    assert web.process.stdout
    unread = b""
    while True:
        require_alive(watched)
        if select.select([web.process.stdout], [], [], 0.5)[0]:
            *lines, unread = (unread + os.read(web.process.stdout.fileno(), 65536)).split(b"\n")
            with web.log.open("ab") as log:
                for line in lines:
                    report(line, log, web)


def report(line: bytes, log: BinaryIO, web: Child) -> None:
    """Server errors reach the terminal in one calm line; addresses stay out of the log."""
    access = re.fullmatch(rb"access (\d+) (\S+) (.*)", line)
    if not access:
        log.write(line + b"\n")
    elif access[1] >= b"500":
        status, method, path = (part.decode(errors="replace") for part in access.groups())
        path = re.sub(r"[^/]{20,}", "...", path)  # as long as the secret of a secret link
        say(f"{status} for {method} {path} (what happened: {web.log})")


def require_alive(watched: list[Child]) -> None:
    for child in watched:
        if child.has_ended():
            raise LocalError(f"{child.name} has ended, so all stops; its last words ({child.log}):{child.last_lines()}")
