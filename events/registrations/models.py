import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Case, F, IntegerField, Max, OuterRef, Q, Sum, Value, When
from django.db.models.functions import JSONObject, Lower
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.models import SEATED, Event, Status
from portal import languages
from portal.secret_links import new_nonce


class State(models.TextChoices):
    CONFIRMED = "confirmed", pgettext_lazy("staff", "Has a seat")
    WAITING = "waiting", pgettext_lazy("staff", "On the waiting list")
    OFFERED = "offered", pgettext_lazy("staff", "Has been offered a seat")
    LAPSED = "lapsed", pgettext_lazy("staff", "Did not answer the offer")
    CANCELED = "canceled", pgettext_lazy("staff", "Canceled")


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def confirmed(self) -> "RegistrationQuerySet":
        return self.filter(state=State.CONFIRMED)

    def waiting(self) -> "RegistrationQuerySet":
        """The waiting list, whoever is first in it first."""
        return self.filter(state=State.WAITING).order_by("queued_at", "pk")

    def active(self) -> "RegistrationQuerySet":
        return self.exclude(state=State.CANCELED)

    def offered(self) -> "RegistrationQuerySet":
        return self.filter(state=State.OFFERED)

    def seats(self) -> int:
        """How many are taken, offers that still stand among them."""
        return self.filter(state__in=SEATED).aggregate(seats=Sum("party_size", default=0))["seats"]  # type: ignore[no-any-return]

    def held_by(self, email: str) -> "RegistrationQuerySet":
        """Compares addresses as `person_has_one_seat_per_event` does; nobody without an address is found."""
        return self.alias(address=Lower("email")).filter(address=Lower(Value(email))).exclude(email="")

    def called(self, letters: str) -> "RegistrationQuerySet":
        """With a name of which one word begins so; by name, and all when empty."""
        starts = Q(name__istartswith=letters) | Q(name__icontains=f" {letters}")
        return (self.filter(starts) if letters else self).order_by(Lower("name"), "pk")

    def sent_by(self, form_id: UUID | None, email: str) -> "RegistrationQuerySet":
        """What this form, or else this address, has registered already."""
        same_form = Q(form_id=form_id) if form_id else Q(pk=None)
        same_address = Q(address=Lower(Value(email))) & ~Q(email="") & ~Q(state=State.CANCELED)
        found = self.alias(address=Lower("email")).filter(same_form | same_address)
        return found.order_by(Case(When(same_form, then=0), default=1), "pk")

    def told_less(self) -> "RegistrationQuerySet":
        """Who was told an appointment that is not the event's any more, and has to know."""
        return self.active().filter(told_sequence__lt=F("event__sequence"))

    def shown_an_old_link(self) -> "RegistrationQuerySet":
        """And has to know, as soon as the event is held after all."""
        is_older = Q(told_join__gt=0, told_join__lt=F("event__join_version"))
        return self.confirmed().filter(is_older, event__status=Status.PUBLISHED)

    def with_needs(self) -> "RegistrationQuerySet":
        """Adds `need_rows`, in the same query: of each need `kind`, `language` and `state`."""
        needs = Need.objects.filter(registration=OuterRef("pk")).order_by("pk")
        rows = needs.values(row=JSONObject(kind="kind", language="language", state="state"))
        return self.annotate(need_rows=ArraySubquery(rows))

    def with_reveals(self) -> "RegistrationQuerySet":
        """Adds `last_shown_at`, when the link to join was shown last."""
        return self.annotate(last_shown_at=Max("reveals__at"))

    def expired(self, now: datetime) -> "RegistrationQuerySet":
        return self.filter(event__ends_at__lt=now - Registration.KEEP_AFTER_EVENT)


