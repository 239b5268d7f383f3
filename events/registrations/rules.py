from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import rules
import segno
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext

from events import calendar
from events.models import SETTLE, Appointment, Event
from events.registrations.models import Registration, State
from portal import contacts, languages, secret_links
from portal.accounts.models import Role
from portal.accounts.rules import has_role
from portal.mail.models import Delivery
from portal.mail.models import State as Sent
from portal.mail.rules import Message, ascii_address
from portal.public import absolute
from portal.revisions.rules import read

rules.add_perm("registrations.view", has_role(Role.EVENTS))
rules.add_perm("registrations.edit", has_role(Role.EVENTS))

PURPOSE: Final = "events.registration"
"""Of private links and codes."""
CHECK_IN: Final = "events.check_in"
"""Of the code that is scanned at the door: who sees it cannot open the private page."""

OFFER: Final = timedelta(hours=48)
"""So long an offered seat is kept."""
SHORT_OFFER: Final = timedelta(hours=3)
LAST_OFFERS: Final = timedelta(days=4)
"""Nearer than this to the start a seat is kept for the short time only."""
MORNING: Final = 10
EVENING: Final = 21
"""Between these hours people can be expected to have read their mail."""


def offer_ends(event: Event, now: datetime) -> datetime:
    """Until when a seat that is free now is kept for who is offered it; never beyond the start, nor into the night."""
    wait = OFFER if event.starts_at - now > LAST_OFFERS else SHORT_OFFER
    ends = timezone.localtime(now + wait)
    if not MORNING <= ends.hour < EVENING:
        ends = ends.replace(hour=MORNING, minute=0) + timedelta(days=ends.hour >= EVENING)
    return min(ends, event.starts_at)


# Private links -------------------------------------------------------------------------------------------------


def private_token(registration: Registration) -> str:
    return secret_links.token(PURPOSE, registration.pk, registration.nonce)


def private_url(registration: Registration) -> str:
    return absolute(reverse("registration", args=[registration.event.slug, private_token(registration)]))


def check_in_code(registration: Registration) -> str:
    """Markup of a code to scan. It leads staff who are signed in to a button, and nobody else anywhere."""
    token = secret_links.token(CHECK_IN, registration.pk, registration.nonce)
    url = absolute(reverse("scan_check_in", args=[token]))
    # Light around it also in the dark, or no phone reads it.
    return segno.make_qr(url, error="m").svg_inline(scale=5, border=4, light="#fff", svgclass="qr", lineclass=None)


def token_owner(token: str) -> Registration | None:
    """The registration whose private link this is."""
    found = Registration.objects.filter(pk=secret_links.pk_of(token)).select_related("event").first()
    if found and secret_links.fits(token, PURPOSE, found.pk, found.nonce):
        owner: Registration = found
        return owner
    return None


def code_of(registration: Registration) -> str:
    """What somebody without an address writes down; empty when there is none."""
    if registration.code_hash is None or registration.form_id is None:
        return ""
    return secret_links.code(PURPOSE, registration.form_id)


def code_owner(event: Event, code: str) -> Registration | None:
    hashed = secret_links.code_hash(PURPOSE, code)
    found: Registration | None = event.registrations.filter(code_hash=hashed).select_related("event").first()
    return found


# Messages ------------------------------------------------------------------------------------------------------
# They never hold what somebody typed into the form: anybody can type anybody's address there.


def confirmation(delivery: Delivery) -> Message | None:
    registration = _registration(delivery)
    if registration is None or registration.state not in {State.CONFIRMED, State.WAITING}:
        return None
    if registration.event.is_canceled:
        return None  # which they are told of
    if registration.state == State.WAITING:
        return message(
            "emails/events/waiting",
            pgettext("mail", "You are on the waiting list: %(title)s"),
            registration,
            method=calendar.CANCEL if registration.may_be_in_calendar else "",
        )
    return message(
        "emails/events/confirmation",
        pgettext("mail", "You are registered: %(title)s"),
        registration,
        method=calendar.REQUEST,
        join_url=told_link(registration),
        needs=registration.needs.all(),
    )


def told_link(registration: Registration) -> str:
    """The link to join when it may be shown to them, for a message that leaves now. That they have it is kept: they
    are told when there is another one."""
    event = registration.event
    if not (registration.is_seated and event.is_joinable):
        return ""
    if registration.told_join < event.join_version:
        Registration.objects.filter(pk=registration.pk).update(told_join=event.join_version)
    return event.join_url


def need(delivery: Delivery) -> Message | None:
    """Whether there is what somebody needs. The mail does not say what it is, but of an interpreter the language."""
    registration = _registration(delivery)
    if registration is None or not registration.is_seated or not registration.event.is_upcoming:
        return None
    needs = [need for need in registration.needs.filter(pk=delivery.context["need"]) if need.is_certain]
    if not needs:
        return None
    subject = pgettext("registration", "What you need") + ": %(title)s"
    return message("emails/events/need", subject, registration, needs=needs)


def offer(delivery: Delivery) -> Message | None:
    registration = _registration(delivery)
    if registration is None or registration.state != State.OFFERED or not registration.event.is_upcoming:
        return None
    return message("emails/events/offer", pgettext("mail", "There is a seat for you: %(title)s"), registration)


