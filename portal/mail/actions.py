"""The one door through which mail leaves: `plan` promises it, `cancel` takes it back, `deliver` sends what is due."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone, translation

from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.composed import ComposedUpdate, Slot, shared_reads
from portal.mail import bounces, mailboxes, rules
from portal.mail import ledger as ledgers
from portal.mail.ledger import PATIENCE, Fate
from portal.mail.models import (
    LEASE,
    LEASED,
    LONGEST_WAIT,
    RETURNABLE,
    Decision,
    Delivery,
    DeliveryQuerySet,
    Pause,
    Reason,
    State,
    Suppression,
    address_hash,
)
from portal.mail.transport import Connection, DroppedError, OutageError, RefusedError, Server, UnknownError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

log = structlog.get_logger(__name__)

BATCH: Final = 50
# Less than this left of its lease, and a message goes back rather than be sent by two workers in turn.
LEAST_LEASE: Final = timedelta(minutes=2)
BACKOFF: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), LONGEST_WAIT)
MAX_ATTEMPTS: Final = 30  # about a day, of those that are about the message
# So many messages in a row that an address refuses for good, and it gets no more.
REFUSALS: Final = 3
RECONCILE_FOR: Final = timedelta(days=3)
"""Logs are thrown away, and what is older than that is for people to decide."""
LOOK_EVERY_SECONDS: Final = 60.0
# Twice the tick of the beat: with a lot to send two workers share it, and soon it is looked again at what has to be
# planned.
TURN_SECONDS: Final = 20.0
HISTORY: Final = 200
_LEADING_CODES: Final = r"^(?:[245]\d\d)?(?: ?[245]\.\d{1,3}\.\d{1,3})?\M"

Render = Callable[[Delivery], rules.Message | None]


@dataclass(frozen=True, slots=True)
class Kind:
    render: Render
    label: "StrOrPromise"
    is_necessary: bool
    if_twice: "StrOrPromise"


_kinds: Final[dict[str, Kind]] = {}
_planners: Final[list[Callable[[datetime], object]]] = []


def register(
    kind: str, render: Render, *, label: "StrOrPromise", is_necessary: bool = True, if_twice: "StrOrPromise" = ""
) -> None:
    """Call it in `AppConfig.ready`. `render` runs right before sending, in the recipient's language.

    It returns None when the reason for the message is gone. What is not necessary can be unsubscribed from. `label` and
    `if_twice` tell staff what it is, and what a second copy does to who gets it.
    """
    _kinds[kind] = Kind(render, label, is_necessary, if_twice)


def kinds() -> Mapping[str, Kind]:
    return _kinds


def plan_before_delivering(work: Callable[[datetime], object]) -> None:
    """Call it in `AppConfig.ready`: every worker runs `work(now)` before it sends, so that mail which a clock has to
    plan needs no other clock. Several do so at the same time: `work` keeps them apart itself."""
    _planners.append(work)


def plan(
    *,
    kind: str,
    key: str,
    to: str,
    language: str,
    due_at: datetime,
    expires_at: datetime | None = None,
    context: Mapping[str, int] | None = None,
    payload: Mapping[str, str] | None = None,
) -> None:
    """Promise a message. A key that was ever planned is left as it is, also when it was canceled."""
    promise = rules.Promise(key, to, language, context or {})
    _keep([_promised(promise, kind=kind, due_at=due_at, expires_at=expires_at, payload=payload or {})])


def plan_all(
    *, kind: str, promises: Iterable[rules.Promise], due_at: datetime, expires_at: datetime | None = None
) -> None:
    """The same for many at once. What is no address, which nobody should have been let to type, is passed over."""
    deliveries = []
    for promise in promises:
        try:
            deliveries.append(_promised(promise, kind=kind, due_at=due_at, expires_at=expires_at))
        except ValidationError:
            log.error("mail_to_no_address", kind=kind, key=promise.key)
    _keep(deliveries)


def _promised(
    promise: rules.Promise,
    *,
    kind: str,
    due_at: datetime,
    expires_at: datetime | None,
    payload: Mapping[str, str] | None = None,
) -> Delivery:
    validate_email(promise.to)
    return Delivery(
        kind=kind,
        key=promise.key,
        recipient=promise.to,
        recipient_hash=address_hash(promise.to),
        language=languages.get(promise.language).code,
        context=dict(promise.context),
        payload=dict(payload or {}),
        is_necessary=_kinds[kind].is_necessary,
        message_id=rules.message_id(promise.key),
        due_at=due_at,
        expires_at=expires_at,
    )


def _keep(deliveries: Sequence[Delivery]) -> None:
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=1000)


def cancel(*, key: str = "", prefix: str = "") -> int:
    """Take back what has not left; returns how many. What a worker is about to send is stopped at its fence."""
    return Delivery.objects.named(key=key, prefix=prefix).recallable().update(**_ended(State.CANCELED))


def postpone(*, prefix: str, until: datetime) -> int:
    """Hold back what has not left, also what a worker is about to send; returns how many. What would be too late by
    then is left as it is."""
    waiting = Delivery.objects.named(prefix=prefix).recallable().filter(due_at__lt=until)
    in_time: int = waiting.unexpired(until).update(**_waiting(State.PLANNED), due_at=until)
    return in_time


def keep_until(moment: datetime, *, prefix: str, kinds: Sequence[str]) -> None:
    """Let what has not left leave until then, which is another time than when it was planned, and no longer."""
    found = Delivery.objects.named(prefix=prefix).recallable().filter(kind__in=kinds, due_at__lt=moment)
    found.update(expires_at=moment)


def readdress(*, prefix: str, to: str) -> None:
    """Let what has not left go to another address of the same person, also what a worker is about to send."""
    found = Delivery.objects.named(prefix=prefix).recallable()
    found.update(**_waiting(State.PLANNED), recipient=to, recipient_hash=address_hash(to))


def translate(*, prefix: str, language: str) -> None:
    """Let what has not left leave in another language, also what a worker is about to send."""
    code = languages.get(language).code
    Delivery.objects.named(prefix=prefix).recallable().update(**_waiting(State.PLANNED), language=code)


def forget(*, prefix: str) -> None:
    """Take back what has not left, and keep no address of what has, or is past the fence just now: of that its worker
    still writes down what became of it."""
    cancel(prefix=prefix)
    found = Delivery.objects.named(prefix=prefix)
    stops = Suppression.objects.filter(address_hash__in=found.values("recipient_hash"))
    stops.update(note=_codes("note"))
    has_left = found.filter(Q(ended_at__isnull=False) | Q(state=State.SENDING))
    has_left.update(recipient="", last_answer=_codes("last_answer"))


def _codes(column: str) -> Coalesce:
    """What a server said, without its words: they may name somebody. A later refusal is counted with these."""
    return Coalesce(Func(F(column), Value(_LEADING_CODES), function="substring"), Value(""))


@transaction.atomic(durable=True)
def claim(*, limit: int, now: datetime) -> list[Delivery]:
    """Take what is due, oldest first, for the length of a lease; committed before anybody talks SMTP. Each row says
    whether it `is_suppressed`."""
    due = Delivery.objects.due(now).with_suppression().order_by("due_at", "pk")
    batch = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
    for delivery in batch:
        delivery.state, delivery.retry_at, delivery.lease_until = State.QUEUED, None, now + LEASE
        delivery.attempts += 1
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in batch]).update(
        state=State.QUEUED, retry_at=None, lease_until=now + LEASE, attempts=F("attempts") + 1
    )
    return batch


def recover(*, now: datetime) -> int:
    """Take up what workers left behind: before the fence it is tried again, after it nobody knows; returns how many."""
    abandoned = Delivery.objects.abandoned(now)
    lost = abandoned.filter(state=State.QUEUED)
    reason = "the sending process ended"
    given_up = lost.filter(attempts__gte=MAX_ATTEMPTS).update(**_ended(State.FAILED), last_answer=reason)
    again = lost.update(**_waiting(State.RETRY, retry_at=now), last_answer=reason)
    unknown = abandoned.filter(state=State.SENDING)
    uncertain = unknown.update(**_ended(State.UNCERTAIN), last_answer=f"{reason} after the fence")
    return int(given_up + again + uncertain)


@dataclass(slots=True)
class _Watch:
    """What this process remembers of uncertain messages, by a clock that never jumps."""

    looked_at: float = float("-inf")
    since: dict[str, float] = field(default_factory=dict)
    """When each was first seen, by its Message-ID."""


_watch: Final = _Watch()


def reconcile(*, now: datetime) -> int:
    """Settle by our mail server's ledger what was lost after the fence; returns how many. What it does not know stays
    uncertain, for people to decide."""
    ledger = ledgers.configured()
    # Who was forgotten meanwhile cannot be written to again.
    recent = Delivery.objects.uncertain().filter(ended_at__gt=now - RECONCILE_FOR).exclude(recipient="")
    uncertain = list(recent) if ledger else []
    now_by_watch = time.monotonic()
    _watch.since = {each.message_id: _watch.since.get(each.message_id, now_by_watch) for each in uncertain}
    if ledger is None or not uncertain:
        return 0
    fenced = {delivery.message_id: delivery.fenced_at for delivery in uncertain if delivery.fenced_at}
    try:
        fates = ledger.fates(fenced)
    except ledgers.UnreadableError as error:
        log.warning("mail_ledger_unreadable", reason=str(error))
        return 0
    return sum(_settle(delivery, fates[delivery.message_id]) for delivery in uncertain)


def _settle(delivery: Delivery, fate: Fate) -> bool:
    """Whether something is known of an uncertain delivery now."""
    if fate == Fate.TAKEN:
        _end(delivery, State.SENT, "found in the records of the mail server", sent_at=delivery.fenced_at)
    elif fate == Fate.REFUSED:
        _end(delivery, State.FAILED, "refused, by the records of the mail server")
    # A clock that jumps ahead must not make believe that a worker which is sending right now has had its time. And of
    # what somebody left, nobody needs to know any more.
    elif (
        fate == Fate.ABSENT
        and delivery.left_at is None
        and time.monotonic() - _watch.since[delivery.message_id] >= PATIENCE.total_seconds()
    ):
        _try_again(delivery, "not in the records of the mail server")
    else:
        return False
    return True


def expire(*, now: datetime) -> int:
    """Give up what is too late, and take up again what only a clock that went ahead for a while had held for that."""
    Delivery.objects.expired_too_soon(now).update(**_waiting(State.PLANNED))
    uncertain = Delivery.objects.uncertain().filter(expires_at__lte=now).exclude(payload={})
    uncertain.update(payload={})
    return Delivery.objects.too_late(now).update(**_ended(State.EXPIRED))


def deliver(*, seconds: float = float("inf"), is_stopping: Callable[[], bool] = lambda: False) -> Counter[str]:
    """Send what is due, for at most about `seconds`; returns how many were brought to which state.

    Any number of processes may do this at once. Ends early when the server cannot be reached or wants to be left alone.
    """
    _plan_what_the_clock_asks_for()
    _look_into_the_ledger()
    outcome: Counter[str] = Counter()
    until = time.monotonic() + seconds
    # What is shared may be a second old: what was canceled or held back meanwhile is stopped at its fence.
    with Connection(Server.at(settings.EMAIL_URL)) as connection, shared_reads():

        def is_over() -> bool:
            return is_stopping() or connection.is_turned_away or time.monotonic() > until

        while not is_over() and (batch := _next_batch()):
            for place, delivery in enumerate(batch):
                if is_over() or not _has_time(delivery):
                    _release(batch[place:])
                    break
                try:
                    outcome[_attempt(delivery, connection)] += 1
                except LostError:
                    # What was canceled or held back is seldom one message alone: look again at what is due.
                    _release(batch[place:])
                    break
                except OutageError as outage:
                    log.warning("mail_outage", reason=str(outage))
                    _release(batch[place:], after=BACKOFF[0], answer=str(outage))
                    break
    if outcome:
        log.info("delivered", **outcome)
    return outcome


def _plan_what_the_clock_asks_for() -> None:
    for work in _planners:
        try:
            work(timezone.now())
        except Exception:
            # Mail that is planned already goes out, whatever is broken in one module.
            log.exception("mail_not_planned", module=work.__module__)


def _look_into_the_ledger() -> None:
    """Now and then: a log may be long."""
    if time.monotonic() - _watch.looked_at >= LOOK_EVERY_SECONDS:
        _watch.looked_at = time.monotonic()
        reconcile(now=timezone.now())


def _next_batch() -> list[Delivery]:
    now = timezone.now()
    recover(now=now)
    expire(now=now)
    return claim(limit=BATCH, now=now)


def _has_time(delivery: Delivery) -> bool:
    return delivery.lease_until is not None and timezone.now() < delivery.lease_until - LEAST_LEASE


class LostError(Exception):
    """At the fence the row was no longer to be sent by this worker now: canceled, too late, held back, suppressed,
    another's."""


