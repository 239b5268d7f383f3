from datetime import timedelta
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.models import Event
from events.series.models import Series
from portal import languages
from portal.revisions.rules import reading_columns


class Anchor(models.TextChoices):
    """The moment of an event that a reminder is counted from."""

    START = "start", pgettext_lazy("staff", "before it starts")
    END = "end", pgettext_lazy("staff", "after it has ended")
    ANSWERS = "answers", pgettext_lazy("staff", "before answers are due")


class Audience(models.TextChoices):
    REGISTERED = "registered", pgettext_lazy("staff", "Who has a seat")
    WAITING = "waiting", pgettext_lazy("staff", "Who is on the waiting list")
    SPEAKERS = "speakers", pgettext_lazy("staff", "Speakers who have an address")
    INVITED = "invited", pgettext_lazy("staff", "Who is invited and has not answered")
    STAFF = "staff", pgettext_lazy("staff", "Colleagues who hold it")


LONGEST: Final = timedelta(days=60)
"""From the moment a rule counts from."""


class RuleQuerySet(models.QuerySet["Rule"]):
    def default(self) -> "RuleQuerySet":
        return self.filter(event=None, series=None)

    def of(self, event: Event) -> "RuleQuerySet":
        """Those that hold for an event: its own if it has any, else those of its series, else the default ones."""
        for found in (self.filter(event=event), self.filter(series=event.series_id, series__isnull=False)):
            if found.exists():
                return found
        return self.default()

    def read_in(self, code: str) -> "RuleQuerySet":
        return self.only(*reading_columns(Rule, languages.chain(code)))


class Rule(models.Model):
    """When to remind whom. Of an event, of a series, or of all that have none of their own."""

    event = models.ForeignKey(Event, models.CASCADE, null=True, related_name="reminder_rules", editable=False)
    series = models.ForeignKey(Series, models.CASCADE, null=True, related_name="reminder_rules", editable=False)
    audience = models.CharField(pgettext_lazy("staff", "whom"), max_length=10, choices=Audience)
    anchor = models.CharField(pgettext_lazy("staff", "counted from"), max_length=7, choices=Anchor)
    days = models.PositiveSmallIntegerField(null=True)
    at = models.TimeField(pgettext_lazy("staff", "at what time"), null=True, blank=True)
    """On the clock in Stockholm; null for the time of the anchor."""
    minutes = models.PositiveIntegerField(null=True)
    is_active = models.BooleanField(pgettext_lazy("staff", "in use"), default=True)
    text = models.TextField(pgettext_lazy("staff", "what to say first"), max_length=1000, default="", blank=True)
    """Above what every reminder says anyhow. Plain translated text, without drafts."""
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    """How often it was set whom it reminds and when: what it has sent before was another reminder."""
    timed_at = models.DateTimeField(default=timezone.now, editable=False)
    """Since when it holds as it is. What would have been due before is not made up for."""

    objects: ClassVar[models.Manager[Any]] = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "reminder")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(event__isnull=True) | Q(series__isnull=True), name="rule_is_of_an_event_or_of_a_series"
            ),
            models.CheckConstraint(
                condition=Q(days__isnull=False, minutes__isnull=True)
                | Q(days__isnull=True, minutes__isnull=False, at__isnull=True),
                name="rule_counts_days_on_the_clock_or_minutes",
            ),
            models.CheckConstraint(
                condition=(Q(days__isnull=True) | Q(days__lte=60))
                & (Q(minutes__isnull=True) | Q(minutes__lte=60 * 1440)),
                name="rule_reaches_sixty_days",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.audience} {self.days or ''}{'d' if self.days is not None else ''}{self.minutes or ''} {self.anchor}"
        )

    @property
    def key(self) -> str:
        """Of what it sends, as it is set."""
        return f"reminder:{self.pk}.{self.version}"

    @property
    def swedish(self) -> str:
        """What it says first in Swedish, whatever language is read."""
        return getattr(self, languages.suffixed("text", languages.SOURCE)) or ""


class Dispatch(models.Model):
    """That a reminder was planned for all whom it is for, once for each moment that it is counted from."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="dispatches")
    rule_version = models.PositiveIntegerField(default=1, db_default=1)
    event = models.ForeignKey(Event, models.CASCADE, related_name="dispatches")
    anchor_at = models.DateTimeField()
    due_at = models.DateTimeField()
    at = models.DateTimeField(auto_now_add=True)
    number = models.PositiveIntegerField(default=0)
    """How many messages were planned."""

    class Meta:
        verbose_name_plural = "dispatches"
        ordering: ClassVar = ["due_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "rule_version", "event", "anchor_at"], name="reminder_as_set_is_planned_once_a_moment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.rule_id}"
