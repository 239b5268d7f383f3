from collections.abc import Iterable
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
    is_secret: bool = False,
) -> Question:
    """Say what becomes of an open question; the same again by the same person is a double click.

    An answer in words is only proposed: `approve` makes it the reader's. A sighting may have a fact, too: the one that
    the public answer to its rumor rests on. `note` is for staff: the number of the rumor that it was a sighting of, or
    what the missing fact would say. With `is_secret`, for a secret rumor or a threat, neither is kept, and only the
    security role reads the question from then on. May be called within another action's transaction.
    Raises MeanwhileError when it is open no more.
    """
    held = locked(question)
    is_secret = is_secret or held.is_secret
    if outcome == Outcome.ANSWERED and answer:
        outcome = Outcome.PROPOSED
    if outcome not in {Outcome.ANSWERED, Outcome.PROPOSED}:
        answer, answer_language = "", ""
        fact = fact if outcome == Outcome.SIGHTING and not is_secret else None
    values = {
        "outcome": outcome,
        "outcome_note": "" if outcome == Outcome.SIGHTING and is_secret else note,
        "is_secret": is_secret,
        "fact": fact,
        "answer": answer,
        "answer_language": (answer_language or held.language) if answer else "",
    }
    if not held.is_open:
        if held.settled_by_id == by.pk and not audit.changed(held, values):
            return held
        raise _meanwhile(held)
    _refuse_unread(held, by)
    if outcome == Outcome.ANSWERED and fact is None:
        if held.code_hash:
            raise ValidationError({"fact": pgettext("staff", "Choose the fact that answers it, or write an answer.")})
        raise ValidationError({"fact": pgettext("staff", "Choose the fact that answers it.")})
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
        raise _meanwhile(held)
    _refuse_unread(held, by)
    if held.settled_by_id == by.pk:
        raise ValidationError(pgettext("staff", "You wrote this answer. Another person has to approve it."))
    if held.version != version:
        raise MeanwhileError(pgettext("staff", "The answer was changed after you opened it. Read it again."))
    _write(held, "approve_answer", by=by, outcome=Outcome.ANSWERED, approved_at=timezone.now(), approved_by=by)
    return held


@transaction.atomic
def reopen(question: Question, *, by: User, version: str) -> Question:
    """Take back what became of it, of which `version` was read: it waits again, and what was written stays to be
    mended. The number of a rumor does not: the register keeps what was added to it."""
    held = locked(question)
    if held.is_open:
        return held
    _refuse_unread(held, by)
    if held.version != version:
        raise _meanwhile(held)
    _write(
        held,
        "reopen",
        by=by,
        outcome=Outcome.OPEN,
        outcome_note="" if held.outcome == Outcome.SIGHTING else held.outcome_note,
        fact=held.fact if held.answer else None,
        settled_at=None,
        settled_by=None,
        approved_at=None,
        approved_by=None,
    )
    return held


def consult(question: Question, *, by: User) -> None:
    """Somebody reads it: of a secret one that is told."""
    if question.is_secret:
        audit.record("read", question, by=by)


@transaction.atomic
def restrict(*, numbers: Iterable[str], by: User) -> None:
    """The rumors with these numbers have become secret: so does what people told of them."""
    for held in Question.objects.told_of(numbers).select_for_update(of=("self",)):
        _write(held, "restrict", by=by, is_secret=True, outcome_note="", fact=None)


@transaction.atomic
def point(*, to: Fact, numbers: Iterable[str], by: User | None = None) -> int:
    """There is a public answer, which rests on `to`, to the rumors with these numbers: whoever told of them and has a
    code gets it. Those who have another one keep that; returns how many got it."""
    unanswered = list(Question.objects.countable().told_of(numbers).filter(fact=None).select_for_update(of=("self",)))
    for held in unanswered:
        _write(held, "point", by=by, fact=to)
    return len(unanswered)


def _meanwhile(held: Question) -> MeanwhileError:
    return MeanwhileError(
        pgettext("staff", "Somebody was faster. The question is now: %(outcome)s.")
        % {"outcome": held.get_outcome_display()}
    )


def _refuse_unread(held: Question, by: User) -> None:
    """Nobody decides on what they may not read."""
    if held.is_kept_from(by):
        raise MeanwhileError(pgettext("staff", "It has been handed to the security role."))


def _write(held: Question, verb: str, *, by: User | None, **values: object) -> None:
    before = held.outcome
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=list(values))
    is_moved = before != held.outcome
    audit.record(verb, held, by=by, changes={"outcome": (before, str(held.outcome))} if is_moved else None)


def forget_codes(*, now: datetime) -> int:
    """The hashes of codes that work no more."""
    return int(Question.objects.with_expired_code(now).update(code_hash=None))


def purge(*, now: datetime) -> int:
    """Delete questions when their time is over."""
    count, _per_model = Question.objects.expired(now).delete()
    return int(count)