def _attempt(delivery: Delivery, connection: Connection) -> str:
    """Bring one claimed delivery to its next state, which is returned; raises OutageError or LostError with nothing
    done."""
    kind = _kinds.get(delivery.kind)
    if kind is None:
        return _end(delivery, State.FAILED, "no renderer for this kind")
    if not rules.can_travel(delivery.recipient):
        return _end(delivery, State.FAILED, "no server takes such an address")
    if delivery.is_suppressed:  # type: ignore[attr-defined]
        return _end(delivery, State.SUPPRESSED)
    try:
        with translation.override(delivery.language):
            message = kind.render(delivery)
            content = rules.compose(delivery, message, now=timezone.now()).as_bytes() if message else b""
    except Exception as error:
        # One broken renderer must not hold up everybody else's mail. The row keeps no text that may name people.
        log.exception("mail_not_rendered", kind=delivery.kind, delivery=delivery.pk)
        return _try_again(delivery, f"{type(error).__name__} while rendering")
    if not message:
        return _end(delivery, State.CANCELED, "the reason is gone")
    return _send(delivery, content, connection)


def _send(delivery: Delivery, content: bytes, connection: Connection) -> str:
    try:
        answer = connection.send(
            content,
            sender=rules.sender().addr_spec,
            to=rules.ascii_address(delivery.recipient),
            fence=lambda: _fence(delivery),
        )
    except RefusedError as refusal:
        return _refused(delivery, refusal)
    except DroppedError as error:
        return _try_again(delivery, f"{error} before the fence", is_about_server=True)
    except UnknownError as error:
        return _end(delivery, State.UNCERTAIN, f"{error} after the fence")
    return _end(delivery, State.SENT, answer, sent_at=timezone.now())


