from celery import shared_task
from django.utils import timezone

from portal.facts.packs import actions


@shared_task(name="portal.facts.packs.tasks.render_newest")
def render_newest() -> None:
    actions.render_newest()


@shared_task(name="portal.facts.packs.tasks.tell_followers")
def tell_followers() -> None:
    actions.tell(now=timezone.now())
