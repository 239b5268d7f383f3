from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils.translation import pgettext_lazy

from portal.questions.models import Question
from rumors.models import Rumor


class DraftQuerySet(models.QuerySet["Draft"]):
    def expired(self, now: datetime) -> "DraftQuerySet":
        return self.filter(saved_at__lt=now - Draft.KEEP)


class Draft(models.Model):
    """What somebody has typed of a form so far. For them alone, and never anything that the guard asks about."""

    KEEP: Final = timedelta(days=7)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    form_id = models.UUIDField()
    question = models.ForeignKey(Question, models.CASCADE, null=True, related_name="+")
    """That it was begun for."""
    data = models.JSONField()
    """What stands in the fields, by their names."""
    saved_at = models.DateTimeField(pgettext_lazy("staff", "saved"))

    objects: ClassVar[models.Manager[Any]] = DraftQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-saved_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "form_id"], name="form_has_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id}"

    @property
    def line(self) -> str:
        return str(self.data.get("claim") or self.data.get("original") or "…")[:80]


class OfferQuerySet(models.QuerySet["Offer"]):
    def acceptance(self) -> list[dict[str, Any]]:
        """How often what was offered was taken: `method`, `is_likely`, `offered`, `taken`."""
        rows = self.values("method", "is_likely").order_by("-is_likely", "method")
        return [dict(row) for row in rows.annotate(offered=Count("pk"), taken=Count("pk", filter=Q(is_taken=True)))]

    def expired(self, now: datetime) -> "OfferQuerySet":
        return self.filter(offered_at__lt=now - Offer.KEEP)


class Offer(models.Model):
    """That a rumor was offered as the same as what somebody logged, and whether they took it."""

    KEEP: Final = timedelta(days=2 * 365)

    form_id = models.UUIDField()
    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="+")
    place = models.PositiveSmallIntegerField()
    """From 1."""
    method = models.CharField(max_length=7)
    """What found it: both, words, meaning, near."""
    score = models.FloatField()
    is_likely = models.BooleanField()
    is_taken = models.BooleanField(default=False)
    offered_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Any]] = OfferQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["form_id", "rumor"], name="rumor_is_offered_once_to_a_form"),
            models.UniqueConstraint(
                fields=["form_id"], condition=Q(is_taken=True), name="form_takes_one_of_the_rumors_offered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form_id} {self.place}"