def _fence(delivery: Delivery) -> None:
    """Commits that the outcome may become unknown, if the row is still ours, wanted and not too late."""
    now = timezone.now()
    lease_until = now + LEASE
    values = {"state": State.SENDING, "fenced_at": now, "lease_until": lease_until}
    if not _fencing().run(pk=delivery.pk, ticket=delivery.lease_until, now=now, **values):
        raise LostError
    delivery.fenced_at, delivery.lease_until = now, lease_until


@cache
def _fencing() -> ComposedUpdate:
    ours = Delivery.objects.filter(pk=Value(Slot("pk")), state=State.QUEUED, lease_until=Value(Slot("ticket")))
    ours = ours.unexpired(Value(Slot("now"))).unpaused().unsuppressed()
    return ComposedUpdate(ours, "state", "fenced_at", "lease_until")


def _refused(delivery: Delivery, refusal: RefusedError) -> str:
    if refusal.code < 500:
        return _try_again(delivery, str(refusal), is_about_server=refusal.is_about_server)
    with transaction.atomic():
        ended = _end(delivery, State.FAILED, str(refusal))
        _learn(delivery, str(refusal))
    return ended


def _learn(delivery: Delivery, answer: str) -> None:
    """What a refusal for good tells about the address; other refusals are about us or about the message."""
    latest = Delivery.objects.settled_by_server(delivery.recipient_hash).values_list("last_answer", flat=True)
    refused = [rules.says_no_to_address(said) for said in latest[:REFUSALS]]
    if rules.says_no_such_mailbox(answer):
        suppress(address_hash=delivery.recipient_hash, reason=Reason.UNKNOWN, note=answer)
    elif len(refused) == REFUSALS and all(refused):
        suppress(address_hash=delivery.recipient_hash, reason=Reason.REFUSED, note=answer)


