from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, Value
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.models import SEATED, SETTLE, Event, Status
from events.registrations import rules
from events.registrations.models import Need, Registration, Reveal, State
from portal import secret_links
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.composed import Composed, Slot
from portal.mail import actions as mail
from portal.mail.models import Delivery, Pause
from portal.questions import actions as questions
from portal.questions.models import Door

CONFIRMATION: Final = "registration_confirmed"
CANCELLATION: Final = "registration_canceled"
OFFER: Final = "seat_offered"
LAPSE: Final = "seat_offer_ended"
CHANGE: Final = "event_changed"
NEW_LINK: Final = "event_new_link"
NEED: Final = "need_settled"
KINDS: Final = (CONFIRMATION, CANCELLATION, OFFER, LAPSE, CHANGE, NEW_LINK, NEED)


class ClosedError(ValidationError):
    """Nobody can register for this event, or not any more."""


class NoSeatError(ValidationError):
    """There are not as many seats as are wanted."""


class Inviter(Protocol):
    """Who invites to events, and has to know what becomes of the seats that came of it. Asked and told of every
    registration, also of those that came of no invitation, under the lock of its event."""

    def expects(self, registration: Registration) -> bool:
        """Whether an invitation still holds by which they may come."""

    def hear_of_return(self, registration: Registration) -> None: ...

    def hear_of_cancel(self, registration: Registration) -> None: ...

    def forget(self, registration: Registration, *, by: User | None) -> None: ...


_inviters: Final[list[Inviter]] = []


def tell(inviter: Inviter) -> None:
    """Call it in `AppConfig.ready`."""
    _inviters.append(inviter)


@transaction.atomic
def register(
    event: Event,
    *,
    name: str,
    language: str,
    email: str = "",
    party_size: int = 1,
    needs: Sequence[Mapping[str, str]] = (),
    question: str = "",
    form_id: UUID | None = None,
    is_invited: bool = False,
) -> Registration:
    """Take a seat or a place in the waiting list, or find the registration that this form or this address has.

    A mail leaves either way, for the same address at most one within an hour: whether an address has a seat is told to
    its mailbox only. A need has `kind`, and `language` or `detail`. Who is invited registers until the event starts,
    also where nobody else can; a seat has to be free for them, too, or they wait. Raises ClosedError, and NoSeatError
    when the party is larger than the event allows.
    """
    locked = _lock(event)
    if not (locked.is_upcoming if is_invited else locked.is_open_for_registration):
        raise ClosedError(pgettext("registration", "Registration for this event is closed."))
    if party_size > locked.largest_party:
        raise NoSeatError(pgettext("registration", "That is more than one person can register."))
    now = timezone.now()
    registration: Registration | None = locked.registrations.sent_by(form_id, email).first()
    is_told = False
    if registration is None:
        registration = Registration.objects.create(
            event=locked,
            name=name,
            email=email,
            language=language,
            party_size=party_size,
            state=State.CONFIRMED if _has_room(locked, party_size) else State.WAITING,
            form_id=form_id,
            code_hash=_code_hash(form_id) if form_id and not email else None,
            told_sequence=locked.sequence,
        )
        Need.objects.bulk_create(Need(registration=registration, **need) for need in needs)
        audit.record("register", registration, by=None, language=language, note=registration.state)
    elif form_id and registration.form_id == form_id:
        # Nobody else has the form: what has been mended in it holds. After canceling they want to come after all.
        if is_told := registration.state == State.CANCELED:
            registration = regret(registration)
        registration = change(registration, language=language, party_size=party_size, needs=needs)
        registration.name = name
        registration.save(update_fields=["name"])
    if question:
        ask(registration, text=question, language=language)
    if not is_told:
        _tell_again(registration, str(int((now - registration.registered_at) / timedelta(hours=1))), event=locked)
    return registration


def _tell_again(registration: Registration, again: str, *, event: Event) -> None:
    if registration.state == State.OFFERED:
        # Not by the key of the offer itself, whose time begins when its own mail leaves.
        _plan(OFFER, registration, f"again:offer-{again}", event=event)
    elif registration.state == State.LAPSED:
        _plan(LAPSE, registration, f"lapse:again-{again}", event=event)
    else:
        _confirm(registration, again=again, event=event)


