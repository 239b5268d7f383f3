from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from rumors.models import Rumor
from rumors.vocabulary import Action, Audience, Channel

UNANSWERED: tuple[str, ...] = (Action.IGNORE, Action.MONITOR)
"""Not to answer is a decision: it has a reason, and a day on which it is looked at again."""


class ResponseQuerySet(models.QuerySet["Response"]):
    def open(self) -> "ResponseQuerySet":
        return self.filter(done_at__isnull=True)


class Response(models.Model):
    """One thing that is to be done about a rumor, or the decision to leave it alone."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="responses")
    action = models.CharField(pgettext_lazy("staff", "what is to be done"), max_length=18, choices=Action)
    reason = models.CharField(pgettext_lazy("staff", "why"), max_length=500, blank=True)
    review_on = models.DateField(pgettext_lazy("staff", "look at it again"), null=True, blank=True)
    audience = models.CharField(pgettext_lazy("staff", "for whom"), max_length=14, choices=Audience, blank=True)
    language = models.CharField(
        pgettext_lazy("staff", "language"), max_length=10, choices=languages.CHOICES, blank=True
    )
    channel = models.CharField(pgettext_lazy("staff", "where"), max_length=16, choices=Channel, blank=True)
    planned_at = models.DateTimeField(auto_now_add=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True, editable=False)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+")
    result = models.CharField(pgettext_lazy("staff", "what came of it"), max_length=500, blank=True)

    objects: ClassVar[models.Manager[Any]] = ResponseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(action__in=UNANSWERED) | (~Q(reason="") & Q(review_on__isnull=False)),
                name="not_to_answer_has_a_reason_and_a_review_date",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="response_is_done_by_somebody_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rumor} {self.action}"

    @property
    def is_due(self) -> bool:
        return self.done_at is None and self.review_on is not None and self.review_on <= timezone.localdate()
