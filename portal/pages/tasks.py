from celery import shared_task
from django.utils import timezone

from portal.pages import actions


@shared_task(name="portal.pages.tasks.heartbeat")
def heartbeat() -> None:
    actions.beat(at=timezone.now())


@shared_task(name="portal.pages.tasks.mirror_contacts")
def mirror_contacts() -> None:
    actions.mirror_contacts()


@shared_task(name="portal.pages.tasks.purge")
def purge() -> None:
    actions.purge(now=timezone.now())
