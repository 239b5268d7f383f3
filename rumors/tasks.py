from celery import shared_task

from rumors import actions


@shared_task(name="rumors.tasks.tell_the_matcher")
def tell_the_matcher() -> None:
    actions.tell_the_matcher(limit=500)
