from celery import shared_task
from django.utils import timezone

from events.actors import actions


@shared_task(name="events.actors.tasks.remind")
def remind() -> None:
    actions.remind(today=timezone.localdate())
