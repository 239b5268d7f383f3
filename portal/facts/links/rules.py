"""Which addresses may be opened, and what follows from an answer."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.utils.timezone import localdate

from portal.facts.links.models import CheckedLink, Problem, State

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What nobody on the Internet has, whatever the running version of Python knows of it (IANA's registries of addresses
# for special purposes), what carries an IPv4 address inside, and the one by which a cloud talks to its own machines.
_INNER: Final = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
_OUTER: Final = ipaddress.ip_network("2000::/3")
"""The part of IPv6 that is given out at all."""
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMERIC: Final = re.compile(r"(\d+|0x[0-9a-f]*)\.?")

_PORTS: Final = {"http": 80, "https": 443}

WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)


def is_public(address: Address) -> bool:
    """Whether everybody on the Internet would reach the same machine under it."""
    if isinstance(address, ipaddress.IPv6Address) and (address not in _OUTER or address.scope_id):
        return False
    return address.is_global and not any(address in block for block in _INNER)


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart, ready to be asked for: ASCII only."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str) -> Target | None:
    """None for what is no plain web address. Whoever may read it in two ways is not let in by either."""
    if any(letter <= " " or letter in "\\\x7f" for letter in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or "@" in parts.netloc or not parts.hostname:
        return None
    host = _host(parts.hostname, in_brackets="[" in parts.netloc)
    if host is None:
        return None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]") if parts.query else ""
    return Target(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, path + query)


def _host(name: str, *, in_brackets: bool) -> str | None:
    try:
        if in_brackets:
            address = ipaddress.IPv6Address(name)
            # "fe80::1%eth0" names a network card of ours.
            return None if address.scope_id else str(address)
        name = name.encode("idna").decode("ascii").lower()
        if _NUMERIC.fullmatch(name.rstrip(".").rpartition(".")[2]):
            # 127.1, 0177.0.0.1 and 2130706433 are 127.0.0.1 to some and something else to others.
            return str(ipaddress.IPv4Address(name))
    except ValueError:
        return None
    return name if _HOST.fullmatch(name) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check."""

    status: int = 0
    problem: Problem | None = None
    moved_to: str = ""


def problem_of(status: int) -> Problem | None:
    """What the last status code of a chain means; a range that is not there (416) is one of a page that is."""
    if 200 <= status < 300 or status in {304, 416}:
        return None
    if status in {404, 410}:
        return Problem.NOT_FOUND
    if status in {401, 403, 405, 406, 407, 429, 451}:
        return Problem.TURNED_AWAY
    return Problem.SERVER if status >= 400 else Problem.BAD_ANSWER


_NO_FAULT: Final = {
    Problem.TURNED_AWAY: State.UNKNOWN,
    Problem.ADDRESS: State.BLOCKED,
    Problem.PRIVATE: State.BLOCKED,
}


SILENT: Final = frozenset({Problem.NO_HOST, Problem.NO_ANSWER})
"""What also happens while our own way out is down."""


def after(link: CheckedLink, outcome: Outcome, now: datetime, *, is_online: bool) -> dict[str, Any]:
    """The fields of a link that was checked. It is broken when it failed on two days: sites have bad hours.

    `is_online`: some other site has answered since it began to fail.
    """
    values = {"status_code": outcome.status, "last_error": outcome.problem or "", "checked_at": now}
    if outcome.problem and outcome.problem not in _NO_FAULT:
        since = link.failing_since or now
        is_proven = is_online or outcome.problem not in SILENT
        state = State.BROKEN if is_proven and localdate(since) < localdate(now) else State.FAILING
        return values | _standing(state, now + DAY, failing_since=since, failures=link.failures + 1)
    if outcome.problem:
        return values | _standing(_NO_FAULT[outcome.problem], now + WEEK)
    if outcome.moved_to and len(outcome.moved_to) <= CheckedLink.LONGEST:
        return values | _standing(State.MOVED, now + WEEK, moved_to=outcome.moved_to)
    return values | _standing(State.WORKS, now + WEEK)


def _standing(
    state: State,
    next_check_at: datetime,
    *,
    failing_since: datetime | None = None,
    failures: int = 0,
    moved_to: str = "",
) -> dict[str, Any]:
    return {
        "state": state,
        "next_check_at": next_check_at,
        "failing_since": failing_since,
        "failures": failures,
        "moved_to": moved_to,
    }