def _try_again(delivery: Delivery, answer: str, *, is_about_server: bool = False) -> str:
    """After a wait that grows, until the attempts are used up; a server in trouble uses up none of them, however long
    that lasts."""
    if is_about_server:
        delivery.attempts = min(delivery.attempts, len(BACKOFF))
    elif delivery.attempts >= MAX_ATTEMPTS:
        return _end(delivery, State.FAILED, answer)
    waiting = _waiting(State.RETRY, retry_at=timezone.now() + BACKOFF[min(delivery.attempts, len(BACKOFF)) - 1])
    if not _mark(delivery, **waiting, attempts=delivery.attempts, last_answer=answer[:200]):
        # Who was forgotten meanwhile cannot be written to again.
        return _end(delivery, State.CANCELED, "the reason is gone")
    return State.RETRY.value


def _end(delivery: Delivery, state: State, answer: str = "", **values: Any) -> str:
    _mark(delivery, **_ended(state), last_answer=answer[:200], **values)
    return state.value


def _mark(delivery: Delivery, **values: Any) -> int:
    """Writes only what is still this worker's, or uncertain: the outcome may come late. What is to be sent again needs
    its address still."""
    marking = _marking(bool(delivery.fenced_at), values["state"] == State.RETRY, *values)
    return marking.run(pk=delivery.pk, ticket=delivery.lease_until, fence=delivery.fenced_at, **values)


