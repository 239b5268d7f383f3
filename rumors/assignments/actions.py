from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from rumors import actions as rumors
from rumors.assignments.models import Assignment
from rumors.models import Rumor


@transaction.atomic
def assign(rumor: Rumor, *, to: User | None, by: User, note: str = "") -> Rumor:
    """From now on `to` takes care of it, or nobody. The same person again gets another note, and keeps their place."""
    held = rumors.assign(rumor, to=to, by=by)
    standing = Assignment.objects.filter(rumor=held, ended_at__isnull=True)
    if to is not None and standing.filter(to=to).exists():
        standing.update(note=note)
        return held
    standing.update(ended_at=timezone.now())
    if to is not None:
        Assignment.objects.create(rumor=held, to=to, note=note, made_by=by)
    return held
