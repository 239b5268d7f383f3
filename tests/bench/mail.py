"""Ten thousand reminders that are due at once."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Max, Min
from django.utils import timezone

from events.reminders import actions as reminders
from portal.local.valkey import free_port
from portal.mail.models import Delivery, State
from tests import factories

MESSAGES = 10_000


LEAD = timedelta(seconds=20)
"""In which everybody registers before the reminder is due."""


def plan() -> tuple[int, float]:
    """How many reminders the clock plans, and in how many seconds: everybody has registered for one seminar."""
    Delivery.objects.all().delete()  # of other parts
    due_at = timezone.now() + LEAD
    event = factories.seminar("bench-mail", starts_at=due_at + timedelta(days=1))
    reminders.add(by=event.created_by, event=event, audience="registered", anchor="start", minutes=1440)
    factories.seat(event, *(f"reader{number}@example.org" for number in range(MESSAGES)))
    time.sleep(max(0, (due_at - timezone.now()).total_seconds()))
    began = time.monotonic()
    reminders.keep(timezone.now())
    return Delivery.objects.count(), time.monotonic() - began


@contextmanager
def sink() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", str(port)])
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def deliver(workers: int = 2) -> float:
    """Messages a second, from the first to the last."""
    with sink() as url:
        around = os.environ | {"EMAIL_URL": url, "LOG_FORMAT": "console"}
        command = [sys.executable, "manage.py", "deliver"]
        processes = [subprocess.Popen(command, env=around) for _ in range(workers)]
        for process in processes:
            process.wait()
    sent = Delivery.objects.filter(state=State.SENT)
    if sent.count() != MESSAGES:
        raise RuntimeError(f"Only {sent.count()} of {MESSAGES} have left.")
    moments = sent.aggregate(first=Min("fenced_at"), last=Max("sent_at"))
    return MESSAGES / float((moments["last"] - moments["first"]).total_seconds())
