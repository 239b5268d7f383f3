import hashlib
import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from portal.reports.vocabulary import Scope

Numbers = dict[str, list[list[Any]]]
"""By the key of their table: rows of a code and a number."""


def digest_of(values: Any) -> str:
    canonical = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class ReportQuerySet(models.QuerySet["Report"]):
    def like(self, report: "Report") -> "ReportQuerySet":
        """Others of the same kind, which can be held against it."""
        return self.filter(scope=report.scope).exclude(pk=report.pk)

    def of_the_same_days_before(self, report: "Report") -> "ReportQuerySet":
        return self.like(report).filter(first=report.first, last=report.last, pk__lt=report.pk)


class Report(models.Model):
    """What was counted for a period, for good: what was handed in can be opened and printed again with exactly its
    numbers, whatever happens to what they count. The database refuses to change it."""

    COUNTING: ClassVar[int] = 2
    """The version of the counting: another one counts the same things in another way (`docs/reports.md`)."""

    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120, blank=True)
    scope = models.CharField(pgettext_lazy("staff", "what it is for"), max_length=10, choices=Scope)
    first = models.DateField(pgettext_lazy("staff", "from"))
    last = models.DateField(pgettext_lazy("staff", "to"))
    as_of = models.DateTimeField()
    """What was known at this moment is counted."""
    numbers: "models.JSONField[Numbers, Numbers]" = models.JSONField()
    counting = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    form_id = models.UUIDField(editable=False)
    """Of the form it was made with: one that is sent twice makes one report."""

    objects: ClassVar[models.Manager[Any]] = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "report")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["made_by", "form_id"], name="form_makes_one_report"),
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="report_ends_after_it_begins"),
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="what_a_report_is_for_is_known"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.first} – {self.last}"

    def get_absolute_url(self) -> str:
        return reverse("report", args=[self.pk])

    @property
    def content(self) -> dict[str, Any]:
        """What the digest is of."""
        return {
            "scope": self.scope,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "as_of": self.as_of.isoformat(),
            "counting": self.counting,
            "numbers": self.numbers,
        }

    @property
    def is_intact(self) -> bool:
        return digest_of(self.content) == self.digest
