from celery import shared_task

from portal.search import actions


@shared_task(name="portal.search.tasks.flush")
def flush() -> None:
    actions.flush()
