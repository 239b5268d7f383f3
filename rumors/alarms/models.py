from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from portal.accounts.models import User


class SeenQuerySet(models.QuerySet["Seen"]):
    def by_key(self, user: "User") -> "dict[str, Seen]":
        """What somebody has put aside."""
        return {seen.key: seen for seen in self.filter(user=user)}


class Seen(models.Model):
    """That somebody has seen an alarm, and wants it out of their way until it becomes worse."""

    KEEP: Final = timedelta(days=365)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=60)
    """Of the alarm: `spreading:17:so`."""
    level = models.PositiveSmallIntegerField()
    """How bad it was then."""
    at = models.DateTimeField()

    objects: ClassVar[models.Manager[Any]] = SeenQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="one_person_has_seen_an_alarm_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.level}"
