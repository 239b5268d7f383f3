"""Texts to and from translation tools, and drafts by a machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, Model
from django.utils import timezone
from django.utils.text import Truncator, capfirst
from django.utils.translation import pgettext

from portal import contacts, guard, languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.languages import Language
from portal.revisions import actions as revisions
from portal.revisions.actions import ConflictError, Kind
from portal.revisions.exchange import documents
from portal.revisions.exchange.documents import Incoming, Outgoing
from portal.revisions.exchange.models import Upload
from portal.revisions.exchange.rules import (
    Translator,
    TranslatorError,
    Unit,
    assemble,
    mask,
    out_of_step,
    paragraphs,
    units,
)
from portal.revisions.models import Method, Revision, State
from portal.revisions.rules import text_fields, translated_fields

LONGEST: Final = 20_000
"""What a field without a limit of its own holds, as on the editor's page."""


# Out -------------------------------------------------------------------------------------------------------------


def export(sources: Iterable[Revision], *, language: Language) -> bytes:
    """The Swedish texts as XLIFF, with the newest translation wherever its paragraph has not changed."""
    return documents.write([_outgoing(source, language) for source in sources], language=language)


def _outgoing(source: Revision, language: Language) -> Outgoing:
    model: Any = source.content_type.model_class()
    kind = next(kind for kind in revisions.kinds() if kind.model is model)
    newest = (
        Revision.objects.filter(content_type=source.content_type, object_id=source.object_id, language=language.code)
        .select_related("based_on")
        .first()
    )
    rendered = {"before": _base(newest).fields, "translated": newest.fields} if newest else {}
    return Outgoing(
        kind=kind.name,
        object_id=source.object_id,
        revision_id=source.pk,
        digest=source.digest,
        units=units(translated_fields(model), source.fields, **rendered),
        limits={field.name: field.max_length for field in text_fields(model) if field.max_length},
        state=_state(newest),
        qualifier="leveraged-mt" if newest and newest.method == Method.MACHINE else "",
    )


def _base(translation: Revision) -> Revision:
    """The Swedish revision it renders; a constraint says that there is one."""
    assert translation.based_on is not None
    return translation.based_on


def _state(revision: Revision | None) -> str:
    if revision is None or revision.method == Method.MACHINE or revision.state == State.REJECTED:
        return "needs-review-translation"
    return "final" if revision.state in {State.APPROVED, State.PUBLISHED} else "translated"


# In --------------------------------------------------------------------------------------------------------------


class Outcome(StrEnum):
    NEW = "new"
    SAME = "same"
    UNFINISHED = "unfinished"
    UNTRANSLATED = "untranslated"


@dataclass(frozen=True, slots=True)
class Planned:
    """What the import of one text will do."""

    kind: Kind
    thing: Model
    language: Language
    source: Revision
    fields: dict[str, str]
    method: str
    outcome: Outcome
    empty: list[str]
    """How the Swedish paragraphs begin that have no translation."""
    is_outdated: bool
    """The Swedish text has changed since it was downloaded."""
    newest: Revision | None

    @property
    def is_new(self) -> bool:
        return self.outcome == Outcome.NEW


def keep(*, content: bytes, method: str, by: User) -> Upload:
    """Keep a file for the second step. Raises ValidationError, and keeps nothing, when anything in it is wrong."""
    plan(content, method=method, by=by)
    return Upload.objects.create(owner=by, content=content, method=method)


def plan(content: bytes, *, method: str, by: User) -> list[Planned]:
    """What an import would do; it does nothing. Raises ValidationError with a sentence for each fault."""
    planned, faults = [], []
    for incoming in documents.read(content):
        try:
            planned.append(_planned(incoming, method, by))
        except ValidationError as error:
            faults += [f"{incoming.original} “{incoming.title[:60]}”: {message}" for message in error.messages]
    if faults:
        raise ValidationError(faults)
    return planned


