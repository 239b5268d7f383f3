"""Every write to texts that are translated by people: draft, submit, approve, send back, publish, withdraw."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, Field, Model
from django.utils import timezone
from django.utils.translation import pgettext

from portal import contacts, languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.revisions.models import Edition, Method, Revision, Significance, State, text_hash
from portal.revisions.rules import hard_facts, text_fields, translated_fields


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
    may_lack: frozenset[str] = frozenset()
    """The fields without which a text may be published; a reader gets all others, never half a text."""


_kinds: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def kind_named(name: str) -> Kind | None:
    return _kinds.get(name)


def kind_of(thing: Model) -> Kind:
    return next(kind for kind in _kinds.values() if kind.model is type(thing))


class ConflictError(ValidationError):
    """The step does not fit the state the text is in now; the message says why."""


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
        live = current(thing)
        significance = significance or Significance.CONTENT
        if live and significance == Significance.TYPO and hard_facts(live.fields) != hard_facts(text):
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
    about = {
        "author": by,
        "digest": text_hash(text),
        "significance": significance,
        "change_note": change_note,
        "based_on": based_on,
        "pivot": pivot,
        "method": method,
        "is_example": is_example,
    }
    newest: Revision | None = Revision.objects.of(thing).filter(language=language).first()
    is_open = newest is not None and newest.state in {State.DRAFT, State.SUBMITTED}
    if newest and is_open and all(getattr(newest, name) == value for name, value in about.items()):
        return newest
    revision = Revision.objects.create(thing=thing, language=language, fields=text, **about)
    audit.record("draft", thing, by=by, language=language, note=f"r{revision.pk}")
    return revision


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
def submit(revision: Revision, *, by: User) -> Revision:
    kind = kind_of(revision.thing)
    needed = [field for field in text_fields(kind.model) if field.name not in kind.may_lack]
    missing = [str(field.verbose_name) for field in needed if not revision.fields.get(field.name)]
    if missing:
        labels = ", ".join(missing)
        raise ValidationError(pgettext("staff", "Before it can be sent for approval it needs: %s.") % labels)
    return _move(revision, State.SUBMITTED, allowed={State.DRAFT}, by=by)


@transaction.atomic
def approve(revision: Revision, *, by: User) -> Revision:
    return _move(revision, State.APPROVED, allowed={State.SUBMITTED}, by=by)


@transaction.atomic
def reject(revision: Revision, *, by: User, reason: str) -> Revision:
    return _move(revision, State.REJECTED, allowed={State.SUBMITTED}, by=by, reason=reason)


@transaction.atomic
def publish(revision: Revision, *, by: User) -> Edition:
    """Make an approved revision what readers get: the edition, its live columns and its search row, or nothing."""
    thing, edition = _locked(revision.thing, revision.language)
    if edition.revision_id == revision.pk:
        return edition
    if edition.revision_id is not None and edition.revision_id > revision.pk:
        raise ConflictError(pgettext("staff", "A newer version of this text is already published."))
    allowed = {State.APPROVED} | ({State.DRAFT} if revision.is_example else set())
    revision = _move(revision, State.PUBLISHED, allowed=allowed, by=by)
    edition.revision, edition.published_at = revision, timezone.now()
    edition.withdrawn_at = edition.withdrawn_by = None
    edition.withdrawn_reason = ""
    edition.save()
    _write_live(thing, revision.language, revision.fields)
    return edition


@transaction.atomic
def withdraw(thing: Model, *, language: str, by: User, reason: str) -> Edition:
    """Take a language's text away from readers."""
    thing, edition = _locked(thing, language)
    edition.revision = edition.published_at = None
    edition.withdrawn_at, edition.withdrawn_by, edition.withdrawn_reason = timezone.now(), by, reason
    edition.save()
    audit.record("withdraw", thing, by=by, language=language, note=reason)
    _write_live(thing, language, {})
    return edition


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
