from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.questions import actions as questions
from portal.questions.models import Outcome, Question
from rumors import actions as rumors
from rumors.intake import rules
from rumors.intake.models import Draft, Offer
from rumors.matching.rules import Match
from rumors.models import Rebuttal, Rumor, Sighting


@transaction.atomic
def log(
    *, by: User, form_id: UUID, question: Question | None = None, offered: Sequence[Match] = (), **values: Any
) -> Rumor:
    """A new rumor: none of those that were offered. What it was made of is settled and cleared away.

    Raises `questions.actions.MeanwhileError` when somebody else has settled the question.
    """
    rumor = rumors.log(by=by, form_id=form_id, **values)
    _finish(rumor, form_id=form_id, question=question, offered=offered, taken=None, is_secret=rumor.is_secret, by=by)
    return rumor


@transaction.atomic
def sight(
    rumor: Rumor,
    *,
    by: User,
    form_id: UUID,
    question: Question | None = None,
    offered: Sequence[Match] = (),
    **values: Any,
) -> Sighting:
    """It was this one, heard again. Otherwise as `log`."""
    sighting = rumors.sight(rumor, by=by, form_id=form_id, **values)
    is_secret = rumor.is_secret or sighting.is_threat
    _finish(rumor, form_id=form_id, question=question, offered=offered, taken=rumor, is_secret=is_secret, by=by)
    return sighting


def _finish(
    rumor: Rumor,
    *,
    form_id: UUID,
    question: Question | None,
    offered: Sequence[Match],
    taken: Rumor | None,
    is_secret: bool,
    by: User,
) -> None:
    if question is not None:
        said = Rebuttal.objects.published().with_repeats(rumor).select_related("fact").first()
        questions.settle(
            question,
            outcome=Outcome.SIGHTING,
            note=rumor.public_id,
            fact=said.fact if said else None,
            is_secret=is_secret,
            by=by,
        )
    offers = [
        Offer(
            form_id=form_id,
            rumor_id=match.object_id,
            place=place,
            method=match.method,
            score=match.score,
            is_likely=match.is_likely,
            is_taken=taken is not None and taken.pk == match.object_id,
        )
        for place, match in enumerate(offered, 1)
    ]
    # The same form once more, after a double click, changes nothing.
    Offer.objects.bulk_create(offers, ignore_conflicts=True)
    Draft.objects.filter(owner=by, form_id=form_id).delete()


def keep(*, form_id: UUID, data: Mapping[str, str], by: User, question: Question | None = None) -> None:
    """What has been typed so far, in the place of what was there; nothing when the form was sent meanwhile."""
    if rules.sent_before(form_id, by=by):
        return
    values = {"data": dict(data), "saved_at": timezone.now(), "question": question}
    Draft.objects.update_or_create(owner=by, form_id=form_id, defaults=values)


def throw_away(*, form_id: UUID, by: User) -> None:
    Draft.objects.filter(owner=by, form_id=form_id).delete()


def purge(*, now: datetime) -> int:
    """Drafts that nobody went on with, and what was offered long ago."""
    drafts, _per_model = Draft.objects.expired(now).delete()
    offers, _per_model = Offer.objects.expired(now).delete()
    return int(drafts) + int(offers)
