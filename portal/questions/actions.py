from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact
from portal.questions import rules
from portal.questions.models import Door, Outcome, Question


class MeanwhileError(ValidationError):
    """Somebody else was faster; the message says what became of the question."""


def locked(question: Question) -> Question:
    """As it is now; whoever else wants to change it waits for the end of this transaction."""
    found: Question = Question.objects.select_for_update(of=("self",)).get(pk=question.pk)
    return found


@transaction.atomic
def ask(
    *,
    text: str,
    language: str,
    door: Door,
    by: User | None = None,
    form_id: UUID | None = None,
    has_code: bool = False,
) -> Question:
    """Keep what was asked or told, once for each form. `by` is None when the public says it.

    With `has_code` the reader of the form gets `rules.code_of(form_id)`, of which only the hash is kept.
    """
    said = {"text": text, "language": language, "door": door}
    if form_id is None:
        question, is_new = Question.objects.create(**said), True
    else:
        if has_code:
            said["code_hash"] = rules.hash_of(rules.code_of(form_id))
        question, is_new = Question.objects.get_or_create(form_id=form_id, defaults=said)
    if is_new:
        audit.record("ask", question, by=by)
    return question


@transaction.atomic
def settle(
    question: Question,
    *,
    outcome: str,
    by: User,
    note: str = "",
    fact: Fact | None = None,
    answer: str = "",
    answer_language: str = "",
) -> Question:
    """Say what becomes of an open question; the same again by the same person is a double click.

    An answer in words is only proposed: `approve` makes it the reader's. `note` is for staff: the number of the rumor
    that it was a sighting of, or what the missing fact would say. May be called within another action's transaction.
    Raises MeanwhileError when it is open no more.
    """
    held = locked(question)
    if outcome == Outcome.ANSWERED and answer:
        outcome = Outcome.PROPOSED
    if outcome not in {Outcome.ANSWERED, Outcome.PROPOSED}:
        fact, answer, answer_language = None, "", ""
    values = {
        "outcome": outcome,
        "outcome_note": note,
        "fact": fact,
        "answer": answer,
        "answer_language": (answer_language or held.language) if answer else "",
    }
    if not held.is_open:
        if held.settled_by_id == by.pk and not audit.changed(held, values):
            return held
        raise MeanwhileError(
            pgettext("staff", "Somebody was faster. The question is now: %(outcome)s.")
            % {"outcome": held.get_outcome_display()}
        )
    if outcome == Outcome.ANSWERED and fact is None:
        raise ValidationError({"fact": pgettext("staff", "Choose the fact that answers it, or write an answer.")})
    if outcome == Outcome.MISSING_FACT and not note:
        raise ValidationError({"note": pgettext("staff", "Say what is missing, so that it can be counted.")})
    _write(held, "settle", by=by, **values, settled_at=timezone.now(), settled_by=by)
    return held


@transaction.atomic
def approve(question: Question, *, by: User, version: str) -> Question:
    """Readers get the answer in words; `version` is what was read. A second time changes nothing."""
    held = locked(question)
    if held.is_answered and held.approved_by_id == by.pk:
        return held
    if not held.is_proposed:
        raise MeanwhileError(
            pgettext("staff", "Somebody was faster. The question is now: %(outcome)s.")
            % {"outcome": held.get_outcome_display()}
        )
    if held.settled_by_id == by.pk:
        raise ValidationError(pgettext("staff", "You wrote this answer. Another person has to approve it."))
    if held.version != version:
        raise MeanwhileError(pgettext("staff", "The answer was changed after you opened it. Read it again."))
    _write(held, "approve_answer", by=by, outcome=Outcome.ANSWERED, approved_at=timezone.now(), approved_by=by)
    return held


@transaction.atomic
def reopen(question: Question, *, by: User) -> Question:
    """Take back what became of it: it waits again, and an answer in words stays to be mended."""
    held = locked(question)
    if not held.is_open:
        _write(
            held,
            "reopen",
            by=by,
            outcome=Outcome.OPEN,
            outcome_note="",
            fact=held.fact if held.answer else None,
            settled_at=None,
            settled_by=None,
            approved_at=None,
            approved_by=None,
        )
    return held


def _write(held: Question, verb: str, *, by: User, **values: object) -> None:
    before = held.outcome
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=list(values))
    audit.record(verb, held, by=by, changes={"outcome": (before, str(held.outcome))})


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Delete questions when their time is over, and the hashes of codes that work no more."""
    Question.objects.with_expired_code(now).update(code_hash=None)
    count, _per_model = Question.objects.expired(now).delete()
    return int(count)
