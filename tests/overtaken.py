"""Two at once, in an order that does not depend on luck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction


def overtaken(first: Callable[[], Any], then: Callable[[], Any]) -> Any:
    """What `then` gives or raises, which began while the transaction of `first` was open, and went on when that was
    committed. For tests with `transaction=True`."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            second = pool.submit(closing, then)
            while not is_waited_for() and not second.done():
                pass
        return second.result(20)


def closing(act: Callable[..., Any], *args: Any) -> Any:
    """In a thread of its own, whose connection nobody else closes."""
    try:
        return act(*args)
    finally:
        connection.close()


def is_waited_for() -> bool:
    """Whether somebody waits for what this connection holds."""
    with connection.cursor() as cursor:
        # Not pg_stat_activity, which shows a transaction the same picture all the time.
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
        return cursor.fetchone() is not None
