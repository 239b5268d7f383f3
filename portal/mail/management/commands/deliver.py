import signal
import threading
import time
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from portal.mail import actions

BOUNCES_EVERY: Final = 180.0
"""Seconds, as in the schedule of the beat."""

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Sends the mail that is due; with --loop it goes on until SIGTERM, and needs neither Valkey nor Celery."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true")
        parser.add_argument("--interval", type=float, default=5, metavar="SECONDS")

    def handle(self, *, loop: bool, interval: float, **_: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        read_bounces_at = time.monotonic()
        # Once, it sends all there is; again and again, it has to look at what is to be planned in between.
        seconds = actions.TURN_SECONDS if loop else float("inf")
        while True:
            close_old_connections()
            try:
                actions.deliver(seconds=seconds, is_stopping=stop.is_set)
                if settings.BOUNCES and time.monotonic() >= read_bounces_at:
                    read_bounces_at = time.monotonic() + BOUNCES_EVERY
                    actions.read_bounces(seconds=interval, is_stopping=stop.is_set)
            except (OperationalError, InterfaceError):
                if not loop:
                    raise
                log.exception("mail_database_down")
                connection.close()
            if not loop or stop.wait(interval):
                break
