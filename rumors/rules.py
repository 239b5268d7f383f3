from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import rules
from django.db.models import QuerySet
from django.urls import reverse

from portal import contacts, languages
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Fact
from portal.public import in_language
from portal.questions.rules import any_word
from portal.revisions.rules import read
from portal.search.models import IndexRow
from rumors.models import ENDED, Rebuttal, Rumor
from rumors.vocabulary import Status

rules.add_perm("rumors.view", is_anyone_on_staff)
rules.add_perm("rumors.log", has_role(Role.REPORTER, Role.EDITOR, Role.EVENTS, Role.SECURITY))
rules.add_perm("rumors.handle", has_role(Role.EDITOR, Role.SECURITY))
rules.add_perm("rumors.edit", has_role(Role.EDITOR))
rules.add_perm("rumors.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("rumors.approve", has_role(Role.APPROVER))
rules.add_perm("rumors.secret", has_role(Role.SECURITY))

STEPS: Final[Mapping[Status, tuple[Status, ...]]] = {
    Status.NEW: (Status.SCREENED, Status.OUT_OF_SCOPE),
    Status.SCREENED: (Status.ASSESSED, Status.OUT_OF_SCOPE),
    Status.ASSESSED: (Status.DECIDED, Status.OUT_OF_SCOPE),
    Status.DECIDED: (Status.RESPONDING, Status.MONITORING, Status.CLOSED, Status.ASSESSED),
    Status.MONITORING: (Status.RESPONDING, Status.ASSESSED, Status.CLOSED),
    Status.RESPONDING: (Status.MONITORING, Status.CLOSED),
    # It came back.
    Status.CLOSED: (Status.ASSESSED,),
    Status.OUT_OF_SCOPE: (Status.SCREENED,),
    # `merge` alone leads here: a duplicate names the rumor that it repeats.
    Status.DUPLICATE: (),
}
"""From each status, the steps that may be taken; the usual one first."""
BEFORE_A_DECISION: Final = (Status.NEW, Status.SCREENED, Status.ASSESSED)


def handlers() -> QuerySet[User]:
    """Who may be asked to take care of a rumor."""
    names = [Role.EDITOR, Role.SECURITY]
    return User.objects.filter(is_active=True, groups__name__in=names).distinct().order_by("name", "pk")


def steps(rumor: Rumor) -> tuple[Status, ...]:
    return STEPS[Status(rumor.status)]


def needs_approval(rumor: Rumor, status: str) -> bool:
    """Nothing that was decided begins before somebody else has approved it."""
    return rumor.status == Status.DECIDED and status not in BEFORE_A_DECISION and not rumor.is_approved


def needs_reason(rumor: Rumor, status: str) -> bool:
    """Not to answer is a decision, and so is to take up what had ended: both are written down."""
    if status in {Status.OUT_OF_SCOPE, Status.MONITORING} or rumor.status in ENDED:
        return True
    return status == Status.CLOSED and not rumor.rebuttals.published().exists()


# What is known already --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be said at once to somebody who has heard a claim. Texts are Swedish, for the one who says it."""

    title: str
    text: str
    url: str
    handout_url: str
    language: languages.Language
    """What the page and the handout open in: the language of the claim where the answer is published in it."""


def answers(claim: str, *, near: Iterable[Rumor], language: str) -> list[Answer]:
    """At most three published answers: those given to near claims, then what the search finds."""
    found: dict[tuple[str, int], None] = {
        ("rebuttal", pk): None
        for pk in Rebuttal.objects.published().filter(rumor__in=list(near)).values_list("pk", flat=True)
    }
    for hit in IndexRow.objects.matching(any_word(claim), languages.SOURCE):
        if hit.kind in {"rebuttal", "fact"}:
            found.setdefault((hit.kind, hit.object_id))
    best = list(found)[:3]
    facts = Fact.objects.published().in_bulk([pk for kind, pk in best if kind == "fact"])
    rebuttals = (
        Rebuttal.objects.published().select_related("fact").in_bulk([pk for kind, pk in best if kind == "rebuttal"])
    )
    things = [(facts if kind == "fact" else rebuttals).get(pk) for kind, pk in best]
    return [_answer(thing, language) for thing in things if thing is not None]


def _answer(thing: Fact | Rebuttal, language: str) -> Answer:
    fact, summary = (thing, "summary") if isinstance(thing, Fact) else (thing.fact, "answer")
    text = read(thing, languages.SOURCE)
    assert text is not None
    other = read(thing, language)
    known = other.language if other and other.language in languages.ACTIVE else text.language
    handout = in_language(reverse("handout", args=[fact.slug]), languages.SOURCE)
    if known.code != languages.SOURCE and getattr(fact, languages.suffixed("title", known.code)):
        handout += f"?with={known.code}"
    return Answer(
        title=contacts.expand(text["title"]),
        text=contacts.expand(text[summary]),
        url=in_language(thing.get_absolute_url(), known.code),
        handout_url=handout if getattr(fact, languages.suffixed("title", languages.SOURCE)) else "",
        language=known,
    )