class Registration(models.Model):
    """One who wants to come, with a party or alone. The name may be a pseudonym, and there may be no address."""

    KEEP_AFTER_EVENT: Final = timedelta(days=30)

    event = models.ForeignKey(Event, models.CASCADE, related_name="registrations")
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    email = models.EmailField(pgettext_lazy("staff", "e-mail address"), blank=True)
    language = models.CharField(max_length=10, choices=languages.CHOICES, default=languages.SOURCE)
    party_size = models.PositiveSmallIntegerField(pgettext_lazy("staff", "seats"), default=1, db_default=1)
    state = models.CharField(max_length=9, choices=State, default=State.CONFIRMED, db_default=State.CONFIRMED)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    """Part of the private link's signature; a new one revokes every link sent before."""
    form_id = models.UUIDField(null=True, editable=False, unique=True)
    """Of the form it came in by: one that is sent twice makes one registration."""
    code_hash = models.CharField(max_length=64, null=True, editable=False, unique=True)  # noqa: DJ001
    """Of the code by which somebody without an address finds the registration again."""
    uid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    """Of the entry in this person's calendar; nobody else's has it."""
    calendar_changes = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """How often the entry changed for this person alone."""
    registered_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    """Their place in the waiting list; later than `registered_at` for who let an offer pass."""
    offered_until = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)
    told_sequence = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """The appointment this person knows of."""
    told_join = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """The link to join that this person was shown or sent; 0 for none."""

    objects: ClassVar[models.Manager[Any]] = RegistrationQuerySet.as_manager()

    class Meta:
        db_table = "events_registration"
        verbose_name = pgettext_lazy("staff", "registration")
        ordering: ClassVar = ["registered_at", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["event", "queued_at"], condition=Q(state="waiting"), name="waiting_list"),
            models.Index(fields=["offered_until"], condition=Q(state="offered"), name="offers_by_end"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "event",
                Lower("email"),
                condition=~Q(state="canceled") & ~Q(email=""),
                name="person_registers_once_per_event",
            ),
            models.UniqueConstraint(fields=["uid"], name="calendar_entry_is_one_persons"),
            models.CheckConstraint(condition=Q(party_size__gte=1), name="party_has_somebody"),
            models.CheckConstraint(
                condition=Q(state="offered", offered_until__isnull=False)
                | (~Q(state="offered") & Q(offered_until__isnull=True)),
                name="offer_stands_until_some_time",
            ),
            models.CheckConstraint(
                condition=Q(state="canceled", canceled_at__isnull=False)
                | (~Q(state="canceled") & Q(canceled_at__isnull=True)),
                name="registration_is_canceled_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"

    @property
    def key(self) -> str:
        """What the keys of all messages to this person about this event begin with."""
        return f"event:{self.event_id}:registration:{self.pk}:"

    @property
    def calendar_sequence(self) -> int:
        """Grows with every change, whoever made it."""
        return self.event.sequence + self.calendar_changes

    @property
    def is_seated(self) -> bool:
        return self.state == State.CONFIRMED

    @property
    def may_be_in_calendar(self) -> bool:
        """They have a seat, or had one: what takes its entry out may have been taken back before it left."""
        return self.is_seated or self.calendar_changes > 0


CONFIRMED_BEFORE: Final = timedelta(days=3)
"""What people need is arranged by then, or somebody is alarmed."""


class NeedQuerySet(models.QuerySet["Need"]):
    def to_come(self, now: datetime) -> "NeedQuerySet":
        """Of who has a seat in what is to come; what is settled comes last, and what comes soonest first."""
        settled = Case(When(state=Need.State.CONFIRMED, then=1), default=0, output_field=IntegerField())
        found = self.filter(registration__state=State.CONFIRMED, registration__event__starts_at__gt=now)
        return found.select_related("registration__event").order_by(settled, "registration__event__starts_at", "pk")

    def alarming(self, now: datetime) -> "NeedQuerySet":
        """What cannot be had, or is not confirmed three days before."""
        is_late = Q(registration__event__starts_at__lte=now + CONFIRMED_BEFORE)
        return self.to_come(now).exclude(state=Need.State.CONFIRMED).filter(Q(state=Need.State.FAILED) | is_late)

    def expired(self, now: datetime) -> "NeedQuerySet":
        return self.filter(registration__event__ends_at__lt=now - Need.KEEP_AFTER_EVENT)


class Need(models.Model):
    """What somebody needs to be able to take part; forgotten a week after."""

    KEEP_AFTER_EVENT: Final = timedelta(days=7)

    class Kind(models.TextChoices):
        INTERPRETER = "interpreter", pgettext_lazy("staff", "Interpreter")
        ACCESS = "access", pgettext_lazy("staff", "Something that makes it possible to come")

    class State(models.TextChoices):
        ASKED = "asked", pgettext_lazy("staff", "Asked for")
        BOOKED = "booked", pgettext_lazy("staff", "Booked")
        CONFIRMED = "confirmed", pgettext_lazy("staff", "Confirmed")
        FAILED = "failed", pgettext_lazy("staff", "Cannot be had")

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="needs")
    kind = models.CharField(max_length=11, choices=Kind)
    language = models.CharField(max_length=10, choices=languages.CHOICES, blank=True)
    """Of the interpreter."""
    detail = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    state_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Any]] = NeedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["registration", "kind"], name="one_need_of_a_kind"),
            models.CheckConstraint(
                condition=~Q(kind="interpreter") | ~Q(language=""), name="interpreter_speaks_a_language"
            ),
            models.CheckConstraint(condition=~Q(kind="access") | ~Q(detail=""), name="need_says_what_it_is"),
        ]

    def __str__(self) -> str:
        return f"{self.registration} {self.kind}"

    @property
    def is_certain(self) -> bool:
        return self.state in {Need.State.CONFIRMED, Need.State.FAILED}

    @property
    def words(self) -> str:
        """For staff."""
        said = str(languages.get(self.language).in_both_scripts) if self.language else self.detail
        return f"{self.get_kind_display()}: {said}"


class Reveal(models.Model):
    """That the link to join was shown to who holds a registration; nothing of where from."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="reveals")
    join_version = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.registration} {self.at:%Y-%m-%d %H:%M}"
