from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.actors import actions as actors
from events.actors.models import Contact
from events.invitations import rules
from events.invitations.models import Answer, Invitation
from events.models import SETTLE, Event, Status
from events.registrations import actions as registrations
from events.registrations.models import Registration
from events.registrations.models import State as Seat
from events.registrations.rules import known_before
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.mail.rules import Promise
from portal.secret_links import new_nonce

INVITATION: Final = "event_invitation"
SUBSTITUTE: Final = "event_substitute"
ENDED: Final = "event_invitation_ended"
ANSWERED: Final = "event_invitation_answered"


class ClosedError(ValidationError):
    """It is too late to invite or to answer, or the invitation was withdrawn."""


class InvitedAlreadyError(ValidationError):
    """Whoever is named to come instead is invited themselves."""


# Staff -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(event: Event, *, guests: Iterable[Mapping[str, Any]], by: User) -> list[Invitation]:
    """Invite those whose address is not invited yet, and return their invitations.

    A guest has `name`, `email` and `language`, and may have `actor`, `contact` and `note`. No mail leaves as long as
    the event is a draft. A contact who is deleted meanwhile is not invited. Raises ClosedError when nobody could answer
    any more.
    """
    guests = list(guests)
    named = Contact.objects.filter(pk__in=[guest["contact"].pk for guest in guests if "contact" in guest])
    # Before the event, as who deletes one does.
    there = set(named.order_by("pk").select_for_update(of=("self",), no_key=True))
    locked = _lock(event)
    if locked.is_canceled or timezone.now() >= (locked.answers_due_at or locked.starts_at):
        raise ClosedError(pgettext("staff", "Nobody could answer any more: look at when answers are due."))
    taken = {email.lower() for email in locked.invitations.standing().values_list("email", flat=True)}
    made = []
    for guest in guests:
        is_deleted = "contact" in guest and guest["contact"] not in there
        if is_deleted or guest["email"].lower() in taken:
            continue
        taken.add(guest["email"].lower())
        invitation = Invitation.objects.create(event=locked, invited_by=by, **guest)
        audit.record("invite", invitation, by=by, language=invitation.language)
        _plan_if_published(invitation, event=locked)
        made.append(invitation)
    return made


@transaction.atomic
def send_again(invitation: Invitation, *, by: User) -> None:
    """With a new link: the one before leads nowhere. Raises ClosedError when it has been answered or is over."""
    event = _lock(invitation.event)
    held = _locked(invitation, event)
    if held.answer or not held.is_open:
        raise ClosedError(pgettext("staff", "It has been answered, or nobody can answer it any more."))
    held.nonce = new_nonce()
    held.save(update_fields=["nonce"])
    mail.cancel(prefix=held.key)
    audit.record("renew_invitation", held, by=by)
    _plan_if_published(held, event=event)


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User) -> None:
    """With the seat, and with whoever was named to come instead; all who had a mail are told. A second time, or after
    the event, it does nothing."""
    event = _lock(invitation.event)
    held = _locked(invitation, event)
    if held.withdrawn_at is None and not event.has_passed:
        _withdraw(held, by=by)


def _withdraw(held: Invitation, *, by: User | None) -> None:
    held.withdrawn_at = timezone.now()
    held.save(update_fields=["withdrawn_at"])
    audit.record("withdraw_invitation", held, by=by)
    mail.cancel(prefix=held.key)
    _withdraw_substitute(held, by=by)
    if _has_seat(held):
        registrations.cancel(_registration(held))
    elif held.email and held.answer != Answer.NO and _has_had_mail(held):
        _plan(ENDED, held, "ended")


def _has_had_mail(held: Invitation) -> bool:
    return bool(Delivery.objects.named(prefix=held.key).filter(fenced_at__isnull=False).exists())


# Who is invited --------------------------------------------------------------------------------------------------


