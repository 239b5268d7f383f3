from celery import shared_task
from django.utils import timezone

from portal.revisions import actions


@shared_task(name="portal.revisions.tasks.keep_schedules")
def keep_schedules() -> None:
    actions.keep_schedules(now=timezone.now())
