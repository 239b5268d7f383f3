from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from rumors.models import Rumor


class Assignment(models.Model):
    """That somebody was to take care of a rumor, and until when. `Rumor.assignee` is the one that stands."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="assignments")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    note = models.CharField(pgettext_lazy("staff", "what is to be done"), max_length=300, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rumor"], condition=Q(ended_at__isnull=True), name="one_person_at_a_time_takes_care_of_a_rumor"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rumor} {self.to}"
