from datetime import datetime

from django.utils import timezone

from portal.accounts.models import User
from rumors.alarms.models import Seen


def see(*, key: str, level: int, by: User) -> None:
    """Out of the way of this person, until it is worse than `level`, which is what they had before them."""
    Seen.objects.update_or_create(user=by, key=key, defaults={"level": level, "at": timezone.now()})


def unsee(*, key: str, by: User) -> None:
    Seen.objects.filter(user=by, key=key).delete()


def purge(*, now: datetime) -> int:
    """Forget who saw what long ago; returns how many rows went."""
    gone, _per_model = Seen.objects.filter(at__lt=now - Seen.KEEP).delete()
    return int(gone)
