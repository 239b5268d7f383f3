from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import rules
from django.db.models import F, Value
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext

from events.invitations.models import Invitation
from events.invitations.rules import letter
from events.models import Event
from events.programs.models import Speaker, SpeakerQuerySet
from events.registrations.models import Need, Registration, State
from events.registrations.rules import message, told_link
from events.reminders.models import Anchor, Audience, Rule
from portal import contacts, languages
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role
from portal.composed import Composed, Slot, read_once
from portal.mail.models import Delivery
from portal.mail.rules import Message, Promise
from portal.public import absolute
from portal.revisions.rules import heading, read

rules.add_perm("reminders.edit", has_role(Role.EVENTS))

AFTERWARDS: Final = timedelta(days=2)
"""So long after its time a reminder that follows the end still makes sense."""


# Time ----------------------------------------------------------------------------------------------------------


def anchor_of(rule: Rule, event: Event) -> datetime | None:
    """The moment a rule counts from; None when the event has none, or when the rule would speak of what is over as if
    it were to come."""
    if rule.anchor == Anchor.END and rule.audience != Audience.REGISTERED:
        return None
    moment: datetime | None = {
        Anchor.START: event.starts_at,
        Anchor.END: event.ends_at,
        Anchor.ANSWERS: event.answers_due_at,
    }[Anchor(rule.anchor)]
    return moment


