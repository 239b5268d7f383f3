"""Counts in Valkey, in one round trip each: a request that is counted writes no row.

There are two hashes for each purpose: one that is counted in, and one that was taken away to be kept and carries the
number of its batch. It stays until it is dropped, so whoever dies in between leaves it to the next one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.cache import cache
from django.utils.timezone import localdate
from redis.exceptions import RedisError

MOST: Final = 10_000
"""Different things that are counted between two ticks: what strangers type must not fill the memory."""
SECONDS: Final = 7 * 86400
"""Everything in Valkey expires, and what would soonest is thrown out first when memory is short: this hardly ever."""
_NUMBER: Final = b""
"""The field of a batch that holds its number."""

_ADD: Final = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
    redis.call('EXPIRE', KEYS[1], ARGV[3])
end
"""
_TAKE: Final = """
if redis.call('EXISTS', KEYS[2]) == 0 then
    if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[2], '', ARGV[1])
end
redis.call('EXPIRE', KEYS[2], ARGV[2])
return redis.call('HGETALL', KEYS[2])
"""
_DROP: Final = """
if redis.call('HGET', KEYS[1], '') == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


@dataclass(frozen=True, slots=True)
class Count:
    day: date
    what: list[Any]
    times: int


def add(purpose: str, *what: str | int) -> None:
    """Count `what`, today. Never raises: without Valkey, or with too much in it, nothing is counted."""
    field = json.dumps([localdate().isoformat(), *what], ensure_ascii=False)
    try:
        _run(_ADD, [_counted(purpose)], field, MOST, SECONDS)
    except (RedisError, OSError):
        return


def take(purpose: str) -> tuple[UUID | None, Sequence[Count]]:
    """The batch that waits to be kept, the same one until it is dropped; else all that was counted since, as one."""
    flat = _run(_TAKE, [_counted(purpose), _taken(purpose)], str(uuid4()), SECONDS)
    batch = dict(zip(flat[::2], flat[1::2], strict=True))
    if not batch:
        return None, []
    number = UUID(batch.pop(_NUMBER).decode())
    rows = [(json.loads(field), int(times)) for field, times in batch.items()]
    return number, [Count(date.fromisoformat(day), what, times) for (day, *what), times in rows]


def drop(purpose: str, number: UUID) -> None:
    """Its counts are kept. Leaves a later batch alone."""
    _run(_DROP, [_taken(purpose)], str(number))


def _counted(purpose: str) -> str:
    return cache.make_key(f"tally:{purpose}")


def _taken(purpose: str) -> str:
    return cache.make_key(f"tally:{purpose}:taken")


def _run(script: str, keys: Sequence[str], *arguments: str | int) -> Any:
    # The cache's own connections: with its timeouts, and in a test its database.
    client = cache._cache.get_client(write=True)  # type: ignore[attr-defined]
    return client.eval(script, len(keys), *keys, *arguments)