def ask(registration: Registration, *, text: str, language: str) -> None:
    """What somebody wants to know in advance, kept without them: the same words once, however often they are sent."""
    questions.ask(text=text, language=language, door=Door.REGISTRATION, form_id=uuid5(registration.uid, text))


def _code_hash(form_id: UUID) -> str:
    purpose = rules.PURPOSE
    return secret_links.code_hash(purpose, secret_links.code(purpose, form_id))


def _has_room(event: Event, party_size: int) -> bool:
    """For a party of this size, without passing anybody who waits and would fit as well. Call it under the lock."""
    if event.capacity is None:
        return True
    free = event.capacity - event.registrations.seats()
    return bool(party_size <= free and not event.registrations.waiting().filter(party_size__lte=free).exists())


@transaction.atomic
def accept(registration: Registration) -> Registration:
    """Take the seat that was offered; too late it is theirs if nobody else has it, or they wait again, as the last."""
    event = _lock(registration.event)
    locked = _locked(registration, event)
    if locked.state not in {State.OFFERED, State.LAPSED} or not event.is_upcoming:
        return locked
    is_in_time = locked.state == State.OFFERED and timezone.now() < (locked.offered_until or event.starts_at)
    if locked.state == State.OFFERED and not is_in_time:
        _move(locked, State.LAPSED)
    if is_in_time or _has_room(event, locked.party_size):
        _move(locked, State.CONFIRMED, told_sequence=event.sequence, calendar_changes=locked.calendar_changes + 1)
    else:
        _move(locked, State.WAITING, queued_at=timezone.now())
    audit.record("accept", locked, by=None, note=locked.state)
    _confirm(locked, again=f"accept-{int(timezone.now().timestamp())}", event=event)
    return locked


@transaction.atomic
def cancel(registration: Registration, *, by: User | None = None) -> None:
    """Give the seat, or the place in the waiting list, back; a second time, or after the event, does nothing. `by` is
    who does it for somebody who cannot."""
    event = _lock(registration.event)
    locked = _locked(registration, event)
    if locked.state == State.CANCELED or event.has_passed:
        return
    now, had_a_seat = timezone.now(), locked.may_be_in_calendar
    _move(locked, State.CANCELED, canceled_at=now, calendar_changes=locked.calendar_changes + had_a_seat)
    audit.record("cancel", locked, by=by)
    mail.cancel(prefix=locked.key)
    what = f"canceled:{int(now.timestamp() * 1000)}"
    _plan(CANCELLATION, locked, what, event=event, context={"had_a_seat": had_a_seat})
    for inviter in _inviters:
        inviter.hear_of_cancel(locked)


@transaction.atomic
def regret(registration: Registration) -> Registration:
    """Come after all. Raises ClosedError when that is over, or the address has registered again meanwhile."""
    event = _lock(registration.event)
    locked = _locked(registration, event)
    if locked.state != State.CANCELED:
        return locked
    if not may_return(locked):
        raise ClosedError(pgettext("registration", "Registration for this event is closed."))
    has_room = _has_room(event, locked.party_size)
    _move(
        locked,
        State.CONFIRMED if has_room else State.WAITING,
        canceled_at=None,
        queued_at=timezone.now(),
        calendar_changes=locked.calendar_changes + has_room,
        told_sequence=event.sequence,
    )
    audit.record("regret", locked, by=None, note=locked.state)
    # Reminders that were due stay canceled: as for who registers now, the confirmation says it all.
    mail.cancel(prefix=f"{locked.key}canceled:")
    _confirm(locked, again=f"regret-{int(timezone.now().timestamp())}", event=event)
    for inviter in _inviters:
        inviter.hear_of_return(locked)
    return locked


def may_return(registration: Registration) -> bool:
    """Whether who has canceled may still come after all: everybody until it starts, but to what is only by invitation
    nobody whose invitation does not hold any more."""
    event = registration.event
    if not event.is_upcoming or event.registrations.active().held_by(registration.email).exists():
        return False
    return event.registration_ends_at is not None or any(inviter.expects(registration) for inviter in _inviters)