def _planned(incoming: Incoming, method: str, by: User) -> Planned:
    kind = revisions.kind_named(incoming.kind)
    if kind is None:
        raise ValidationError(pgettext("staff", "there is no such text."))
    if not by.has_perm(f"{kind.area}.translate"):
        raise ValidationError(pgettext("staff", "you may not translate texts of this kind."))
    thing = kind.model._default_manager.filter(pk=incoming.object_id).first()
    if thing is None:
        raise ValidationError(pgettext("staff", "there is no such text."))
    source = _rendered(thing, incoming)
    names, code = translated_fields(kind.model), incoming.language.code
    assembled = assemble(names, source.fields, incoming.targets)
    if assembled.missing or assembled.unknown:
        raise ValidationError(_misfit(assembled.missing, assembled.unknown))
    newest = Revision.objects.of(thing).filter(language=code).select_related("author").first()
    fields = {field.name: _plain(assembled.fields[field.name], field) for field in text_fields(kind.model)}
    in_force = revisions.current(thing)
    planned = Planned(
        kind=kind,
        thing=thing,
        language=incoming.language,
        source=source,
        fields=fields,
        method=revisions.truthful(method, newest, fields),
        outcome=_outcome(incoming, source, newest, fields),
        empty=_begin(names, source, [its_id for its_id, target in incoming.targets.items() if not target]),
        is_outdated=in_force is None or in_force.digest != source.digest,
        newest=newest,
    )
    # Also what makes no draft: the file is kept for the second step.
    _check(kind, fields)
    if planned.is_new and method == Method.MACHINE:
        _require_no_human_work(thing, code)
    return planned


def _rendered(thing: Model, incoming: Incoming) -> Revision:
    """The Swedish revision that a file says it renders: one that readers got, of this very object."""
    published = Revision.objects.of(thing).filter(language=languages.SOURCE, state=State.PUBLISHED)
    source: Revision | None = published.filter(pk=incoming.revision_id).first()
    if source is None:
        raise ValidationError(pgettext("staff", "the Swedish text it renders is not one of this site."))
    if source.digest != incoming.digest:
        raise ValidationError(
            pgettext("staff", "the Swedish text it renders is not the one kept here. Download the file anew.")
        )
    return source


def _misfit(missing: list[str], unknown: list[str]) -> list[str]:
    sentences = []
    if missing:
        sentences.append(pgettext("staff", "these paragraphs are not in the file: %s.") % ", ".join(missing[:10]))
    if unknown:
        shown = ", ".join(its_id[:40] for its_id in unknown[:10])
        sentences.append(pgettext("staff", "these paragraphs are unknown here: %s.") % shown)
    return sentences


def _begin(names: Iterable[str], source: Revision, ids: Iterable[str]) -> list[str]:
    known = source.fields | {unit.id: unit.source for unit in units(names, source.fields)}
    return [Truncator(known[its_id]).chars(60) for its_id in ids]


def _plain(text: str, field: Any) -> str:
    return " ".join(text.split()) if isinstance(field, CharField) else text


def _outcome(incoming: Incoming, source: Revision, newest: Revision | None, fields: dict[str, str]) -> Outcome:
    if not any(incoming.targets.values()):
        return Outcome.UNTRANSLATED
    if not all(incoming.targets.values()):
        return Outcome.UNFINISHED
    if newest and (newest.based_on_id or 0) >= source.pk and _paragraphs(newest.fields) == _paragraphs(fields):
        return Outcome.SAME
    return Outcome.NEW


def _paragraphs(fields: dict[str, str]) -> dict[str, list[str]]:
    return {name: paragraphs(text) for name, text in fields.items()}


def _check(kind: Kind, fields: dict[str, str]) -> None:
    """What the editor's page would refuse."""
    faults = []
    for field in text_fields(kind.model):
        text, limit = fields[field.name], field.max_length or LONGEST
        label = capfirst(str(field.verbose_name))
        if len(text) > limit:
            faults.append(
                pgettext("staff", "%(field)s: at most %(limit)d characters; there are %(number)d.")
                % {"field": label, "limit": limit, "number": len(text)}
            )
        if mistaken := contacts.mistaken(text):
            faults.append(
                pgettext("staff", "%(field)s: %(found)s is no number to call.") % {"field": label, "found": mistaken}
            )
        try:
            guard.validate(text)
        except ValidationError as error:
            faults += [f"{label}: {message}" for message in error.messages]
    if faults:
        raise ValidationError(faults)


@transaction.atomic
def accept(upload: Upload, *, by: User) -> list[Revision]:
    """Make the drafts that a kept file brings, all or none; the file goes. Raises ValidationError."""
    kept = Upload.objects.fresh(timezone.now()).select_for_update(of=("self",)).filter(pk=upload.pk, owner=by).first()
    if kept is None:
        raise ConflictError(pgettext("staff", "This file was imported already, or an hour has passed. Send it again."))
    # Two imports of the same texts must not wait for each other.
    planned = sorted(
        plan(bytes(kept.content), method=kept.method, by=by), key=lambda each: (each.kind.name, each.thing.pk)
    )
    made = []
    for each in planned:
        if not each.is_new:
            continue
        revision = revisions.draft(
            each.thing,
            language=each.language.code,
            fields=each.fields,
            by=by,
            based_on=each.source,
            method=each.method,
        )
        audit.record(
            "import", each.thing, by=by, language=each.language.code, note=f"r{revision.pk} of r{each.source.pk}"
        )
        made.append(revision)
    kept.delete()
    return made


