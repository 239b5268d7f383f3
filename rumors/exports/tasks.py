from celery import shared_task
from django.utils import timezone

from rumors.exports import actions
from rumors.exports.forms import filtered


@shared_task(name="rumors.exports.tasks.work")
def work() -> None:
    actions.work(now=timezone.now(), filtered=filtered)
