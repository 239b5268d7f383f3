import time
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.links import rules
from portal.facts.links.models import CheckedLink
from portal.facts.links.rules import Outcome
from portal.facts.links.transport import Fetcher

LEASE: Final = timedelta(hours=1)
"""After it a link that a worker took and never settled is due again."""
SECONDS: Final = 60
MOST: Final = 60


@transaction.atomic
def want(*, urls: Collection[str]) -> None:
    """Look after these addresses from now on, and no longer after others."""
    wanted = {url for url in urls if len(url) <= CheckedLink.LONGEST}
    CheckedLink.objects.exclude(url__in=wanted).delete()
    known = set(CheckedLink.objects.values_list("url", flat=True))
    now = timezone.now()
    CheckedLink.objects.bulk_create(
        [CheckedLink(url=url, next_check_at=now) for url in sorted(wanted - known)], ignore_conflicts=True
    )


def check(*, fetcher: Fetcher, most: int = MOST, seconds: float = SECONDS) -> Counter[str]:
    """Check what is due, for at most about `seconds`; returns how many came out how. Any number of workers may."""
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while outcomes.total() < most and time.monotonic() < until and (link := claim(now=timezone.now())):
        outcomes[settle(link, fetcher.fetch(link.url), now=timezone.now())] += 1
    return outcomes


@transaction.atomic(durable=True)
def claim(*, now: datetime) -> CheckedLink | None:
    """Take the link that has waited longest; committed before anybody is asked."""
    link: CheckedLink | None = CheckedLink.objects.due(now).select_for_update(skip_locked=True, of=("self",)).first()
    if link is not None:
        link.next_check_at = now + LEASE
        link.save(update_fields=["next_check_at"])
    return link


def settle(link: CheckedLink, outcome: Outcome, *, now: datetime) -> str:
    """Keep what came out, unless the link is another worker's by now or is wanted again; returns its new state."""
    values = rules.after(link, outcome, now, is_online=_is_online(link, now))
    ours = CheckedLink.objects.filter(pk=link.pk, next_check_at=link.next_check_at)
    return str(values["state"]) if ours.update(**values) else "lost"


def _is_online(link: CheckedLink, now: datetime) -> bool:
    """Another site has answered since this one began to fail. Whoever has a single link cannot tell."""
    others = CheckedLink.objects.exclude(pk=link.pk)
    answered = others.filter(status_code__gt=0, checked_at__gte=link.failing_since or now)
    return answered.exists() or not others.exists()


@transaction.atomic
def check_again(link: CheckedLink, *, by: User) -> None:
    CheckedLink.objects.filter(pk=link.pk).update(next_check_at=timezone.now())
    audit.record("check_again", link, by=by)
