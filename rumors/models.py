from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import TrigramSimilarity
from django.db import models
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Fact, Topic
from portal.revisions.models import Edition, Revision
from portal.revisions.rules import reading_columns

if TYPE_CHECKING:
    from portal.accounts.models import User


class Status(models.TextChoices):
    NEW = "new", pgettext_lazy("staff", "New")
    SCREENED = "screened", pgettext_lazy("staff", "Screened")
    ASSESSED = "assessed", pgettext_lazy("staff", "Assessed")
    DECIDED = "decided", pgettext_lazy("staff", "Decided")
    MONITORING = "monitoring", pgettext_lazy("staff", "Monitoring")
    RESPONDING = "responding", pgettext_lazy("staff", "Responding")
    CLOSED = "closed", pgettext_lazy("staff", "Closed")
    OUT_OF_SCOPE = "out_of_scope", pgettext_lazy("staff", "Out of scope")
    DUPLICATE = "duplicate", pgettext_lazy("staff", "Duplicate")


class Verdict(models.TextChoices):
    TRUE = "true", pgettext_lazy("staff", "True")
    MOSTLY_TRUE = "mostly_true", pgettext_lazy("staff", "Mostly true")
    PARTLY_TRUE = "partly_true", pgettext_lazy("staff", "Partly true")
    MOSTLY_FALSE = "mostly_false", pgettext_lazy("staff", "Mostly false")
    FALSE = "false", pgettext_lazy("staff", "False")
    OUT_OF_CONTEXT = "out_of_context", pgettext_lazy("staff", "Out of context")
    UNVERIFIABLE = "unverifiable", pgettext_lazy("staff", "Cannot be verified")
    OPINION = "opinion", pgettext_lazy("staff", "An opinion")


class Sensitivity(models.TextChoices):
    PUBLIC = "public", pgettext_lazy("staff", "Public")
    INTERNAL = "internal", pgettext_lazy("staff", "Internal")
    SECRET = "secret", pgettext_lazy("staff", "Secret")


class Priority(models.TextChoices):
    HIGH = "high", pgettext_lazy("staff", "High")
    MEDIUM = "medium", pgettext_lazy("staff", "Medium")
    LOW = "low", pgettext_lazy("staff", "Low")


DEADLINES: Final = {
    Priority.HIGH: timedelta(days=2),
    Priority.MEDIUM: timedelta(days=15),
    Priority.LOW: timedelta(days=30),
}


class ClaimType(models.TextChoices):
    EVENT_HAPPENED = "event_happened", pgettext_lazy("staff", "Something is said to have happened")
    LAW_SAYS = "law_says", pgettext_lazy("staff", "What the law says")
    AUTHORITY_INTENTION = "authority_intention", pgettext_lazy("staff", "What the authorities intend")
    STATISTIC = "statistic", pgettext_lazy("staff", "A figure")
    STAFF_ACT = "staff_act", pgettext_lazy("staff", "What staff did")
    IMAGE_OR_VIDEO = "image_or_video", pgettext_lazy("staff", "A picture or a video")
    HOW_IT_WORKS = "how_it_works", pgettext_lazy("staff", "How it works")
    AVOID_SERVICES = "avoid_services", pgettext_lazy("staff", "A call to stay away from help")


class Channel(models.TextChoices):
    TIKTOK = "tiktok", pgettext_lazy("staff", "TikTok")
    YOUTUBE = "youtube", pgettext_lazy("staff", "YouTube")
    FACEBOOK = "facebook", pgettext_lazy("staff", "Facebook")
    INSTAGRAM = "instagram", pgettext_lazy("staff", "Instagram")
    SNAPCHAT = "snapchat", pgettext_lazy("staff", "Snapchat")
    TELEGRAM = "telegram", pgettext_lazy("staff", "Telegram")
    WHATSAPP = "whatsapp", pgettext_lazy("staff", "WhatsApp")
    X = "x", pgettext_lazy("staff", "X")
    WEB = "web", pgettext_lazy("staff", "Website")
    TV_RADIO = "tv_radio", pgettext_lazy("staff", "TV or radio")
    PRINT = "print", pgettext_lazy("staff", "Print")
    PHONE = "phone", pgettext_lazy("staff", "Phone")
    HOME_VISIT = "home_visit", pgettext_lazy("staff", "Home visit")
    OFFICE_VISIT = "office_visit", pgettext_lazy("staff", "Visit at the office")
    SCHOOL_PRESCHOOL = "school_preschool", pgettext_lazy("staff", "School or preschool")
    SFI = "sfi", pgettext_lazy("staff", "Swedish for immigrants (SFI)")
    PLACE_OF_WORSHIP = "place_of_worship", pgettext_lazy("staff", "Place of worship")
    ASSOCIATION = "association", pgettext_lazy("staff", "Association")
    PUBLIC_PLACE = "public_place", pgettext_lazy("staff", "Public place")
    DEMONSTRATION = "demonstration", pgettext_lazy("staff", "Demonstration")
    EMBASSY = "embassy", pgettext_lazy("staff", "Embassy")
    AUTHORITY = "authority", pgettext_lazy("staff", "Another authority")
    OTHER = "other", pgettext_lazy("staff", "Other")


class HeardHow(models.TextChoices):
    SEEN_ONLINE = "seen_online", pgettext_lazy("staff", "Seen online")
    TOLD = "told", pgettext_lazy("staff", "Told to me")
    OVERHEARD = "overheard", pgettext_lazy("staff", "Overheard")
    FORWARDED = "forwarded", pgettext_lazy("staff", "Forwarded")
    ASKED_ABOUT = "asked_about", pgettext_lazy("staff", "Asked about")


