"""Every write to the glossary. What is approved is shown to readers; whoever changes it takes the approval away."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.revisions.glossary.models import Term, Wording


class ChangedMeanwhileError(ValidationError):
    """Somebody else wrote it after this writer had read it."""


@transaction.atomic
def create(*, word: str, forms: Sequence[str] = (), by: User) -> Term:
    term = Term.objects.create(word=word, forms=list(forms), created_by=by)
    audit.record("create", term, by=by, changes={"word": ("", word), "forms": ([], list(forms))})
    return term


@transaction.atomic
def edit(term: Term, *, word: str, forms: Sequence[str], by: User, seen: str | None = None) -> Term:
    """Another word is another thing to explain: with it, whoever changes it has written every wording anew, and
    somebody else approves them. `seen` is the version that the writer knew."""
    locked = _locked(term)
    if seen is not None and seen != locked.version:
        raise ChangedMeanwhileError(
            pgettext("staff", "Somebody else changed it while you were writing. Now it is: %(words)s.")
            % {"words": ", ".join([locked.word, *locked.forms])}
        )
    values: dict[str, Any] = {"word": word, "forms": list(forms)}
    changes = audit.changed(locked, values)
    if changes:
        locked.word, locked.forms = word, list(forms)
        locked.save(update_fields=["word", "forms"])
        audit.record("edit", locked, by=by, changes=changes)
    if "word" in changes:
        locked.wordings.update(
            written_at=timezone.now(), written_by=by, approved_at=None, approved_by=None, is_example=False
        )
    return locked


@transaction.atomic
def delete(term: Term, *, by: User) -> None:
    """The log keeps what was written."""
    locked = _locked(term)
    lost = {row.language: (_told(row), "") for row in locked.wordings.order_by("language")}
    audit.record("delete", locked, by=by, changes={"word": (locked.word, ""), "forms": (locked.forms, []), **lost})
    locked.delete()


@transaction.atomic
def write(
    term: Term, *, language: str, fields: Mapping[str, Any], seen: str, by: User, is_example: bool = False
) -> Wording:
    """Put the wording of one language. `seen` is the version that the writer knew, empty for none."""
    locked = _locked(term)
    wording = locked.wordings.filter(language=language).first()
    if seen != (wording.version if wording else ""):
        raise ChangedMeanwhileError(
            pgettext("staff", "%(name)s wrote this while you were writing. Both versions are shown here.")
            % {"name": wording.written_by.name if wording else "–"}
        )
    values = {
        "use": "" if language == languages.SOURCE else fields["use"],
        "also": [] if language == languages.SOURCE else list(fields.get("also", ())),
        "avoid": list(fields.get("avoid", ())),
        "why": fields.get("why", ""),
        "meaning": fields["meaning"],
    }
    wording = wording or Wording(term=locked, language=language)
    changes = audit.changed(wording, values)
    if not changes:
        return wording
    for name, value in values.items():
        setattr(wording, name, value)
    wording.written_at, wording.written_by = timezone.now(), by
    wording.approved_at = wording.approved_by = None
    wording.is_example = is_example
    wording.save()
    audit.record("edit", wording, by=by, language=language, changes=changes, note=locked.word)
    return wording


@transaction.atomic
def approve(wording: Wording, *, seen: str, by: User) -> Wording:
    locked: Wording = Wording.objects.select_for_update(of=("self",)).select_related("term").get(pk=wording.pk)
    if seen != locked.version:
        raise ChangedMeanwhileError(
            pgettext("staff", "Somebody changed it while you were reading. Read it again before you approve it.")
        )
    if locked.written_by_id == by.pk:
        raise ValidationError(pgettext("staff", "Somebody else has to approve what you have written."))
    if not locked.approved_at:
        locked.approved_at, locked.approved_by, locked.is_example = timezone.now(), by, False
        locked.save(update_fields=["approved_at", "approved_by", "is_example"])
        audit.record("approved", locked, by=by, language=locked.language, note=locked.term.word)
    return locked


def _locked(term: Term) -> Term:
    """One word is written at a time, in whatever language: two new wordings of one language would meet."""
    found: Term = Term.objects.select_for_update(of=("self",)).get(pk=term.pk)
    return found


def _told(row: Wording) -> str:
    also, avoid = ", ".join(row.also), ", ".join(row.avoid)
    return " · ".join(part for part in (row.use, also, f"✗ {avoid}" if avoid else "", row.why, row.meaning) if part)
