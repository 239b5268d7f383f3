from celery import shared_task

from portal.facts.readings import actions


@shared_task(name="portal.facts.readings.tasks.flush")
def flush() -> None:
    actions.flush()