@cache
def _marking(is_fenced: bool, needs_address: bool, *columns: str) -> ComposedUpdate:
    ours = Q(state__in=LEASED, lease_until=Value(Slot("ticket")))
    if is_fenced:
        ours |= Q(state=State.UNCERTAIN, fenced_at=Value(Slot("fence")))
    found = Delivery.objects.filter(ours, pk=Value(Slot("pk")))
    return ComposedUpdate(found.exclude(recipient="") if needs_address else found, *columns)


def _release(batch: Sequence[Delivery], *, after: timedelta = timedelta(), answer: str = "") -> None:
    """Give claimed rows back; not having come to them is no attempt."""
    ours = Delivery.objects.filter(pk__in=[delivery.pk for delivery in batch], state=State.QUEUED)
    ours.filter(lease_until=batch[0].lease_until).update(
        **_waiting(State.RETRY, retry_at=timezone.now() + after),
        attempts=F("attempts") - 1,
        last_answer=answer[:200],
    )


def _waiting(state: State, *, retry_at: datetime | None = None) -> dict[str, Any]:
    return {
        "state": state,
        "retry_at": retry_at,
        "lease_until": None,
        "fenced_at": None,
        "sent_at": None,
        "ended_at": None,
        "left_at": None,
    }


def _ended(state: State) -> dict[str, Any]:
    values = {"state": state, "ended_at": timezone.now(), "lease_until": None, "retry_at": None, "left_at": None}
    return values if state == State.UNCERTAIN else values | {"payload": {}}


@transaction.atomic
def decide(*, deliveries: DeliveryQuerySet, decision: Decision, by: User) -> int:
    """What became of uncertain messages, as a person has it; returns how many. Sent again, a message keeps its
    Message-ID, and one that is too late by now does not leave."""
    undecided = deliveries.undecided()
    if decision == Decision.AGAIN:
        undecided = undecided.exclude(recipient="")
    locked = list(undecided.select_for_update(of=("self",)).order_by("pk"))
    now = timezone.now()
    values = {
        Decision.ARRIVED: _ended(State.SENT) | {"sent_at": F("fenced_at"), "last_answer": "decided by a person"},
        Decision.AGAIN: _waiting(State.RETRY, retry_at=now),
        Decision.LEAVE: {"left_at": now},
    }[decision]
    for delivery in locked:
        state = values.get("state", State.UNCERTAIN)
        audit.record("decide", delivery, by=by, changes={"state": (delivery.state, state)}, note=decision.value)
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in locked]).update(**values)
    return len(locked)


@transaction.atomic
def read_history(*, address: str, by: User) -> list[Delivery]:
    """What an address was sent, newest first; the log keeps who asked, and the address nowhere."""
    found = list(Delivery.objects.to(address)[:HISTORY])
    audit.record("read_history", found[0] if found else by, by=by)
    return found


@transaction.atomic
def pause(*, prefix: str, reason: str, by: User, name: str = "") -> None:
    """Hold back everything whose key begins with `prefix`, which ends with a colon or is empty for all mail but what
    people need to sign in; `name` is what people call that. What has passed the fence leaves."""
    values = {"name": name, "reason": reason, "by": by}
    held, is_new = Pause.objects.get_or_create(prefix=prefix, defaults=values)
    if is_new:
        audit.record("pause", held, by=by, changes={"prefix": ("", prefix)}, note=reason)


@transaction.atomic
def resume(*, prefix: str, by: User) -> None:
    """Let it leave; what is held back by another pause waits for that one."""
    for held in Pause.objects.select_for_update(of=("self",)).filter(prefix=prefix):
        audit.record("resume", held, by=by, changes={"prefix": (prefix, "")}, note=held.reason)
        held.delete()


