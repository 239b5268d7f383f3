from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Model
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext

from events.models import SETTLE, Appointment, Event, Kind, RiskAssessment, Status
from portal import languages, markup
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.mail import actions as mail
from portal.meanwhile import refuse_clashes
from portal.revisions import actions as revisions
from portal.revisions.models import Revision
from portal.revisions.models import State as TextState
from portal.revisions.rules import translated_fields
from portal.search import actions as search

APPOINTMENT: Final = frozenset({"starts_at", "ends_at", "place", "is_online"})
"""What people have to be told when it changes."""
SECRET: Final = frozenset({"join_url"})
PLACES: Final = frozenset({"place", "access_note", "slug", "theme"})
"""Tell where colleagues visit somebody, which is not for everybody who reads the log."""


class NotYetError(ValidationError):
    """Something is missing, or another person has to do it; the message says what."""


_before_retiming: Final[list[Callable[[Event, datetime], object]]] = []


def before_retiming(work: Callable[[Event, datetime], object]) -> None:
    """Call it in `AppConfig.ready`: `work(event, now)` does what is due at an event before it is held at another time,
    under its lock: a clock that is a little behind must not miss it."""
    _before_retiming.append(work)


@transaction.atomic
def create(*, by: User, text: Mapping[str, str] | None = None, **values: Any) -> Event:
    """A draft. `text` becomes the first draft of its Swedish text, by field."""
    team = values.pop("team", ())
    event = Event.objects.create(created_by=by, **values)
    event.team.set(team)
    _appoint(event)
    slug = audit.UNTOLD if event.kind == Kind.OUTREACH else event.slug
    audit.record("create", event, by=by, changes={"slug": ("", slug)})
    if text:
        revisions.draft(event, language=languages.SOURCE, fields=text, by=by)
    return event