@transaction.atomic
def accept(
    invitation: Invitation,
    *,
    language: str,
    needs: Sequence[Mapping[str, str]] = (),
    question: str = "",
    form_id: UUID | None = None,
) -> Registration:
    """Come, or come with other needs. They get a registration like everybody else, and wait when no seat is free.

    Raises ClosedError when it is too late.
    """
    event = _lock(invitation.event)
    held = _locked(invitation, event)
    if not held.is_open:
        raise ClosedError(_too_late())
    _withdraw_substitute(held, by=None)
    _answer(held, Answer.YES, language=language)
    seat = held.registration
    if seat and seat.state == Seat.CANCELED and event.registrations.active().held_by(held.email).exists():
        seat = None  # they have registered by themselves since
    if seat is None:
        seat = registrations.register(
            event,
            name=held.name,
            email=held.email,
            language=language,
            question=question,
            form_id=form_id,
            is_invited=True,
        )
        # They may have come by an earlier invitation, which was withdrawn.
        Invitation.objects.filter(registration=seat).update(registration=None)
        held.registration = seat
        held.save(update_fields=["registration"])
    else:
        seat.event = event
        if seat.state == Seat.CANCELED:
            seat = registrations.regret(seat)
        if question:
            registrations.ask(seat, text=question, language=language)
    registrations.change(seat, language=language, party_size=seat.party_size, needs=needs)
    return seat


@transaction.atomic
def decline(invitation: Invitation) -> None:
    """Not come, also after having said yes, until the event starts. Raises ClosedError after that."""
    event = _lock(invitation.event)
    held = _locked(invitation, event)
    if not held.is_declinable:
        raise ClosedError(_too_late())
    _withdraw_substitute(held, by=None)
    _answer(held, Answer.NO)
    if _has_seat(held):
        registrations.cancel(_registration(held))


@transaction.atomic
def name_substitute(invitation: Invitation, *, name: str, email: str, language: str) -> Invitation:
    """Let somebody else come instead, who is invited with a link of their own and says yes or no themselves.

    Raises ClosedError when it is too late or they stand in for somebody themselves, and InvitedAlreadyError.
    """
    event = _lock(invitation.event)
    held = _locked(invitation, event)
    if not held.is_open or held.stands_in_for_id:
        raise ClosedError(_too_late())
    same = event.invitations.standing().filter(email__iexact=email).first()
    if same is not None and same.stands_in_for_id == held.pk:
        return same
    if same is not None:
        raise InvitedAlreadyError(pgettext("invitation", "Whoever has this address is invited already."))
    _withdraw_substitute(held, by=None)
    _answer(held, Answer.SUBSTITUTE)
    if _has_seat(held):
        registrations.cancel(_registration(held))
    made = Invitation.objects.create(
        event=event, actor=held.actor, name=name, email=email, language=language, stands_in_for=held
    )
    audit.record("invite", made, by=None, language=language)
    _plan_if_published(made, event=event)
    _plan(SUBSTITUTE, held, f"substitute:{made.pk}")
    return made


@transaction.atomic
def erase(invitation: Invitation) -> None:
    """Forget this person now, with their seat and whoever was to come instead. What they asked was kept without them;
    that their organization was invited, and whether somebody came, stays."""
    event = _lock(invitation.event)
    held = _locked(invitation, event)
    # They may have registered without the invitation.
    seat = held.registration or event.registrations.held_by(held.email).first()
    _erase(held, seat, event=event, by=None)
    if seat is not None:
        seat.event = event
        registrations.erase(seat)


def _erase(held: Invitation | None, seat: Registration | None, *, event: Event, by: User | None) -> None:
    """Every invitation to the address of these two, which are one person's. The `seat` is erased by whoever calls."""
    whose = Q(pk=held.pk if held else None)
    for address in {one.email for one in (held, seat) if one and one.email}:
        whose |= Q(email__iexact=address)
    invited = event.invitations.select_related("registration__check_in").filter(whose, forgotten_at__isnull=True)
    for each in invited:
        each.event = event
        _withdraw_substitute(each, by=by)
        if each.answer != Answer.NO and each.is_declinable:  # the hosts, and whoever has sent them, count on nobody
            _answer(each, Answer.NO)
        _erase_alone(each, by=by, seat=seat)


def _erase_alone(held: Invitation, *, by: User | None, seat: Registration | None = None) -> None:
    mail.forget(prefix=held.key)
    audit.record("erase", held, by=by)
    _forget(held, has_come=held.has_come)
    if held.registration is not None and held.registration != seat:
        registrations.erase_alone(_registration(held), by=by)


