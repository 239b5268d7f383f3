from celery import shared_task

from rumors.imports import actions


@shared_task(name="rumors.imports.tasks.work")
def work() -> None:
    actions.work()
