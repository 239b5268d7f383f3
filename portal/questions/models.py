from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Fact


class Door(models.TextChoices):
    """Where a question came in."""

    FORM = "form", pgettext_lazy("staff", "Public form")
    OUTREACH = "outreach", pgettext_lazy("staff", "Outreach session")
    REGISTRATION = "registration", pgettext_lazy("staff", "Registration for an event")
    SEARCH = "search", pgettext_lazy("staff", "Search without a hit")


class Outcome(models.TextChoices):
    OPEN = "open", pgettext_lazy("staff", "Waiting")
    SIGHTING = "sighting", pgettext_lazy("staff", "Belongs to a rumor")
    ANSWERED = "answered", pgettext_lazy("staff", "Answered by a fact")
    MISSING_FACT = "missing_fact", pgettext_lazy("staff", "A fact is missing")
    DISMISSED = "dismissed", pgettext_lazy("staff", "Nothing to do")


class QuestionQuerySet(models.QuerySet["Question"]):
    def waiting(self) -> "QuestionQuerySet":
        return self.filter(outcome=Outcome.OPEN)

    def missed(self) -> set[tuple[str, str]]:
        """Languages and terms of those that were searches without a hit."""
        return set(self.filter(door=Door.SEARCH).values_list("language", "text"))

    def expired(self, now: datetime) -> "QuestionQuerySet":
        return self.filter(asked_at__lt=now - Question.KEEP)


class Question(models.Model):
    """What somebody asked or told, in their words. Nothing about who it was is kept."""

    KEEP: Final = timedelta(days=365)

    text = models.TextField(pgettext_lazy("staff", "what was asked or told"), max_length=2000)
    language = models.CharField(pgettext_lazy("staff", "language"), max_length=10, choices=languages.CHOICES)
    door = models.CharField(pgettext_lazy("staff", "came in by"), max_length=12, choices=Door)
    asked_at = models.DateTimeField(auto_now_add=True, db_index=True)
    form_id = models.UUIDField(null=True, editable=False, unique=True)
    """Of the form it came in by: one that is sent twice makes one question."""
    outcome = models.CharField(pgettext_lazy("staff", "outcome"), max_length=12, choices=Outcome, default=Outcome.OPEN)
    outcome_note = models.CharField(pgettext_lazy("staff", "what became of it"), max_length=300, blank=True)
    fact = models.ForeignKey(
        Fact,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="questions",
        verbose_name=pgettext_lazy("staff", "fact"),
    )
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[models.Manager[Any]] = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "question from the public")
        ordering: ClassVar = ["-asked_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by__isnull=True)
                | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="question_is_settled_with_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(outcome="open", settled_at__isnull=True)
                | (~Q(outcome="open") & Q(settled_at__isnull=False)),
                name="question_is_open_until_settled",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]