@transaction.atomic
def change(
    registration: Registration, *, language: str, party_size: int, needs: Sequence[Mapping[str, str]]
) -> Registration:
    """Other wishes for the same registration. Raises, with nothing changed, NoSeatError when seats are lacking, and
    ClosedError when there is nothing to come to any more."""
    event = _lock(registration.event)
    locked = _locked(registration, event)
    if locked.state == State.CANCELED or event.is_canceled or event.has_passed:
        raise ClosedError(pgettext("registration", "Registration for this event is closed."))
    more = party_size - locked.party_size
    if party_size > event.largest_party and more > 0:
        raise NoSeatError(pgettext("registration", "That is more than one person can register."))
    if more > 0 and locked.state in SEATED and not _has_room(event, more):
        raise NoSeatError(pgettext("registration", "There are not that many seats left."))
    if locked.language != language:
        mail.translate(prefix=locked.key, language=language)
    locked.language, locked.party_size = language, party_size
    locked.save(update_fields=["language", "party_size"])
    _write_needs(locked, needs)
    audit.record("change", locked, by=None, language=language)
    return locked


def _write_needs(registration: Registration, needs: Sequence[Mapping[str, str]]) -> None:
    """What is the same stays as far as it has come; what is another thing is asked for anew."""
    registration.needs.exclude(kind__in=[need["kind"] for need in needs]).delete()
    standing = {need.kind: need for need in registration.needs.all()}
    for need in needs:
        old = standing.get(need["kind"])
        if old and (old.language, old.detail) == (need.get("language", ""), need.get("detail", "")):
            continue
        if old:
            old.delete()
        Need.objects.create(registration=registration, **need)


@transaction.atomic
def erase(registration: Registration, *, by: User | None = None) -> None:
    """Forget this person: seat, needs and address, what they had canceled before, and that they were invited. What
    they asked was kept without them. `by` is who does it when somebody has asked for it in another way."""
    event = _lock(registration.event)
    found: Registration | None = _locked(registration, event)
    while found:
        found.event, address = event, found.email
        for inviter in _inviters:
            inviter.forget(found, by=by)
        erase_alone(found, by=by)
        found = event.registrations.held_by(address).first()


def erase_alone(registration: Registration, *, by: User | None) -> None:
    """Of a person who may have, or have had, another one. Call it under the lock of the event."""
    # Who is just checking them in, or showing them the link, has written what goes with it, or comes too late.
    locked = registration.event.registrations.select_for_update(of=("self",)).get(pk=registration.pk)
    mail.forget(prefix=locked.key)
    audit.record("erase", locked, by=by)
    locked.delete()


@transaction.atomic
def renew_link(registration: Registration, *, by: User) -> None:
    """A new private link, which leaves by mail; the old ones lead nowhere. Raises ClosedError when it is over."""
    event = _lock(registration.event)
    if event.is_canceled or event.has_passed:
        raise ClosedError(pgettext("staff", "The event is over or canceled: no new link is sent."))
    locked = _locked(registration, event)
    locked.nonce = secret_links.new_nonce()
    locked.save(update_fields=["nonce"])
    audit.record("renew_link", locked, by=by)
    _confirm(locked, again=f"link-{int(timezone.now().timestamp())}", event=event)


def tell_export(event: Event, *, count: int, by: User) -> None:
    audit.record("export_registrations", event, by=by, note=str(count))


@transaction.atomic
def reveal(registration: Registration) -> str:
    """The link to join, for who has a seat and not before its time; empty otherwise. That it was shown is kept."""
    event = registration.event
    if not (registration.is_seated and event.is_joinable):
        return ""
    # Nobody deletes it meanwhile.
    held: Registration = Registration.objects.select_for_update(of=("self",)).get(pk=registration.pk)
    held.told_join = event.join_version
    held.save(update_fields=["told_join"])
    Reveal.objects.create(registration=held, join_version=event.join_version)
    return event.join_url


