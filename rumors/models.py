import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import (
    Aggregate,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, Greatest, Least
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Fact, Topic
from portal.fold import fold
from portal.pictures.models import Picture
from portal.revisions.models import Edition, Revision, Significance, State
from portal.revisions.rules import reading_columns
from rumors.matching.models import Document
from rumors.vocabulary import (
    Audience,
    Channel,
    ClaimType,
    Confidence,
    HeardHow,
    Precision,
    Priority,
    Reach,
    Sensitivity,
    Spreader,
    Status,
    Strength,
    Verdict,
    Verifiability,
)

if TYPE_CHECKING:
    from portal.accounts.models import User


DEADLINES: Final = {priority: timedelta(days=settings.RUMOR_DAYS[priority]) for priority in Priority}

ENDED: Final = (Status.CLOSED, Status.OUT_OF_SCOPE, Status.DUPLICATE)
SPEECH: Final = [*languages.CHOICES, ("", pgettext_lazy("staff", "Language not known"))]
NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_PUBLIC_ID: Final = re.compile(r"\s*(?:R\s*-?\s*)?(\d{4})\s*-\s*(\d{1,6})\s*", re.IGNORECASE | re.ASCII)


def named(public_id: str) -> dict[str, int] | None:
    """The year and number in R-2026-0042, however it is typed; None when it is no such name."""
    found = _PUBLIC_ID.fullmatch(public_id)
    return {"year": int(found[1]), "number": int(found[2])} if found else None


class NarrativeQuerySet(models.QuerySet["Narrative"]):
    def with_counts(self) -> "NarrativeQuerySet":
        """`rumors_count`: how many rumors, secret ones left out, belong to each."""
        counted = Count("rumors", filter=~Q(rumors__sensitivity=Sensitivity.SECRET))
        return self.annotate(rumors_count=counted).order_by("-rumors_count", "name")


class Narrative(models.Model):
    """The story that single claims belong to."""

    name = models.CharField(pgettext_lazy("staff", "the story in a few words"), max_length=120, unique=True)
    description = models.TextField(
        pgettext_lazy("staff", "what it says, and how to know it"), max_length=1000, blank=True
    )

    objects: ClassVar[models.Manager[Any]] = NarrativeQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "narrative")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(name=""), name="narrative_has_a_name")]

    def __str__(self) -> str:
        return self.name


def _is_there(rows: "models.QuerySet[Any]") -> Q:
    """Whether the rumor, or one that repeats it, has such rows."""
    return Q(Exists(rows.filter(rumor=OuterRef("pk")))) | Q(Exists(rows.filter(rumor__same_as=OuterRef("pk"))))


