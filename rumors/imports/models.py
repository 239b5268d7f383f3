from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.guard import Ground
from rumors.models import Rumor, Sighting

if TYPE_CHECKING:
    from portal.accounts.models import User


class State(models.TextChoices):
    """How far a list has come."""

    SENT = "sent", pgettext_lazy("staff", "Say what the columns are")
    CHECKED = "checked", pgettext_lazy("staff", "Look at what it will do")
    PROMISED = "promised", pgettext_lazy("staff", "Being imported")
    DONE = "done", pgettext_lazy("staff", "Imported")
    FAILED = "failed", pgettext_lazy("staff", "Not imported")
    FORBIDDEN = "forbidden", pgettext_lazy("staff", "Not allowed any more")


class Outcome(models.TextChoices):
    """What a row does."""

    NEW = "new", pgettext_lazy("staff", "A new rumor")
    SIGHTING = "sighting", pgettext_lazy("staff", "A sighting")
    THERE = "there", pgettext_lazy("staff", "Left out: it is there already")
    REFUSED = "refused", pgettext_lazy("staff", "Cannot be imported")


class Tongue(models.TextChoices):
    """How it is known in which language something was said."""

    TOLD = "told", pgettext_lazy("staff", "The list says so")
    GUESSED = "guessed", pgettext_lazy("staff", "guessed from the words")
    UNSURE = "unsure", pgettext_lazy("staff", "the words do not tell")


class BatchQuerySet(models.QuerySet["Batch"]):
    def of(self, user: "User") -> "BatchQuerySet":
        """A list is its sender's alone."""
        return self.filter(owner=user)

    def fresh(self, now: datetime) -> "BatchQuerySet":
        return self.filter(sent_at__gt=now - Batch.KEEP)

    def expired(self, now: datetime) -> "BatchQuerySet":
        return self.filter(sent_at__lte=now - Batch.KEEP)

    def handed_back(self) -> "BatchQuerySet":
        """Promised, and not imported: their sender has to look again."""
        return self.filter(Q(state=State.CHECKED, is_overtaken=True) | Q(state=State.FAILED))

    def due(self) -> "BatchQuerySet":
        return self.filter(state=State.PROMISED).order_by("promised_at", "pk")


class Batch(models.Model):
    """A list that somebody has sent, while they say what its columns are and look at what it will do.

    The file itself is not kept, nor its name; of the rows nothing once they are imported.
    """

    KEEP: Final = timedelta(days=7)
    MOST_ATTEMPTS: Final = 3

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    header = models.JSONField()
    columns = models.JSONField(default=dict)
    """Which column each of our fields is in, by its place."""
    fixed = models.JSONField(default=dict)
    """What holds for the fields that a row says nothing of."""
    state = models.CharField(max_length=9, choices=State, default=State.SENT)
    is_overtaken = models.BooleanField(default=False)
    """Something has changed since its sender looked: it was not imported."""
    skips_refused = models.BooleanField(default=False)
    ground = models.CharField(max_length=12, choices=Ground, blank=True)
    """Why what the guard warned of may stand, in all rows."""
    ground_words = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(auto_now_add=True)
    promised_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Any]] = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "list of sightings")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["promised_at"], condition=Q(state="promised"), name="import_to_be_carried_out"),
            models.Index(fields=["owner", "-id"], name="import_by_owner"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="state_of_an_import_is_known"),
            models.CheckConstraint(
                condition=~Q(state=State.DONE) | Q(done_at__isnull=False), name="import_is_done_at_some_time"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.PROMISED) | Q(promised_at__isnull=False),
                name="import_is_promised_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("import_mapping" if self.state == State.SENT else "import_check", args=[self.pk])

    @property
    def purged_at(self) -> datetime:
        return self.sent_at + self.KEEP


class LineQuerySet(models.QuerySet["Line"]):
    def counts(self) -> dict[str, int]:
        """How many rows there are of each outcome."""
        found = self.order_by().values_list("outcome").annotate(Count("pk"))
        return {str(outcome): 0 for outcome in Outcome} | dict(found)

    def refused(self) -> "LineQuerySet":
        return self.filter(outcome=Outcome.REFUSED)

    def warned(self) -> "LineQuerySet":
        """In which the guard found what needs a reason, and which are to be imported."""
        return self.filter(outcome__in=[Outcome.NEW, Outcome.SIGHTING]).exclude(kinds=[])

    def to_be_done(self) -> "LineQuerySet":
        return self.filter(outcome__in=[Outcome.NEW, Outcome.SIGHTING])


class Line(models.Model):
    """A row of the list. What the guard refuses has been taken out of its cells before they were kept."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    """As a spreadsheet counts; the header is 1."""
    cells = models.JSONField(default=list)
    masked = ArrayField(models.PositiveSmallIntegerField(), default=list)
    """The places of the cells in which the guard found what must not be kept."""
    values = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    """By the names of the fields, once they are understood."""
    tongue = models.CharField(max_length=7, choices=Tongue, default=Tongue.TOLD, db_default=Tongue.TOLD)
    digest = models.CharField(max_length=64, blank=True)
    """Of what the list says, not of what was guessed: tomorrow's guess may be another one."""
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)
    faults = models.JSONField(default=list)
    """Why it cannot be imported, or is left out: sentences."""
    kinds = ArrayField(models.CharField(max_length=20), default=list)
    """What the guard found that needs a reason."""
    rumor = models.ForeignKey(Rumor, models.SET_NULL, null=True, related_name="+")
    """What it is a sighting of, or has become."""
    follows = models.PositiveIntegerField(null=True)
    """The number of the row whose new rumor it is a sighting of."""

    objects: ClassVar[models.Manager[Any]] = LineQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["batch", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "number"], name="row_stands_once_in_its_list"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.number}"

    @property
    def language(self) -> str:
        """Of a row that is understood, its name."""
        return languages.get(self.values["original_language"]).in_both_scripts if self.values else ""


class Imported(models.Model):
    """That a row has been imported, by whomever: the same one again is left out. A keyed digest, which tells nothing
    of the row; it goes with the sighting that was made of it. Twice there when somebody else may not know of it."""

    digest = models.CharField(max_length=64, db_index=True)
    sighting = models.ForeignKey(Sighting, models.CASCADE, related_name="+")

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.pk}"


class Habit(models.Model):
    """What somebody last said of the columns of a list: the next one is guessed by it."""

    MOST: Final = 300

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    columns = models.JSONField(default=dict)
    """Our field for each name of a column."""
    fixed = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.owner_id}"
