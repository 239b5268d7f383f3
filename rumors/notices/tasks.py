from celery import shared_task
from django.utils import timezone

from rumors.notices import actions


@shared_task(name="rumors.notices.tasks.keep")
def keep() -> None:
    actions.keep(now=timezone.now())
