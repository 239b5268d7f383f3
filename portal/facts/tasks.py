from celery import shared_task

from portal.facts.links import actions as links
from portal.facts.links.transport import Fetcher
from portal.facts.models import Fact


@shared_task(name="portal.facts.tasks.check_links")
def check_links() -> None:
    links.want(urls=Fact.objects.published().cited().keys())
    links.check(fetcher=Fetcher())
