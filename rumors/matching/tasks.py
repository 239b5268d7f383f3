from celery import shared_task
from django.utils import timezone

from rumors.matching import actions


@shared_task(name="rumors.matching.tasks.embed")
def embed() -> None:
    actions.embed_due(limit=1000, now=timezone.now())


@shared_task(name="rumors.matching.tasks.add_up")
def add_up() -> None:
    actions.add_up()


@shared_task(name="rumors.matching.tasks.follow_library")
def follow_library() -> None:
    actions.follow_library(limit=500)