def due_at(rule: Rule, anchor: datetime) -> datetime:
    """When the reminder leaves, in UTC.

    Days are counted on the clock in Stockholm: a time that the clock skips moves forward, of a time that comes twice
    the first is meant. Minutes are minutes.
    """
    sign = 1 if rule.anchor == Anchor.END else -1
    if rule.minutes is not None:
        return anchor.astimezone(UTC) + sign * timedelta(minutes=rule.minutes)
    local = anchor.astimezone(timezone.get_default_timezone()) + sign * timedelta(days=rule.days or 0)
    if rule.at is not None:
        local = local.replace(hour=rule.at.hour, minute=rule.at.minute, second=0, microsecond=0)
    # Aware datetimes of one zone are added on the clock; a skipped time keeps the offset of before it.
    return local.replace(fold=0).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One rule at one event: when it is due, and until when it makes sense."""

    rule: Rule
    anchor_at: datetime
    due_at: datetime
    expires_at: datetime

    def is_due(self, event: Event, now: datetime) -> bool:
        """Not when it would have been due before the event, or the rule, was as it is."""
        return max(event.time_set_at, self.rule.timed_at) <= self.due_at <= now < self.expires_at


def occurrences(event: Event, standing: Iterable[Rule]) -> list[Occurrence]:
    """All reminders of an event by the rules that hold for it, soonest first.

    One that the next one for the same people makes needless ends when that is due: after an outage nobody gets two.
    """
    dated = [(rule, anchor, due_at(rule, anchor)) for rule in standing if (anchor := anchor_of(rule, event))]
    found = []
    for rule, anchor, due in dated:
        if rule.anchor == Anchor.END and due < anchor:
            continue  # at a time of the last day at which it is not over
        last = anchor if rule.anchor != Anchor.END else due + AFTERWARDS
        if rule.audience == Audience.INVITED and event.answers_due_at:
            last = min(last, event.answers_due_at)
        later = [
            other_due
            for other, other_anchor, other_due in dated
            if (other.audience, other_anchor) == (rule.audience, anchor) and other_due > due
        ]
        found.append(Occurrence(rule, anchor, due, min([last, *later])))
    return sorted((each for each in found if each.expires_at > each.due_at), key=lambda each: each.due_at)


def carries_link(event: Event, standing: Sequence[Rule]) -> bool:
    """Whether one of the reminders leaves when the link to join may be shown."""
    return any(
        each.rule.audience == Audience.REGISTERED and event.join_opens_at <= each.due_at < event.ends_at
        for each in occurrences(event, standing)
    )


# Whom ----------------------------------------------------------------------------------------------------------


def promises(event: Event, occurrence: Occurrence) -> list[Promise]:
    """One a person who is reminded: of those who were there when it was due."""
    rule, anchor = occurrence.rule, int(occurrence.anchor_at.timestamp())
    context = {"event": event.pk, "rule": rule.pk, "anchor": anchor}
    what = f"{rule.key}:{anchor}"
    if rule.audience == Audience.STAFF:
        return [
            Promise(f"{event.mail_prefix}staff:{pk}:{what}", email, language, {**context, "user": pk})
            for pk, email, language in event.team.filter(is_active=True).values_list("pk", "email", "language")
        ]
    if rule.audience == Audience.SPEAKERS:
        return [
            Promise(f"{event.mail_prefix}speaker:{pk}:{what}", email, languages.SOURCE, {**context, "speaker": pk})
            for pk, email in speakers_of(event).values_list("pk", "email")
        ]
    if rule.audience == Audience.INVITED:
        invited = Invitation.objects.unanswered().filter(event=event, planned_at__lte=occurrence.due_at)
        return [
            Promise(f"{event.mail_prefix}invitation:{pk}:{what}", email, language, {**context, "invitation": pk})
            for pk, email, language in invited.values_list("pk", "email", "language")
        ]
    state = State.WAITING if rule.audience == Audience.WAITING else State.CONFIRMED
    found = event.registrations.filter(state=state, registered_at__lte=occurrence.due_at).exclude(email="")
    return [
        Promise(f"{event.mail_prefix}registration:{pk}:{what}", email, language, {**context, "registration": pk})
        for pk, email, language in found.values_list("pk", "email", "language")
    ]


def link_promises(event: Event) -> list[Promise]:
    """One a speaker who is told that the link to join is another one."""
    # The same link once more when what told it was of no use, as the event was canceled.
    what = f"link:{event.join_version}:{event.sequence}"
    return [
        Promise(f"{event.mail_prefix}speaker:{pk}:{what}", email, languages.SOURCE, {"event": event.pk, "speaker": pk})
        for pk, email in speakers_of(event).values_list("pk", "email")
    ]


def speakers_of(event: Event) -> SpeakerQuerySet:
    """Who stands in the program that readers see and has an address; whether they are named there does not matter."""
    newest = event.program_versions.defer("lines", "texts").newest()
    return Speaker.objects.with_address().filter(versions=newest) if newest else Speaker.objects.none()


# Messages ------------------------------------------------------------------------------------------------------


@cache
def _rule(code: str) -> Composed[Rule]:
    return Composed(Rule.objects.read_in(code).filter(pk=Value(Slot("pk"))))


@cache
def _held_event(code: str) -> Composed[Event]:
    return Composed(Event.objects.held().read_in(code).filter(pk=Value(Slot("pk"))))


@cache
def _participant() -> Composed[Registration]:
    wanted = Registration.objects.with_needs().filter(pk=Value(Slot("pk")), event=Value(Slot("event")))
    return Composed(wanted.filter(state=Slot("state")))


@read_once
def _occasion(code: str, rule: int, event: int) -> tuple[Rule, Event] | None:
    """For readers of `code`; None when the event is not held, or there is no such rule any more."""
    for found in _rule(code).ask(pk=rule):
        for held in _held_event(code).ask(pk=event):
            return found, held
    return None


def reminder(delivery: Delivery) -> Message | None:
    """Nothing when the event is not held, or not at the time that this reminds of, or the person does not come."""
    context = delivery.context
    occasion = _occasion(delivery.language, context["rule"], context["event"])
    if occasion is None:
        return None
    rule, event = occasion
    anchor = anchor_of(rule, event)
    if anchor is None or int(anchor.timestamp()) != context["anchor"]:
        return None
    return _addressed(rule, event, delivery)


def _addressed(rule: Rule, event: Event, delivery: Delivery) -> Message | None:
    """To whom `promises` named, as long as they are among them."""
    context = delivery.context
    if "user" in context:
        user = event.team.filter(pk=context["user"], is_active=True).first()
        return to_colleague(rule, event, user) if user else None
    if "speaker" in context:
        speaker = speakers_of(event).filter(pk=context["speaker"]).first()
        # At another address than theirs, somebody else would read the link to join.
        return to_speaker(rule, event, speaker) if speaker and speaker.email == delivery.recipient else None
    if "invitation" in context:
        invitation = Invitation.objects.unanswered().filter(pk=context["invitation"], event=event).first()
        if invitation is None:
            return None
        invitation.event = event
        return to_invited(rule, invitation) if invitation.is_open else None
    state = State.WAITING if rule.audience == Audience.WAITING else State.CONFIRMED
    for registration in _participant().ask(pk=context["registration"], event=event.pk, state=state):
        registration.event = event
        return to_participant(rule, registration)
    return None


def to_participant(rule: Rule, registration: Registration) -> Message:
    """Of one read `with_needs`."""
    event = registration.event
    template, subject = "emails/events/reminder", pgettext("mail", "Reminder: %(title)s")
    if rule.audience == Audience.WAITING:
        template, subject = (
            "emails/events/still_waiting",
            pgettext("mail", "You are still on the waiting list: %(title)s"),
        )
    elif rule.anchor == Anchor.END:
        template, subject = "emails/events/after", pgettext("mail", "Thank you for coming: %(title)s")
    return message(
        template,
        subject,
        registration,
        intro=_intro(rule, registration.language),
        needs=registration.need_rows,  # type: ignore[attr-defined]
        join_url=told_link(registration),
        is_link_to_come=event.is_online and not event.is_joinable,
        feedback_url=absolute(reverse("feedback", args=[event.slug])) if event.is_open_for_feedback else "",
    )


def to_invited(rule: Rule, invitation: Invitation) -> Message:
    subject = pgettext("mail", "Please answer: %(title)s")
    return letter("emails/events/invited_reminder", subject, invitation, intro=lambda code: _intro(rule, code))


def to_colleague(rule: Rule, event: Event, user: User) -> Message:
    context = {
        "event": event,
        "title": heading(event),
        "intro": _intro(rule, user.language),
        "seated": event.registrations.confirmed().count(),
        "waiting": event.registrations.waiting().count(),
        "unsettled": Need.objects.to_come(timezone.now())
        .filter(registration__event=event)
        .exclude(state=Need.State.CONFIRMED)
        .count(),
        "is_link_missing": event.is_online and not event.join_url,
        "url": absolute(reverse("staff_event", args=[event.pk])),
    }
    return Message(
        subject=pgettext("staff", "Soon: %(title)s") % context,
        text=render_to_string("emails/events/staff_reminder.txt", context),
        html=render_to_string("emails/events/staff_reminder.html", context),
    )


def speaker_link(delivery: Delivery) -> Message | None:
    """To who was reminded of an older link."""
    event = Event.objects.held().read_in(languages.SOURCE).filter(pk=delivery.context["event"]).first()
    if event is None:
        # They are told when it is held after all.
        canceled = Event.objects.canceled().filter(pk=delivery.context["event"], speakers_told_join__gt=0)
        canceled.update(speakers_told_join=F("join_version") - 1)
        return None
    speaker = speakers_of(event).filter(pk=delivery.context["speaker"]).first()
    if speaker is None or event.has_passed or not (event.is_online and event.join_url):
        return None
    if speaker.email != delivery.recipient:
        return None
    return to_speaker(None, event, speaker)


def to_speaker(rule: Rule | None, event: Event, speaker: Speaker) -> Message:
    """In Swedish, with the link to join from the first reminder on: they have no page that shows it later. Without a
    rule it says that the link is a new one."""
    version = event.program_versions.read_in(languages.SOURCE).newest()
    lines = version.read(languages.SOURCE) if version else []
    text = read(event, languages.SOURCE)
    context = {
        "event": event,
        "title": heading(event),
        "text": text,
        "intro": _intro(rule, languages.SOURCE) if rule else _in_swedish(pgettext("staff", "The link is a new one.")),
        "is_place_told": True,
        "lines": [line for line in lines if any(row["id"] == speaker.pk for row in line.speakers)],
        "has_days": version is not None and version.snapshot.has_days,
        "join_url": event.join_url if event.is_online else "",
    }
    return Message(
        subject=(pgettext("staff", "You take part: %(title)s") if rule else pgettext("staff", "New link: %(title)s"))
        % context,
        text=render_to_string("emails/events/speaker_reminder.txt", context),
        html=render_to_string("emails/events/speaker_reminder.html", context),
    )


def _intro(rule: Rule, code: str) -> dict[str, Any] | None:
    """What the rule says first, in this language or the next one of its chain, with numbers filled in."""
    text = read(rule, code)
    if not text or not text["text"]:
        return None
    return {"text": contacts.expand(text["text"]), "language": text.language, "is_fallback": text.is_fallback}


def _in_swedish(text: str) -> dict[str, Any]:
    return {"text": text, "language": languages.get(languages.SOURCE), "is_fallback": False}


def sample(event: Event, code: str) -> Registration:
    """Somebody who might have registered, for a preview; never saved."""
    found = Registration(pk=0, event=event, language=languages.get(code).code, state=State.CONFIRMED)
    found.need_rows = []  # type: ignore[attr-defined]
    return found