class RumorQuerySet(models.QuerySet["Rumor"]):
    def open(self) -> "RumorQuerySet":
        return self.exclude(status__in=ENDED)

    def visible_to(self, user: "User") -> "RumorQuerySet":
        """Secret rumors exist only for those who may read them."""
        return self if user.has_perm("rumors.secret") else self.exclude(sensitivity=Sensitivity.SECRET)

    def countable(self) -> "RumorQuerySet":
        """What reports may count."""
        return self.exclude(sensitivity=Sensitivity.SECRET)

    def unanswered(self) -> "RumorQuerySet":
        """Without a published rebuttal, of its own or of one that repeats it."""
        published = Rebuttal.objects.published()
        repeating = published.filter(rumor__same_as__isnull=False)
        return self.exclude(pk__in=published.values("rumor")).exclude(pk__in=repeating.values("rumor__same_as"))

    def overdue(self, now: datetime) -> "RumorQuerySet":
        return self.open().filter(due_at__lt=now)

    def to_review(self, today: date) -> "RumorQuerySet":
        """To be looked at again by now: by their own day, or by that of something planned that is not done. What
        repeats another rumor is looked at there."""
        planned = {"responses__done_at__isnull": True, "responses__review_on__lte": today}
        due = Q(review_on__lte=today) | Q(pk__in=self.model.objects.filter(**planned).values("pk"))
        return self.filter(due).exclude(status=Status.DUPLICATE)

    def matching(
        self,
        *,
        status: str = "",
        priority: str = "",
        sensitivity: str = "",
        topic: Topic | None = None,
        assignee: "User | Literal['nobody'] | None" = None,
        channel: str = "",
        language: str = "",
        area: str = "",
        first: date | None = None,
        last: date | None = None,
        is_overdue: bool = False,
        is_unanswered: bool = False,
        is_to_review: bool = False,
        words: str = "",
        with_secret: bool = False,
    ) -> "RumorQuerySet":
        """The filters of the staff list; empty ones do not filter. Channel, language, area and days are those of one
        sighting; `with_secret` says that it may be found by secret words, too."""
        own = {"status": status, "priority": priority, "sensitivity": sensitivity, "topic": topic}
        found = self.filter(**{name: value for name, value in own.items() if value})
        if assignee:
            found = found.filter(assignee=None if assignee == "nobody" else assignee)
        heard = {
            "channel": channel,
            "language": language,
            "area__iexact": area.strip(),
            "seen_on__gte": first,
            "seen_on__lte": last,
        }
        if seen := {name: value for name, value in heard.items() if value}:
            found = found.filter(_is_there(Sighting.objects.filter(**seen, is_threat=False)))
        if is_overdue:
            found = found.overdue(timezone.now())
        if is_unanswered:
            found = found.open().unanswered()
        if is_to_review:
            found = found.to_review(timezone.localdate())
        return found.saying(words, with_secret=with_secret) if words else found

    def saying(self, words: str, *, with_secret: bool) -> "RumorQuerySet":
        """With these letters in the claim or in what was heard, or with this number."""
        texts = Document.objects.filter(kind="rumor", folded__contains=fold(words))
        if not with_secret:
            texts = texts.exclude(is_secret=True)
        name = named(words)
        return self.filter(**name) if name else self.filter(pk__in=texts.values("object_id"))

    def unfindable(self) -> "RumorQuerySet":
        """Of which the matcher was never told."""
        told = Document.objects.filter(
            kind="rumor",
            object_id=Coalesce(OuterRef("same_as_id"), OuterRef("pk")),
            part=Concat(Value("claim:"), Cast(OuterRef("pk"), models.CharField())),
        )
        return self.filter(~Exists(told)).order_by("pk")

    def most_urgent_first(self) -> "RumorQuerySet":
        """Open ones by the day they are due, then what has ended, newest first. `sort_due` is their order."""
        due = Case(When(status__in=ENDED, then=Value(NEVER)), default=F("due_at"), output_field=models.DateTimeField())
        return self.annotate(sort_due=due).order_by("sort_due", "-id")

    def as_rows(self) -> "RumorQuerySet":
        """With what a list shows of each: `sightings_count`, `first_seen_on`, `last_seen_on`, `is_answered`.
        Threats are not counted."""
        # Subqueries and not joins: counting the pages leaves them out. Two of each, for own and for repeated ones: no
        # index helps with both at once.
        seen = Sighting.objects.filter(is_threat=False).order_by()
        own = seen.filter(rumor=OuterRef("pk")).values("rumor")
        repeated = seen.filter(rumor__same_as=OuterRef("pk")).values("rumor__same_as")

        def both(figure: Aggregate) -> list[Subquery]:
            return [Subquery(of.annotate(figure=figure).values("figure")) for of in (own, repeated)]

        own_count, repeated_count = both(Count("pk"))
        return self.annotate(
            sightings_count=Coalesce(own_count, 0) + Coalesce(repeated_count, 0),
            first_seen_on=Least(*both(Min("seen_on"))),
            last_seen_on=Greatest(*both(Max("seen_on"))),
            is_answered=ExpressionWrapper(_is_there(Rebuttal.objects.published()), models.BooleanField()),
        )

    def with_total(self) -> "RumorQuerySet":
        """Adds `total`, how many rows these are, whichever of them are taken afterwards."""
        rows = self.order_by().annotate(one=Value(1)).values("one")
        return self.annotate(total=Subquery(rows.annotate(figure=Count("pk")).values("figure")))

    def with_words_to_forget(self, now: datetime) -> "RumorQuerySet":
        """Ended so long ago that nobody needs the original words and the links any more."""
        kept = Sighting.objects.filter(rumor=OuterRef("pk")).exclude(original="", url="", archive_url="", picture=None)
        long_ago = now - Rumor.KEEP_WORDS
        # What repeats another rumor is kept as long as that one.
        has_ended = Q(same_as__isnull=True) | Q(same_as__ended_at__lt=long_ago)
        return self.filter(~Q(original="") | Exists(kept), has_ended, ended_at__lt=long_ago)


