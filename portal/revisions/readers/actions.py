"""Every write about native readers: ask one, keep an answer, end a link, forget."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.revisions.models import Revision
from portal.revisions.readers.models import Mark, ReaderCheck


class ClosedError(ValidationError):
    """The link ran out, or was ended, while somebody wrote."""


@transaction.atomic
def ask(
    revision: Revision, *, by: User, days: int, label: str = "", note: str = "", form_id: UUID | None = None
) -> ReaderCheck:
    """Make a link for one reader; the same form sent twice makes one."""
    about = {"revision": revision, "label": label, "note": note, "expires_at": timezone.now() + timedelta(days=days)}
    if form_id is None:
        check, is_new = ReaderCheck.objects.create(asked_by=by, **about), True
    else:
        check, is_new = ReaderCheck.objects.get_or_create(asked_by=by, form_id=form_id, defaults=about)
    if is_new:
        audit.record("ask_reader", check, by=by, language=revision.language, note=f"r{revision.pk}")
    return check


@transaction.atomic
def answer(check: ReaderCheck, *, is_understood: bool, comment: str, marks: Sequence[Mark]) -> ReaderCheck:
    """Keep what the reader says in place of what they said before; the same again changes nothing.

    The log tells yes or no and how many marks there are, never the words.
    """
    locked: ReaderCheck = _locked(check)
    if not locked.is_open:
        raise ClosedError(pgettext("native reader", "This link no longer works."))
    before = (locked.is_understood, locked.comment, [_said(mark) for mark in locked.marks.all()])
    if before == (is_understood, comment, [_said(mark) for mark in marks]):
        return locked
    changes = {"is_understood": (locked.is_understood, is_understood)}
    locked.is_understood, locked.comment, locked.answered_at = is_understood, comment, timezone.now()
    locked.save(update_fields=["is_understood", "comment", "answered_at"])
    locked.marks.all().delete()
    for mark in marks:
        mark.reader_check = locked
    Mark.objects.bulk_create(marks)
    audit.record(
        "answer_check",
        locked,
        by=None,
        language=locked.revision.language,
        changes=changes,
        note=f"r{locked.revision_id}, {len(marks)} marks",
    )
    return locked


def _said(mark: Mark) -> tuple[str, int, str, str]:
    return mark.field, mark.number, mark.kind, mark.comment


def _locked(check: ReaderCheck) -> ReaderCheck:
    found: ReaderCheck = ReaderCheck.objects.select_for_update(of=("self",)).select_related("revision").get(pk=check.pk)
    return found


@transaction.atomic
def revoke(check: ReaderCheck, *, by: User) -> ReaderCheck:
    """End the link. What was answered stays."""
    locked = _locked(check)
    if locked.revoked_at is None:
        locked.revoked_at, locked.revoked_by = timezone.now(), by
        locked.save(update_fields=["revoked_at", "revoked_by"])
        audit.record("revoke_link", locked, by=by, language=locked.revision.language, note=f"r{locked.revision_id}")
    return locked


def purge(*, now: datetime) -> int:
    _rows, per_model = ReaderCheck.objects.outlived(now).delete()
    return per_model.get(ReaderCheck._meta.label, 0)
