"""Which text a reader gets, and what may be said about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Field, Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext
from modeltranslation.translator import translator

from portal import contacts, languages
from portal.languages import Language
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions import checks
from portal.revisions.checks import hard_facts
from portal.revisions.glossary import rules as glossary
from portal.revisions.models import Assignment, Comment, Revision, Schedule, State


def text_fields(model: type[Model]) -> list["Field[Any, Any]"]:
    """The translated fields themselves, with their labels and limits."""
    names = translated_fields(model)
    return [field for field in model._meta.concrete_fields if field.name in names]


def translated_fields(model: type[Model]) -> tuple[str, ...]:
    """The translated fields in the model's order; the first one says whether a language is published at all.

    modeltranslation keeps them in a set, whose order changes from process to process.
    """
    translated = translator.get_options_for_model(model).all_fields
    return tuple(field.name for field in model._meta.concrete_fields if field.name in translated)


@cache
def reading_columns(model: type[Model], codes: tuple[str, ...]) -> list[str]:
    """Every column a reader of `codes` needs, for `.only()`: without it each row brings all languages along."""
    translated = translated_fields(model)
    generated = {languages.suffixed(name, code) for name in translated for code in languages.CATALOG}
    own = [f.name for f in model._meta.concrete_fields if f.name not in generated and f.name not in translated]
    return own + [languages.suffixed(name, code) for code in codes for name in translated]


@dataclass(frozen=True, slots=True)
class Text:
    """One whole text in one language, never mixed from several."""

    fields: Mapping[str, str]
    language: Language
    wanted: Language

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def is_fallback(self) -> bool:
        return self.language.code != self.wanted.code


def read(thing: Model, code: str, *, audience: str = "") -> Text | None:
    """The published text for a reader of `code`, else the next whole text of the chain, else None."""
    names = translated_fields(type(thing))
    for candidate in languages.chain(code, audience=audience):
        if getattr(thing, languages.suffixed(names[0], candidate)):
            fields = {name: getattr(thing, languages.suffixed(name, candidate)) or "" for name in names}
            return Text(fields, languages.get(candidate), languages.get(code))
    return None


def heading(thing: Model) -> str:
    """What staff know it by: its Swedish title, else that of the newest draft, else its name in addresses."""
    live = getattr(thing, languages.suffixed("title", languages.SOURCE))
    newest: Any = None if live else Revision.objects.of(thing).filter(language=languages.SOURCE).titled().first()
    return contacts.expand(live or (newest.title if newest else "") or str(thing))


def what_changed(model: type[Model], before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The parts of a text that differ, in words of the reader's language."""
    fields = text_fields(model)
    names = [pgettext("what changed", "the heading"), pgettext("what changed", "the short answer")]
    names += [pgettext("what changed", "the text")] * len(fields)
    changed = [
        name for name, field in zip(names, fields, strict=False) if before.get(field.name) != after.get(field.name)
    ]
    if hard_facts(before) != hard_facts(after):
        changed.append(pgettext("what changed", "numbers, laws or links"))
    return list(dict.fromkeys(changed))


def findings(revision: Revision) -> list[checks.Finding]:
    """What the checks say of a version of a text, beside the Swedish one that it renders."""
    base = revision.based_on
    words = glossary.read(revision.language)
    return checks.compare(base.fields if base else None, revision.fields, language=revision.language, words=words)


# Letters to colleagues -----------------------------------------------------------------------------------------


def _letter(subject: str, *lines: str) -> Message:
    return Message(subject=subject, text="\n\n".join(line for line in lines if line))


def _assignment(delivery: Delivery) -> Assignment | None:
    """None when it is done, or somebody else's now, or its translator has left."""
    open_ones = Assignment.objects.open().filter(translator__is_active=True)
    found: Assignment | None = open_ones.filter(pk=delivery.context["assignment"]).first()
    return found if found and found.thing else None


def _about(assignment: Assignment) -> dict[str, str]:
    return {
        "title": heading(assignment.thing),
        "language": languages.get(assignment.language).autonym,
        "day": date_format(assignment.due_on, "DATE_FORMAT"),
    }


def assigned(delivery: Delivery) -> Message | None:
    assignment = _assignment(delivery)
    if assignment is None:
        return None
    about = _about(assignment)
    return _letter(
        pgettext("staff", "To translate into %(language)s: %(title)s") % about,
        pgettext("staff", "You have been asked to translate “%(title)s” into %(language)s by %(day)s.") % about,
        assignment.note,
        pgettext("staff", "Your list:") + " " + absolute(reverse("translations")),
    )


def overdue(delivery: Delivery) -> Message | None:
    assignment = _assignment(delivery)
    if assignment is None or assignment.due_on >= timezone.localdate():
        return None
    about = _about(assignment)
    return _letter(
        pgettext("staff", "Overdue in %(language)s: %(title)s") % about,
        pgettext("staff", "The translation of “%(title)s” into %(language)s was due on %(day)s.") % about,
        pgettext("staff", "If you cannot do it, tell whoever asked you, so that somebody else can."),
        pgettext("staff", "Your list:") + " " + absolute(reverse("translations")),
    )


def sent_back(delivery: Delivery) -> Message | None:
    sent_back = Revision.objects.filter(state=State.REJECTED, author__is_active=True)
    revision: Revision | None = sent_back.filter(pk=delivery.context["revision"]).first()
    if revision is None:
        return None
    about = {"title": heading(revision.thing), "language": languages.get(revision.language).autonym}
    return _letter(
        pgettext("staff", "Sent back in %(language)s: %(title)s") % about,
        revision.reason,
        absolute(reverse("revision", args=[revision.pk])),
    )


def commented(delivery: Delivery) -> Message | None:
    comment: Comment | None = (
        Comment.objects.filter(pk=delivery.context["comment"], revision__author__is_active=True)
        .select_related("revision", "author")
        .first()
    )
    if comment is None:
        return None
    about = {
        "title": heading(comment.revision.thing),
        "language": languages.get(comment.revision.language).autonym,
        "name": comment.author.name,
    }
    return _letter(
        pgettext("staff", "Comment on %(title)s (%(language)s)") % about,
        pgettext("staff", "%(name)s writes:") % about,
        comment.text,
        absolute(reverse("revision", args=[comment.revision_id])),
    )


def not_kept(delivery: Delivery) -> Message | None:
    """To approvers: what the clock was to do, and has not."""
    promise: Schedule | None = Schedule.objects.filter(pk=delivery.context["schedule"]).exclude(outcome="").first()
    newest = promise and (
        promise.revision or Revision.objects.of(promise.thing).filter(language=promise.language).first()
    )
    if promise is None or newest is None:
        return None
    about = {
        "title": heading(promise.thing),
        "language": languages.get(promise.language).autonym,
        "deed": promise.get_deed_display(),
        "moment": date_format(timezone.localtime(promise.at), "DATETIME_FORMAT"),
    }
    return _letter(
        pgettext("staff", "Not done by itself: %(title)s (%(language)s)") % about,
        pgettext("staff", "“%(deed)s” was planned for %(moment)s and has not been done.") % about,
        promise.outcome,
        pgettext("staff", "Decide what is to be done now:") + " " + absolute(reverse("revision", args=[newest.pk])),
    )
