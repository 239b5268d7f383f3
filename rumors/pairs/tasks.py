from celery import shared_task
from django.utils import timezone

from rumors.pairs import actions


@shared_task(name="rumors.pairs.tasks.compare")
def compare() -> None:
    actions.compare_due(limit=200, now=timezone.now())
