from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext, pgettext_lazy

from events import rules
from events.models import Event, ProgramItem, Registration, Speaker
from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.mail import actions as mail
from portal.questions import actions as questions
from portal.questions.models import Door
from portal.revisions import actions as revisions
from portal.revisions.rules import translated_fields
from portal.search import actions as search

CONFIRMATION: Final = "registration_confirmed"
REMINDER: Final = "event_reminder"
CANCELLATION: Final = "registration_canceled"

TWICE: Final = timedelta(minutes=10)
"""Who sends the form again within this time meant to send it once."""


class FullError(ValidationError):
    """All seats are taken."""


class ClosedError(ValidationError):
    """Nobody can register for this event, or not any more."""


# Events --------------------------------------------------------------------------------------------------------


@transaction.atomic
def create(*, by: User, program: Sequence[Mapping[str, Any]] = (), **values: Any) -> Event:
    """An event without text: its Swedish text is the first revision.

    A row of the program has `starts_at`, `ends_at`, `is_break`, `titles` by language code and `speakers`, each with
    `name`, `title` and `organization`. Raises ValidationError when the program is not within the event.
    """
    event = Event.objects.create(created_by=by, **values)
    _put_program(event, program)
    audit.record("create", event, by=by, changes={"slug": ("", event.slug)})
    return event


@transaction.atomic
def edit(event: Event, *, by: User, program: Sequence[Mapping[str, Any]] | None = None, **values: Any) -> Event:
    """Change what is not text; the reminders move with the event.

    A row of the program with the `id` of an item changes that item, whose other titles stay; what is left out goes.
    """
    locked: Event = Event.objects.select_for_update(of=("self",)).get(pk=event.pk)
    changes = {name: (str(old), str(new)) for name, (old, new) in audit.changed(locked, values).items()}
    if "join_url" in changes:
        changes["join_url"] = ("…", "…")
    is_moved = not changes.keys().isdisjoint({"starts_at", "ends_at"})
    for name, value in values.items():
        setattr(locked, name, value)
    if is_moved:
        mail.cancel(prefix=_reminder_key(locked))
        locked.sequence += 1
    locked.save(update_fields=[*values, "sequence"])
    if is_moved:
        for registration in locked.registrations.confirmed():
            _plan_reminders(registration, locked)
    if program is not None:
        before = [str(item) for item in locked.program.all()]
        _put_program(locked, program)
        after = [str(item) for item in locked.program.all()]
        if before != after:
            changes["program"] = (str(before), str(after))
    if changes:
        audit.record("edit", locked, by=by, changes=changes)
    if "slug" in changes:
        for code in languages.CATALOG:
            if getattr(locked, languages.suffixed("title", code)):
                reindex(locked, code)
    return locked


def _put_program(event: Event, program: Sequence[Mapping[str, Any]]) -> None:
    if any(not event.starts_at <= row["starts_at"] < row["ends_at"] <= event.ends_at for row in program):
        raise ValidationError(
            pgettext("staff", "Every line of the program has to lie between start and end of the event.")
        )
    kept = {row["id"] for row in program if row.get("id")}
    event.program.exclude(pk__in=kept).delete()
    for row in program:
        values = {name: row[name] for name in ("starts_at", "ends_at", "is_break")}
        values |= {languages.suffixed("title", code): title for code, title in row["titles"].items()}
        if row.get("id"):
            # Only the named columns: the titles of other languages may be written by others just now.
            event.program.filter(pk=row["id"]).update(**values)
            item = event.program.filter(pk=row["id"]).first()
        else:
            item = ProgramItem.objects.create(event=event, **values)
        if item:
            item.speakers.set([_speaker(**speaker) for speaker in row["speakers"]])


def _speaker(*, name: str, title: str = "", organization: str = "") -> Speaker:
    values = {"name": name, "title": title, "organization": organization}
    return Speaker.objects.filter(**values).first() or Speaker.objects.create(**values)


@transaction.atomic
def name_program(event: Event, *, language: str, titles: Mapping[int, str], by: User) -> None:
    """Write the titles of the program in one language, by the item's id."""
    column = languages.suffixed("title", language)
    before = dict(event.program.values_list("pk", column))
    changes = {
        str(pk): (before[pk] or "", title) for pk, title in titles.items() if pk in before and before[pk] != title
    }
    for pk, (_old, title) in changes.items():
        event.program.filter(pk=pk).update(**{column: title})
    if changes:
        audit.record("name_program", event, by=by, changes=changes, language=language)


def reindex(thing: Model, language: str) -> None:
    """The search row of one event in one language, made or taken away."""
    assert isinstance(thing, Event)
    title, summary, body = (getattr(thing, languages.suffixed(n, language)) for n in translated_fields(Event))
    if not (title and getattr(thing, languages.suffixed("title", languages.SOURCE))):
        search.remove(kind="event", object_id=thing.pk, language=language)
        return
    with translation.override(language):
        url = reverse("event", args=[thing.slug])
    search.index(
        kind="event",
        object_id=thing.pk,
        language=language,
        audience="",
        title=title,
        text=f"{summary} {markup.plain(body)}",
        url=url,
    )


