import hashlib
import uuid
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, OuterRef, Q, Value
from django.db.models.functions import Abs, Cast, Coalesce, Extract, JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.series.models import Series
from portal import languages
from portal.accounts.models import User
from portal.composed import Composed, Slot
from portal.facts.models import Topic, link_columns
from portal.revisions.rules import reading_columns


class Kind(models.TextChoices):
    SEMINAR = "seminar", pgettext_lazy("event", "Seminar")
    CONFERENCE = "conference", pgettext_lazy("event", "Conference")
    ROUND_TABLE = "round_table", pgettext_lazy("event", "Round table")
    OUTREACH = "outreach", pgettext_lazy("event", "Visit")


class Status(models.TextChoices):
    """As it is kept. That an event has passed is told by its end alone."""

    DRAFT = "draft", pgettext_lazy("staff", "Draft")
    REVIEW = "review", pgettext_lazy("staff", "Waits for approval")
    PUBLISHED = "published", pgettext_lazy("staff", "Published")
    CANCELED = "canceled", pgettext_lazy("staff", "Canceled")


PUBLIC: Final = (Status.PUBLISHED, Status.CANCELED)


class Group(models.TextChoices):
    """Whom an event is for."""

    EVERYBODY = "everybody", pgettext_lazy("event group", "Everybody")
    PARENTS = "parents", pgettext_lazy("event group", "Parents")
    YOUNG = "young", pgettext_lazy("event group", "Children and young people")
    NEW = "new", pgettext_lazy("event group", "People new in Sweden")
    SCHOOLS = "schools", pgettext_lazy("event group", "Schools and preschools")
    FAITH = "faith", pgettext_lazy("event group", "Faith communities")
    ASSOCIATIONS = "associations", pgettext_lazy("event group", "Associations")
    INTERPRETERS = "interpreters", pgettext_lazy("event group", "Interpreters and bridge builders")
    STAFF = "staff", pgettext_lazy("event group", "Staff of the municipality")
    AUTHORITIES = "authorities", pgettext_lazy("event group", "Authorities and embassies")


class Access(models.TextChoices):
    """What somebody wants to know of a place before they set out."""

    STEP_FREE = "step_free", pgettext_lazy("event place", "No steps")
    LIFT = "lift", pgettext_lazy("event place", "Lift")
    TOILET = "toilet", pgettext_lazy("event place", "Accessible toilet")
    HEARING_LOOP = "hearing_loop", pgettext_lazy("event place", "Hearing loop")
    PARKING = "parking", pgettext_lazy("event place", "Accessible parking")
    STROLLERS = "strollers", pgettext_lazy("event place", "Room for strollers")
    QUIET = "quiet", pgettext_lazy("event place", "A quiet room to rest in")