@transaction.atomic
def settle_need(need: Need, *, state: str, by: User) -> None:
    """Say what has become of it. Who needs it is told of what is certain, once a slip could have been mended."""
    # So that nobody is forgotten meanwhile, and then written to.
    event = _lock(need.registration.event)
    of = Need.objects.select_related("registration").select_for_update(of=("self",))
    locked: Need | None = of.filter(pk=need.pk).first()
    if locked is None or locked.state == state:
        return
    locked.registration.event = event
    audit.record("settle_need", locked, by=by, changes={"state": (locked.state, state)})
    locked.state, locked.state_at = state, timezone.now()
    locked.save(update_fields=["state", "state_at"])
    registration, what = locked.registration, f"need:{locked.pk}:"
    mail.cancel(prefix=f"{registration.key}{what}")
    if locked.is_certain and registration.event.is_upcoming:
        what += f"{state}:{int(locked.state_at.timestamp())}"
        _plan(NEED, registration, what, event=registration.event, context={"need": locked.pk}, after=SETTLE)


# By the clock --------------------------------------------------------------------------------------------------


def keep(now: datetime) -> None:
    """Offer seats that are free, and tell who has to know what has changed. Any number of processes may do this."""
    for pk in Event.objects.filter(_with_work(now)).values_list("pk", flat=True):
        with transaction.atomic():
            events = Event.objects.without_text().to_change(skip_locked=True)
            locked = events.filter(pk=pk).first()
            if locked is not None:
                _offer_seats(locked, now)
                _tell_changes(locked, now)
                _tell_new_link(locked)


def _with_work(now: datetime) -> Q:
    waiting = Event.objects.filter(status=Status.PUBLISHED, starts_at__gt=now, registrations__state=State.WAITING)
    offered = Registration.objects.offered()
    untold = Registration.objects.told_less().filter(event__ends_at__gt=now)
    old_links = Registration.objects.shown_an_old_link().filter(event__ends_at__gt=now)
    return (
        Q(pk__in=waiting.values("pk"))
        | Q(pk__in=offered.values("event"))
        | Q(pk__in=untold.values("event"))
        | Q(pk__in=old_links.values("event"))
    )


def _offer_seats(event: Event, now: datetime) -> None:
    if event.status != Status.PUBLISHED:
        _take_offers_back(event, now)
        return
    _time_offers(event, now)
    for registration in event.registrations.offered().filter(offered_until__lte=now):
        _move(registration, State.LAPSED)
        audit.record("lapse", registration, by=None)
        _plan(LAPSE, registration, f"lapse:{int(now.timestamp())}", event=event)
    # What is held back is read by nobody: it would keep the seat from those who can answer.
    if event.starts_at <= now or Pause.objects.holding(event.mail_prefix).exists():
        return
    free = float("inf") if event.capacity is None else event.capacity - event.registrations.seats()
    for registration in event.registrations.waiting():
        if free <= 0:
            break
        if registration.party_size <= free:
            free -= registration.party_size
            _move(registration, State.OFFERED, offered_until=rules.offer_ends(event, now))
            audit.record("offer", registration, by=None)
            _plan(OFFER, registration, f"offer:{int(now.timestamp())}", event=event)


def _take_offers_back(event: Event, now: datetime) -> None:
    """Nobody can take a seat in what is not held. Who was offered one waits again where they stood, and is offered it
    anew when it is held after all."""
    if event.appointments.filter(at__gt=now - SETTLE).exists():
        return
    for registration in event.registrations.offered():
        mail.cancel(prefix=f"{registration.key}offer:")
        _move(registration, State.WAITING)


def _time_offers(event: Event, now: datetime) -> None:
    """The time of an offer begins when its mail has left, and anew when the event has moved to before its end."""
    planned = Delivery.objects.named(prefix=f"{event.mail_prefix}registration:").filter(kind=OFFER)
    unread = planned.filter(key__contains=":offer:").recallable().values_list("context", flat=True)
    is_untold = Q(pk__in=[context["registration"] for context in unread])
    to_time = event.registrations.offered().filter(is_untold | Q(offered_until__gt=event.starts_at))
    to_time.update(offered_until=rules.offer_ends(event, now))


