"""Asks whether there is a page under an address, and cannot be led into a network of our own.

Every address of a host is looked at before one of them is connected to, and it is that very one: a name that answers
differently a moment later changes nothing. Each redirect is a new address with the same rules. Nothing that was
answered is kept but the status and, of a redirect, where to.
"""

import http.client
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urljoin

from django.conf import settings

from portal.facts.links import rules
from portal.facts.links.models import Problem
from portal.facts.links.rules import Address, Outcome, Target

SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 1024
MOST_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
FOR_GOOD: Final = frozenset({301, 308})
_NO_SUCH_NAME: Final = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class NoPageError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def look_up(host: str, seconds: float) -> Collection[str]:
    """Every address of a host. In a thread, since the C library takes its own time."""
    answers: queue.SimpleQueue[Collection[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put([str(row[4][0]) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)])
        except OSError as error:
            answers.put(error)
        except UnicodeError:
            answers.put(socket.gaierror(socket.EAI_NONAME, "too long for a name"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


@dataclass(frozen=True, slots=True)
class Fetcher:
    """The defaults are what the site uses; tests, whose servers are on loopback, give their own."""

    look_up: Callable[[str, float], Collection[str]] = look_up
    is_allowed: Callable[[Address], bool] = rules.is_public
    ports: Collection[int] = (80, 443)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = SECONDS

    def fetch(self, url: str) -> Outcome:
        until = time.monotonic() + self.seconds
        moved_to, is_for_good = "", True
        try:
            for _ in range(1 + MOST_REDIRECTS):
                answer = self._ask(url, until)
                if not answer.location:
                    problem = rules.problem_of(answer.status)
                    return Outcome(answer.status, problem, "" if problem else moved_to)
                url = _joined(url, answer.location)
                is_for_good = is_for_good and answer.status in FOR_GOOD
                if is_for_good:
                    moved_to = url
        except NoPageError as error:
            return Outcome(problem=error.problem)
        return Outcome(problem=Problem.REDIRECTS)

    def _ask(self, url: str, until: float) -> "Answer":
        target = rules.target(url)
        if target is None or target.port not in self.ports:
            raise NoPageError(Problem.ADDRESS)
        addresses = self._addresses(target.host, until)
        answer = self._say("HEAD", target, addresses, until)
        if answer is None or (answer.status >= 400 and answer.status != 429):
            # Many sites know no HEAD, or answer it with anything.
            answer = self._say("GET", target, addresses, until)
        if answer is None:
            raise NoPageError(Problem.BAD_ANSWER)
        return answer

    def _addresses(self, host: str, until: float) -> list[Address]:
        """All of them are allowed, or none is used."""
        try:
            addresses = [ipaddress.ip_address(host)]
        except ValueError:
            try:
                addresses = [ipaddress.ip_address(found) for found in self.look_up(host, _left(until))]
            except OSError as error:
                is_unknown = isinstance(error, socket.gaierror) and error.errno in _NO_SUCH_NAME
                raise NoPageError(Problem.NO_HOST if is_unknown else Problem.NO_ANSWER) from None
        if not addresses:
            raise NoPageError(Problem.NO_HOST)
        if not all(self.is_allowed(address) for address in addresses):
            raise NoPageError(Problem.PRIVATE)
        return addresses

    def _say(self, method: str, target: Target, addresses: list[Address], until: float) -> "Answer | None":
        """The answer to one request; None when it cannot be understood."""
        try:
            with self._connected(target, addresses, until) as connection:
                connection.settimeout(_left(until))
                connection.sendall(_request(method, target))
                return _read(method, connection, until)
        except ssl.SSLError:
            raise NoPageError(Problem.TLS) from None
        except (http.client.HTTPException, _TooMuchError):
            return None
        except OSError:
            raise NoPageError(Problem.NO_ANSWER) from None

    def _connected(self, target: Target, addresses: list[Address], until: float) -> socket.socket:
        failure = OSError()
        for address in addresses:
            try:
                plain = socket.create_connection(
                    (str(address), target.port), timeout=min(CONNECT_SECONDS, _left(until))
                )
            except OSError as error:
                failure = error
                continue
            if target.scheme == "http":
                return plain
            try:
                plain.settimeout(_left(until))
                return self.tls.wrap_socket(plain, server_hostname=target.host)
            except BaseException:
                plain.close()
                raise
        raise failure


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise NoPageError(Problem.ADDRESS) from None


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _request(method: str, target: Target) -> bytes:
    lines = [
        f"{method} {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: Klarlagt-link-check (+{settings.PUBLIC_URL})",
        "Accept: */*",
        "Accept-Encoding: identity",
        *(["Range: bytes=0-1023"] if method == "GET" else []),
        "Connection: close",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii")


def _read(method: str, connection: socket.socket, until: float) -> Answer:
    """The status and where to; a body is never read."""
    source: Any = _Source(connection, until)
    response = http.client.HTTPResponse(source, method=method)
    try:
        response.begin()
        location = response.getheader("Location", "") if response.status in REDIRECTS else ""
        # Header bytes are latin-1 to the parser and mostly UTF-8 in fact; in an address they are written as %..
        return Answer(response.status, quote(location.strip().encode("latin-1"), safe="/%:@!$&'()*+,;=~-._?[]#"))
    finally:
        response.close()


class _TooMuchError(Exception):
    pass


class _Source(io.RawIOBase):
    """What a site says, until a moment and up to a number of bytes, however slowly it drips."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self._bytes = MOST_BYTES

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._bytes <= 0:
            raise _TooMuchError
        self._connection.settimeout(_left(self._until))
        count = self._connection.recv_into(buffer, min(len(buffer), self._bytes))
        self._bytes -= count
        return count
