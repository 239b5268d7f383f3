from typing import Final

from celery import shared_task

from portal.mail import actions

# Twice the tick of the beat: with a lot to send two workers share it, and a worker is free again for others soon.
SECONDS: Final = 20


@shared_task(name="portal.mail.tasks.deliver")
def deliver() -> None:
    actions.deliver(seconds=SECONDS)


@shared_task(name="portal.mail.tasks.read_bounces")
def read_bounces() -> None:
    actions.read_bounces(seconds=SECONDS)