def announce() -> None:
    """Tell the shared modules what there is here: a kind of text, three kinds of mail."""
    revisions.register(
        revisions.Kind(
            name="event",
            model=Event,
            area="events",
            reindex=reindex,
            staff_url=lambda event: reverse("staff_event", args=[event.pk]),
            may_lack=frozenset({"body"}),
        )
    )
    mail.register(CONFIRMATION, rules.confirmation, label=pgettext_lazy("staff", "Confirmation of a seat"))
    mail.register(REMINDER, rules.reminder, label=pgettext_lazy("staff", "Reminder of an event"))
    mail.register(CANCELLATION, rules.cancellation, label=pgettext_lazy("staff", "A seat was given back"))


# Registrations -------------------------------------------------------------------------------------------------


@transaction.atomic
def register(event: Event, *, name: str, email: str, language: str, question: str = "") -> Registration:
    """Take a seat, or find the one this address has; a confirmation leaves either way, at most one within an hour.

    Raises FullError or ClosedError. Whether an address has a seat is told to its mailbox only: on a full event
    everybody hears that it is full, but for who sends the form twice.
    """
    locked = _lock(event)
    if not locked.is_open_for_registration:
        raise ClosedError(pgettext("registration", "Registration for this event is closed."))
    now = timezone.now()
    seats = locked.registrations.confirmed()
    registration: Registration | None = seats.held_by(email).first()
    is_twice = registration is not None and now - registration.registered_at < TWICE
    if locked.capacity is not None and seats.count() >= locked.capacity and not is_twice:
        raise FullError(
            pgettext("registration", "All seats are taken. If you have registered before, your seat is still yours.")
        )
    if registration is None:
        registration = Registration.objects.create(event=locked, name=name, email=email, language=language)
        audit.record("register", registration, by=None, language=language)
        _plan_reminders(registration, locked)
    if question and not is_twice:
        questions.ask(text=question, language=language, door=Door.REGISTRATION)
    hour = int((now - registration.registered_at) / timedelta(hours=1))
    _plan(CONFIRMATION, registration, key=f"{CONFIRMATION}:{registration.pk}:{hour}", due_at=now, event=locked)
    return registration


@transaction.atomic
def cancel(registration: Registration) -> None:
    """Give the seat back; a second time, or after the event, does nothing."""
    event = _lock(registration.event)
    locked: Registration = Registration.objects.select_for_update(of=("self",)).get(pk=registration.pk)
    if locked.canceled_at or event.has_passed:
        return
    locked.canceled_at = timezone.now()
    locked.save(update_fields=["canceled_at"])
    audit.record("cancel", locked, by=None)
    mail.cancel(prefix=f"{CONFIRMATION}:{locked.pk}:")
    for name in rules.reminders(event.starts_at):
        mail.cancel(key=_reminder_key(event, name, locked))
    _plan(CANCELLATION, locked, key=f"{CANCELLATION}:{locked.pk}", due_at=locked.canceled_at, event=event)


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget who took part, and speakers of no program; returns how many registrations went."""
    expired = Registration.objects.expired(now)
    total = 0
    for event in Event.objects.filter(registrations__in=expired).only("slug").distinct():
        count, _per_model = expired.filter(event=event).delete()
        audit.record("purge", event, by=None, note=f"{count} registrations")
        total += count
    Speaker.objects.filter(items__isnull=True).delete()
    return total


def _lock(event: Event) -> Event:
    locked: Event = (
        Event.objects.select_for_update(of=("self",))
        .only("starts_at", "ends_at", "capacity", "registration_ends_at", "sequence")
        .get(pk=event.pk)
    )
    return locked


def _reminder_key(event: Event, name: str = "", registration: Registration | None = None) -> str:
    """The key of one reminder; without the rest, what all reminders of the event as it is planned now begin with."""
    prefix = f"{REMINDER}:{event.pk}:{event.sequence}:"
    return f"{prefix}{name}:{registration.pk}" if registration else prefix


def _plan_reminders(registration: Registration, event: Event) -> None:
    now = timezone.now()
    for name, due_at in rules.reminders(event.starts_at).items():
        if due_at > now:
            _plan(REMINDER, registration, key=_reminder_key(event, name, registration), due_at=due_at, event=event)


def _plan(kind: str, registration: Registration, *, key: str, due_at: datetime, event: Event) -> None:
    mail.plan(
        kind=kind,
        key=key,
        to=registration.email,
        language=registration.language,
        due_at=due_at,
        # A reminder is no use once it has begun; the others are until it is over.
        expires_at=event.starts_at if kind == REMINDER else event.ends_at,
        context={"registration": registration.pk},
    )
