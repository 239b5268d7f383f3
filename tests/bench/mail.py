"""Ten thousand messages that are due at once."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Max, Min
from django.utils import timezone

from portal.local.valkey import free_port
from portal.mail import actions
from portal.mail.models import ACCOUNT, Delivery, State
from portal.mail.rules import Promise

MESSAGES = 10_000
TEXT = "\n\n".join(
    ["Välkommen till träffen om hur socialtjänsten arbetar.", "Kom kl. 8.30 till biblioteket, Storgatan 1."]
    + ["Ring 116 111 om du har frågor. Läs mer på https://klarlagt.example.org/sv/events/traff/."] * 3
)


def plan() -> float:
    """Seconds that it takes to plan all of them."""
    Delivery.objects.all().delete()
    now = timezone.now()
    promises = [
        Promise(f"event:12:registration:{number}:reminder", f"reader{number}@example.org", ("sv", "ar")[number % 2])
        for number in range(MESSAGES)
    ]
    began = time.monotonic()
    actions.plan_all(kind=ACCOUNT, promises=promises, due_at=now, expires_at=now + timedelta(days=1))
    took = time.monotonic() - began
    # The only kind without a module above it carries its text; others find theirs when they are rendered.
    Delivery.objects.update(payload={"subject": "Påminnelse", "text": TEXT})
    return took


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