ENDED: Final = (Status.CLOSED, Status.OUT_OF_SCOPE, Status.DUPLICATE)
NEAR: Final = 0.3
"""Trigram similarity from which a claim may be an earlier one; a person decides."""


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
        """Without a published rebuttal."""
        return self.exclude(pk__in=Rebuttal.objects.published().values("rumor_id"))

    def overdue(self, now: datetime) -> "RumorQuerySet":
        return self.open().filter(due_at__lt=now)

    def matching(
        self,
        *,
        status: str = "",
        priority: str = "",
        language: str = "",
        channel: str = "",
        area: str = "",
        topic: Topic | None = None,
    ) -> "RumorQuerySet":
        """The filters of the staff list; empty ones do not filter. Channel, area and language are any sighting's."""
        own: dict[str, Any] = {"status": status, "priority": priority, "topic": topic}
        seen = {"channel": channel, "language": language, "area__iexact": area.strip()}
        found = self.filter(**{name: value for name, value in own.items() if value})
        for name, value in seen.items():
            if value:
                found = found.filter(Exists(Sighting.objects.filter(**{"rumor": OuterRef("pk"), name: value})))
        return found

    def most_urgent_first(self) -> "RumorQuerySet":
        """Open ones by the day they are due, then what has ended, newest first."""
        due = Case(When(status__in=ENDED, then=None), default=F("due_at"), output_field=models.DateTimeField())
        return self.order_by(due.asc(nulls_last=True), "-id")

    def as_rows(self) -> "RumorQuerySet":
        """With what a list shows of each: `sightings_count`, `last_seen_on` and `is_answered`."""
        # Subqueries and not joins: counting the pages leaves them out.
        seen = Sighting.objects.filter(rumor=OuterRef("pk")).order_by().values("rumor")
        return self.annotate(
            sightings_count=Coalesce(Subquery(seen.annotate(number=Count("pk")).values("number")), 0),
            last_seen_on=Subquery(seen.annotate(last=Max("seen_on")).values("last")),
            is_answered=Exists(Rebuttal.objects.published().filter(rumor=OuterRef("pk"))),
        )

    def near(self, claim: str) -> "RumorQuerySet":
        """Claims that share much of their spelling with this one, or hold it, nearest first. Never secret ones."""
        return (
            self.countable()
            .exclude(status=Status.DUPLICATE)
            .annotate(nearness=TrigramSimilarity("claim", claim))
            .filter(Q(nearness__gte=NEAR) | Q(claim__icontains=claim))
            .order_by("-nearness", "-id")
        )

    def with_words_to_forget(self, now: datetime) -> "RumorQuerySet":
        """Ended so long ago that nobody needs the original words and the links any more."""
        kept = Sighting.objects.filter(rumor=OuterRef("pk")).exclude(original="", url="")
        return self.filter(~Q(original="") | Exists(kept), ended_at__lt=now - Rumor.KEEP_WORDS)


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
        choices=languages.CHOICES,
        default=languages.SOURCE,
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
    def is_overdue(self) -> bool:
        return self.is_open and self.due_at < timezone.now()

    @property
    def line(self) -> str:
        """For lists, where no reading is logged: a secret claim stands on its own page only."""
        return "" if self.is_secret else self.claim


class SightingQuerySet(models.QuerySet["Sighting"]):
    def areas(self) -> "models.QuerySet[Sighting, str]":
        """The districts named so far, those of secret rumors left out."""
        named = self.exclude(area="").exclude(rumor__sensitivity=Sensitivity.SECRET)
        return named.order_by("area").values_list("area", flat=True).distinct()


class Sighting(models.Model):
    """Once that a claim was heard or seen. Never who said it."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="sightings")
    seen_on = models.DateField(pgettext_lazy("staff", "when"))
    channel = models.CharField(pgettext_lazy("staff", "where"), max_length=16, choices=Channel)
    heard_how = models.CharField(
        pgettext_lazy("staff", "how did you hear it"), max_length=11, choices=HeardHow, default=HeardHow.TOLD
    )
    language = models.CharField(
        pgettext_lazy("staff", "language"), max_length=10, choices=languages.CHOICES, default=languages.SOURCE
    )
    original = models.TextField(pgettext_lazy("staff", "the words as they were said"), max_length=4000, blank=True)
    area = models.CharField(pgettext_lazy("staff", "district"), max_length=60, blank=True)
    url = models.URLField(pgettext_lazy("staff", "link"), max_length=500, blank=True)
    logged_at = models.DateTimeField(auto_now_add=True)
    logged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    form_id = models.UUIDField(null=True, editable=False)
    """Of the form it was logged with: one that is sent twice makes one sighting."""

    objects: ClassVar[models.Manager[Any]] = SightingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-seen_on", "-id"]
        indexes: ClassVar = [models.Index(fields=["rumor", "-seen_on"], name="sighting_by_rumor_and_day")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["logged_by", "form_id"], name="form_logs_one_sighting"),
        ]

    def __str__(self) -> str:
        return f"{self.rumor} {self.seen_on} {self.channel}"


class Strength(models.TextChoices):
    REFUTES = "refutes", pgettext_lazy("staff", "Refutes it")
    GIVES_CONTEXT = "gives_context", pgettext_lazy("staff", "Gives context")
    PARTLY_CONFIRMS = "partly_confirms", pgettext_lazy("staff", "Partly confirms it")


class RebuttalQuerySet(models.QuerySet["Rebuttal"]):
    def published(self) -> "RebuttalQuerySet":
        return self.filter(**{languages.suffixed("title", languages.SOURCE) + "__gt": ""})

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
