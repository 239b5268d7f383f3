"""Loads the example content of the demo: idempotent, quick when there is nothing new."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.pages import starter


class Command(BaseCommand):
    help = "Loads the example facts, rumors and events. Demo mode only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Example content is loaded in demo mode only (make run without DATABASE_URL).")
        counts = starter.load()
        self.stdout.write(
            "Example content: " + ", ".join(f"{number} {what}" for what, number in counts.items()) + " made."
        )
