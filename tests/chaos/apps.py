"""A minute stands for hours here: what is minutes on a real site is seconds, and all of it in the same proportion."""

from datetime import timedelta
from typing import Final

from django.apps import AppConfig

LEASE: Final = timedelta(seconds=5)
SMTP_TIMEOUT: Final = 1.0
SERVER_PATIENCE: Final = 2.0
"""Seconds after which the mail server gives up a silent sender."""
LEDGER_PATIENCE: Final = timedelta(seconds=5)


class Chaos(AppConfig):
    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        from portal.mail import actions, ledger, models

        models.LEASE = actions.LEASE = LEASE
        actions.LEAST_LEASE = timedelta(seconds=2)
        actions.BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (0.5, 1, 1, 2))
        actions.LOOK_EVERY_SECONDS = 1.0
        ledger.PATIENCE = actions.PATIENCE = ledger.JOURNAL_PATIENCE = LEDGER_PATIENCE
        ledger.EARLIER = timedelta(seconds=1)
        actions.TURN_SECONDS = 5.0
