from datetime import date, timedelta
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Count, Q, Sum
from django.utils.timezone import localdate
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.revisions.models import Revision


class ReadingCountQuerySet(models.QuerySet["ReadingCount"]):
    def last_days(self, days: int) -> dict[tuple[int, str], int]:
        """How often each fact was read in each language, today included; by fact and language."""
        recent = self.filter(day__gt=localdate() - timedelta(days=days))
        rows = recent.values("fact_id", "language").annotate(times=Sum("count")).order_by()
        return {(row["fact_id"], row["language"]): row["times"] for row in rows}

    def expired(self, on: date) -> "ReadingCountQuerySet":
        return self.filter(day__lt=on - ReadingCount.KEEP)


class ReadingCount(models.Model):
    """How often a fact was given to readers of a language on a day. Never of pages for children or about violence."""

    KEEP: Final = timedelta(days=3 * 365)

    fact_id = models.BigIntegerField()
    language = models.CharField(max_length=10)
    """That of the address: what is read in it although only the Swedish text is there counts as wanted in it."""
    day = models.DateField(db_index=True)
    count = models.PositiveIntegerField()

    objects: ClassVar[models.Manager[Any]] = ReadingCountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fact_id", "language", "day"], name="one_count_per_fact_language_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.fact_id} {self.language} {self.day}"


class OpinionQuerySet(models.QuerySet["Opinion"]):
    def on(self, fact_id: int) -> "OpinionQuerySet":
        return self.filter(fact_id=fact_id)

    def commented(self) -> "OpinionQuerySet":
        """The newest first."""
        return self.exclude(comment="").select_related("revision").defer("revision__fields").order_by("-id")

    def by_language(self) -> dict[str, dict[str, int]]:
        """How many the texts that are published now helped and did not help, by the language of the text."""
        current = self.filter(revision__editions__isnull=False)
        rows = current.values_list("revision__language").annotate(
            helped=Count("id", filter=Q(is_helpful=True)), did_not=Count("id", filter=Q(is_helpful=False))
        )
        return {code: {"helped": helped, "did_not": did_not} for code, helped, did_not in rows.order_by()}

    def expired(self, on: date) -> "OpinionQuerySet":
        return self.filter(given_on__lt=on - Opinion.KEEP)


class Opinion(models.Model):
    """Whether a text helped somebody. Nothing about who it was is kept, and of the time only the day."""

    KEEP: Final = timedelta(days=2 * 365)

    fact_id = models.BigIntegerField(db_index=True)
    revision = models.ForeignKey(Revision, models.CASCADE, related_name="opinions")
    """The version that the reader had: a new one begins at nought."""
    language = models.CharField(max_length=10, choices=languages.CHOICES)
    """The reader's, who may have been given the Swedish text."""
    is_helpful = models.BooleanField(pgettext_lazy("staff", "helped"))
    comment = models.TextField(pgettext_lazy("staff", "comment"), max_length=1000, blank=True)
    given_on = models.DateField(default=localdate, db_index=True)
    form_id = models.UUIDField(editable=False, unique=True)
    """Of the form it came in by: one that is sent twice counts once."""

    objects: ClassVar[models.Manager[Any]] = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "opinion on a text")

    def __str__(self) -> str:
        return f"{self.fact_id} {self.language} {self.given_on}"