def _too_late() -> str:
    return pgettext("invitation", "It is too late for this answer. Contact us.")


def _answer(held: Invitation, answer: Answer, **values: Any) -> None:
    before = held.answer
    values |= {"answer": answer, "answered_at": timezone.now()}
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=[*values])
    audit.record("answer_invitation", held, by=None, changes={"answer": (before, answer.value)})
    # What would still have asked for an answer.
    mail.cancel(prefix=held.key)
    if answer not in {before, Answer.YES}:
        _tell_hosts(held)


def _tell_hosts(held: Invitation) -> None:
    """That somebody does not come themselves. What is answered within one half-hour is one mail to each."""
    every = int(rules.TOLD_EVERY.total_seconds())
    since = int(timezone.now().timestamp()) // every * every
    due_at = datetime.fromtimestamp(since + every, UTC)
    promises = [
        Promise(
            f"event:{held.event_id}:answers:{user.pk}:{since}",
            user.email,
            user.language,
            {"event": held.event_id, "user": user.pk, "since": since},
        )
        for user in rules.hosts(held)
    ]
    mail.plan_all(kind=ANSWERED, promises=promises, due_at=due_at, expires_at=due_at + timedelta(days=1))


def _withdraw_substitute(held: Invitation, *, by: User | None) -> None:
    for each in held.substitutes.standing().select_related("registration"):
        each.event = held.event
        _withdraw(each, by=by)


def _has_seat(held: Invitation) -> bool:
    """Or a place in the waiting list."""
    return held.registration is not None and held.registration.state != Seat.CANCELED


def _registration(held: Invitation) -> Registration:
    assert held.registration is not None
    held.registration.event = held.event
    return held.registration


# What becomes of those who were invited -----------------------------------------------------------------------------


class _Seats:
    """What an answer says and what somebody does with the seat that came of it are the same."""

    def expects(self, registration: Registration) -> bool:
        held = _came_of(registration)
        return held is not None and held.is_declinable and not held.substitutes.standing().exists()

    def hear_of_return(self, registration: Registration) -> None:
        held = _came_of(registration)
        if held and held.answer != Answer.YES and self.expects(registration):
            _answer(held, Answer.YES)

    def hear_of_cancel(self, registration: Registration) -> None:
        held = _came_of(registration)
        if held and held.answer == Answer.YES and held.is_declinable:
            _answer(held, Answer.NO)

    def forget(self, registration: Registration, *, by: User | None) -> None:
        _erase(_came_of(registration), registration, event=registration.event, by=by)


def _came_of(registration: Registration) -> Invitation | None:
    held = Invitation.objects.select_related("registration__check_in").filter(registration=registration).first()
    if held is not None:
        held.event = registration.event
    return held


@transaction.atomic
def forget_contact(contact: Contact, *, by: User | None) -> None:
    """Forget that they were invited. Who comes has a seat of their own now, until that is forgotten; somebody whom they
    have named instead comes all the same."""
    of_contact = contact.invitations.filter(forgotten_at__isnull=True)
    has_no_seat = Q(registration__state__in=[Seat.LAPSED, Seat.CANCELED])
    of_contact = of_contact.exclude(~has_no_seat, answer=Answer.YES, withdrawn_at__isnull=True)
    for event in Event.objects.filter(pk__in=of_contact.values("event")).order_by("pk"):
        locked = _lock(event)
        for held in of_contact.filter(event=locked).select_related("registration__check_in"):
            held.event = locked
            _erase_alone(held, by=by)


# By the clock ----------------------------------------------------------------------------------------------------


def keep(now: datetime) -> None:
    """Send the invitations that waited for their event to be published, and tell who has not answered that it has
    moved or is canceled. Any number of processes may do this."""
    unplanned, untold = Invitation.objects.unplanned(now), Invitation.objects.told_less(now)
    pks = {*unplanned.values_list("event", flat=True), *untold.values_list("event", flat=True)}
    for pk in pks:
        with transaction.atomic():
            events = Event.objects.without_text().to_change(skip_locked=True)
            locked = events.filter(pk=pk).first()
            if locked is not None:
                for invitation in unplanned.filter(event=locked):
                    _plan_if_published(invitation, event=locked)
                _tell_changes(locked, now)