@transaction.atomic
def edit(event: Event, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Event:
    """Change what is not text. `was` is what the writer had seen; several that are chosen may be a set.

    Raises ChangedMeanwhileError when one of the fields was changed by somebody else, and NotYetError for what a risk
    assessment has to come before; nothing is changed then.
    Nobody is told here: who knows of an older appointment, or of an older link to join, is found by the clock.
    """
    locked = _locked(event)
    refuse_clashes({name: _standing(locked, name) for name in values}, was=was or {}, values=values)
    team = values.pop("team", None)
    values = {name: _in_order(name, value) if isinstance(value, set) else value for name, value in values.items()}
    untold = SECRET | PLACES if _is_visit(locked) or values.get("kind") == Kind.OUTREACH else SECRET
    changes = {
        name: (audit.UNTOLD, audit.UNTOLD) if name in untold else (str(old), str(new))
        for name, (old, new) in audit.changed(locked, values).items()
    }
    now, is_retimed = timezone.now(), not changes.keys().isdisjoint({"starts_at", "ends_at", "series"})
    if is_retimed:
        for work in _before_retiming:
            work(locked, now)
    for name, value in values.items():
        setattr(locked, name, value)
    if locked.is_public and _lacks_risk_assessment(locked):
        raise NotYetError(_risk_first())
    # What the reminders of another series would have sent before is not made up for.
    if is_retimed:
        locked.time_set_at = _taken_back_since(locked, now) or now
    _number(locked, changes)
    locked.save(update_fields=[*values, "sequence", "join_version", "time_set_at"])
    if team is not None and {user.pk for user in team} != set(locked.team.values_list("pk", flat=True)):
        locked.team.set(team)
        changes["team"] = ("", str(len(team)))
    if changes:
        audit.record("edit", locked, by=by, changes=changes)
    if not changes.keys().isdisjoint({"slug", *APPOINTMENT}):
        _reindex_all(locked)
    return locked


def _is_visit(event: Event) -> bool:
    """One that was made stays one, of whatever kind somebody says that it is."""
    return event.kind == Kind.OUTREACH or hasattr(event, "session")


def _number(event: Event, changes: Mapping[str, Any]) -> None:
    """What people were told of before is an older link, or an older appointment."""
    if "join_url" in changes:
        event.join_version += 1
    if not changes.keys().isdisjoint(APPOINTMENT):
        event.sequence += 1
        _appoint(event)


def _standing(event: Event, name: str) -> Any:
    if name == "team":
        return set(event.team.all())
    value = getattr(event, name)
    return set(value) if isinstance(value, list) else value


def _in_order(name: str, chosen: set[str]) -> list[str]:
    """As everywhere, in whatever order they were chosen."""
    field: Any = Event._meta.get_field(name)
    return [value for value, _label in field.base_field.choices if value in chosen]


@transaction.atomic
def copy(event: Event, *, slug: str, starts_at: datetime, by: User) -> Event:
    """A new draft like this one at another time, text and all; its other times keep their distance on the clock."""
    zone = timezone.get_default_timezone()
    shift = starts_at.astimezone(zone).replace(tzinfo=None) - event.starts_at.astimezone(zone).replace(tzinfo=None)

    def moved(moment: datetime | None) -> datetime | None:
        return (moment.astimezone(zone).replace(tzinfo=None) + shift).replace(tzinfo=zone) if moment else None

    values = {name: getattr(event, name) for name in COPIED}
    moments = {name: moved(getattr(event, name)) for name in ("ends_at", "registration_ends_at", "answers_due_at")}
    newest = Revision.objects.of(event).filter(language=languages.SOURCE).first()
    text = newest.fields if newest else None
    return create(by=by, text=text, slug=slug, starts_at=starts_at, team=event.team.all(), **values, **moments)


COPIED: Final = (
    "kind",
    "topic",
    "series",
    "groups",
    "place",
    "access",
    "access_note",
    "is_online",
    "join_minutes",
    "capacity",
    "largest_party",
    "spoken",
    "interpreted",
    "contact_content",
    "contact_registration",
)
"""Not what has to be decided anew: what is public, and the link to join."""


# Status --------------------------------------------------------------------------------------------------------


@transaction.atomic
def hand_in(event: Event, *, by: User) -> Event:
    """Ask somebody else to approve it, with its Swedish text if that is a draft of one's own.

    Raises NotYetError when it is no draft, and what `revisions.submit` raises.
    """
    locked = _locked(event)
    if locked.status != Status.DRAFT:
        raise NotYetError(pgettext("staff", "It has been handed in already."))
    newest = Revision.objects.of(locked).filter(language=languages.SOURCE).first()
    if newest and newest.state == TextState.DRAFT and newest.author_id == by.pk:
        revisions.submit(newest, by=by)
    _set_status(locked, Status.REVIEW, by=by, asked_by=by, approved_by=None)
    return locked


@transaction.atomic
def send_back(event: Event, *, by: User, reason: str) -> Event:
    locked = _locked(event)
    if locked.status != Status.REVIEW:
        raise NotYetError(pgettext("staff", "It does not wait for approval."))
    _set_status(locked, Status.DRAFT, by=by, note=reason, asked_by=None)
    return locked


@transaction.atomic
def publish(event: Event, *, seen: str, by: User) -> Event:
    """Make it public. `seen` is the version that the publisher looked at. Raises NotYetError with everything that is
    missing."""
    locked = _locked(event)
    if seen != locked.version:
        raise NotYetError(pgettext("staff", "Somebody has changed it meanwhile. Read it again, then decide."))
    missing = lacking(locked, by=by)
    if missing:
        raise NotYetError(missing)
    now = timezone.now()
    _set_status(locked, Status.PUBLISHED, by=by, approved_by=by, time_set_at=now, public_since=now)
    _reindex_all(locked)
    return locked


def lacking(event: Event, *, by: User) -> list[str]:
    """What has to come before `by` can publish it, in sentences."""
    missing = []
    if event.status != Status.REVIEW:
        missing.append(pgettext("staff", "It does not wait for approval."))
    if event.asked_by_id == by.pk:
        missing.append(pgettext("staff", "Somebody else than who handed it in has to approve it."))
    if not getattr(event, languages.suffixed("title", languages.SOURCE)):
        missing.append(pgettext("staff", "Its Swedish text is not approved yet."))
    if _lacks_risk_assessment(event):
        missing.append(_risk_first())
    return missing


@transaction.atomic
def cancel(event: Event, *, by: User, reason: str) -> Event:
    """It is not held. Its page stays and says so; who has registered is told by the clock."""
    locked = _locked(event)
    if locked.status != Status.PUBLISHED or locked.has_passed:
        raise NotYetError(pgettext("staff", "Only what is published and to come can be canceled."))
    locked.sequence += 1
    _set_status(locked, Status.CANCELED, by=by, note=reason, sequence=locked.sequence)
    _appoint(locked)
    _reindex_all(locked)
    return locked


@transaction.atomic
def restore(event: Event, *, by: User) -> Event:
    """It is held after all."""
    locked = _locked(event)
    if locked.status != Status.CANCELED or locked.has_passed:
        raise NotYetError(pgettext("staff", "Only what is canceled and to come can be held after all."))
    if _lacks_risk_assessment(locked):
        raise NotYetError(_risk_first())
    now = timezone.now()
    # What fell due while nobody had been told yet is not missed.
    since: dict[str, Any] = {} if now - _canceled_at(locked) < SETTLE else {"time_set_at": now, "public_since": now}
    locked.sequence += 1
    _set_status(locked, Status.PUBLISHED, by=by, sequence=locked.sequence, **since)
    _appoint(locked)
    _reindex_all(locked)
    return locked


def _canceled_at(event: Event) -> datetime:
    """Since when it is, however often it was changed after that."""
    held = event.appointments.filter(is_canceled=False).aggregate(last=Max("sequence", default=-1))["last"]
    since: datetime = event.appointments.filter(sequence__gt=held).earliest("sequence").at
    return since


# Risks ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def assess(event: Event, *, risks: str, measures: str, responsible: str, by: User) -> RiskAssessment:
    """A new assessment, which waits for somebody else to approve it. A public event keeps the approval it has."""
    locked = _locked(event)
    assessment = RiskAssessment.objects.create(
        event=locked, risks=risks, measures=measures, responsible=responsible, filled_by=by
    )
    if not locked.is_public:
        locked.risk_approved_at = None
        locked.save(update_fields=["risk_approved_at"])
    audit.record("assess_risks", locked, by=by)
    return assessment


@transaction.atomic
def approve_risks(event: Event, *, seen: int, by: User) -> RiskAssessment:
    """Approve the newest assessment, which is the one that was `seen`. Raises NotYetError when it is not, there is
    none, or it is one's own."""
    locked = _locked(event)
    newest = locked.risk_assessments.select_for_update(of=("self",)).last()
    if newest is None or newest.approved_at:
        raise NotYetError(pgettext("staff", "There is no risk assessment that waits for approval."))
    if newest.pk != seen:
        raise NotYetError(pgettext("staff", "Somebody has changed it meanwhile. Read it again, then decide."))
    if newest.filled_by_id == by.pk:
        raise NotYetError(pgettext("staff", "Somebody else than who wrote the risk assessment has to approve it."))
    newest.approved_at = locked.risk_approved_at = timezone.now()
    newest.approved_by = by
    newest.save(update_fields=["approved_at", "approved_by"])
    locked.save(update_fields=["risk_approved_at"])
    audit.record("approve_risks", locked, by=by)
    return newest


def _lacks_risk_assessment(event: Event) -> bool:
    return (event.is_place_public or event.are_speakers_public) and event.risk_approved_at is None


def _risk_first() -> str:
    return pgettext(
        "staff", "That everybody may read where it is or who speaks needs a risk assessment that somebody approved."
    )


# Search --------------------------------------------------------------------------------------------------------


def reindex(thing: Model, language: str) -> None:
    """The search row of one event in one language, made or taken away."""
    assert isinstance(thing, Event)
    title, summary, body = (getattr(thing, languages.suffixed(n, language)) for n in translated_fields(Event))
    if not (thing.is_public and title and getattr(thing, languages.suffixed("title", languages.SOURCE))):
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
    """Tell the shared modules what there is here: a kind of text."""
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


def _locked(event: Event) -> Event:
    found: Event = Event.objects.to_change().get(pk=event.pk)
    return found


def _appoint(event: Event) -> None:
    values = {name: getattr(event, name) for name in APPOINTMENT}
    made = Appointment.objects.create(event=event, sequence=event.sequence, is_canceled=event.is_canceled, **values)
    # As long as it can be taken back, nothing leaves that it would make wrong or needless.
    mail.postpone(prefix=event.mail_prefix, until=made.at + SETTLE)


def _taken_back_since(event: Event, now: datetime) -> datetime | None:
    """When it was given other times than these, if nobody has been told of that yet: what fell due since then is not
    missed."""
    settled = event.appointments.filter(at__lte=now - SETTLE).last()
    moved = event.appointments.filter(at__gt=now - SETTLE).first()
    is_as_told = settled and (settled.starts_at, settled.ends_at) == (event.starts_at, event.ends_at)
    return moved.at if moved and is_as_told else None


def _set_status(event: Event, status: Status, *, by: User, note: str = "", **values: Any) -> None:
    before, event.status = event.status, status
    for name, value in values.items():
        setattr(event, name, value)
    event.save(update_fields=["status", *values])
    audit.record("set_status", event, by=by, changes={"status": (before, status.value)}, note=note)


def _reindex_all(event: Event) -> None:
    for code in languages.CATALOG:
        if getattr(event, languages.suffixed("title", code)):
            reindex(event, code)
