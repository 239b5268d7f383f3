from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.actors.models import Actor
from events.models import Event, Status
from events.series.models import Series
from portal.accounts.models import User


class Outcome(models.TextChoices):
    DONE = "done", pgettext_lazy("agreement", "Done")
    DROPPED = "dropped", pgettext_lazy("agreement", "Not done after all")


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def open(self) -> "AgreementQuerySet":
        return self.filter(settled_at__isnull=True)

    def overdue(self, today: date) -> "AgreementQuerySet":
        return self.open().filter(due_on__lt=today)

    def of_series(self, series: Series | int) -> "AgreementQuerySet":
        """Of the series itself, or of one of its sittings."""
        return self.filter(Q(series=series) | Q(event__series=series))

    def brought_to(self, event: Event) -> "AgreementQuerySet":
        """What was agreed last time: what is open in the series, and what was settled since the sitting before."""
        if event.series_id is None:
            return self.none()
        before = Event.objects.filter(series=event.series_id, starts_at__lt=event.starts_at, status=Status.PUBLISHED)
        last = before.without_text().order_by("-starts_at").first()
        stands = Q(settled_at__isnull=True)
        if last is not None:
            stands |= Q(settled_at__gte=last.starts_at)
        is_earlier = Q(event__isnull=True) | Q(event__starts_at__lt=event.starts_at)
        return self.of_series(event.series_id).filter(stands, is_earlier).with_owners()

    def of_team(self, user: User) -> "AgreementQuerySet":
        """Those that this colleague has to see to: their own, and those of events that they hold."""
        their_events = Event.objects.filter(team=user)
        return self.filter(
            Q(owner_user=user) | Q(event__in=their_events) | Q(series__in=their_events.values("series"))
        ).distinct()

    def with_owners(self) -> "AgreementQuerySet":
        return self.select_related("owner_actor", "owner_user")


class Agreement(models.Model):
    """What those around the table have agreed to do, by when, and who does it."""

    series = models.ForeignKey(Series, models.PROTECT, null=True, related_name="agreements", editable=False)
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="agreements", editable=False)
    what = models.CharField(pgettext_lazy("staff", "what was agreed"), max_length=500)
    owner = models.CharField(pgettext_lazy("staff", "who does it, in words"), max_length=160, blank=True)
    owner_actor = models.ForeignKey(
        Actor,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="agreements",
        verbose_name=pgettext_lazy("staff", "or an organization"),
    )
    owner_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("staff", "or a colleague"),
    )
    due_on = models.DateField(pgettext_lazy("staff", "by when"), null=True, blank=True)
    agreed_at = models.DateTimeField(default=timezone.now, editable=False)
    outcome = models.CharField(
        pgettext_lazy("staff", "what became of it"), max_length=7, choices=Outcome, blank=True, editable=False
    )
    settled_at = models.DateTimeField(null=True, editable=False)
    reason = models.CharField(pgettext_lazy("staff", "why not"), max_length=300, blank=True)
    form_id = models.UUIDField(unique=True, null=True, editable=False)
    """Of the form it was written in: one that is sent twice makes one agreement."""

    objects: ClassVar[models.Manager[Any]] = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "agreement")
        verbose_name_plural = pgettext_lazy("staff", "agreements")
        ordering: ClassVar = [models.F("due_on").asc(nulls_last=True), "pk"]
        indexes: ClassVar = [
            models.Index(fields=["due_on"], condition=Q(settled_at__isnull=True), name="open_agreements_by_day"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(series__isnull=True, event__isnull=False) | Q(series__isnull=False, event__isnull=True),
                name="agreement_is_of_a_series_or_of_an_event",
            ),
            models.CheckConstraint(
                condition=~Q(owner="", owner_actor__isnull=True, owner_user__isnull=True),
                name="somebody_sees_to_what_was_agreed",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", settled_at__isnull=True) | (~Q(outcome="") & Q(settled_at__isnull=False)),
                name="agreement_is_settled_at_some_time",
            ),
            models.CheckConstraint(condition=~Q(outcome="dropped") | ~Q(reason=""), name="dropped_agreement_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def owner_name(self) -> str:
        """As it is told to those who are invited: of a colleague no name."""
        if self.owner_actor:
            return self.owner_actor.name
        return self.owner or settings.MUNICIPALITY

    @property
    def is_overdue(self) -> bool:
        return self.settled_at is None and self.due_on is not None and self.due_on < timezone.localdate()


class Minutes(models.Model):
    """What was said at an event, in Swedish: for staff, and for everybody once it is published."""

    event = models.OneToOneField(Event, models.PROTECT, related_name="minutes", editable=False)
    text = models.TextField(pgettext_lazy("staff", "minutes"), max_length=20_000)
    """Markdown."""
    written_at = models.DateTimeField(auto_now=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = pgettext_lazy("staff", "minutes")
        verbose_name_plural = pgettext_lazy("staff", "minutes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(published_at__isnull=True, published_by__isnull=True)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="minutes_are_published_by_somebody_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}"