class EventQuerySet(models.QuerySet["Event"]):
    def published(self) -> "EventQuerySet":
        """What everybody can read; canceled events stay so."""
        return self.filter(status__in=PUBLIC, **{languages.suffixed("title", languages.SOURCE) + "__gt": ""})

    def seen_by(self, user: User) -> "EventQuerySet":
        """Without the visits, for staff who are not told where colleagues have been, or plan to be."""
        if user.has_perm("outreach.view"):
            return self
        return self.filter(session=None).exclude(kind=Kind.OUTREACH, status=Status.DRAFT)

    def with_speakers_told_an_old_link(self, now: datetime) -> "EventQuerySet":
        is_older = Q(speakers_told_join__gt=0, speakers_told_join__lt=F("join_version")) & ~Q(join_url="")
        return self.held().filter(is_older, ends_at__gt=now)

    def held(self) -> "EventQuerySet":
        """Published and not canceled."""
        return self.published().filter(status=Status.PUBLISHED)

    def canceled(self) -> "EventQuerySet":
        return self.filter(status=Status.CANCELED)

    def awaiting_review(self) -> "EventQuerySet":
        return self.filter(status=Status.REVIEW)

    def spoken_in(self, code: str) -> "EventQuerySet":
        """Spoken or interpreted; all when empty."""
        return self.filter(Q(spoken__contains=[code]) | Q(interpreted__contains=[code])) if code else self

    def upcoming(self, now: datetime) -> "EventQuerySet":
        return self.filter(ends_at__gte=now).order_by("starts_at", "pk")

    def passed(self, now: datetime) -> "EventQuerySet":
        return self.filter(ends_at__lt=now).order_by("-starts_at", "-pk")

    def during(self, start: datetime, end: datetime) -> "EventQuerySet":
        """Held at some time from `start` to before `end`."""
        return self.filter(starts_at__lt=end, ends_at__gt=start).order_by("starts_at", "pk")

    def span(self) -> tuple[datetime, datetime] | None:
        """When the first of them begins and the last one ends."""
        found = self.aggregate(first=models.Min("starts_at"), last=models.Max("ends_at"))
        return (found["first"], found["last"]) if found["first"] else None

    def starting_before(self, moment: datetime) -> "EventQuerySet":
        return self.filter(starts_at__lt=moment)

    def of_kind(self, kind: str) -> "EventQuerySet":
        """All kinds when empty."""
        return self.filter(kind=kind) if kind else self

    def to_change(self, *, skip_locked: bool = False) -> "EventQuerySet":
        """Locked: who else wants to change it, or something under it, waits. What only points at it does not: a
        check-in that waited here would hold its registration meanwhile, for which the other one would wait."""
        return self.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)

    def without_text(self) -> "EventQuerySet":
        """For who only decides: the texts are a hundred columns."""
        return self.only(*reading_columns(Event, ()))

    def read_in(self, code: str) -> "EventQuerySet":
        return self.only(*reading_columns(Event, languages.chain(code)))

    def with_invited(self) -> "EventQuerySet":
        """Brings along which organizations were invited, and what became of it."""
        return self.prefetch_related("invitations__actor", "invitations__registration__check_in")

    def with_surroundings(self, code: str, now: datetime | Slot) -> "EventQuerySet":
        """With what stands around the text, in the same query: `series_name`, `appointment_rows` for
        `rules.moved_from`, `sister_rows`, the other public events of its series that are nearest to now, and
        `attachment_rows`, the documents that can be opened."""
        sisters = Event.objects.published().filter(series=OuterRef("series")).exclude(pk=OuterRef("pk"))
        moment = Cast(Value(now), models.DateTimeField())
        sisters = sisters.order_by(Abs(Extract(F("starts_at") - moment, "epoch")))[:SISTERS]
        links = JSONObject(**{name: name for name in ("starts_at", "status", *link_columns(code))})
        appointments = Appointment.objects.filter(event=OuterRef("pk")).order_by("sequence")
        attachments = Event.objects.filter(pk=OuterRef("pk"), attachments__isnull=False)
        attachments = attachments.order_by("attachments__language", "attachments__title", "attachments__pk")
        shown = JSONObject(**{name: f"attachments__{name}" for name in ("pk", "title", "language", "pages", "bytes")})
        return self.annotate(
            series_name=F("series__name"),
            sister_rows=ArraySubquery(sisters.annotate(row=links).values("row")),
            appointment_rows=ArraySubquery(appointments.values(row=JSONObject(starts_at="starts_at", at="at"))),
            attachment_rows=ArraySubquery(attachments.annotate(row=shown).values("row")),
        )

    def with_taken(self) -> "EventQuerySet":
        """Adds `taken`, the number of seats that are, offers that still stand among them, and `is_full`."""
        taken = Coalesce(models.Sum("registrations__party_size", filter=Q(registrations__state__in=SEATED)), 0)
        return self.annotate(taken=taken).annotate(is_full=Q(capacity__lte=F("taken")))


FEEDBACK_FOR: Final = timedelta(days=14)
"""So long after its end people may say what they think of an event."""

SISTERS: Final = 12
"""So many events of a series are named on the page of one."""
SEATED: Final = ("confirmed", "offered")
"""States of a registration that keep its seats from others."""


