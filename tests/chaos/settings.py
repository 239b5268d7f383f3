"""The site's settings with the kind of mail that the kill matrix sends, in the time of the kill matrix."""

from portal.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.apps.Chaos"]  # noqa: F405

CELERY_BEAT_SCHEDULE = {"deliver": {"task": "portal.mail.tasks.deliver", "schedule": 1.0, "options": {"expires": 2}}}
# A broker that has come back is found within a second, not within half a minute.
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {  # noqa: F405
    "socket_timeout": 3,
    "socket_connect_timeout": 1,
    "retry_on_timeout": True,
}
