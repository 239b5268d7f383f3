"""The clock alone: it sends the names of tasks at their times, so it loads no models; a third less memory for it."""

import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django.utils.log import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal", fixups=[])
app.config_from_object("django.conf:settings", namespace="CELERY")


@setup_logging.connect
def _log_as_the_others_do(**_: object) -> None:
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
