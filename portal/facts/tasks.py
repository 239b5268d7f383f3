from typing import Final

from celery import shared_task
from django.utils import timezone

from portal.facts import actions, documents
from portal.facts.links import actions as links
from portal.facts.links.transport import Fetcher
from portal.facts.models import Fact

# A third of the tick of the beat: mail must not wait for paper.
SECONDS: Final = 5


@shared_task(name="portal.facts.tasks.remind_of_reviews")
def remind_of_reviews() -> None:
    actions.remind_of_reviews(today=timezone.localdate())


@shared_task(name="portal.facts.tasks.render_handouts")
def render_handouts() -> None:
    actions.render(seconds=SECONDS)


@shared_task(name="portal.facts.tasks.make_document")
def make_document(page: str) -> None:
    """A long one that somebody waits for."""
    documents.make(page)


@shared_task(name="portal.facts.tasks.check_links")
def check_links() -> None:
    links.want(urls=Fact.objects.published().cited().keys())
    links.check(fetcher=Fetcher())
