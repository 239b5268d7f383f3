from celery import shared_task
from django.utils import timezone

from portal.facts import actions


@shared_task(name="portal.facts.tasks.remind_of_reviews")
def remind_of_reviews() -> None:
    actions.remind_of_reviews(today=timezone.localdate())
