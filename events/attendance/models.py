from datetime import date, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.models import Event
from events.registrations.models import Registration


class How(models.TextChoices):
    """In which way somebody was counted in at the door."""

    LIST = "list", pgettext_lazy("staff", "Found in the list")
    SCAN = "scan", pgettext_lazy("staff", "Code scanned")
    WALK_IN = "walk_in", pgettext_lazy("staff", "Without a name")


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def people(self) -> int:
        return self.aggregate(people=Sum("party", default=0))["people"]  # type: ignore[no-any-return]

    def by_way(self) -> dict[str, int]:
        """How many people each way let in; ways that nobody came by are left out."""
        rows = self.order_by().values("how").annotate(people=Sum("party"))
        return {row["how"]: row["people"] for row in rows}

    def without_name(self) -> "CheckInQuerySet":
        return self.filter(how=How.WALK_IN)


class CheckIn(models.Model):
    """That somebody came, with a party or alone. What is left of it without its registration is a number."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="check_ins")
    registration = models.OneToOneField(
        Registration, models.SET_NULL, null=True, related_name="check_in", verbose_name=pgettext_lazy("staff", "who")
    )
    """Null for who came without one, and for everybody when registrations have been deleted."""
    how = models.CharField(pgettext_lazy("staff", "how"), max_length=7, choices=How)
    party = models.PositiveSmallIntegerField(pgettext_lazy("staff", "people"), default=1)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = CheckInQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "check-in")
        verbose_name_plural = pgettext_lazy("staff", "check-ins")
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(party__gte=1), name="somebody_was_checked_in"),
            models.CheckConstraint(
                condition=~Q(how="walk_in") | Q(registration__isnull=True), name="who_walks_in_has_no_registration"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"


class Method(models.TextChoices):
    """How somebody came to a number of people; what is more exact comes first."""

    LIST = "list", pgettext_lazy("staff", "Ticked off on a printed list")
    SCAN = "scan", pgettext_lazy("staff", "Scanned at the door")
    HEADS = "heads", pgettext_lazy("staff", "Heads counted")
    ESTIMATE = "estimate", pgettext_lazy("staff", "Estimate")
    BAND = "band", pgettext_lazy("staff", "Roughly counted")


class Band(models.IntegerChoices):
    """About how many, by the least of each; for who has no time to count."""

    FEW = 0, "0–9"
    TEN = 10, "10–24"
    CLASS = 25, "25–49"
    HALL = 50, "50–99"
    CROWD = 100, "100+"


class CountQuerySet(models.QuerySet["Count"]):
    def newest(self) -> "CountQuerySet":
        """The last one of each method."""
        return self.order_by("event_id", "method", "-at", "-pk").distinct("event_id", "method")


class Count(models.Model):
    """A number of people at an event that somebody came to in one go. Nobody is in it, so it stays."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="counts")
    method = models.CharField(pgettext_lazy("staff", "how"), max_length=8, choices=Method)
    number = models.PositiveIntegerField(pgettext_lazy("staff", "people"))
    """Of a band the least."""
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = CountQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "head count")
        verbose_name_plural = pgettext_lazy("staff", "head counts")
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(method="band") | Q(number__in=[0, 10, 25, 50, 100]), name="band_is_one_that_there_is"
            ),
        ]

    def __str__(self) -> str:
        return str(Band(self.number).label) if self.method == Method.BAND else str(self.number)


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def marks(self, question: str) -> list[tuple[str, int]]:
        """Each answer in words and how many gave it, the worst first."""
        given = dict(self.order_by().values_list(question).annotate(number=models.Count("pk")))
        return [(str(mark.label), given.get(mark.value, 0)) for mark in Feedback.Mark]

    def words(self) -> list[str]:
        """What was written, in an order that tells nothing; none as long as it could be told who wrote it."""
        if self.count() < Feedback.ENOUGH:
            return []
        return list(self.exclude(text="").order_by("form_id").values_list("text", flat=True))

    def with_old_words(self, today: date) -> "FeedbackQuerySet":
        return self.filter(day__lt=today - Feedback.KEEP).exclude(text="")


class Feedback(models.Model):
    """What somebody who was there thinks of it. Nothing says who or, finer than the day, when."""

    KEEP: Final = timedelta(days=365)
    """The words; the marks stay."""
    ENOUGH: Final = 5
    """With fewer answers words tell who wrote them."""

    class Mark(models.IntegerChoices):
        NO = 1, pgettext_lazy("feedback", "No, not at all")
        LITTLE = 2, pgettext_lazy("feedback", "Not really")
        MOSTLY = 3, pgettext_lazy("feedback", "Mostly")
        YES = 4, pgettext_lazy("feedback", "Yes, fully")

    event = models.ForeignKey(Event, models.CASCADE, related_name="feedback")
    day = models.DateField(default=timezone.localdate, editable=False)
    learned = models.PositiveSmallIntegerField(
        pgettext_lazy("feedback", "Did you get to know what you wanted to know?"), choices=Mark
    )
    understood = models.PositiveSmallIntegerField(
        pgettext_lazy("feedback", "Was it easy to understand what was said?"), choices=Mark
    )
    welcome = models.PositiveSmallIntegerField(pgettext_lazy("feedback", "Did you feel welcome?"), choices=Mark)
    text = models.TextField(
        pgettext_lazy("feedback", "What do you take with you? What was missing?"), max_length=1000, blank=True
    )
    form_id = models.UUIDField(unique=True, editable=False)
    """Of the form it came in by: one that is sent twice is one answer."""

    QUESTIONS: Final = ("learned", "understood", "welcome")

    objects: ClassVar[models.Manager[Any]] = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "feedback")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(learned__range=(1, 4), understood__range=(1, 4), welcome__range=(1, 4)),
                name="feedback_is_on_a_scale_of_four",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.day}"
