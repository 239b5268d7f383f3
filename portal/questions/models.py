from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Max, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Fact

if TYPE_CHECKING:
    from portal.accounts.models import User


class Door(models.TextChoices):
    """Where a question came in."""

    FORM = "form", pgettext_lazy("staff", "Public form")
    OUTREACH = "outreach", pgettext_lazy("staff", "Outreach session")
    REGISTRATION = "registration", pgettext_lazy("staff", "Registration for an event")
    SEARCH = "search", pgettext_lazy("staff", "Search without a hit")


class Outcome(models.TextChoices):
    OPEN = "open", pgettext_lazy("staff", "Waiting")
    SIGHTING = "sighting", pgettext_lazy("staff", "Belongs to a rumor")
    PROPOSED = "proposed", pgettext_lazy("staff", "Answer waits for approval")
    ANSWERED = "answered", pgettext_lazy("staff", "Answered")
    MISSING_FACT = "missing_fact", pgettext_lazy("staff", "A fact is missing")
    DISMISSED = "dismissed", pgettext_lazy("staff", "Nothing to do")


class Missing(NamedTuple):
    """A fact that people ask for and that there is not."""

    what: str
    total: int
    by_language: list[tuple[str, int]]
    """The most often asked in first."""
    last_at: datetime


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, user: "User") -> "QuestionQuerySet":
        """What became a secret rumor or a threat exists only for those who may read that."""
        return self if user.has_perm("rumors.secret") else self.countable()

    def countable(self) -> "QuestionQuerySet":
        """What reports may count."""
        return self.filter(is_secret=False)

    def told_of(self, numbers: Iterable[str]) -> "QuestionQuerySet":
        """Those that were sightings of the rumors with these numbers."""
        return self.filter(outcome=Outcome.SIGHTING, outcome_note__in=list(numbers))

    def waiting(self) -> "QuestionQuerySet":
        return self.filter(outcome=Outcome.OPEN)

    def awaiting_approval(self) -> "QuestionQuerySet":
        """With an answer in somebody's words, which somebody else has to approve."""
        return self.filter(outcome=Outcome.PROPOSED)

    def oldest_first(self) -> "QuestionQuerySet":
        return self.order_by("asked_at", "pk")

    def matching(self, *, outcome: str = "", door: str = "", language: str = "") -> "QuestionQuerySet":
        """The filters of the inbox; empty ones do not filter."""
        values = {"outcome": outcome, "door": door, "language": language}
        return self.filter(**{name: value for name, value in values.items() if value})

    def missed(self) -> set[tuple[str, str]]:
        """Languages and terms of those that were searches without a hit."""
        return set(self.filter(door=Door.SEARCH).values_list("language", "text"))

    def with_code(self, code_hash: str, now: datetime) -> "QuestionQuerySet":
        """The one that a reader's code belongs to, as long as it works."""
        return self.filter(code_hash=code_hash, asked_at__gte=_codes_work_from(now))

    def missing_facts(self) -> list[Missing]:
        """What people ask for and no fact says, the most wanted first. The same name is one, however it is written."""
        rows = (
            self.filter(outcome=Outcome.MISSING_FACT)
            .order_by()
            .values("outcome_note", "language")
            .annotate(number=Count("pk"), last_at=Max("asked_at"))
        )
        found: dict[str, list[Any]] = {}
        for row in rows:
            found.setdefault(row["outcome_note"].casefold(), []).append(row)
        missing = [
            Missing(
                what=min(row["outcome_note"] for row in group),
                total=sum(row["number"] for row in group),
                by_language=_counted(group),
                last_at=max(row["last_at"] for row in group),
            )
            for group in found.values()
        ]
        return sorted(missing, key=lambda each: (-each.total, each.what))

    def expired(self, now: datetime) -> "QuestionQuerySet":
        return self.filter(asked_at__lt=now - Question.KEEP)

    def with_expired_code(self, now: datetime) -> "QuestionQuerySet":
        return self.filter(code_hash__isnull=False, asked_at__lt=_codes_work_from(now))


def _codes_work_from(now: datetime) -> datetime:
    """When what was asked has a code that works: until its last day is over in Sweden."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC) - Question.CODE_KEEP


def _counted(rows: list[Any]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["language"]] = counts.get(row["language"], 0) + row["number"]
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


class Question(models.Model):
    """What somebody asked or told, in their words. Nothing about who it was is kept.

    It is open until it is settled. An answer in words is proposed first: settled by one person, and answered only when
    another one has approved it. A published fact needs nobody's approval to be the answer.
    """

    KEEP: Final = timedelta(days=365)
    CODE_KEEP: Final = timedelta(days=180)
    """So long a reader's code works, and to the end of that day; then its hash is deleted."""

    text = models.TextField(pgettext_lazy("staff", "what was asked or told"), max_length=2000)
    language = models.CharField(pgettext_lazy("staff", "language"), max_length=10, choices=languages.CHOICES)
    door = models.CharField(pgettext_lazy("staff", "came in by"), max_length=12, choices=Door)
    asked_at = models.DateTimeField(auto_now_add=True, db_index=True)
    form_id = models.UUIDField(null=True, editable=False, unique=True)
    """Of the form it came in by: one that is sent twice makes one question."""
    code_hash = models.CharField(max_length=64, null=True, editable=False, unique=True)  # noqa: DJ001
    """Of the code with which its reader looks up the answer; null when there is none (any more)."""
    outcome = models.CharField(pgettext_lazy("staff", "outcome"), max_length=12, choices=Outcome, default=Outcome.OPEN)
    outcome_note = models.CharField(pgettext_lazy("staff", "what became of it"), max_length=300, blank=True)
    """For staff: the number of the rumor, or what the fact that is missing would say."""
    is_secret = models.BooleanField(
        pgettext_lazy("staff", "handed to the security role"), default=False, db_default=False, editable=False
    )
    """It became a secret rumor or a threat; once it has, it stays so."""
    fact = models.ForeignKey(
        Fact,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="questions",
        verbose_name=pgettext_lazy("staff", "fact"),
    )
    answer = models.TextField(pgettext_lazy("staff", "the answer in words"), max_length=2000, blank=True, db_default="")
    """Readers get it when it is approved; sent back, it waits here to be mended."""
    answer_language = models.CharField(
        pgettext_lazy("staff", "language of the answer"),
        max_length=10,
        choices=languages.CHOICES,
        blank=True,
        db_default="",
    )
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )

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
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False, outcome="answered"),
                name="answer_is_approved_with_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("settled_by")),
                name="answer_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answer_language="") & ~Q(outcome="proposed")
                | ~Q(answer="")
                & ~Q(answer_language="")
                & (Q(outcome__in=["open", "proposed"]) | Q(outcome="answered", approved_by__isnull=False)),
                name="answer_in_words_waits_for_approval",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def is_open(self) -> bool:
        return self.outcome == Outcome.OPEN

    @property
    def is_proposed(self) -> bool:
        return self.outcome == Outcome.PROPOSED

    @property
    def is_answered(self) -> bool:
        return self.outcome == Outcome.ANSWERED

    @property
    def code_works_until(self) -> date:
        return timezone.localdate(self.asked_at + self.CODE_KEEP)

    def is_kept_from(self, user: "User") -> bool:
        return self.is_secret and not user.has_perm("rumors.secret")

    @property
    def version(self) -> str:
        """Of what became of it: whoever approves it or takes it back names what they have read."""
        return " ".join(at.isoformat() for at in (self.settled_at, self.approved_at) if at)