class Numbering(models.Model):
    """How far the numbers of a year have come. Whoever takes one holds the row until the end of the transaction, so a
    list that makes many rumors takes its numbers beforehand; one that then fails leaves a gap."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField()

    class Meta:
        verbose_name = "numbering"

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Rumor(models.Model):
    """One claim, however often and wherever it is heard."""

    KEEP_WORDS: Final = timedelta(days=2 * 365)
    """After a rumor has ended, its original words and links, and those of its sightings, are kept this long."""

    number = models.PositiveIntegerField(editable=False)
    year = models.PositiveSmallIntegerField(editable=False)
    claim = models.CharField(pgettext_lazy("staff", "the claim in one neutral sentence, in Swedish"), max_length=300)
    original = models.TextField(pgettext_lazy("staff", "the words as they were said"), max_length=4000, blank=True)
    original_language = models.CharField(
        pgettext_lazy("staff", "language of those words"),
        max_length=10,
        choices=SPEECH,
        default=languages.SOURCE,
        blank=True,
    )
    claim_type = models.CharField(
        pgettext_lazy("staff", "kind of claim"), max_length=20, choices=ClaimType, default=ClaimType.HOW_IT_WORKS
    )
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rumors",
        verbose_name=pgettext_lazy("staff", "topic"),
    )
    status = models.CharField(pgettext_lazy("staff", "status"), max_length=12, choices=Status, default=Status.NEW)
    status_reason = models.CharField(pgettext_lazy("staff", "why it has this status"), max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True, editable=False)
    same_as = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="duplicates",
        verbose_name=pgettext_lazy("staff", "same as"),
    )
    verdict = models.CharField(pgettext_lazy("staff", "verdict"), max_length=14, choices=Verdict, blank=True)
    verdict_basis = models.TextField(pgettext_lazy("staff", "what the verdict rests on"), max_length=2000, blank=True)
    confidence = models.CharField(
        pgettext_lazy("staff", "how sure the verdict is"), max_length=6, choices=Confidence, blank=True, db_default=""
    )
    verifiability = models.CharField(
        pgettext_lazy("staff", "can it be checked"), max_length=11, choices=Verifiability, blank=True, db_default=""
    )
    narratives = models.ManyToManyField(
        Narrative, blank=True, related_name="rumors", verbose_name=pgettext_lazy("staff", "narratives")
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    """Who chose what is done about it; nothing is done before somebody else has approved."""
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("staff", "who takes care of it"),
    )
    watchers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+", editable=False)
    reach = models.CharField(
        pgettext_lazy("staff", "how far it has come"), max_length=16, choices=Reach, blank=True, db_default=""
    )
    """The latest of `reaches`."""
    review_on = models.DateField(pgettext_lazy("staff", "look at it again"), null=True, blank=True)
    version = models.PositiveIntegerField(db_default=0, default=0, editable=False)
    """Counts the changes: whoever has seen an older one is asked before theirs is written."""
    sensitivity = models.CharField(
        pgettext_lazy("staff", "who may read it"), max_length=8, choices=Sensitivity, default=Sensitivity.INTERNAL
    )
    priority = models.CharField(
        pgettext_lazy("staff", "priority"), max_length=6, choices=Priority, default=Priority.MEDIUM
    )
    due_at = models.DateTimeField(pgettext_lazy("staff", "answer by"))
    logged_at = models.DateTimeField(auto_now_add=True)
    logged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    form_id = models.UUIDField(null=True, editable=False)
    """Of the form it was logged with: one that is sent twice makes one rumor."""

    objects: ClassVar[models.Manager[Any]] = RumorQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "rumor")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["status", "due_at"], name="rumor_by_status_and_due"),
            models.Index(fields=["-logged_at"], name="rumor_by_time"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["year", "number"], name="rumor_number_is_unique_in_its_year"),
            models.UniqueConstraint(fields=["logged_by", "form_id"], name="form_logs_one_rumor"),
            models.CheckConstraint(
                condition=~Q(status=Status.CLOSED) | (~Q(verdict="") & ~Q(verdict_basis="")),
                name="closed_rumor_has_a_verdict_and_its_basis",
            ),
            models.CheckConstraint(condition=~Q(claim=""), name="rumor_has_a_claim"),
            models.CheckConstraint(
                condition=Q(sensitivity__in=Sensitivity.values), name="who_may_read_a_rumor_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ENDED, ended_at__isnull=False)
                | (~Q(status__in=ENDED) & Q(ended_at__isnull=True)),
                name="rumor_has_a_time_when_it_has_ended",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.DUPLICATE, same_as__isnull=False)
                | (~Q(status=Status.DUPLICATE) & Q(same_as__isnull=True)),
                name="duplicate_rumor_names_the_one_it_repeats",
            ),
            models.CheckConstraint(condition=~Q(same_as=F("pk")), name="rumor_does_not_repeat_itself"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, decided_at__isnull=True, approved_by__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="rumor_is_decided_by_somebody_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | (Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approved_by=F("decided_by"))),
                name="rumor_is_decided_and_approved_by_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(verifiability=Verifiability.OPINION) | Q(verdict__in=["", Verdict.OPINION]),
                name="opinion_is_neither_true_nor_false",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        return reverse("staff_rumor", args=[self.pk])

    @property
    def public_id(self) -> str:
        return f"R-{self.year}-{self.number:04d}"

    @property
    def is_secret(self) -> bool:
        return self.sensitivity == Sensitivity.SECRET

    @property
    def is_open(self) -> bool:
        return self.status not in ENDED

    @property
    def is_approved(self) -> bool:
        return self.approved_by_id is not None

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_at < timezone.now()

    @property
    def line(self) -> str:
        """For lists, where no reading is logged: a secret claim stands on its own page only."""
        return "" if self.is_secret else self.claim


class SightingQuerySet(models.QuerySet["Sighting"]):
    def areas(self) -> "models.QuerySet[Sighting, str]":
        """The districts named so far, those of secret rumors left out."""
        named = self.exclude(area="").exclude(rumor__sensitivity=Sensitivity.SECRET).exclude(is_threat=True)
        return named.order_by("area").values_list("area", flat=True).distinct()

    def with_repeats(self, rumor: Rumor) -> "SightingQuerySet":
        """Of a rumor and of those that were found to repeat it."""
        return self.filter(Q(rumor=rumor) | Q(rumor__same_as=rumor))

    def visible_to(self, user: "User") -> "SightingQuerySet":
        """Threats, and what was heard of secret rumors, exist only for those who handle them."""
        return self if user.has_perm("rumors.secret") else self.countable()

    def countable(self) -> "SightingQuerySet":
        """What figures may count: no threats, and nothing of secret rumors."""
        return self.exclude(is_threat=True).exclude(rumor__sensitivity=Sensitivity.SECRET)

    def unhandled_threats(self) -> "SightingQuerySet":
        return self.filter(is_threat=True, handled_at__isnull=True)

    def threats_to_forget(self, now: datetime) -> "SightingQuerySet":
        """Handled so long ago that nobody needs their words any more, also in a rumor that is still alive."""
        handled = self.filter(is_threat=True, handled_at__lt=now - Rumor.KEEP_WORDS)
        return handled.exclude(original="", url="", archive_url="", picture=None)


class Sighting(models.Model):
    """Once that a claim was heard or seen. Never who said it."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="sightings")
    seen_on = models.DateField(pgettext_lazy("staff", "when"))
    precision = models.CharField(
        pgettext_lazy("staff", "how exactly is that known"),
        max_length=5,
        choices=Precision,
        default=Precision.DAY,
        db_default=Precision.DAY,
    )
    channel = models.CharField(pgettext_lazy("staff", "where"), max_length=16, choices=Channel)
    heard_how = models.CharField(
        pgettext_lazy("staff", "how did you hear it"), max_length=11, choices=HeardHow, default=HeardHow.TOLD
    )
    language = models.CharField(
        pgettext_lazy("staff", "language"), max_length=10, choices=SPEECH, default=languages.SOURCE, blank=True
    )
    original = models.TextField(pgettext_lazy("staff", "the words as they were said"), max_length=4000, blank=True)
    area = models.CharField(pgettext_lazy("staff", "district"), max_length=60, blank=True)
    url = models.URLField(pgettext_lazy("staff", "link"), max_length=500, blank=True)
    archive_url = models.URLField(
        pgettext_lazy("staff", "link to an archived copy"), max_length=500, blank=True, db_default=""
    )
    country = models.CharField(
        pgettext_lazy("staff", "country, when it is abroad"), max_length=60, blank=True, db_default=""
    )
    audience = models.CharField(
        pgettext_lazy("staff", "who is addressed"), max_length=14, choices=Audience, blank=True, db_default=""
    )
    spreader = models.CharField(
        pgettext_lazy("staff", "what kind of sender"), max_length=12, choices=Spreader, blank=True, db_default=""
    )
    reached = models.PositiveIntegerField(
        pgettext_lazy("staff", "about how many it has reached"), null=True, blank=True
    )
    picture = models.ForeignKey(
        Picture,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("staff", "screenshot"),
    )
    is_threat = models.BooleanField(pgettext_lazy("staff", "it holds a threat"), default=False, db_default=False)
    """For the security role alone: it stands in their queue and nowhere else."""
    handled_at = models.DateTimeField(null=True, editable=False)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    handled_note = models.CharField(
        pgettext_lazy("staff", "what was done about the threat"), max_length=500, blank=True, db_default=""
    )
    logged_at = models.DateTimeField(auto_now_add=True)
    logged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    form_id = models.UUIDField(null=True, editable=False)
    """Of the form it was logged with: one that is sent twice makes one sighting."""

    objects: ClassVar[models.Manager[Any]] = SightingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-seen_on", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["rumor", "-seen_on"], name="sighting_by_rumor_and_day"),
            models.Index(fields=["seen_on"], name="sighting_by_day"),
            models.Index(fields=["logged_at"], name="sighting_by_time"),
            models.Index(
                fields=["logged_at"], condition=Q(is_threat=True, handled_at__isnull=True), name="threat_to_be_handled"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["logged_by", "form_id"], name="form_logs_one_sighting"),
            models.CheckConstraint(
                condition=Q(handled_at__isnull=True, handled_by__isnull=True)
                | (Q(handled_at__isnull=False, handled_by__isnull=False, is_threat=True) & ~Q(handled_note="")),
                name="threat_is_handled_by_somebody_in_some_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rumor} {self.seen_on} {self.channel}"


class RebuttalQuerySet(models.QuerySet["Rebuttal"]):
    def published(self) -> "RebuttalQuerySet":
        return self.filter(**{languages.suffixed("title", languages.SOURCE) + "__gt": ""})

    def with_repeats(self, rumor: Rumor) -> "RebuttalQuerySet":
        """To a rumor and to those that were found to repeat it."""
        return self.filter(Q(rumor=rumor) | Q(rumor__same_as=rumor))

    def overtaken(self) -> "RebuttalQuerySet":
        """Published ones whose fact has since been published with something important changed: since they were
        written from it, were confirmed, or got another Swedish text themselves."""
        swedish = {"language": languages.SOURCE}
        own = Edition.objects.filter(
            **swedish, content_type=ContentType.objects.get_for_model(Rebuttal), object_id=OuterRef("pk")
        )
        changed = Revision.objects.filter(
            **swedish,
            content_type=ContentType.objects.get_for_model(Fact),
            object_id=OuterRef("fact_id"),
            state=State.PUBLISHED,
            significance=Significance.MAJOR,
            decided_at__gt=OuterRef("known_at"),
        )
        known_at = Greatest(Subquery(own.values("published_at")), F("fact_revision__decided_at"))
        return self.published().annotate(known_at=known_at).filter(Exists(changed))

    def read_in(self, code: str) -> "RebuttalQuerySet":
        return self.only(*reading_columns(Rebuttal, languages.chain(code)))

    def newest_first(self) -> "RebuttalQuerySet":
        """By the day their Swedish text was published."""
        published = Edition.objects.filter(
            content_type=ContentType.objects.get_for_model(Rebuttal),
            object_id=OuterRef("pk"),
            language=languages.SOURCE,
        )
        return self.annotate(published_at=Subquery(published.values("published_at"))).order_by("-published_at", "-pk")


class Rebuttal(models.Model):
    """The public answer to a rumor, resting on a fact. Title and address state the truth, never the claim."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="rebuttals")
    fact = models.ForeignKey(
        Fact, models.PROTECT, related_name="rebuttals", verbose_name=pgettext_lazy("staff", "fact")
    )
    fact_revision = models.ForeignKey(Revision, models.PROTECT, null=True, related_name="+")
    """The Swedish text of the fact that this answer was written from."""
    strength = models.CharField(
        pgettext_lazy("staff", "what the fact does to the claim"),
        max_length=15,
        choices=Strength,
        default=Strength.REFUTES,
    )
    slug = models.SlugField(pgettext_lazy("staff", "address"), max_length=60, unique=True)
    title = models.CharField(pgettext_lazy("staff", "the truth as a title"), max_length=160, default="", blank=True)
    answer = models.TextField(pgettext_lazy("staff", "the fact, in two sentences"), default="", blank=True)
    claim = models.TextField(pgettext_lazy("staff", "what people say, told once"), default="", blank=True)
    explanation = models.TextField(
        pgettext_lazy("staff", "why it misleads, and the fact again"), default="", blank=True
    )
    linked_at = models.DateTimeField(auto_now_add=True)
    linked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = RebuttalQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "answer to a rumor")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rumor", "fact"], name="rumor_is_rebutted_once_by_each_fact"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("rumor", args=[self.slug])

    @property
    def is_guarded(self) -> bool:
        """As the fact that it rests on."""
        return self.fact.is_guarded

    @property
    def published_languages(self) -> list[languages.Language]:
        return [known for known in languages.ACTIVE if getattr(self, languages.suffixed("title", known.code))]