def _tell_changes(event: Event, now: datetime) -> None:
    newest = event.appointments.last()
    if newest is None or newest.sequence != event.sequence or newest.at > now - SETTLE or event.has_passed:
        return
    appointments = {each.sequence: each for each in event.appointments.all()}
    untold = event.registrations.active().filter(told_sequence__lt=event.sequence)
    mail.keep_until(event.ends_at, prefix=f"{event.mail_prefix}registration:", kinds=KINDS)
    known = rules.known_before(event, newest, whom="registration", first=CONFIRMATION, kinds=[CHANGE])
    for registration in untold.exclude(email=""):
        told = known.get(registration.pk, registration.told_sequence)
        if registration.pk in known:
            # The next message tells of both changes in one.
            mail.cancel(prefix=f"{registration.key}change:")
        if told in appointments and rules.terms(appointments[told], registration) != rules.terms(newest, registration):
            _plan(CHANGE, registration, f"change:{event.sequence}", event=event, context={"from": told})
    untold.update(told_sequence=event.sequence)


def _tell_new_link(event: Event) -> None:
    holders = event.registrations.shown_an_old_link()
    for registration in holders.exclude(email=""):
        # What waits would say the same.
        mail.cancel(prefix=f"{registration.key}link:")
        # The same link once more when what told it was of no use, as the event was canceled.
        _plan(NEW_LINK, registration, f"link:{event.join_version}:{event.sequence}", event=event)
    # Who had it when it was to start sooner has none now: they get it when everybody else does.
    is_too_early = event.join_url and timezone.now() < event.join_opens_at
    holders.update(told_join=0 if is_too_early else event.join_version)


def forget_needs(*, now: datetime) -> int:
    """What somebody needed to be able to come, which goes before the registration itself."""
    needs, _per_model = Need.objects.expired(now).delete()
    return int(needs)


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget who took part; returns how many registrations went."""
    expired = Registration.objects.expired(now)
    total = 0
    for event in Event.objects.filter(registrations__in=expired).only("slug").distinct():
        mail.forget(prefix=f"{event.mail_prefix}registration:")
        gone = expired.filter(event=event)
        count = gone.count()
        gone.delete()
        audit.record("purge", event, by=None, note=f"{count} registrations")
        total += count
    return total


def announce() -> None:
    """Tell the shared mail what there is to say, and what is planned by the clock."""
    for kind, render, label in (
        (CONFIRMATION, rules.confirmation, pgettext_lazy("staff", "Confirmation of a registration")),
        (CANCELLATION, rules.cancellation, pgettext_lazy("staff", "Confirmation of a cancellation")),
        (OFFER, rules.offer, pgettext_lazy("staff", "Offer of a seat")),
        (LAPSE, rules.lapse, pgettext_lazy("staff", "End of an offer")),
        (CHANGE, rules.change, pgettext_lazy("staff", "Change of time or place, or canceled event")),
        (NEW_LINK, rules.new_link, pgettext_lazy("staff", "New link to join")),
        (NEED, rules.need, pgettext_lazy("staff", "What has become of what somebody needs")),
    ):
        mail.register(kind, render, label=label, if_twice=pgettext_lazy("staff", "Says the same again."))
    mail.plan_before_delivering(keep)


def _lock(event: Event) -> Event:
    """Everybody who takes or gives a seat of an event waits for everybody else who does."""
    for locked in _to_lock().ask(pk=event.pk):
        return locked
    raise Event.DoesNotExist


@cache
def _to_lock() -> Composed[Event]:
    return Composed(Event.objects.without_text().to_change().filter(pk=Value(Slot("pk"))))


def _locked(registration: Registration, event: Event) -> Registration:
    """As it is now; `event` is locked, so that nobody else changes it."""
    found: Registration = event.registrations.get(pk=registration.pk)
    found.event = event
    return found


def _move(registration: Registration, state: State, **values: Any) -> None:
    values = {"state": state, "offered_until": None} | values
    for name, value in values.items():
        setattr(registration, name, value)
    registration.save(update_fields=[*values])


def _confirm(registration: Registration, *, again: str, event: Event) -> None:
    _plan(CONFIRMATION, registration, f"confirmation:{again}", event=event)


def _plan(
    kind: str,
    registration: Registration,
    what: str,
    *,
    event: Event,
    context: Mapping[str, int] | None = None,
    after: timedelta = timedelta(),
) -> None:
    due_at = timezone.now() + after
    if not registration.email or due_at >= event.ends_at:
        return
    mail.plan(
        kind=kind,
        key=f"{registration.key}{what}",
        to=registration.email,
        language=registration.language,
        due_at=due_at,
        expires_at=event.ends_at,
        context={"registration": registration.pk, **(context or {})},
    )
