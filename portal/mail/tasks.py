from celery import shared_task

from portal.mail import actions


@shared_task(name="portal.mail.tasks.deliver")
def deliver() -> None:
    actions.deliver(seconds=actions.TURN_SECONDS)


@shared_task(name="portal.mail.tasks.read_bounces")
def read_bounces() -> None:
    actions.read_bounces(seconds=actions.TURN_SECONDS)
