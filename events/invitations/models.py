from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.actors.models import Actor, Contact
from events.models import Event, Status
from events.registrations.models import Registration, State
from portal import languages
from portal.secret_links import new_nonce


class Answer(models.TextChoices):
    YES = "yes", pgettext_lazy("staff", "Comes")
    NO = "no", pgettext_lazy("staff", "Does not come")
    SUBSTITUTE = "substitute", pgettext_lazy("staff", "Sends somebody else")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def standing(self) -> "InvitationQuerySet":
        """Not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)

    def unanswered(self) -> "InvitationQuerySet":
        return self.standing().filter(answer="").exclude(email="")

    def planned(self) -> "InvitationQuerySet":
        """Those whose mail has been promised: the event is no draft any more."""
        return self.filter(planned_at__isnull=False)

    def unplanned(self, now: datetime) -> "InvitationQuerySet":
        """Written while the event was a draft, which it is no more."""
        is_to_come = Q(event__status=Status.PUBLISHED, event__starts_at__gt=now)
        return self.unanswered().filter(is_to_come, planned_at__isnull=True)

    def told_less(self, now: datetime) -> "InvitationQuerySet":
        """Who has not answered and knows of an appointment that is not the event's any more. Who has a seat is told by
        `events.registrations`."""
        return self.unanswered().planned().filter(event__starts_at__gt=now, told_sequence__lt=F("event__sequence"))

    def as_rows(self) -> "InvitationQuerySet":
        """The newest answer first, then who has not answered; what was withdrawn last."""
        found = self.select_related("actor", "registration__check_in", "stands_in_for")
        is_withdrawn, newest = F("withdrawn_at").asc(nulls_first=True), F("answered_at").desc(nulls_last=True)
        return found.order_by(is_withdrawn, newest, Lower("name"), "pk")

    def told_between(self, since: datetime, until: datetime) -> "InvitationQuerySet":
        """Who does not come themselves, and has said so in this time."""
        is_away = Q(answer__in=[Answer.NO, Answer.SUBSTITUTE])
        return self.standing().filter(is_away, answered_at__gte=since, answered_at__lt=until)

    def of_organizations(self) -> "InvitationQuerySet":
        """To what is or was held, newest event first: what a coverage report counts."""
        held = self.standing().filter(actor__isnull=False, event__status=Status.PUBLISHED)
        columns = ("event__starts_at", "event__ends_at", "registration__event", "registration__check_in__registration")
        found = held.select_related("event", "registration__check_in").only("actor", "came", *columns)
        return found.order_by("-event__starts_at", "-pk")

    def expired(self, now: datetime) -> "InvitationQuerySet":
        return self.filter(forgotten_at__isnull=True, event__ends_at__lt=now - Invitation.KEEP_AFTER_EVENT)


class Invitation(models.Model):
    """One person, or one function of an organization, invited to one event, and what they have answered.

    Who comes has a registration like everybody else. Somebody who was named to come instead is invited in turn.
    """

    KEEP_AFTER_EVENT: Final = timedelta(days=30)

    event = models.ForeignKey(Event, models.CASCADE, related_name="invitations", editable=False)
    actor = models.ForeignKey(
        Actor,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invitations",
        verbose_name=pgettext_lazy("staff", "organization"),
    )
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="invitations", editable=False)
    name = models.CharField(pgettext_lazy("staff", "name or function"), max_length=120, blank=True)
    email = models.EmailField(pgettext_lazy("staff", "e-mail address"), blank=True)
    language = models.CharField(
        pgettext_lazy("staff", "language"), max_length=10, choices=languages.CHOICES, default=languages.SOURCE
    )
    note = models.CharField(pgettext_lazy("staff", "note for colleagues"), max_length=300, blank=True)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    """Part of the secret link's signature; a new one revokes every link sent before."""
    invited_at = models.DateTimeField(auto_now_add=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, editable=False
    )
    """Null for somebody whom an invited person has named."""
    planned_at = models.DateTimeField(null=True, editable=False)
    """Since when its mail is promised; null as long as the event is a draft."""
    told_sequence = models.PositiveIntegerField(default=0, editable=False)
    """The appointment that the newest mail tells."""
    answer = models.CharField(max_length=10, choices=Answer, blank=True, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    stands_in_for = models.ForeignKey("self", models.CASCADE, null=True, related_name="substitutes", editable=False)
    """Whose place they take, who was invited and has named them."""
    registration = models.OneToOneField(
        Registration, models.SET_NULL, null=True, related_name="invitation", editable=False
    )
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    came = models.BooleanField(null=True, editable=False)
    """What the check-in had told, kept when all else is forgotten; null before that."""
    forgotten_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager[Any]] = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "invitation")
        verbose_name_plural = pgettext_lazy("staff", "invitations")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "event",
                Lower("email"),
                condition=Q(withdrawn_at__isnull=True) & ~Q(email=""),
                name="person_is_invited_once_to_an_event",
            ),
            models.UniqueConstraint(
                fields=["stands_in_for"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_person_comes_instead_of_another",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="invitation_is_answered_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True) | Q(name="", email="", note="", contact__isnull=True),
                name="forgotten_invitation_names_nobody",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True) | Q(came__isnull=False),
                name="forgotten_invitation_says_whether_somebody_came",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"

    @property
    def key(self) -> str:
        """What the keys of all messages about this invitation begin with."""
        return f"event:{self.event_id}:invitation:{self.pk}:"

    @property
    def answers_until(self) -> datetime:
        """Until then an answer can be given and changed; not to come can be said until the event starts."""
        return self.event.answers_due_at or self.event.starts_at

    @property
    def is_open(self) -> bool:
        """An answer can be given or changed."""
        return self.is_declinable and timezone.now() < self.answers_until

    @property
    def is_declinable(self) -> bool:
        return self.withdrawn_at is None and self.forgotten_at is None and self.event.is_upcoming

    @property
    def is_seated(self) -> bool:
        """They have said yes, and have a seat that they have not given back."""
        held = self.registration
        return self.answer == Answer.YES and held is not None and held.state == State.CONFIRMED

    @property
    def has_come(self) -> bool:
        """They were checked in; nothing else tells that somebody came."""
        if self.came is not None:
            return self.came
        return self.registration is not None and hasattr(self.registration, "check_in")
