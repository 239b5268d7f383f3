from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.actors.models import Actor
from events.attendance.models import Count
from events.models import Event
from portal.facts.models import Fact
from portal.questions.models import Outcome, Question

if TYPE_CHECKING:
    from portal.accounts.models import User


class Mood(models.TextChoices):
    CURIOUS = "curious", pgettext_lazy("staff", "Curious")
    WORRIED = "worried", pgettext_lazy("staff", "Worried")
    HOSTILE = "hostile", pgettext_lazy("staff", "Hostile")
    MIXED = "mixed", pgettext_lazy("staff", "Mixed")


class SessionQuerySet(models.QuerySet["Session"]):
    def as_rows(self, user: "User") -> "SessionQuerySet":
        """Newest first, with `asked_number` and `open_number` of its questions; of secret ones only for who may."""
        is_open = Q(asked__question__outcome=Outcome.OPEN)
        if not user.has_perm("rumors.secret"):
            is_open &= Q(asked__question__is_secret=False)
        found = self.select_related("event").annotate(
            asked_number=models.Count("asked"), open_number=models.Count("asked", filter=is_open)
        )
        newest = models.Prefetch("event__counts", queryset=Count.objects.order_by("-at", "-pk"))
        return found.defer(*_TEXTS).prefetch_related(newest).order_by("-event__starts_at", "-pk")

    def hosts(self) -> "models.QuerySet[Session, str]":
        """Those visited so far."""
        return self.order_by("host").values_list("host", flat=True).distinct()


_TEXTS: Final = tuple(
    f"event__{field.name}"
    for field in Event._meta.concrete_fields
    if field.name.startswith(("title", "summary", "body"))
)
"""A hundred columns that no list of visits shows."""


class Session(models.Model):
    """A visit: what is known of it beside its event, which says when, where, for whom, in which languages, by whom.

    How many were there is a count of `events.attendance`.
    """

    event = models.OneToOneField(Event, models.CASCADE, related_name="session")
    host = models.CharField(pgettext_lazy("staff", "who was visited"), max_length=160)
    actor = models.ForeignKey(
        Actor,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=pgettext_lazy("staff", "actor"),
    )
    """The organization of that name, as long as it stands in the register of actors."""
    mood = models.CharField(pgettext_lazy("staff", "mood"), max_length=7, choices=Mood, blank=True)
    handed_out = models.ManyToManyField(
        Fact, blank=True, related_name="sessions", verbose_name=pgettext_lazy("staff", "what was handed out")
    )
    follow_up = models.TextField(pgettext_lazy("staff", "what is to be done next"), max_length=1000, blank=True)
    form_id = models.UUIDField(unique=True, editable=False)
    """Of the form it came in by: one that is sent twice is one visit."""
    logged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "visit")
        verbose_name_plural = pgettext_lazy("staff", "visits")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(host=""), name="visit_says_who_was_visited"),
        ]

    def __str__(self) -> str:
        return self.host

    def get_absolute_url(self) -> str:
        return reverse("outreach_session", args=[self.pk])

    @property
    def heads(self) -> str:
        """How many were there, as it was written down last."""
        return next((str(count) for count in self.event.counts.all()), "")


class AskedQuerySet(models.QuerySet["Asked"]):
    def in_order(self) -> "AskedQuerySet":
        return self.select_related("question__fact").order_by("order", "pk")

    def waiting_for(self, user: "User") -> "AskedQuerySet":
        """Open ones that this person may read, the oldest first."""
        visible = Question.objects.visible_to(user).waiting()
        return (
            self.filter(question__in=visible)
            .select_related("question", "session")
            .order_by("question__asked_at", "order", "pk")
        )


class Asked(models.Model):
    """That a question was asked at a visit. When the question is deleted it remains that there was one."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="asked")
    question = models.OneToOneField(Question, models.SET_NULL, null=True, related_name="asked")
    order = models.PositiveSmallIntegerField()

    objects: ClassVar[models.Manager[Any]] = AskedQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "question asked at a visit")
        ordering: ClassVar = ["order", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "order"], name="questions_of_a_visit_have_an_order"),
        ]

    def __str__(self) -> str:
        return f"{self.session} {self.order}"


class SafetyNoteQuerySet(models.QuerySet["SafetyNote"]):
    def expired(self, now: datetime) -> "SafetyNoteQuerySet":
        return self.filter(written_at__lt=now - SafetyNote.KEEP)


class SafetyNote(models.Model):
    """What was not safe at a visit. A table of its own: no list, report or export comes across it."""

    KEEP: Final = timedelta(days=2 * 365)

    session = models.OneToOneField(Session, models.CASCADE, related_name="safety_note")
    text = models.TextField(pgettext_lazy("staff", "what was not safe"), max_length=1000)
    written_at = models.DateTimeField(default=timezone.now, editable=False)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = SafetyNoteQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "safety note")

    def __str__(self) -> str:
        return f"{self.session} {self.pk}"


class DraftQuerySet(models.QuerySet["Draft"]):
    def expired(self, now: datetime) -> "DraftQuerySet":
        return self.filter(saved_at__lt=now - Draft.KEEP)


class Draft(models.Model):
    """What somebody has typed of a visit so far. For them alone, without the safety note, and never anything that the
    guard asks about."""

    KEEP: Final = timedelta(days=7)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    form_id = models.UUIDField()
    data = models.JSONField()
    """What stands in the fields, by their names; a list where several can be chosen."""
    saved_at = models.DateTimeField(pgettext_lazy("staff", "saved"))

    objects: ClassVar[models.Manager[Any]] = DraftQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-saved_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "form_id"], name="visit_has_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id}"

    @property
    def line(self) -> str:
        return str(self.data.get("host") or "…")[:80]
