from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from rumors.exports.words import Kind, Level, What

if TYPE_CHECKING:
    from portal.accounts.models import User


class State(models.TextChoices):
    """How far an export is."""

    PROMISED = "promised", pgettext_lazy("staff", "Waits")
    MAKING = "making", pgettext_lazy("staff", "Being made")
    MADE = "made", pgettext_lazy("staff", "Ready")
    REFUSED = "refused", pgettext_lazy("staff", "Not allowed any more")
    FULL = "full", pgettext_lazy("staff", "No room")
    FAILED = "failed", pgettext_lazy("staff", "Broken")


class ExportQuerySet(models.QuerySet["Export"]):
    def of(self, user: "User") -> "ExportQuerySet":
        """An export is its maker's alone."""
        return self.filter(owner=user)

    def fresh(self, now: datetime) -> "ExportQuerySet":
        return self.filter(asked_at__gt=now - Export.KEEP)

    def expired(self, now: datetime) -> "ExportQuerySet":
        return self.filter(asked_at__lte=now - Export.KEEP)

    def due(self, now: datetime) -> "ExportQuerySet":
        """Promised, or begun by somebody who has not been heard of since."""
        return self.filter(Q(state=State.PROMISED) | Q(state=State.MAKING, claimed_until__lt=now)).order_by("pk")


class Export(models.Model):
    """A file with what somebody has chosen of the register. Made by a worker, lies where `storage` says."""

    KEEP: Final = timedelta(days=7)
    LEASE: Final = timedelta(minutes=2)
    MOST_ATTEMPTS: Final = 3
    MOST: Final = 20
    """That one person may have at a time."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    form_id = models.UUIDField(editable=False)
    """Of the form it was asked for with: one that is sent twice makes one export."""
    what = models.CharField(pgettext_lazy("staff", "what"), max_length=9, choices=What)
    kind = models.CharField(pgettext_lazy("staff", "kind of file"), max_length=9, choices=Kind)
    level = models.PositiveSmallIntegerField(pgettext_lazy("staff", "for whom"), choices=Level)
    columns = ArrayField(models.CharField(max_length=20))
    query = models.CharField(max_length=1000, blank=True)
    """The filters of the list, as in its address."""
    with_secret = models.BooleanField(default=False)
    """Secret rumors and threats, too: its maker may read them, and has asked for them."""
    state = models.CharField(max_length=8, choices=State, default=State.PROMISED)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=32, blank=True)
    """Of its file: 128 random bits, which no address leads to."""
    bytes = models.PositiveBigIntegerField(default=0)
    of_count = models.PositiveIntegerField(default=0)
    """How many rumors there are to go through, of which `done_count` are done."""
    done_count = models.PositiveIntegerField(default=0)
    rows_count = models.PositiveIntegerField(default=0)
    found_count = models.PositiveIntegerField(default=0)
    """Places in which the guard found something."""
    asked_at = models.DateTimeField(auto_now_add=True)
    made_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Any]] = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "export")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["claimed_until"], condition=Q(state__in=["promised", "making"]), name="export_to_be_made"
            ),
            models.Index(fields=["owner", "-id"], name="export_by_owner"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "form_id"], name="form_asks_for_one_export"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="state_of_an_export_is_known"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="level_of_an_export_is_known"),
            models.CheckConstraint(
                condition=~Q(state=State.MADE) | (Q(made_at__isnull=False) & ~Q(name="")),
                name="export_that_is_made_has_a_file",
            ),
            # It becomes part of a path.
            models.CheckConstraint(
                condition=Q(name="") | Q(name__regex=r"^[0-9a-f]{32}$"), name="export_has_a_random_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("rumor_export", args=[self.pk])

    @property
    def purged_at(self) -> datetime:
        return self.asked_at + self.KEEP

    @property
    def is_waiting(self) -> bool:
        return self.state in {State.PROMISED, State.MAKING}

    @property
    def extension(self) -> str:
        return str(self.kind).partition("_")[0]