class Event(models.Model):
    kind = models.CharField(pgettext_lazy("staff", "kind"), max_length=11, choices=Kind)
    slug = models.SlugField(pgettext_lazy("staff", "address"), max_length=60, unique=True)
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=pgettext_lazy("staff", "topic"),
    )
    series = models.ForeignKey(
        Series,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=pgettext_lazy("staff", "series"),
    )
    theme = models.CharField(
        pgettext_lazy("staff", "theme of this sitting"), max_length=160, default="", db_default="", blank=True
    )
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=160, default="", blank=True)
    summary = models.TextField(pgettext_lazy("staff", "what it is, in two sentences"), default="", blank=True)
    body = models.TextField(pgettext_lazy("staff", "text"), default="", blank=True)
    starts_at = models.DateTimeField(pgettext_lazy("staff", "starts"))
    ends_at = models.DateTimeField(pgettext_lazy("staff", "ends"))
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT, db_default=Status.DRAFT)
    groups = ArrayField(
        models.CharField(max_length=12, choices=Group),
        verbose_name=pgettext_lazy("staff", "for whom"),
        default=list,
        db_default=[],
        blank=True,
    )
    place = models.CharField(pgettext_lazy("staff", "place"), max_length=200, blank=True)
    access = ArrayField(
        models.CharField(max_length=12, choices=Access),
        verbose_name=pgettext_lazy("staff", "the place has"),
        default=list,
        db_default=[],
        blank=True,
    )
    access_note = models.CharField(
        pgettext_lazy("staff", "how to get there and in"), max_length=300, default="", db_default="", blank=True
    )
    is_place_public = models.BooleanField(
        pgettext_lazy("staff", "everybody may read where it is"), default=False, db_default=False
    )
    """Otherwise only who has a seat is told."""
    are_speakers_public = models.BooleanField(
        pgettext_lazy("staff", "everybody may read who speaks"), default=False, db_default=False
    )
    is_online = models.BooleanField(pgettext_lazy("staff", "online"), default=False)
    join_url = models.URLField(pgettext_lazy("staff", "link to join"), max_length=500, blank=True)
    """Never in public HTML, JSON, feeds or calendar files; only for who has a seat, and not before `join_opens_at`."""
    join_minutes = models.PositiveSmallIntegerField(
        pgettext_lazy("staff", "minutes before the start that the link is shown"), default=60, db_default=60
    )
    join_version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    """How many links there have been. Who was shown an older one is told the new one."""
    speakers_told_join = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """The newest link that speakers, who have no page that shows it, were told of; 0 before their first reminder."""
    capacity = models.PositiveIntegerField(pgettext_lazy("staff", "seats"), null=True, blank=True)
    registration_ends_at = models.DateTimeField(
        pgettext_lazy("staff", "registration open until"), null=True, blank=True
    )
    """Empty: nobody registers here."""
    largest_party = models.PositiveSmallIntegerField(
        pgettext_lazy("staff", "seats that one person may take"), default=1, db_default=1
    )
    answers_due_at = models.DateTimeField(pgettext_lazy("staff", "who is invited answers until"), null=True, blank=True)
    spoken = ArrayField(
        models.CharField(max_length=10, choices=languages.CHOICES),
        verbose_name=pgettext_lazy("staff", "languages spoken"),
        default=list,
        blank=True,
    )
    interpreted = ArrayField(
        models.CharField(max_length=10, choices=languages.CHOICES),
        verbose_name=pgettext_lazy("staff", "languages interpreted"),
        default=list,
        db_default=[],
        blank=True,
    )
    contact_content = models.CharField(pgettext_lazy("staff", "contact for content"), max_length=200, blank=True)
    contact_registration = models.CharField(
        pgettext_lazy("staff", "contact for registration"), max_length=200, blank=True
    )
    uid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    """How often its appointment has changed. Calendars tell old from new by it."""
    time_set_at = models.DateTimeField(default=timezone.now, editable=False)
    """Since when the reminders that hold count from this time. What was due before has not been missed."""
    public_since = models.DateTimeField(null=True, editable=False)
    """When it was published, or was held after all. What stood there before, nobody need have read."""
    team = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="events",
        verbose_name=pgettext_lazy("staff", "colleagues who hold it"),
        blank=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, editable=False)
    """Who handed it in for approval."""
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, editable=False
    )
    risk_approved_at = models.DateTimeField(null=True, editable=False)
    """When somebody else than its author approved the newest risk assessment."""

    objects: ClassVar[models.Manager[Any]] = EventQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "event")
        ordering: ClassVar = ["starts_at"]
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="event_by_end")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="event_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(registration_ends_at__isnull=True) | Q(registration_ends_at__lte=F("ends_at")),
                name="registration_ends_before_the_event_does",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=PUBLIC)
                | Q(is_place_public=False, are_speakers_public=False)
                | Q(risk_approved_at__isnull=False),
                name="public_event_names_place_or_speakers_after_a_risk_assessment",
            ),
            models.CheckConstraint(
                condition=~Q(status="review") | Q(asked_by__isnull=False), name="somebody_asked_for_the_review"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("asked_by")),
                name="event_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(condition=Q(largest_party__gte=1), name="party_is_one_or_more"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("event", args=[self.slug])

    @property
    def version(self) -> str:
        """Of all but its texts, which are approved for themselves: what somebody has seen who publishes it."""
        names = set(reading_columns(Event, ()))
        values = [str(getattr(self, field.attname)) for field in self._meta.concrete_fields if field.name in names]
        return hashlib.sha256(repr(values).encode()).hexdigest()[:32]

    @property
    def mail_prefix(self) -> str:
        """With which the key of every message about it begins."""
        return f"event:{self.pk}:"

    @property
    def has_passed(self) -> bool:
        return self.ends_at < timezone.now()

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day on which it is held; what ends at midnight ends on the day before."""
        return timezone.localdate(self.starts_at), timezone.localdate(self.ends_at - timedelta.resolution)

    @property
    def is_to_come(self) -> bool:
        """On a later day than today."""
        return timezone.localdate() < self.days[0]

    @property
    def status_now(self) -> str:
        """For people: an event that was held has passed, whatever its status says."""
        if self.status == Status.PUBLISHED and self.has_passed:
            return pgettext("staff", "Passed")
        return str(Status(self.status).label)

    @property
    def who_comes(self) -> list[str]:
        """Or came: each organization once, however many of it; of `with_invited`."""
        here = [one for one in self.invitations.all() if one.has_come or (one.is_seated and not self.has_passed)]
        return list(dict.fromkeys(one.actor.name if one.actor else "–" for one in here))

    @property
    def is_upcoming(self) -> bool:
        """It is held, and has not begun."""
        return self.status == Status.PUBLISHED and timezone.now() < self.starts_at

    @property
    def is_public(self) -> bool:
        return self.status in PUBLIC

    @property
    def is_canceled(self) -> bool:
        return self.status == Status.CANCELED

    @property
    def join_opens_at(self) -> datetime:
        return self.starts_at - timedelta(minutes=self.join_minutes)

    @property
    def is_joinable(self) -> bool:
        """The link may be shown to who has a seat."""
        is_time = self.join_opens_at <= timezone.now() < self.ends_at
        return is_time and bool(self.join_url) and self.status == Status.PUBLISHED

    @property
    def is_open_for_feedback(self) -> bool:
        return self.status == Status.PUBLISHED and self.ends_at <= timezone.now() < self.ends_at + FEEDBACK_FOR

    @property
    def is_open_for_registration(self) -> bool:
        if self.registration_ends_at is None or self.status != Status.PUBLISHED:
            return False
        return timezone.now() < min(self.registration_ends_at, self.starts_at)


SETTLE: Final = timedelta(minutes=2)
"""A change that is taken back within this time is told to nobody, and what follows within it is one message."""


@cache
def _page(code: str) -> Composed[Event]:
    found = Event.objects.published().read_in(code).with_taken().with_surroundings(code, Slot("now"))
    return Composed(found.filter(slug=Slot("slug")))


def page_at(slug: str, code: str) -> Any:
    """The published event at an address, `with_taken` and `with_surroundings`; None when there is none. One query."""
    found = _page(code).ask(slug=slug, now=timezone.now())
    return found[0] if found else None


class Appointment(models.Model):
    """When and where an event was to be held, each time that changed: what somebody was told is one of these."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="appointments")
    sequence = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    place = models.CharField(max_length=200, blank=True)
    is_online = models.BooleanField()
    is_canceled = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "sequence"], name="one_appointment_per_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.sequence}"

    @property
    def terms(self) -> tuple[datetime, datetime, str, bool, bool]:
        return self.starts_at, self.ends_at, self.place, self.is_online, self.is_canceled


class RiskAssessment(models.Model):
    """What may happen if it is known where people meet and who speaks, and what is done about it. For staff only."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="risk_assessments")
    risks = models.TextField(pgettext_lazy("staff", "what may happen, and to whom"), max_length=4000)
    measures = models.TextField(pgettext_lazy("staff", "what is done about it"), max_length=4000)
    responsible = models.CharField(pgettext_lazy("staff", "who sees to it on the day"), max_length=200)
    filled_at = models.DateTimeField(auto_now_add=True)
    filled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    """Null for events that were published before the portal asked for an assessment."""
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, editable=False
    )

    class Meta:
        verbose_name = pgettext_lazy("staff", "risk assessment")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("filled_by")),
                name="risk_assessment_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | Q(approved_at__isnull=False),
                name="risk_assessment_is_approved_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
