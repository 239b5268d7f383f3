"""What is known already of what somebody has heard, why it came up, and what may be said at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from portal import contacts, languages
from portal.accounts.models import User
from portal.facts.models import Fact
from portal.public import in_language
from portal.revisions.rules import read
from rumors import rules
from rumors.matching import rules as matcher
from rumors.matching.rules import Match, Matches
from rumors.models import Rebuttal, Rumor, Sighting

RUMORS: Final = 5
FACTS: Final = 3
SHOWN: Final = 0.3
"""Score from which a match is worth a look."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be said at once. Texts are Swedish, for the one who says it."""

    title: str
    text: str
    url: str
    handout_url: str
    language: languages.Language
    """What the page and the handout open in: the language of the words where the answer is published in it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something came up."""

    match: Match
    language: languages.Language | None
    """Of the wording that is alike; None when nobody knows it."""
    wording: list[tuple[str, bool]]
    """It in pieces; those marked are shared words."""
    is_other_language: bool

    @property
    def text(self) -> str:
        return "".join(piece for piece, _is_shared in self.wording)


@dataclass(frozen=True, slots=True)
class KnownRumor:
    rumor: Rumor
    reason: Reason
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class KnownFact:
    answer: Answer
    reason: Reason


@dataclass(frozen=True, slots=True)
class Known:
    rumors: list[KnownRumor] = field(default_factory=list)
    facts: list[KnownFact] = field(default_factory=list)
    is_semantic: bool = True
    """Whether meanings were compared; if not, only what shares words is found."""

    def __bool__(self) -> bool:
        return bool(self.rumors or self.facts)

    @property
    def has_answer(self) -> bool:
        return bool(self.facts) or any(known.answers for known in self.rumors)

    @property
    def ids(self) -> list[int]:
        return [known.rumor.pk for known in self.rumors]


def sent_before(form_id: UUID | None, *, by: User) -> Sighting | None:
    """What a form has made that comes a second time: a sighting, of a new rumor its first."""
    if form_id is None:
        return None
    made = Q(logged_by=by, form_id=form_id) | Q(rumor__logged_by=by, rumor__form_id=form_id)
    sighting: Sighting | None = Sighting.objects.filter(made).select_related("rumor").order_by("pk").first()
    return sighting


def known(
    claim: str, original: str, language: str, *, to: User, is_secret: bool = False, but: Rumor | None = None
) -> Known:
    """Rumors and facts like a Swedish claim and the words as they were said, as `to` may see them; all but that one."""
    leave_out = frozenset({("rumor", but.same_as_id or but.pk)} if but else ())
    said = [(rules.said(claim), languages.SOURCE)] if claim.strip() else []
    if original.strip() and original.strip() != claim.strip():
        said.append((original, language))
    # Of words in a language that nobody knows, and of none, the one who wrote them down is answered.
    speaks = (original.strip() and language) or languages.SOURCE
    with_secret = to.has_perm("rumors.secret")
    told = [
        matcher.match(text, language=code, with_secret=with_secret, is_secret=is_secret, leave_out=leave_out)
        for text, code in said
    ]
    best = _best(told)
    is_semantic = all(matches.is_semantic for matches in told)
    if not (is_semantic and any(match.kind == "rumor" for match in best)):
        # Misspelled words are no words that anybody shares.
        near = {
            (match.kind, match.object_id): match
            for text, _code in said
            for match in matcher.near(text, kinds=("rumor",), with_secret=with_secret)
        }
        found = {(match.kind, match.object_id) for match in best} | leave_out
        best += [match for thing, match in near.items() if thing not in found]
    rumors = Rumor.objects.visible_to(to).as_rows().in_bulk([m.object_id for m in best if m.kind == "rumor"])
    facts = Fact.objects.published().in_bulk([m.object_id for m in best if m.kind == "fact"])
    shown_rumors = [match for match in best if match.kind == "rumor" and match.object_id in rumors][:RUMORS]
    shown_facts = [match for match in best if match.kind == "fact" and match.object_id in facts][:FACTS]
    reasons = _reasons([*shown_rumors, *shown_facts], spoken={code for _text, code in said})
    answered = _answers([match.object_id for match in shown_rumors], speaks)
    return Known(
        rumors=[
            KnownRumor(rumors[match.object_id], reasons[match], answered.get(match.object_id, []))
            for match in shown_rumors
        ],
        facts=[KnownFact(_answer(facts[match.object_id], speaks), reasons[match]) for match in shown_facts],
        is_semantic=is_semantic,
    )


def _best(told: Iterable[Matches]) -> list[Match]:
    """Each thing once, by the wording that finds it best."""
    best: dict[tuple[str, int], Match] = {}
    for match in (match for matches in told for match in matches if match.score >= SHOWN):
        thing = (match.kind, match.object_id)
        if thing not in best or best[thing].score < match.score:
            best[thing] = match
    return sorted(best.values(), key=lambda match: (-match.is_likely, -match.score))


def _reasons(shown: Sequence[Match], *, spoken: set[str]) -> dict[Match, Reason]:
    wordings = matcher.marked(shown)
    return {
        match: Reason(
            match,
            languages.get(match.language) if match.language in languages.CATALOG else None,
            wordings[match],
            is_other_language=spoken.isdisjoint({match.language, ""}),
        )
        for match in shown
    }


def answers(rumor: Rumor, language: str) -> list[Answer]:
    """What is published against a rumor, or against the one that it repeats."""
    pk = rumor.same_as_id or rumor.pk
    return _answers([pk], language or languages.SOURCE).get(pk, [])


def _answers(rumors: Sequence[int], language: str) -> dict[int, list[Answer]]:
    """The published answers to these rumors and to those that repeat them."""
    found: dict[int, list[Answer]] = {}
    published = Rebuttal.objects.published().select_related("fact", "rumor")
    for rebuttal in [*published.filter(rumor__in=rumors), *published.filter(rumor__same_as__in=rumors)]:
        found.setdefault(rebuttal.rumor.same_as_id or rebuttal.rumor_id, []).append(_answer(rebuttal, language))
    return found


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
