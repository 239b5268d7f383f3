import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Value
from django.db.models.functions import JSONObject, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Topic
from portal.revisions.rules import reading_columns
from portal.secret_links import new_nonce


class Kind(models.TextChoices):
    SEMINAR = "seminar", pgettext_lazy("event", "Seminar")
    CONFERENCE = "conference", pgettext_lazy("event", "Conference")
    ROUND_TABLE = "round_table", pgettext_lazy("event", "Round table")
    OUTREACH = "outreach", pgettext_lazy("event", "Visit")


class EventQuerySet(models.QuerySet["Event"]):
    def published(self) -> "EventQuerySet":
        return self.filter(**{languages.suffixed("title", languages.SOURCE) + "__gt": ""})

    def upcoming(self, now: datetime) -> "EventQuerySet":
        return self.filter(ends_at__gte=now).order_by("starts_at")

    def passed(self, now: datetime) -> "EventQuerySet":
        return self.filter(ends_at__lt=now).order_by("-starts_at")

    def starting_before(self, moment: datetime) -> "EventQuerySet":
        return self.filter(starts_at__lt=moment)

    def of_kind(self, kind: str) -> "EventQuerySet":
        """All kinds when empty."""
        return self.filter(kind=kind) if kind else self

    def read_in(self, code: str) -> "EventQuerySet":
        return self.only(*reading_columns(Event, languages.chain(code)))

    def with_taken(self) -> "EventQuerySet":
        """Adds `taken`, the number of seats that are, and `is_full`."""
        taken = Count("registrations", filter=Q(registrations__canceled_at__isnull=True))
        return self.annotate(taken=taken).annotate(is_full=Q(capacity__lte=F("taken")))


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
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=160, default="", blank=True)
    summary = models.TextField(pgettext_lazy("staff", "what it is, in two sentences"), default="", blank=True)
    body = models.TextField(pgettext_lazy("staff", "text"), default="", blank=True)
    starts_at = models.DateTimeField(pgettext_lazy("staff", "starts"))
    ends_at = models.DateTimeField(pgettext_lazy("staff", "ends"))
    place = models.CharField(pgettext_lazy("staff", "place"), max_length=200, blank=True)
    is_online = models.BooleanField(pgettext_lazy("staff", "online"), default=False)
    join_url = models.URLField(pgettext_lazy("staff", "link to join"), max_length=500, blank=True)
    """Never in public HTML, JSON, feeds or calendar files; only in the reminder to who is registered."""
    capacity = models.PositiveIntegerField(pgettext_lazy("staff", "seats"), null=True, blank=True)
    registration_ends_at = models.DateTimeField(
        pgettext_lazy("staff", "registration open until"), null=True, blank=True
    )
    """Empty: nobody registers here."""
    spoken = ArrayField(
        models.CharField(max_length=10, choices=languages.CHOICES),
        verbose_name=pgettext_lazy("staff", "languages spoken or interpreted"),
        default=list,
        blank=True,
    )
    contact_content = models.CharField(pgettext_lazy("staff", "contact for content"), max_length=200, blank=True)
    contact_registration = models.CharField(
        pgettext_lazy("staff", "contact for registration"), max_length=200, blank=True
    )
    recording_url = models.URLField(pgettext_lazy("staff", "link to the recording"), max_length=500, blank=True)
    recording_until = models.DateField(pgettext_lazy("staff", "recording available until"), null=True, blank=True)
    uid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    """How often it has moved. Calendars tell old from new by it, and so do the reminders."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

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
                condition=Q(recording_until__isnull=True) | ~Q(recording_url=""),
                name="recording_has_a_link_as_long_as_it_has_a_last_day",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("event", args=[self.slug])

    @property
    def has_passed(self) -> bool:
        return self.ends_at < timezone.now()

    @property
    def has_recording(self) -> bool:
        return bool(
            self.has_passed
            and self.recording_url
            and self.recording_until
            and self.recording_until >= timezone.localdate()
        )

    @property
    def is_recording_gone(self) -> bool:
        return bool(self.recording_url and self.recording_until and self.recording_until < timezone.localdate())

    @property
    def is_open_for_registration(self) -> bool:
        return self.registration_ends_at is not None and timezone.now() < min(self.registration_ends_at, self.starts_at)


class Speaker(models.Model):
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=120, blank=True)
    organization = models.CharField(pgettext_lazy("staff", "organization"), max_length=160, blank=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class ProgramItemQuerySet(models.QuerySet["ProgramItem"]):
    def read_in(self, code: str) -> "ProgramItemQuerySet":
        return self.only(*reading_columns(ProgramItem, languages.chain(code)))

    def with_speakers(self) -> "ProgramItemQuerySet":
        """Adds `speaker_rows`: name, title and organization of each, in the same query."""
        speakers = Speaker.objects.filter(items=OuterRef("pk")).values(
            json=JSONObject(name="name", title="title", organization="organization")
        )
        return self.annotate(speaker_rows=ArraySubquery(speakers))


class ProgramItem(models.Model):
    """One line of the program. Its title is plain translated text, without drafts."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="program")
    starts_at = models.DateTimeField(pgettext_lazy("staff", "starts"))
    ends_at = models.DateTimeField(pgettext_lazy("staff", "ends"))
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=200, default="", blank=True)
    is_break = models.BooleanField(pgettext_lazy("staff", "break"), default=False)
    speakers = models.ManyToManyField(
        Speaker, related_name="items", blank=True, verbose_name=pgettext_lazy("staff", "speakers")
    )

    objects: ClassVar[models.Manager[Any]] = ProgramItemQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["starts_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="program_item_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.starts_at:%H:%M}"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def confirmed(self) -> "RegistrationQuerySet":
        return self.filter(canceled_at__isnull=True)

    def held_by(self, email: str) -> "RegistrationQuerySet":
        """Compares addresses as `person_has_one_seat_per_event` does."""
        return self.alias(address=Lower("email")).filter(address=Lower(Value(email)))

    def expired(self, now: datetime) -> "RegistrationQuerySet":
        return self.filter(event__ends_at__lt=now - Registration.KEEP_AFTER_EVENT)


class Registration(models.Model):
    """A seat. The name may be a pseudonym; nothing else about the person is asked."""

    KEEP_AFTER_EVENT: Final = timedelta(days=30)

    event = models.ForeignKey(Event, models.CASCADE, related_name="registrations")
    name = models.CharField(pgettext_lazy("registration", "Name"), max_length=120)
    email = models.EmailField(pgettext_lazy("registration", "E-mail address"))
    language = models.CharField(max_length=10, choices=languages.CHOICES, default=languages.SOURCE)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    """Part of the private link's signature; a new one revokes every link sent before."""
    registered_at = models.DateTimeField(auto_now_add=True)
    canceled_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Any]] = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "registration")
        ordering: ClassVar = ["registered_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "event",
                Lower("email"),
                condition=Q(canceled_at__isnull=True),
                name="person_has_one_seat_per_event",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
