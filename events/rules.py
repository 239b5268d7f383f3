from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import rules
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from events.models import Event, Registration
from portal import contacts, languages, markup, secret_links
from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions.rules import read

rules.add_perm("events.view", is_anyone_on_staff)
rules.add_perm("events.edit", has_role(Role.EVENTS))
rules.add_perm("events.translate", has_role(Role.EVENTS, Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("events.approve", has_role(Role.APPROVER))
rules.add_perm("registrations.view", has_role(Role.EVENTS))


# Time ----------------------------------------------------------------------------------------------------------


def reminders(starts_at: datetime) -> dict[str, datetime]:
    """When to remind, in UTC, by name.

    A day before means the same time on the clock in Stockholm; a time that the clock skips moves forward, of a time
    that comes twice the first is meant. An hour before is sixty minutes.
    """
    local = starts_at.astimezone(timezone.get_default_timezone())
    # Aware datetimes of one zone are added on the clock, with fold=0, and a skipped time keeps the offset before it.
    return {
        "day": (local - timedelta(days=1)).astimezone(UTC),
        "hour": starts_at.astimezone(UTC) - timedelta(hours=1),
    }


# Private links -------------------------------------------------------------------------------------------------


def private_token(registration: Registration) -> str:
    return secret_links.token("events.registration", registration.pk, registration.nonce)


def token_owner(token: str) -> Registration | None:
    """The registration whose private link this is."""
    found: Registration | None = Registration.objects.filter(pk=secret_links.pk_of(token)).first()
    if found and secret_links.fits(token, "events.registration", found.pk, found.nonce):
        return found
    return None


# Calendar files ------------------------------------------------------------------------------------------------


def calendar(events: Iterable[Event], code: str, *, name: str = "") -> bytes:
    """An iCalendar file (RFC 5545, METHOD:PUBLISH) for readers of `code`. The link to join is never in it."""
    file = Calendar()
    file.add("version", "2.0")
    file.add("prodid", f"-//{settings.SITE_NAME}//events//{languages.get(code).tag}")
    file.add("method", "PUBLISH")
    if name:
        file.calendar_name = name
    years = [timezone.now().year]
    for event in events:
        file.add_component(_entry(event, code))
        years += [event.starts_at.year, event.ends_at.year]
    # No more of the past and the future than the events need: all of it is three times the size of an event.
    file.add_missing_timezones(date(min(years), 1, 1), date(max(years) + 1, 12, 31))
    content: bytes = file.to_ical()
    return content


def _entry(event: Event, code: str) -> CalendarEvent:
    zone = timezone.get_default_timezone()
    url = absolute(reverse("event", args=[event.slug]))
    text = read(event, code)
    where = [event.place] if event.place else []
    if event.is_online:
        where.append(pgettext("event", "Online"))
    return CalendarEvent.new(
        uid=event.uid,
        sequence=event.sequence,
        stamp=timezone.now().replace(microsecond=0),
        start=event.starts_at.astimezone(zone),
        end=event.ends_at.astimezone(zone),
        summary=contacts.expand(text["title"]) if text else str(event.get_kind_display()),
        description="\n\n".join(filter(None, [contacts.expand(markup.plain(text["summary"])) if text else "", url])),
        location=", ".join(where) or None,
        url=url,
    )


# Messages ------------------------------------------------------------------------------------------------------
# They never hold what somebody typed into the form: anybody can type anybody's address there.


def confirmation(delivery: Delivery) -> Message | None:
    registration = _registration(delivery)
    if registration is None or registration.canceled_at:
        return None
    context = _about(registration)
    return Message(
        subject=pgettext("mail", "You are registered: %(title)s") % context,
        text=render_to_string("emails/events/confirmation.txt", context),
        html=render_to_string("emails/events/confirmation.html", context),
        calendar=calendar([registration.event], registration.language),
    )


def reminder(delivery: Delivery) -> Message | None:
    """The only message, and the only place outside the staff pages, with the link to join."""
    registration = _registration(delivery)
    if registration is None or registration.canceled_at:
        return None
    if not Event.objects.published().filter(pk=registration.event_id).exists():
        return None
    context = _about(registration) | {"join_url": registration.event.join_url}
    return Message(
        subject=pgettext("mail", "Reminder: %(title)s") % context,
        text=render_to_string("emails/events/reminder.txt", context),
        html=render_to_string("emails/events/reminder.html", context),
    )


def cancellation(delivery: Delivery) -> Message | None:
    registration = _registration(delivery)
    if registration is None:
        return None
    context = _about(registration)
    return Message(
        subject=pgettext("mail", "You have canceled: %(title)s") % context,
        text=render_to_string("emails/events/cancellation.txt", context),
        html=render_to_string("emails/events/cancellation.html", context),
    )


def _registration(delivery: Delivery) -> Registration | None:
    found: Registration | None = (
        Registration.objects.filter(pk=delivery.context["registration"]).select_related("event").first()
    )
    return found


def _about(registration: Registration) -> dict[str, Any]:
    event = registration.event
    text = read(event, registration.language)
    token = private_token(registration)
    return {
        "event": event,
        "title": contacts.expand(text["title"]) if text else str(event.get_kind_display()),
        "text": text,
        "language": languages.get(registration.language),
        "private_url": absolute(reverse("registration", args=[event.slug, token])),
    }
