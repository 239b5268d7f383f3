from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.utils import timezone

from events import actions as events
from events.actors.models import Actor
from events.attendance import actions as attendance
from events.models import Kind
from events.outreach.models import Asked, Draft, SafetyNote, Session
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact
from portal.meanwhile import refuse_clashes
from portal.questions import actions as questions
from portal.questions.models import Door


class Said(NamedTuple):
    """One question, in the words in which it was asked."""

    text: str
    language: str


@transaction.atomic
def log(
    *,
    by: User,
    form_id: UUID,
    host: str,
    starts_at: datetime,
    ends_at: datetime,
    heads: Mapping[str, Any],
    asked: Sequence[Said] = (),
    mood: str = "",
    handed_out: Iterable[Fact] = (),
    follow_up: str = "",
    safety_note: str = "",
    **event: Any,
) -> Session:
    """A visit that has been made: an event that nobody but staff sees, how many were there, what they asked.

    `heads` is what `attendance.count` takes, and `event` what `events.create` takes beside. The same form once more is
    the same visit.
    """
    if sent_before := _sent_before(form_id, by):
        return sent_before
    own = _own(form_id, by)
    made = events.create(
        by=by, kind=Kind.OUTREACH, slug=_slug(starts_at, own), starts_at=starts_at, ends_at=ends_at, **event
    )
    session = Session.objects.create(
        event=made,
        host=host,
        actor=_actor(host),
        mood=mood,
        follow_up=follow_up,
        form_id=own,
        logged_by=by,
    )
    session.handed_out.set(handed_out)
    audit.record("log", session, by=by)
    attendance.count(made, by=by, **heads)
    ask(session, asked=asked, by=by)
    if safety_note:
        note_safety(session, text=safety_note, by=by)
    Draft.objects.filter(owner=by, form_id=form_id).delete()
    return session


def _sent_before(form_id: UUID, by: User) -> Session | None:
    """What this form has made. A second one that is sent at the same time waits here for the end of the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(form_id)])
    found: Session | None = Session.objects.filter(form_id=_own(form_id, by)).first()
    return found


def _own(form_id: UUID, by: User) -> UUID:
    """Of a form that two have sent, one after the other from the same device, each has made a visit."""
    return uuid5(form_id, str(by.pk))


def _slug(starts_at: datetime, form_id: UUID) -> str:
    """Without who was visited: an address is shown, and kept, in more places than the visit itself."""
    return f"besok-{timezone.localdate(starts_at)}-{form_id.hex[:6]}"


def _actor(host: str) -> Actor | None:
    found: Actor | None = Actor.objects.filter(name__iexact=host).first()
    return found


@transaction.atomic
def ask(session: Session, *, asked: Sequence[Said], by: User) -> None:
    """Each is a question like all others, which the inbox settles; what this visit has been told already is not one
    more."""
    held: Session = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    known = {Said(*pair) for pair in held.asked.values_list("question__text", "question__language")}
    last = held.asked.order_by("-order").values_list("order", flat=True).first() or 0
    new = [said for said in dict.fromkeys(asked) if said not in known]
    for order, said in enumerate(new, last + 1):
        question = questions.ask(text=said.text, language=said.language, door=Door.OUTREACH, by=by)
        Asked.objects.create(session=held, question=question, order=order)


@transaction.atomic
def edit(session: Session, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Session:
    """Change what is not the event's, nor a number, nor a question; `was` is what the writer had seen, and what was
    handed out is a set. Raises ChangedMeanwhileError, and changes nothing, when somebody else has changed the same.
    """
    held: Session = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    # What has been withdrawn since nobody can choose, and it was handed out all the same.
    withdrawn = set(held.handed_out.exclude(pk__in=Fact.objects.published()))
    given = set(held.handed_out.all())
    now = {name: given - withdrawn if name == "handed_out" else getattr(held, name) for name in values}
    refuse_clashes(now, was=was or {}, values=values)
    handed_out = {*values.pop("handed_out", given), *withdrawn}
    if "host" in values:
        values["actor"] = _actor(values["host"])
    changes = audit.changed(held, values)
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=list(values))
    held.handed_out.set(handed_out)
    told = {name: pair if name in _TOLD else (audit.UNTOLD, audit.UNTOLD) for name, pair in changes.items()}
    audit.record("edit", held, by=by, changes=told)
    return held


_TOLD: Final = frozenset({"mood"})
"""By the log, which is read by who may not know where colleagues have been."""


@transaction.atomic
def note_safety(session: Session, *, text: str, by: User, was: Mapping[str, str] | None = None) -> None:
    """In the place of what was noted before; an empty one takes it away. The log is not told what it says. `was` is
    what the writer had before them; raises ChangedMeanwhileError when it is something else by now.
    """
    Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    standing = SafetyNote.objects.filter(session=session).values_list("text", flat=True).first() or ""
    refuse_clashes({"text": standing}, was=was or {}, values={"text": text})
    if text:
        values = {"text": text, "written_at": timezone.now(), "written_by": by}
        SafetyNote.objects.update_or_create(session=session, defaults=values)
    else:
        SafetyNote.objects.filter(session=session).delete()
    audit.record("note_safety", session, by=by)


def consult_safety(session: Session, *, by: User) -> SafetyNote | None:
    """Somebody reads it, which is told."""
    note: SafetyNote | None = SafetyNote.objects.filter(session=session).select_related("written_by").first()
    if note is not None:
        audit.record("read", note, by=by)
    return note


@transaction.atomic
def keep(*, form_id: UUID, data: Mapping[str, Any], by: User) -> bool:
    """What has been typed so far, in the place of what was there; nothing when the form was sent meanwhile. Whether it
    is kept."""
    if _sent_before(form_id, by):
        return False
    values = {"data": dict(data), "saved_at": timezone.now()}
    Draft.objects.update_or_create(owner=by, form_id=form_id, defaults=values)
    return True


def throw_away(*, form_id: UUID, by: User) -> None:
    Draft.objects.filter(owner=by, form_id=form_id).delete()


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Safety notes whose time is over, and drafts that nobody went on with."""
    notes, _per_model = SafetyNote.objects.expired(now).delete()
    drafts, _per_model = Draft.objects.expired(now).delete()
    return int(notes) + int(drafts)
