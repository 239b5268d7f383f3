from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, Min, OuterRef, Q, Value
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    PLANNED = "planned", pgettext_lazy("staff", "Planned")
    QUEUED = "queued", pgettext_lazy("staff", "About to be sent")
    SENDING = "sending", pgettext_lazy("staff", "Being sent")
    SENT = "sent", pgettext_lazy("staff", "Sent")
    RETRY = "retry", pgettext_lazy("staff", "Will be tried again")
    UNCERTAIN = "uncertain", pgettext_lazy("staff", "Uncertain: it may have been sent")
    FAILED = "failed", pgettext_lazy("staff", "Failed")
    EXPIRED = "expired", pgettext_lazy("staff", "Too late to be sent")
    CANCELED = "canceled", pgettext_lazy("staff", "Canceled")
    SUPPRESSED = "suppressed", pgettext_lazy("staff", "Not sent: the address takes no such mail")


WAITING: Final = (State.PLANNED, State.RETRY)
LEASED: Final = (State.QUEUED, State.SENDING)
"""A worker has it: before the fence and past it."""
RETURNABLE: Final = (State.SENDING, State.SENT, State.UNCERTAIN)
"""It has left, or may have: a report that it came back can be true."""
ENDED: Final = (State.SENT, State.UNCERTAIN, State.FAILED, State.EXPIRED, State.CANCELED, State.SUPPRESSED)


LEASE: Final = timedelta(minutes=5)
"""For so long a delivery is its worker's alone."""
LONGEST_WAIT: Final = timedelta(hours=1)
"""Between two attempts."""


def address_hash(address: str) -> str:
    """Recognizes an address without keeping it."""
    return salted_hmac("portal.mail.address", address.strip().lower(), algorithm="sha256").hexdigest()


class Decision(models.TextChoices):
    """What a person says of messages of which nobody knows whether they arrived."""

    ARRIVED = "arrived", pgettext_lazy("staff", "They have arrived")
    AGAIN = "again", pgettext_lazy("staff", "Send them again")
    LEAVE = "leave", pgettext_lazy("staff", "Leave it: nobody needs to know any more")


ACCOUNT: Final = "account"
"""The kind of what people need to sign in, which no pause of everything holds back."""


class PauseQuerySet(models.QuerySet["Pause"]):
    def holding(self, prefix: str) -> "PauseQuerySet":
        """What holds back everything whose key begins with `prefix`; that of everything first."""
        return self.filter(prefix__in=["", prefix]).select_related("by").order_by("prefix")


class Pause(models.Model):
    """Nothing leaves whose key begins with the prefix until somebody resumes it; what expires meanwhile never does."""

    prefix = models.CharField(max_length=200, unique=True)
    """`event:12:`; empty for all mail but what people need to sign in."""
    name = models.CharField(max_length=200, default="", db_default="", blank=True)
    """What people call that."""
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Any]] = PauseQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "pause of sending")
        constraints: ClassVar = [
            # `event:1` would hold back event 12, too.
            models.CheckConstraint(
                condition=Q(prefix="") | Q(prefix__endswith=":"), name="pause_names_whole_parts_of_keys"
            ),
        ]

    def __str__(self) -> str:
        return self.prefix


