from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal.revisions.models import Revision
from portal.secret_links import new_nonce


class Problem(models.TextChoices):
    """What is the matter with a sentence."""

    UNCLEAR = "unclear", pgettext_lazy("native reader", "Unclear")
    WRONG = "wrong", pgettext_lazy("native reader", "Wrong")
    OFFENSIVE = "offensive", pgettext_lazy("native reader", "Offensive")


class State(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("staff", "Waiting for an answer")
    ANSWERED = "answered", pgettext_lazy("staff", "Answered")
    EXPIRED = "expired", pgettext_lazy("staff", "The link has run out")
    REVOKED = "revoked", pgettext_lazy("staff", "The link was ended")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the native readers of one version say together."""

    asked: int
    answered: int
    yes: int
    no: int
    marks: int
    complaints: int
    """Marks that say wrong or offensive."""

    @property
    def is_alarming(self) -> bool:
        return bool(self.no or self.complaints)


class ReaderCheckQuerySet(models.QuerySet["ReaderCheck"]):
    def with_text(self) -> "ReaderCheckQuerySet":
        return self.select_related("revision__content_type", "revision__based_on")

    def with_answers(self) -> "ReaderCheckQuerySet":
        return self.select_related("asked_by", "revoked_by").prefetch_related("marks")

    def outlived(self, now: datetime) -> "ReaderCheckQuerySet":
        return self.filter(
            Q(answered_at__lt=now - ReaderCheck.KEEP)
            | Q(answered_at__isnull=True, expires_at__lt=now - ReaderCheck.KEEP_UNANSWERED)
        )

    def summary(self) -> Summary:
        """One query; `revision.reader_checks.summary` in a template."""
        found = self.order_by().aggregate(
            asked=Count("pk", distinct=True),
            answered=Count("pk", distinct=True, filter=Q(answered_at__isnull=False)),
            yes=Count("pk", distinct=True, filter=Q(is_understood=True)),
            no=Count("pk", distinct=True, filter=Q(is_understood=False)),
            complaints=Count("marks", filter=Q(marks__kind__in=[Problem.WRONG, Problem.OFFENSIVE])),
            marks=Count("marks"),  # last: its name hides the relation from the others
        )
        return Summary(**found)


class ReaderCheck(models.Model):
    """A native speaker without an account, asked by a secret link whether a text is understood.

    Nothing about who it is is kept, but what they write is the words of an unknown person.
    """

    KEEP: Final = timedelta(days=2 * 365)
    """From the answer."""
    KEEP_UNANSWERED: Final = timedelta(days=90)
    """From the end of the link."""

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="reader_checks")
    label = models.CharField(pgettext_lazy("staff", "who is asked"), max_length=80, blank=True)
    note = models.CharField(pgettext_lazy("staff", "what the reader is told"), max_length=500, blank=True)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    form_id = models.UUIDField(null=True, editable=False)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(pgettext_lazy("staff", "works until"))
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    is_understood = models.BooleanField(pgettext_lazy("staff", "a parent would understand it"), null=True)
    comment = models.TextField(pgettext_lazy("staff", "comment"), max_length=2000, blank=True)

    objects: ClassVar[models.Manager[Any]] = ReaderCheckQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "check by a native reader")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, is_understood__isnull=True)
                | Q(answered_at__isnull=False, is_understood__isnull=False),
                name="reader_check_is_answered_with_yes_or_no",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="reader_check_is_revoked_with_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("asked_at")), name="reader_check_expires_after_it_was_asked"
            ),
            models.UniqueConstraint(fields=["asked_by", "form_id"], name="form_asks_one_reader"),
        ]

    def __str__(self) -> str:
        return f"{self.revision_id} {self.label}".strip()

    @property
    def is_open(self) -> bool:
        """Whether its link works."""
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def state(self) -> State:
        """An answer stands, whatever became of the link afterwards."""
        if self.answered_at:
            return State.ANSWERED
        if self.revoked_at:
            return State.REVOKED
        return State.WAITING if self.is_open else State.EXPIRED


class Mark(models.Model):
    """What a reader says about one sentence."""

    reader_check = models.ForeignKey(ReaderCheck, models.CASCADE, related_name="marks")
    field = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField()
    """Of the sentence within its field, from 1."""
    sentence = models.TextField()
    """As it was read: the way texts are cut may change, and numbers to call do."""
    kind = models.CharField(max_length=9, choices=Problem)
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reader_check", "field", "number"], name="one_mark_on_each_sentence"),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.number} {self.kind}"