def read_bounces(*, seconds: float = float("inf"), is_stopping: Callable[[], bool] = lambda: False) -> Counter[str]:
    """Settle what came back to the mailbox BOUNCES, for at most about `seconds`; returns how many told what.

    Each is marked when it has been dealt with. What a crash leaves unmarked is read again, and changes nothing then.
    """
    told: Counter[str] = Counter()
    until = time.monotonic() + seconds
    try:
        with mailboxes.opened(settings.BOUNCES) as mailbox:
            for letter in mailbox.unread():
                bounce = bounces.read(letter.content)
                told[take_back(bounce=bounce) if bounce else "no_report"] += 1
                mailbox.mark(letter)
                if is_stopping() or time.monotonic() > until:
                    break
    except mailboxes.UnreachableError as error:
        log.warning("bounces_unreachable", reason=str(error))
    if told:
        log.info("bounces_read", **told)
    return told


@transaction.atomic
def take_back(*, bounce: bounces.Bounce) -> str:
    """What a report says of a message of ours to this very address; returns what that was, or `stranger` or `known`."""
    delivery = Delivery.objects.select_for_update(of=("self",)).filter(message_id=bounce.message_id).first()
    about = [one for one in bounce.recipients if delivery and rules.is_to(delivery, one.addresses)]
    if delivery is None or not about:
        return "stranger"
    if delivery.state not in RETURNABLE:
        return "known"
    [returned, *_] = about
    if returned.action == bounces.Action.DELAYED:
        delivery.last_answer = f"delayed: {returned.answer}"[:200]
        delivery.save(update_fields=["last_answer"])
    else:
        came_back = _ended(State.FAILED) | {"sent_at": None, "last_answer": returned.answer[:200]}
        Delivery.objects.filter(pk=delivery.pk).update(**came_back)
        _learn(delivery, returned.answer)
    return returned.action.value


@transaction.atomic
def suppress(*, address_hash: str, reason: Reason, note: str = "") -> None:
    suppression, is_new = Suppression.objects.get_or_create(
        address_hash=address_hash, reason=reason, defaults={"at": timezone.now(), "note": note[:200]}
    )
    if is_new:
        audit.record("suppress", suppression, by=None, note=reason.value)


@transaction.atomic
def look_up(*, address: str, by: User) -> list[Suppression]:
    """Why an address gets no mail; the log keeps who asked, and the address nowhere."""
    found = list(Suppression.objects.of(address).order_by("at"))
    for suppression in found:
        audit.record("look_up", suppression, by=by)
    return found


@transaction.atomic
def lift(suppression: Suppression, *, reason: str, by: User) -> None:
    """Let mail go there again. What was not sent meanwhile is not sent afterwards."""
    changes = {"reason": (suppression.reason, "")}
    audit.record("lift", suppression, by=by, changes=changes, note=reason)
    suppression.delete()


def unsubscribe(*, delivery: Delivery) -> None:
    """No more optional mail to the recipient of this one; waiting messages end as suppressed when they come due."""
    suppress(address_hash=delivery.recipient_hash, reason=Reason.UNSUBSCRIBED)


@transaction.atomic
def resubscribe(*, address: str) -> None:
    """The owner of the address asks for optional mail again, through a link that only this address was sent."""
    for suppression in Suppression.objects.of(address).filter(reason=Reason.UNSUBSCRIBED):
        audit.record("resubscribe", suppression, by=None)
        suppression.delete()


def forget_addresses(*, now: datetime) -> int:
    """Those of mail that was settled long ago, and what servers said of them; a hash and the codes stay."""
    is_long_ago = now - Delivery.KEEP_RECIPIENT
    Suppression.objects.filter(at__lte=is_long_ago).update(note=_codes("note"))
    forgotten = Delivery.objects.filter(recipient="")
    # Who was forgotten before an answer came: about them, too, only the codes stay.
    forgotten.exclude(last_answer=_codes("last_answer")).update(last_answer=_codes("last_answer"))
    old = Delivery.objects.filter(ended_at__lte=is_long_ago).exclude(recipient="")
    return int(old.update(recipient="", payload={}, last_answer=_codes("last_answer")))


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Delete what was sent, and addresses that were stopped, when their time is over; returns how many rows went."""
    removed, _ = Delivery.objects.filter(ended_at__lte=now - Delivery.KEEP).delete()
    lifted, _ = Suppression.objects.outlived(now).delete()
    return int(removed + lifted)