def purge(*, now: datetime) -> int:
    count, _per_model = Upload.objects.expired(now).delete()
    return count


# By machine ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Translated:
    revision: Revision
    left: list[str]
    """The paragraphs that stayed Swedish, because the machine lost something of them."""


def translate(thing: Model, *, language: Language, by: User, translator: Translator) -> Translated:
    """A draft by a machine of what no person has translated yet; the other paragraphs stay as that person has them.

    Raises ValidationError with a sentence, and keeps nothing, when there is nothing to do, when a person is at work on
    this text, and when the service fails. No lock is held while it works.
    """
    source, ready, pieces = _wanted(thing, language.code)
    if ready:
        return Translated(ready, [])
    targets, left = _ask(pieces, language, translator)
    kind = revisions.kind_of(thing)
    fields = assemble(translated_fields(kind.model), source.fields, targets).fields
    fields = {field.name: _plain(fields[field.name], field) for field in text_fields(kind.model)}
    _check(kind, fields)
    with transaction.atomic():
        kind.model._default_manager.select_for_update(of=("self",)).get(pk=thing.pk)
        if _wanted(thing, language.code) != (source, None, pieces):
            raise ConflictError(pgettext("staff", "Somebody changed this text meanwhile. Look at it, then try again."))
        revision = revisions.draft(
            thing, language=language.code, fields=fields, by=by, based_on=source, method=Method.MACHINE
        )
        sent = sum(not piece.target for piece in pieces)
        note = f"r{revision.pk} {translator.name}: {sent - len(left)} of {len(pieces)} paragraphs"
        audit.record("translate", thing, by=by, language=language.code, note=note)
    return Translated(revision, left)


def _wanted(thing: Model, code: str) -> tuple[Revision, Revision | None, list[Unit]]:
    """The Swedish text, the machine's draft of it if there is one, and its pieces with what people have translated."""
    source = revisions.current(thing)
    if source is None:
        raise ConflictError(
            pgettext("staff", "Publish the Swedish text first: a translation renders a published text.")
        )
    _require_no_human_work(thing, code)
    done = Revision.objects.of(thing).filter(language=code).select_related("based_on")
    newest = done.first()
    if newest and newest.based_on_id == source.pk and newest.method == Method.MACHINE and newest.state in OPEN:
        return source, newest, []
    human: Revision | None = done.exclude(method=Method.MACHINE).exclude(state=State.REJECTED).first()
    names = translated_fields(type(thing))
    if human is None:
        return source, None, units(names, source.fields)
    before = _base(human).fields
    changed = [name for name in names if before.get(name, "") != source.fields.get(name, "")]
    if not changed:
        raise ConflictError(
            pgettext("staff", "Nothing to translate: the Swedish text is the one that a person has translated.")
        )
    if out_of_step(changed, before, human.fields):
        raise ConflictError(
            pgettext(
                "staff",
                "The translation has other paragraphs than the Swedish text, so nobody can tell which of them changed. "
                "Translate it by hand.",
            )
        )
    return source, None, units(names, source.fields, before=before, translated=human.fields)


OPEN: Final = (State.DRAFT, State.SUBMITTED, State.APPROVED)


def _require_no_human_work(thing: Model, code: str) -> None:
    """A machine's draft would lie over what a person has written since the last publication."""
    of_language = Revision.objects.of(thing).filter(language=code)
    published = of_language.filter(state=State.PUBLISHED).first()
    newer = of_language.exclude(method=Method.MACHINE).filter(pk__gt=published.pk if published else 0)
    if newer.exists():
        raise ConflictError(
            pgettext("staff", "A person is at work on this translation. A machine does not write over it.")
        )


def _ask(pieces: list[Unit], language: Language, translator: Translator) -> tuple[dict[str, str], list[str]]:
    masked = {piece.id: mask(piece.source) for piece in pieces if not piece.target}
    texts = [text for each in masked.values() for text in each.texts]
    source = languages.get(languages.SOURCE)
    answers = iter(translator.translate(texts, source=source.tag, target=language.tag) if texts else [])
    targets, left = {piece.id: piece.target for piece in pieces if piece.target}, []
    for piece in pieces:
        if piece.id in masked:
            paragraph = masked[piece.id].unmasked([next(answers) for _ in masked[piece.id].texts])
            targets[piece.id] = piece.source if paragraph is None else paragraph
            if paragraph is None:
                left.append(piece.id)
    if masked and len(left) == len(masked):
        raise TranslatorError(
            pgettext("staff", "The machine lost numbers or links in every paragraph. Translate it by hand.")
        )
    return targets, left