def _is_suppressed() -> Exists:
    is_necessary = ExpressionWrapper(OuterRef("is_necessary"), models.BooleanField())
    stopped = Suppression.objects.alias(is_necessary=is_necessary).filter(address_hash=OuterRef("recipient_hash"))
    return Exists(stopped.filter(~Q(reason=Reason.UNSUBSCRIBED) | Q(is_necessary=False)))


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> "DeliveryQuerySet":
        return self.filter(state__in=WAITING)

    def due(self, now: datetime) -> "DeliveryQuerySet":
        # Nothing waits longer than that: the clock has been set back.
        is_time = Q(retry_at__lte=now) | Q(retry_at__gt=now + 2 * LONGEST_WAIT)
        may_be_tried = Q(state=State.PLANNED) | Q(is_time, state=State.RETRY)
        return self.waiting().filter(may_be_tried, due_at__lte=now).unexpired(now).unpaused()

    def unpaused(self) -> "DeliveryQuerySet":
        ours = {name: ExpressionWrapper(OuterRef(name), models.CharField()) for name in ("kind", "key")}
        of_everything = Q(prefix="") & ~Q(kind=ACCOUNT)
        of_what_it_belongs_to = ~Q(prefix="") & Q(key__startswith=F("prefix"))
        return self.filter(~Exists(Pause.objects.alias(**ours).filter(of_everything | of_what_it_belongs_to)))

    def with_suppression(self) -> "DeliveryQuerySet":
        """Adds `is_suppressed`: the address gets no such mail."""
        return self.annotate(is_suppressed=_is_suppressed())

    def unsuppressed(self) -> "DeliveryQuerySet":
        return self.filter(~_is_suppressed())

    def unexpired(self, now: datetime | Value) -> "DeliveryQuerySet":
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))

    def too_late(self, now: datetime) -> "DeliveryQuerySet":
        return self.waiting().filter(due_at__lte=now, expires_at__lte=now)

    def expired_too_soon(self, now: datetime) -> "DeliveryQuerySet":
        """Ended in what is the future again since the clock was set back, and not too late as yet."""
        ahead = self.filter(state=State.EXPIRED, ended_at__gt=now, expires_at__gt=now)
        # One that had a text of its own would be empty now.
        return ahead.exclude(context={}).exclude(recipient="")

    def abandoned(self, now: datetime) -> "DeliveryQuerySet":
        """Claimed by a worker that did not come back within its lease, or before the clock was set back."""
        return self.filter(Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE), state__in=LEASED)

    def uncertain(self) -> "DeliveryQuerySet":
        return self.filter(state=State.UNCERTAIN)

    def undecided(self) -> "DeliveryQuerySet":
        """For people to decide."""
        return self.uncertain().filter(left_at__isnull=True)

    def by_kind(self) -> Sequence[Mapping[str, object]]:
        """Of each kind, how many there are and when the oldest of them was due."""
        return list(self.order_by("kind").values("kind").annotate(number=Count("pk"), oldest_at=Min("due_at")))

    def recallable(self) -> "DeliveryQuerySet":
        """Not sent yet, or claimed and still before the fence, which then refuses the worker."""
        return self.filter(state__in=(*WAITING, State.QUEUED))

    def named(self, *, key: str = "", prefix: str = "") -> "DeliveryQuerySet":
        if bool(key) == bool(prefix):
            raise ValueError("Name deliveries by their key or by a prefix of it.")
        return self.filter(key=key) if key else self.filter(key__startswith=prefix)

    def to(self, address: str) -> "DeliveryQuerySet":
        """Also after the address itself has been forgotten; newest first."""
        return self.filter(recipient_hash=address_hash(address)).order_by("-due_at", "-pk")

    def matching(self, *, state: str = "", kind: str = "") -> "DeliveryQuerySet":
        """Those that a filter asks for, newest first."""
        asked = {name: value for name, value in (("state", state), ("kind", kind)) if value}
        return self.filter(**asked).order_by("-due_at", "-pk")

    def numbers(self, *, since: datetime) -> dict[State, int]:
        """How many are in which state, of what has ended since then and of all that has not."""
        recent = self.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since))
        counted = dict(recent.values_list("state").annotate(number=Count("pk")))
        return {state: counted.get(state, 0) for state in State}

    def settled_by_server(self, recipient_hash: str) -> "DeliveryQuerySet":
        """What was taken or given up on the way to one address, newest first."""
        found = self.filter(recipient_hash=recipient_hash, state__in=(State.SENT, State.FAILED))
        return found.order_by("-due_at", "-pk")

    def oldest_unsent_age(self, now: datetime) -> timedelta:
        """How late the most belated message is that nobody holds back: the alarm of the whole mail system."""
        unsent = self.filter(state__in=(*WAITING, *LEASED), due_at__lte=now).unpaused()
        oldest = unsent.aggregate(oldest=Min("due_at"))["oldest"]
        return now - oldest if oldest else timedelta()


