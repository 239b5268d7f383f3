import ipaddress
import socket
import threading
from collections import Counter

import pytest

from portal.facts.links.transport import Fetcher

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def status(code, *headers):
    lines = [f"HTTP/1.1 {code} Said", *headers, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode("latin-1")


class Site:
    """A real web server that says exactly what a test wants: bytes by "/path" or "METHOD /path", or a function that
    gets the connection. What it does not know is 404."""

    def __init__(self, host="127.0.0.1", tls=None):
        self.answers = {}
        self.requests = []
        self.heads = []
        self.connections = 0
        self.tls = tls
        self.is_over = threading.Event()
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def url(self, path="/", host="law.example", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    def counted(self):
        return Counter(self.requests)

    def close(self):
        self.is_over.set()
        # Wakes the accept.
        socket.create_connection(self.listener.getsockname()).close()
        for thread in self.threads:
            thread.join(10)
        self.listener.close()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            if self.is_over.is_set():
                connection.close()
                return
            self.connections += 1
            self.threads.append(threading.Thread(target=self._serve, args=[connection], daemon=True))
            self.threads[-1].start()

    def _serve(self, plain):
        connection = plain
        try:
            plain.settimeout(10)
            if self.tls:
                connection = self.tls.wrap_socket(plain, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := connection.recv(4096)):
                    return
                head += piece
            line, _, rest = head.decode("ascii").partition("\r\n")
            method, path, _version = line.split(" ")
            self.requests.append(f"{method} {path}")
            self.heads.append(rest)
            answer = self.answers.get(f"{method} {path}", self.answers.get(path, status(404)))
            answer(connection) if callable(answer) else connection.sendall(answer)
        except OSError:
            pass  # the other side went away, as it may
        finally:
            connection.close()


@pytest.fixture
def site():
    server = Site()
    yield server
    server.close()


@pytest.fixture
def inner():
    """A machine of the inner network, which nobody may be led to."""
    server = Site("127.0.0.2")
    yield server
    server.close()
    assert server.connections == 0


class Names:
    """A resolver with a table; each name gives one answer after the other and then the last one for ever."""

    def __init__(self, **table):
        self.table = table
        self.asked = []

    def __call__(self, host, _seconds):
        self.asked.append(host)
        answers = self.table.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def names():
    return Names(**{"law.example": [["127.0.0.1"]], "inside.example": [["127.0.0.2"]]})


@pytest.fixture
def fetcher(names):
    """Lets one address of loopback pass for the Internet, on every port."""

    def make(**parts):
        internet = ipaddress.IPv4Address("127.0.0.1")
        parts = {"look_up": names, "is_allowed": lambda address: address == internet, "ports": range(65536)} | parts
        return Fetcher(**parts)

    return make
