"""The clock alone: it sends the names of tasks at their times, so it loads no models; a third less memory for it."""

import os
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import setup_logging
from django.conf import settings
from django.utils.log import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal", fixups=[])
app.config_from_object("django.conf:settings", namespace="CELERY")


class Steady(PersistentScheduler):
    """Goes on when the machine's clock is set back: Celery would wait until it is as late as it was."""

    def tick(self, *args: Any, **options: Any) -> float:
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if (entry.last_run_at or now) > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            self._heap = None
        return float(super().tick(*args, **options))


@setup_logging.connect
def _log_as_the_others_do(**_: object) -> None:
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