class Delivery(models.Model):
    """One message to one recipient: the promise to send it, and the work item of who sends it.

    planned -> queued -> sending -> sent is the way; `retry` goes back to queued. A worker claims a row (queued), and
    commits `fenced_at` (sending) at the moment after which only the receiving server knows the outcome: what is lost
    before it is tried again, what is lost after it is `uncertain`, until our mail server's ledger or a person says what
    became of it, and never sent again blindly.
    """

    KEEP_RECIPIENT: Final = timedelta(days=30)
    """After the end; a hash of the address stays."""
    KEEP: Final = timedelta(days=400)

    kind = models.CharField(max_length=40)
    """The name its renderer is registered under."""
    key = models.CharField(max_length=200, unique=True)
    """What makes a promise the same promise: `reminder:24h:registration:17`. Ids only, no text of people."""
    recipient = models.EmailField(blank=True)
    recipient_hash = models.CharField(max_length=64, db_index=True)
    language = models.CharField(max_length=10)
    context: "models.JSONField[Mapping[str, int], dict[str, int]]" = models.JSONField(default=dict)
    """Ids by which the renderer finds its objects: `{"registration": 17}`."""
    payload: "models.JSONField[Mapping[str, str], dict[str, str]]" = models.JSONField(default=dict)
    """The text itself, where it cannot be rendered again (a password reset); emptied when it is settled or too late."""
    is_necessary = models.BooleanField(default=True)
    """What the recipient has to know, and so cannot be unsubscribed from."""
    message_id = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    """Until then the row is its worker's alone; the exact moment is also that worker's ticket."""
    fenced_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    """When somebody chose to leave it uncertain."""
    last_answer = models.CharField(max_length=200, blank=True)
    """What the server said last, its code first, without addresses; or our own reason for not sending."""

    objects: ClassVar[models.Manager[Any]] = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "mail")
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["planned", "retry", "queued", "sending"]),
                name="delivery_still_to_do",
            ),
            models.Index(fields=["ended_at"], name="delivery_by_end"),
            models.Index(fields=["ended_at"], condition=Q(state="uncertain"), name="delivery_uncertain"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("due_at")),
                name="delivery_expires_after_it_is_due",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending"], lease_until__isnull=False)
                | (~Q(state__in=["queued", "sending"]) & Q(lease_until__isnull=True)),
                name="delivery_is_leased_while_a_worker_has_it",
            ),
            models.CheckConstraint(
                condition=Q(state="retry", retry_at__isnull=False) | (~Q(state="retry") & Q(retry_at__isnull=True)),
                name="delivery_to_be_tried_again_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="delivery_is_sent_with_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "retry", "queued", "sending"], ended_at__isnull=True)
                | (~Q(state__in=["planned", "retry", "queued", "sending"]) & Q(ended_at__isnull=False)),
                name="delivery_ends_with_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["planned", "retry", "queued"]) | Q(fenced_at__isnull=True),
                name="delivery_is_before_the_fence_until_it_is_being_sent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "sent", "uncertain"]) | Q(fenced_at__isnull=False),
                name="delivery_has_passed_the_fence_when_it_may_have_arrived",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(state="uncertain") | Q(payload={}),
                name="settled_delivery_keeps_no_payload",
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(state="uncertain"),
                name="only_an_uncertain_delivery_is_left_as_it_is",
            ),
            models.CheckConstraint(
                # Whoever is forgotten while it is on its way is so at once.
                condition=Q(ended_at__isnull=False) | Q(state="sending") | ~Q(recipient=""),
                name="delivery_has_a_recipient_until_it_has_left",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_too_late(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def masked_recipient(self) -> str:
        """Enough to tell one from another, and too little to write to."""
        name, _, domain = self.recipient.rpartition("@")
        return f"{name[:1]}…@{domain}" if name else ""


class Reason(models.TextChoices):
    UNSUBSCRIBED = "unsubscribed", pgettext_lazy("staff", "Unsubscribed from what is optional")
    UNKNOWN = "unknown", pgettext_lazy("staff", "The address does not exist")
    REFUSED = "refused", pgettext_lazy("staff", "Its server has refused several messages in a row")


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, address: str) -> "SuppressionQuerySet":
        return self.filter(address_hash=address_hash(address))

    def liftable(self) -> "SuppressionQuerySet":
        """Those that nobody asked for. Who unsubscribed is asked by no one else."""
        return self.exclude(reason=Reason.UNSUBSCRIBED)

    def numbers(self) -> dict[Reason, int]:
        counted = dict(self.values_list("reason").annotate(number=Count("pk")))
        return {reason: counted.get(reason, 0) for reason in Reason}

    def outlived(self, now: datetime) -> "SuppressionQuerySet":
        """What holds no more, for an address may come to exist, or be mended; who unsubscribed stays so."""
        is_unknown = Q(reason=Reason.UNKNOWN, at__lte=now - Suppression.KEEP_UNKNOWN)
        return self.filter(is_unknown | Q(reason=Reason.REFUSED, at__lte=now - Suppression.KEEP_REFUSED))


class Suppression(models.Model):
    """An address that gets no mail of ours, or none that is optional."""

    KEEP_UNKNOWN: Final = timedelta(days=400)
    KEEP_REFUSED: Final = timedelta(days=90)

    address_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)

    objects: ClassVar[models.Manager[Any]] = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "stopped address")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address_hash", "reason"], name="one_suppression_per_address_and_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.address_hash[:8]}"

    @property
    def is_liftable(self) -> bool:
        return self.reason != Reason.UNSUBSCRIBED
