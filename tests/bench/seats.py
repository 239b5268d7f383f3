"""Many who register at once, through the server as a browser would."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

import time_machine
from django.utils import timezone

from portal.public import FAST_SECONDS, form_token
from tests.bench.load import Server

CLIENTS = 16


def forms(number: int) -> list[bytes]:
    """What so many people send, each from an address of their own and with a page they have had open for a while."""
    with time_machine.travel(timezone.now() - timedelta(seconds=FAST_SECONDS + 1)):
        tokens = [form_token("register") for _ in range(number)]
    common = {"language": "so", "party_size": "1", "interpreter": "", "access": "", "question": "", "website": ""}
    return [
        urlencode({"token": token, "name": f"P {place}", "email": f"p{place}@example.org", **common}).encode()
        for place, token in enumerate(tokens)
    ]


def post(server: Server, path: str, body: bytes, place: int) -> int:
    """The status of the answer to one form, on a connection of its own."""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"X-Forwarded-For: 10.0.{place // 250}.{place % 250 + 1}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        answer = connection.recv(65536)
    return int(answer.split(b" ", 2)[1])


def rush(server: Server, path: str, bodies: Sequence[bytes], *, clients: int = CLIENTS) -> tuple[Counter[int], float]:
    """How often which status came back, and how many forms a second were answered."""
    statuses: Counter[int] = Counter()
    waiting = list(enumerate(bodies))
    lock = threading.Lock()

    def client() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                place, body = waiting.pop()
            status = post(server, path, body, place)
            with lock:
                statuses[status] += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, len(bodies) / (time.monotonic() - began)
