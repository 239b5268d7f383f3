"""`manage.py deliver`, killed at a point that is named: claim, fence or answer. No `except` and no `finally` runs."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command


def die_after(module: Any, name: str) -> None:
    original: Callable[..., Any] = getattr(module, name)

    def and_die(*args: Any, **options: Any) -> None:
        original(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, and_die)


if __name__ == "__main__":
    django.setup()
    from portal.mail import actions
    from portal.mail.transport import Connection

    points = {"claim": (actions, "claim"), "fence": (actions, "_fence"), "answer": (Connection, "send")}
    die_after(*points[sys.argv[1]])
    call_command("deliver")
