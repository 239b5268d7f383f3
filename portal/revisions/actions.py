"""Every write to texts that are translated by people: draft, submit, approve, send back, publish, withdraw."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, Field, Model
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal import contacts, languages
from portal.accounts.models import Role, User
from portal.audit import actions as audit
from portal.mail import actions as mail
from portal.revisions import checks, paragraphs, rules
from portal.revisions.checks import hard_facts
from portal.revisions.models import (
    Assignment,
    Comment,
    Deed,
    Edition,
    EditLock,
    Method,
    Revision,
    Schedule,
    Significance,
    State,
    text_hash,
)
from portal.revisions.rules import text_fields, translated_fields

ASSIGNED: Final = "text_assigned"
OVERDUE: Final = "text_overdue"
SENT_BACK: Final = "text_sent_back"
COMMENTED: Final = "text_commented"
NOT_KEPT: Final = "text_schedule_not_kept"
REMINDERS: Final = 3
"""Mails about an overdue translation, a week apart."""
MORNING: Final = time(8)


@dataclass(frozen=True, slots=True)
class Kind:
    """A model whose texts go through revisions, and what the shared pages need to know of it."""

    name: str
    """In addresses: `fact`."""
    model: type[Model]
    area: str
    """Prefix of its permissions: `facts` for `facts.edit`, `facts.translate` and `facts.approve`."""
    reindex: Callable[[Model, str], None]
    """Runs inside publish and withdraw, after the live columns of that language have changed."""
    staff_url: Callable[[Model], str]
    audience: Callable[[Model], str] = lambda _thing: ""
    refuses: Callable[[Model, str, Mapping[str, str]], list[str]] = lambda _thing, _language, _fields: []
    """Sentences that say why a text may not go on, beside what the checks find."""
    may_lack: frozenset[str] = frozenset()
    """The fields without which a text may be published; a reader gets all others, never half a text."""


_kinds: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def announce() -> None:
    """Tell the shared mail what letters there are about texts."""
    mail.register(ASSIGNED, rules.assigned, label=pgettext_lazy("staff", "A text to translate"))
    mail.register(OVERDUE, rules.overdue, label=pgettext_lazy("staff", "A translation is overdue"))
    mail.register(SENT_BACK, rules.sent_back, label=pgettext_lazy("staff", "A text was sent back"))
    mail.register(COMMENTED, rules.commented, label=pgettext_lazy("staff", "Somebody commented on a text"))
    mail.register(
        NOT_KEPT, rules.not_kept, label=pgettext_lazy("staff", "A text could not be published or withdrawn on its day")
    )


def kind_named(name: str) -> Kind | None:
    return _kinds.get(name)


def kinds() -> list[Kind]:
    return list(_kinds.values())


def kind_of(thing: Model) -> Kind:
    return next(kind for kind in _kinds.values() if kind.model is type(thing))


class ConflictError(ValidationError):
    """The step does not fit the state the text is in now; the message says why."""


class ChangedMeanwhileError(ConflictError):
    """Somebody else changed it after this person had read it."""


class FindingsError(ValidationError):
    """The checks found something that has to be mended, or explained."""

    def __init__(self, findings: list[checks.Finding]) -> None:
        super().__init__([finding.message for finding in findings])
        self.findings = findings


def current(thing: Model, language: str = languages.SOURCE) -> Revision | None:
    """The published revision of a language."""
    edition = Edition.objects.of(thing).filter(language=language).select_related("revision").first()
    return edition.revision if edition else None


def _clean(text: str, field: Field[Any, Any]) -> str:
    """Without control characters, which no feed can carry; a title has no line breaks."""
    text = "".join(c for c in text.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) != "Cc")
    return " ".join(text.split()) if isinstance(field, CharField) else text.strip()


def cleaned(model: type[Model], fields: Mapping[str, str]) -> dict[str, str]:
    """All translated fields of a model, as `draft` keeps them."""
    return {field.name: _clean(fields.get(field.name, ""), field) for field in text_fields(model)}


@transaction.atomic
def draft(
    thing: Model,
    *,
    language: str,
    fields: Mapping[str, str],
    by: User,
    significance: str = "",
    change_note: str = "",
    is_dangerous_if_old: bool = False,
    based_on: Revision | None = None,
    pivot: str = "",
    method: str = Method.HUMAN,
    is_example: bool = False,
) -> Revision:
    """Keep a new version of a text. The live columns stay as they are. What is the same word for word as the newest
    one, still open and by the same person, is kept once.

    A translation is based on the published Swedish revision unless `based_on` says otherwise.
    """
    _lock(thing)
    text = cleaned(type(thing), fields)
    for value in text.values():
        if mistaken := contacts.mistaken(value):
            raise ValidationError(
                pgettext("staff", "%(found)s is no number to call. There are: %(known)s.")
                % {"found": mistaken, "known": ", ".join(f"{{{{phone:{key}}}}}" for key in contacts.KEYS)}
            )
    if language == languages.SOURCE:
        # Also one that was withdrawn since: with another one its translations come back.
        last = Revision.objects.of(thing).filter(language=language, state=State.PUBLISHED).first()
        significance = significance or Significance.CONTENT
        if last and significance == Significance.TYPO and hard_facts(last.fields) != hard_facts(text):
            raise ValidationError(
                pgettext(
                    "staff",
                    "A number, a link or a section has changed. That is a change of content, not of spelling.",
                )
            )
    else:
        based_on = based_on or current(thing)
        if based_on is None:
            raise ConflictError(
                pgettext("staff", "Publish the Swedish text first: a translation renders a published text.")
            )
    newest: Revision | None = Revision.objects.of(thing).filter(language=language).first()
    about = {
        "author": by,
        "digest": text_hash(text),
        "significance": significance,
        "change_note": change_note,
        "is_dangerous_if_old": is_dangerous_if_old,
        "based_on": based_on,
        "pivot": pivot,
        "method": truthful(method, newest, text),
        "is_example": is_example,
    }
    is_open = newest is not None and newest.state in {State.DRAFT, State.SUBMITTED}
    if newest and is_open and all(getattr(newest, name) == value for name, value in about.items()):
        return newest
    revision = Revision.objects.create(thing=thing, language=language, fields=text, **about)
    audit.record("draft", thing, by=by, language=language, note=f"r{revision.pk}")
    return revision


def truthful(method: str, newest: Revision | None, text: Mapping[str, str]) -> str:
    """A text that took over a machine's paragraphs is not only a person's, whatever is said of it."""
    if method != Method.HUMAN or newest is None or newest.method == Method.HUMAN:
        return method
    taken_over = (
        set(paragraphs.split(newest.fields.get(name, ""))) & set(paragraphs.split(text[name])) for name in text
    )
    return Method.MACHINE_EDITED if any(taken_over) else method


def _move(revision: Revision, state: State, *, allowed: set[State], by: User, reason: str = "") -> Revision:
    locked: Revision = Revision.objects.select_for_update(of=("self",)).get(pk=revision.pk)
    if (state, locked.state, locked.author_id if state == State.SUBMITTED else locked.decided_by_id) in {
        (State.SUBMITTED, State.SUBMITTED, by.pk),
        (State.APPROVED, State.APPROVED, by.pk),
        (State.APPROVED, State.PUBLISHED, by.pk),
    }:
        return locked  # a double click
    if locked.state not in allowed:
        raise ConflictError(
            pgettext("staff", "Somebody was faster: this text is now “%(state)s”.")
            % {"state": locked.get_state_display()}
        )
    locked.state = state
    if state in {State.APPROVED, State.REJECTED}:
        if locked.author_id == by.pk:
            raise ConflictError(pgettext("staff", "You wrote this text. Another person has to approve it."))
        locked.decided_by, locked.decided_at, locked.reason = by, timezone.now(), reason
    locked.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    audit.record(state.value, revision.thing, by=by, language=locked.language, note=f"r{locked.pk} {reason}".strip())
    return locked


@transaction.atomic
def submit(revision: Revision, *, by: User, override_reason: str = "") -> Revision:
    """Send for approval. Raises FindingsError for a missing number or link, and for what looks wrong otherwise unless
    `override_reason` says why it is right."""
    kind = kind_of(revision.thing)
    needed = [field for field in text_fields(kind.model) if field.name not in kind.may_lack]
    missing = [str(field.verbose_name) for field in needed if not revision.fields.get(field.name)]
    if missing:
        labels = ", ".join(missing)
        raise ValidationError(pgettext("staff", "Before it can be sent for approval it needs: %s.") % labels)
    if refused := kind.refuses(revision.thing, revision.language, revision.fields):
        raise ValidationError(refused)
    if revision.method == Method.MACHINE:
        raise ConflictError(
            pgettext("staff", "A person has to read what a machine translated, mend it and save it, before it is sent.")
        )
    found = rules.findings(revision)
    if any(finding.is_blocking for finding in found) or (found and not override_reason):
        raise FindingsError(found)
    if found and revision.state == State.DRAFT:
        kept = [asdict(finding) for finding in found]
        Revision.objects.filter(pk=revision.pk).update(findings=kept, override_reason=override_reason)
    submitted = _move(revision, State.SUBMITTED, allowed={State.DRAFT}, by=by)
    about = Assignment.objects.of(revision.thing).open().filter(language=revision.language)
    about.update(done_at=timezone.now())
    return submitted


@transaction.atomic
def restore(revision: Revision, *, by: User) -> Revision:
    """An earlier version as a new draft. A translation still renders the Swedish text that it rendered then."""
    is_source = revision.language == languages.SOURCE
    return draft(
        revision.thing,
        language=revision.language,
        fields=revision.fields,
        by=by,
        significance=Significance.CONTENT if is_source else "",
        based_on=revision.based_on,
        pivot=revision.pivot,
        method=revision.method,
    )


@transaction.atomic
def renew(thing: Model, *, language: str, seen: str, by: User) -> Revision:
    """Somebody has read a published translation beside the Swedish text of today: it says the same, word for word as it
    stands. Another person approves that, as any text. `seen` are the two that were read."""
    _lock(thing)
    live = current(thing, language)
    if live is None:
        raise ConflictError(pgettext("staff", "There is no published text in this language."))
    if seen != beside(live, current(thing)):
        raise ChangedMeanwhileError(
            pgettext("staff", "A text has changed since you opened this page. Read both again, then say so again.")
        )
    # A person vouches for it now, whoever made it.
    method = Method.MACHINE_EDITED if live.method == Method.MACHINE else live.method
    made = draft(thing, language=language, fields=live.fields, by=by, pivot=live.pivot, method=method)
    return submit(made, by=by, override_reason=live.override_reason)


def beside(translation: Revision, swedish: Revision | None) -> str:
    """A translation and a Swedish text, as a form names what it has shown."""
    return f"{translation.pk}-{swedish.pk if swedish else ''}"


@transaction.atomic
def comment(revision: Revision, *, text: str, by: User) -> Comment:
    """The same again by the same person is a double click."""
    last: Comment | None = Revision.objects.select_for_update(of=("self",)).get(pk=revision.pk).comments.last()
    if last and (last.author_id, last.text) == (by.pk, text):
        return last
    made = Comment.objects.create(revision=revision, author=by, text=text)
    audit.record("comment", revision.thing, by=by, language=revision.language, note=f"r{revision.pk}")
    if by.pk != revision.author_id:
        _write_to(revision.author, COMMENTED, key=f"{COMMENTED}:{made.pk}", context={"comment": made.pk})
    return made


@transaction.atomic
def approve(revision: Revision, *, by: User) -> Revision:
    return _move(revision, State.APPROVED, allowed={State.SUBMITTED}, by=by)


@transaction.atomic
def reject(revision: Revision, *, by: User, reason: str) -> Revision:
    rejected = _move(revision, State.REJECTED, allowed={State.SUBMITTED}, by=by, reason=reason)
    _write_to(revision.author, SENT_BACK, key=f"{SENT_BACK}:{revision.pk}", context={"revision": revision.pk})
    return rejected


@transaction.atomic
def publish(revision: Revision, *, by: User) -> Edition:
    """Make an approved revision what readers get: the edition, its live columns and its search row, or nothing."""
    thing, edition = _locked(revision.thing, revision.language)
    if edition.revision_id == revision.pk:
        return edition
    # Also one that was withdrawn since, which translations may render.
    published = Revision.objects.of(thing).filter(state=State.PUBLISHED)
    if published.filter(language=revision.language, pk__gt=revision.pk).exists():
        raise ConflictError(pgettext("staff", "A newer version of this text has already been published."))
    if revision.based_on_id and not published.filter(language=languages.SOURCE, pk__gte=revision.based_on_id).exists():
        # Readers would take it for up to date.
        raise ConflictError(
            pgettext("staff", "Publish the Swedish text first: a translation renders a published text.")
        )
    allowed = {State.APPROVED} | ({State.DRAFT} if revision.is_example else set())
    revision = _move(revision, State.PUBLISHED, allowed=allowed, by=by)
    edition.revision, edition.published_at = revision, timezone.now()
    edition.withdrawn_at = edition.withdrawn_by = edition.successor_id = None
    edition.withdrawn_reason = edition.withdrawn_because = ""
    is_source = revision.language == languages.SOURCE
    if not is_source:
        swedish = current(thing)
        edition.held_by = _dangerous_since(revision, swedish) if swedish else None
    edition.save()
    _write_live(thing, revision.language, {} if edition.held_by_id else revision.fields)
    if is_source:
        _hold_back(thing, revision, by=by)
    return edition


def _dangerous_since(translation: Revision, swedish: Revision) -> Revision | None:
    """The change of the Swedish text after which this translation must not be read."""
    base = translation.based_on
    if base is None or base.digest == swedish.digest:
        return None
    found: Revision | None = Revision.objects.dangerous_after(base).first()
    return found


def _hold_back(thing: Model, swedish: Revision, *, by: User) -> None:
    """Readers get the fallback for what a new Swedish text made dangerous, and back what is right again."""
    translations = Edition.objects.of(thing).published().exclude(language=languages.SOURCE)
    for edition in translations.select_related("revision__based_on").defer("revision__based_on__fields"):
        assert edition.revision is not None
        held_by = _dangerous_since(edition.revision, swedish)
        if (held_by is None) == (edition.held_by_id is None):
            continue
        Edition.objects.filter(pk=edition.pk).update(held_by=held_by)
        audit.record("hold" if held_by else "release", thing, by=by, language=edition.language)
        _write_live(thing, edition.language, {} if held_by else edition.revision.fields)


@transaction.atomic
def withdraw(
    thing: Model,
    *,
    language: str,
    by: User,
    reason: str,
    because: str = "",
    successor: Model | None = None,
    seen: int | None = None,
) -> Edition:
    """Take a language's text away from readers, and send them to `successor` instead when there is one. `seen` is the
    version that whoever decides this knew of."""
    thing, edition = _locked(thing, language)
    if seen is not None and edition.revision_id not in {seen, None}:
        raise ChangedMeanwhileError(
            pgettext("staff", "A newer version was published while you were writing. Is that one to be withdrawn, too?")
        )
    edition.revision = edition.published_at = edition.held_by = None
    edition.withdrawn_at, edition.withdrawn_by, edition.withdrawn_reason = timezone.now(), by, reason
    edition.withdrawn_because, edition.successor_id = because, successor.pk if successor else None
    edition.save()
    audit.record("withdraw", thing, by=by, language=language, note=reason)
    _write_live(thing, language, {})
    return edition


# What the clock does ---------------------------------------------------------------------------------------------


@transaction.atomic
def schedule(
    thing: Model,
    *,
    language: str,
    at: datetime,
    by: User,
    revision: Revision | None = None,
    because: str = "",
    reason: str = "",
    successor: Model | None = None,
) -> Schedule:
    """Promise to publish an approved revision, or to withdraw the text when none is given; a new promise takes the
    place of an old one."""
    if at <= timezone.now():
        raise ValidationError(pgettext("staff", "That time has passed."))
    if revision is not None and revision.state != State.APPROVED:
        raise ConflictError(pgettext("staff", "Only an approved text can be published later."))
    deed = Deed.PUBLISH if revision else Deed.WITHDRAW
    _lock(thing)
    Schedule.objects.of(thing).open().filter(language=language, deed=deed).delete()
    made = Schedule.objects.create(
        thing=thing,
        language=language,
        deed=deed,
        revision=revision,
        at=at,
        planned_by=by,
        because=because,
        reason=reason,
        successor_id=successor.pk if successor else None,
    )
    audit.record("schedule", thing, by=by, language=language, note=f"{deed.value} {at.isoformat(timespec='minutes')}")
    return made


@transaction.atomic
def unschedule(promise: Schedule, *, by: User) -> None:
    gone, _per_model = Schedule.objects.open().filter(pk=promise.pk).delete()
    if gone:
        audit.record("unschedule", promise.thing, by=by, language=promise.language, note=promise.deed)


def keep_schedules(*, now: datetime) -> int:
    """Publish and withdraw what is due; what cannot be done any more says why. Returns how many were settled."""
    settled = 0
    for due in Schedule.objects.due(now):
        with transaction.atomic():
            _lock(due.thing)  # first, as whoever plans anew
            promise = Schedule.objects.open().select_for_update(of=("self",)).filter(pk=due.pk).first()
            if promise is None:
                continue
            promise.done_at, promise.outcome = now, _keep(promise)
            promise.save(update_fields=["done_at", "outcome"])
            if promise.outcome:
                _tell_approvers(promise)
            settled += 1
    return settled


def _keep(promise: Schedule) -> str:
    try:
        with transaction.atomic():
            _require_that_it_still_holds(promise)
            if promise.revision is not None:
                publish(promise.revision, by=promise.planned_by)
            elif Edition.objects.of(promise.thing).published().filter(language=promise.language).exists():
                others = type(promise.thing)._default_manager
                withdraw(
                    promise.thing,
                    language=promise.language,
                    by=promise.planned_by,
                    reason=promise.reason,
                    because=promise.because,
                    successor=others.filter(pk=promise.successor_id).first(),
                )
    except ValidationError as error:
        return " ".join(error.messages)[:500]
    return ""


def _require_that_it_still_holds(promise: Schedule) -> None:
    """The clock decides nothing: it acts for somebody who may, and brings nothing back."""
    if not promise.planned_by.has_perm(f"{kind_of(promise.thing).area}.approve"):
        raise ConflictError(pgettext("staff", "Whoever planned it may not decide on such texts any more."))
    taken_away = Edition.objects.of(promise.thing).filter(
        language__in=[promise.language, languages.SOURCE], withdrawn_at__gt=promise.planned_at
    )
    if promise.revision is not None and taken_away.exists():
        raise ConflictError(pgettext("staff", "The text has been withdrawn since it was planned."))


def _tell_approvers(promise: Schedule) -> None:
    for person in User.objects.filter(groups__name=Role.APPROVER):
        _write_to(person, NOT_KEPT, key=f"{NOT_KEPT}:{promise.pk}:{person.pk}", context={"schedule": promise.pk})


# Who works on what ---------------------------------------------------------------------------------------------


@transaction.atomic
def assign(
    thing: Model, *, language: str, translator: User, due_on: date, by: User, note: str = "", seen: str | None = None
) -> Assignment:
    """Ask somebody to translate a text by a day; who was asked before is asked no more. `seen` is the assignment that
    this one was meant to replace, empty for none."""
    if due_on < timezone.localdate():
        raise ValidationError(pgettext("staff", "That day has passed."))
    _lock(thing)
    before: Assignment | None = Assignment.objects.of(thing).open().filter(language=language).first()
    if before and (before.translator_id, before.due_on, before.note) == (translator.pk, due_on, note):
        return before
    if seen is not None and seen != (str(before.pk) if before else ""):
        raise ChangedMeanwhileError(
            pgettext("staff", "Somebody else changed who is asked while you were writing. It stands above the form.")
        )
    if before:
        before.delete()
    made = Assignment.objects.create(
        thing=thing, language=language, translator=translator, due_on=due_on, assigned_by=by, note=note
    )
    audit.record("assign", thing, by=by, language=language, note=f"u{translator.pk} {due_on}")
    _write_to(translator, ASSIGNED, key=f"{ASSIGNED}:{made.pk}", context={"assignment": made.pk})
    for week in range(REMINDERS):
        morning = datetime.combine(due_on + timedelta(days=1 + 7 * week), MORNING, timezone.get_default_timezone())
        _write_to(
            translator, OVERDUE, key=f"{OVERDUE}:{made.pk}:{week}", context={"assignment": made.pk}, due_at=morning
        )
    return made


@transaction.atomic
def unassign(assignment: Assignment, *, by: User) -> None:
    Assignment.objects.open().filter(pk=assignment.pk).delete()
    audit.record("unassign", assignment.thing, by=by, language=assignment.language)


def _write_to(person: User, kind: str, *, key: str, context: Mapping[str, int], due_at: datetime | None = None) -> None:
    if person.is_active and not person.email.endswith(".invalid"):
        mail.plan(
            kind=kind,
            key=key,
            to=person.email,
            language=person.language,
            due_at=due_at or timezone.now(),
            context=context,
        )


@transaction.atomic
def write_on(
    thing: Model, *, language: str, by: User, typed: Mapping[str, list[str]] | None = None, take_over: bool = False
) -> EditLock:
    """A sign of life of who is writing, with what they have typed so far; returns who holds the text.

    A text that somebody else is writing is theirs until they were silent for a while and it is taken over. What they
    had typed becomes a draft of theirs.
    """
    if take_over:
        _lock(thing)
    now = timezone.now()
    held: EditLock
    held, is_new = EditLock.objects.select_for_update(of=("self",)).get_or_create(
        content_type=ContentType.objects.get_for_model(thing),
        object_id=thing.pk,
        language=language,
        defaults={"holder": by, "taken_at": now, "seen_at": now, "typed": dict(typed or {})},
    )
    if is_new or (held.holder_id != by.pk and not (take_over and held.is_stale)):
        return held
    if held.holder_id != by.pk:
        _rescue(thing, held)
        held.holder, held.taken_at, held.typed = by, now, {}
    held.seen_at = now
    if typed is not None:
        held.typed = dict(typed)
    held.save()
    return held


def _rescue(thing: Model, held: EditLock) -> None:
    newest: Revision | None = Revision.objects.of(thing).filter(language=held.language).first()
    known = newest.fields if newest else {}
    text = cleaned(type(thing), {**known, **{name: paragraphs.join(boxes) for name, boxes in held.typed.items()}})
    if not held.typed or text == known:
        return
    # It claims no more than the version that it was made from.
    about: dict[str, Any] = (
        {"based_on": newest.based_on, "pivot": newest.pivot, "method": newest.method} if newest else {}
    )
    try:
        draft(thing, language=held.language, fields=text, by=held.holder, **about)
    except ValidationError:
        return  # not even a draft


def stop_writing(thing: Model, *, language: str, by: User) -> None:
    """What was typed is saved, or not wanted any more."""
    EditLock.objects.filter(
        content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk, language=language, holder=by
    ).delete()


def purge(*, now: datetime) -> int:
    """Forget what was typed and never saved; returns how many rows went."""
    typed, _ = EditLock.objects.filter(seen_at__lt=now - EditLock.KEEP).delete()
    return int(typed)


def _lock(thing: Model) -> Model:
    """The object as it is now. One text of an object is written at a time: the search row of each language says
    something of the Swedish one, too."""
    return type(thing)._default_manager.select_for_update(of=("self",)).get(pk=thing.pk)


def _locked(thing: Model, language: str) -> tuple[Model, Edition]:
    fresh = _lock(thing)
    edition, _is_new = Edition.objects.get_or_create(
        content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk, language=language
    )
    return fresh, edition


def _write_live(thing: Model, language: str, fields: Mapping[str, str]) -> None:
    # Only the columns of this language: save() would write all of them and undo what somebody else just published.
    model = type(thing)
    values = {languages.suffixed(name, language): fields.get(name, "") for name in translated_fields(model)}
    model._default_manager.filter(pk=thing.pk).update(**values)
    for column, value in values.items():
        setattr(thing, column, value)
    # Without its Swedish text a page is gone in every language, and with it all of them are back.
    is_source = language == languages.SOURCE
    touched = Edition.objects.of(thing).values_list("language", flat=True) if is_source else [language]
    for code in touched:
        kind_of(thing).reindex(thing, code)
