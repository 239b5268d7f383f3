import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_the_logging_of_the_settings(**_: object) -> None:
    """Celery replaces the root logger unless somebody listens here; LOGGING in the settings stays in force."""
