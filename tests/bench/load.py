"""Servers to measure and clients to measure with."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLIENTS = 8
ROUNDS = 5


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Server:
    """gunicorn with two workers, as `make run` starts it."""

    def __init__(self, app: str, path: str, **environment: str) -> None:
        self.port, self.path = free_port(), path
        command = [sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{self.port}", "--workers", "2"]
        command += ["--worker-class", "gthread", "--threads", "4", "--no-control-socket", "--log-level", "error"]
        self.process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                fetch(self.port, path)
                break
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(20)


@contextmanager
def serving(*servers: Server) -> Iterator[None]:
    try:
        yield
    finally:
        for server in servers:
            server.stop()


def fetch(port: int, path: str, *headers: str) -> bytes:
    """One request on a connection of its own; the whole answer, head included."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", "Accept-Encoding: gzip", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    answer = b"".join(parts)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise AssertionError(answer[:200])
    return answer


def burst(server: Server, seconds: float) -> tuple[float, float]:
    """Requests per second and CPU seconds per request of the server, under eight clients."""
    counts = [0] * CLIENTS
    ends_at = time.monotonic() + seconds

    def client(number: int) -> None:
        while time.monotonic() < ends_at:
            fetch(server.port, server.path)
            counts[number] += 1

    before, began = server.cpu_seconds(), time.monotonic()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, total = time.monotonic() - began, sum(counts)
    return total / took, (server.cpu_seconds() - before) / total


def compare(server: Server, bare: Server, seconds: float = 3.0) -> dict[str, float]:
    """Medians over the rounds, in turn: rates, CPU per request in ms, and the ratios round by round."""
    burst(server, 1), burst(bare, 1)
    rows = [(*burst(server, seconds), *burst(bare, seconds)) for _ in range(ROUNDS)]
    return {
        "rate": statistics.median(r[0] for r in rows),
        "bare_rate": statistics.median(r[2] for r in rows),
        "rate_ratio": statistics.median(r[0] / r[2] for r in rows),
        "cpu_ms": statistics.median(r[1] for r in rows) * 1000,
        "bare_cpu_ms": statistics.median(r[3] for r in rows) * 1000,
        "cpu_ratio": statistics.median(r[1] / r[3] for r in rows),
    }
