from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact
from portal.questions.models import Door, Outcome, Question


@transaction.atomic
def ask(*, text: str, language: str, door: Door, by: User | None = None, form_id: UUID | None = None) -> Question:
    """Keep what was asked or told, once for each form. `by` is None when the public says it."""
    said = {"text": text, "language": language, "door": door}
    if form_id is None:
        question, is_new = Question.objects.create(**said), True
    else:
        question, is_new = Question.objects.get_or_create(form_id=form_id, defaults=said)
    if is_new:
        audit.record("ask", question, by=by)
    return question


@transaction.atomic
def settle(question: Question, *, outcome: str, by: User, note: str = "", fact: Fact | None = None) -> Question:
    locked: Question = Question.objects.select_for_update(of=("self",)).get(pk=question.pk)
    if outcome == Outcome.ANSWERED and fact is None:
        raise ValidationError(pgettext("staff", "Say which fact answers it."))
    audit.record("settle", locked, by=by, changes={"outcome": (locked.outcome, outcome)})
    locked.outcome, locked.outcome_note, locked.fact = outcome, note, fact
    locked.settled_at, locked.settled_by = timezone.now(), by
    locked.save(update_fields=["outcome", "outcome_note", "fact", "settled_at", "settled_by"])
    return locked


def purge(*, now: datetime) -> int:
    count, _per_model = Question.objects.expired(now).delete()
    return count