def lapse(delivery: Delivery) -> Message | None:
    registration = _registration(delivery)
    if registration is None or registration.state != State.LAPSED or not registration.event.is_upcoming:
        return None
    return message("emails/events/lapse", pgettext("mail", "The offer of a seat has ended: %(title)s"), registration)


def cancellation(delivery: Delivery) -> Message | None:
    registration = _registration(delivery)
    if registration is None or registration.state != State.CANCELED:
        return None
    had_a_seat = bool(delivery.context.get("had_a_seat", 1))
    return message(
        "emails/events/cancellation",
        pgettext("mail", "You have canceled: %(title)s"),
        registration,
        method=calendar.CANCEL if had_a_seat else "",
    )


def change(delivery: Delivery) -> Message | None:
    """What has become of the appointment that this person knows of, whatever it was when this was planned."""
    registration = _registration(delivery)
    if registration is None or registration.state == State.CANCELED:
        return None
    event = registration.event
    old = event.appointments.filter(sequence=delivery.context["from"]).first()
    newest = event.appointments.last()
    if old is None or newest is None or terms(old, registration) == terms(newest, registration):
        return None
    template, subject = _what_changed(old, event)
    method = (calendar.CANCEL if event.is_canceled else calendar.REQUEST) if registration.is_seated else ""
    return message(template, subject, registration, method=method, old=old)


def known_before(event: Event, newest: Appointment, *, whom: str, first: str, kinds: Sequence[str]) -> dict[int, int]:
    """By person, the number of the appointment that they know of, where mail tells it better than what is kept of
    them. What has not left, or was of no use when it was to leave, told nothing. What left when `newest` had settled
    told that one, and so does the `first` that somebody gets, also when it still waits."""
    every = Delivery.objects.named(prefix=f"{event.mail_prefix}{whom}:")
    notices = every.filter(kind__in=kinds, context__has_key="from")
    settled = newest.at + SETTLE
    of_no_use = notices.filter(state=Sent.CANCELED, ended_at__gte=settled).values_list("context", flat=True)
    waiting = notices.recallable().values_list("context", flat=True)
    known = {each[whom]: each["from"] for each in (*of_no_use, *waiting)}
    told = every.filter(kind__in=[first, *kinds], fenced_at__gte=settled).values_list("context", flat=True)
    known |= {each[whom]: newest.sequence for each in told}
    if not newest.is_canceled:
        firsts = every.filter(kind=first).exclude(context__has_key="from").recallable()
        known |= {each[whom]: newest.sequence for each in firsts.values_list("context", flat=True)}
    return known


def terms(appointment: Appointment, registration: Registration) -> tuple[object, ...]:
    """What this person is told of it: to who is not told the place, another one is no news."""
    starts_at, ends_at, place, *rest = appointment.terms
    return starts_at, ends_at, place if is_place_told(registration) else "", *rest


def is_place_told(registration: Registration) -> bool:
    return registration.is_seated or registration.event.is_place_public


def _what_changed(old: Appointment, event: Event) -> tuple[str, str]:
    if event.is_canceled:
        return "emails/events/event_canceled", pgettext("mail", "Canceled: %(title)s")
    if old.is_canceled:
        return "emails/events/event_restored", pgettext("mail", "It is held after all: %(title)s")
    if (old.starts_at, old.ends_at) != (event.starts_at, event.ends_at):
        return "emails/events/event_moved", pgettext("mail", "New time: %(title)s")
    return "emails/events/event_moved", pgettext("mail", "New place: %(title)s")


def new_link(delivery: Delivery) -> Message | None:
    """With the link for who is known to have it now; else with when it comes."""
    registration = _registration(delivery)
    if registration is None or not registration.is_seated or registration.event.has_passed:
        return None
    if registration.event.is_canceled:
        # They are told when it is held after all.
        Registration.objects.filter(pk=registration.pk).update(told_join=registration.event.join_version - 1)
        return None
    if not registration.event.join_url:
        return None
    return message(
        "emails/events/new_link",
        pgettext("mail", "New link: %(title)s"),
        registration,
        join_url=registration.event.join_url if registration.told_join and registration.event.is_joinable else "",
    )


def message(template: str, subject: str, registration: Registration, *, method: str = "", **more: Any) -> Message:
    """What both templates of this name (text and HTML) say of this registration, in its language."""
    context = about(registration) | more
    event = registration.event
    file = b""
    if method and registration.email:
        file = calendar.personal(
            event,
            registration.language,
            method=method,
            uid=registration.uid,
            sequence=registration.calendar_sequence,
            attendee=ascii_address(registration.email),
        )
    return Message(
        subject=subject % context,
        text=render_to_string(f"{template}.txt", context),
        html=render_to_string(f"{template}.html", context),
        calendar=file,
    )


def _registration(delivery: Delivery) -> Registration | None:
    found: Registration | None = (
        Registration.objects.filter(pk=delivery.context["registration"]).select_related("event").first()
    )
    return found


def about(registration: Registration) -> dict[str, Any]:
    """What every template about a registration may say."""
    event = registration.event
    text = read(event, registration.language)
    return {
        "event": event,
        "registration": registration,
        "title": contacts.expand(text["title"]) if text else str(event.get_kind_display()),
        "text": text,
        "language": languages.get(registration.language),
        "private_url": private_url(registration),
        "is_place_told": is_place_told(registration),
        "now": timezone.now(),
    }
