"""The cache: Valkey, and for what guards the sign-in the memory of the process while Valkey is away."""

import time
from typing import Any, Final

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

GUARDS: Final = ("allauth", "jwt:", "limit:")
"""Keys of allauth (failed sign-ins, used codes, used tokens), and of public forms (how much somebody has sent)."""
PAUSE_SECONDS: Final = 5


class OneClient(RedisCacheClient):
    """Django makes a new client for every call, and that takes three times as long as the call. There is one server."""

    _one: Any = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if self._one is None:
            self._one = super().get_client(key, write=True)
        return self._one


class LimitsCache(RedisCache):
    """Lets staff sign in and the public send forms while Valkey is down, and opens no door to guessing or floods.

    Each process then counts for itself: with two workers somebody gets at most twice the tries. Every other key
    fails as before, and its user decides what that means.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = OneClient
        self._spare = LocMemCache("limits", {})
        self._down_until = 0.0

    def add(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call("add", key, *args, **kwargs)

    def get(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call("get", key, *args, **kwargs)

    def set(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call("set", key, *args, **kwargs)

    def delete(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call("delete", key, *args, **kwargs)

    def incr(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._call("incr", key, *args, **kwargs)

    def _call(self, method: str, key: str, *args: Any, **kwargs: Any) -> Any:
        valkey = getattr(super(), method)
        if not key.startswith(GUARDS):
            return valkey(key, *args, **kwargs)
        # One sign-in asks a dozen times; only the first may wait for a server that does not answer.
        if time.monotonic() >= self._down_until:
            try:
                return valkey(key, *args, **kwargs)
            except (RedisError, OSError):
                self._down_until = time.monotonic() + PAUSE_SECONDS
                log.warning("limits_in_memory")
        return getattr(self._spare, method)(key, *args, **kwargs)
