import gc
import os

from celery import Celery
from celery.signals import setup_logging, worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_the_logging_of_the_settings(**_: object) -> None:
    """Celery replaces the root logger unless somebody listens here; LOGGING in the settings stays in force."""


@worker_before_create_process.connect
def _share_the_memory_of_what_is_loaded(**_: object) -> None:
    """What is frozen is never visited again, so the processes of the worker go on sharing its memory."""
    gc.collect()
    gc.freeze()