def _tell_changes(event: Event, now: datetime) -> None:
    newest = event.appointments.last()
    # The same patience as with who has a seat: what is taken back within it is told to nobody.
    if newest is None or newest.sequence != event.sequence or newest.at > now - SETTLE:
        return
    appointments = {each.sequence: each for each in event.appointments.all()}
    untold = Invitation.objects.told_less(now).filter(event=event)
    mail.keep_until(event.starts_at, prefix=f"{event.mail_prefix}invitation:", kinds=[INVITATION, ENDED, SUBSTITUTE])
    known = known_before(event, newest, whom="invitation", first=INVITATION, kinds=[INVITATION, ENDED])
    for invitation in untold:
        told = known.get(invitation.pk, invitation.told_sequence)
        if invitation.pk in known:
            # The next message tells of both changes in one.
            mail.cancel(prefix=f"{invitation.key}change:")
        if told in appointments and appointments[told].terms != newest.terms:
            kind = ENDED if event.is_canceled else INVITATION
            _plan(kind, invitation, f"change:{event.sequence}", **{"from": told})
    untold.update(told_sequence=event.sequence)


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget who was invited: what stays is the organization, the answer and whether somebody came. Returns how many.

    Before registrations are purged: a check-in that has lost its registration tells of nobody.
    """
    expired = Invitation.objects.expired(now).select_related("event", "registration__check_in")
    by_event: dict[Event, list[Invitation]] = {}
    for invitation in expired.select_for_update(of=("self",)):
        by_event.setdefault(invitation.event, []).append(invitation)
    for event, invitations in by_event.items():
        mail.forget(prefix=f"{event.mail_prefix}invitation:")
        for invitation in invitations:
            _forget(invitation, has_come=invitation.has_come)
        audit.record("purge", event, by=None, note=f"{len(invitations)} invitations")
    return sum(map(len, by_event.values()))


def _forget(held: Invitation, *, has_come: bool) -> None:
    held.came, held.forgotten_at = has_come, timezone.now()
    held.name = held.email = held.note = ""
    held.contact, held.nonce = None, new_nonce()
    held.save(update_fields=["came", "forgotten_at", "name", "email", "note", "contact", "nonce"])


def announce() -> None:
    for kind, render, label in (
        (INVITATION, rules.invitation, pgettext_lazy("staff", "Invitation to an event")),
        (SUBSTITUTE, rules.substitute, pgettext_lazy("staff", "Receipt that somebody else comes instead")),
        (ENDED, rules.ended, pgettext_lazy("staff", "End of an invitation")),
        (ANSWERED, rules.answered, pgettext_lazy("staff", "To colleagues: somebody who is invited does not come")),
    ):
        mail.register(kind, render, label=label, if_twice=pgettext_lazy("staff", "Says the same again."))
    mail.plan_before_delivering(keep)
    registrations.tell(_Seats())
    actors.before_forgetting(forget_contact)


def _lock(event: Event) -> Event:
    """The same lock as for seats: whoever answers takes or gives one."""
    locked: Event = Event.objects.without_text().to_change().get(pk=event.pk)
    return locked


def _locked(invitation: Invitation, event: Event) -> Invitation:
    found: Invitation = event.invitations.select_related("actor", "registration").get(pk=invitation.pk)
    found.event = event
    return found


def _plan_if_published(invitation: Invitation, *, event: Event) -> None:
    if event.status != Status.PUBLISHED:
        return
    now = timezone.now()
    invitation.event, invitation.planned_at, invitation.told_sequence = event, now, event.sequence
    invitation.save(update_fields=["planned_at", "told_sequence"])
    # To the millisecond: the second of two clicks takes the first one's mail back.
    _plan(INVITATION, invitation, f"invitation:{int(now.timestamp() * 1000)}")


def _plan(kind: str, invitation: Invitation, what: str, **context: int) -> None:
    now = timezone.now()
    if now >= invitation.event.starts_at:
        return
    mail.plan(
        kind=kind,
        key=f"{invitation.key}{what}",
        to=invitation.email,
        language=invitation.language,
        due_at=now,
        expires_at=invitation.event.starts_at,
        context={"invitation": invitation.pk, **context},
    )
