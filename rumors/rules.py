import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any, Final

import rules
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import pgettext

from portal import contacts, languages, markup
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.fold import fold
from portal.revisions.models import Provenance
from portal.revisions.rules import Text
from rumors.models import ENDED, Rebuttal, Rumor, Sighting
from rumors.vocabulary import Status, Verdict

rules.add_perm("rumors.view", is_anyone_on_staff)
rules.add_perm("rumors.log", has_role(Role.REPORTER, Role.EDITOR, Role.EVENTS, Role.SECURITY))
rules.add_perm("rumors.comment", has_role(Role.REPORTER, Role.EDITOR, Role.EVENTS, Role.SECURITY, Role.APPROVER))
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


# Answers -----------------------------------------------------------------------------------------------------------

_OPENING: Final = re.compile(
    r"^\s*(det (sägs|påstås|heter)|man säger|folk säger|ryktet (säger|går)|påståendet( är)?)( att)? ", re.IGNORECASE
)
ALIKE: Final = 0.8
"""Share of letters from which a title says what the claim says."""


def said(claim: str) -> str:
    """What a claim says, without the words with which all of them begin."""
    return _OPENING.sub("", claim)


def refuses(rebuttal: Rebuttal, language: str, fields: Mapping[str, str]) -> list[str]:
    """Why the text of an answer may not be published: it leads to a post with the rumor, or repeats it as its title."""
    rumor = rebuttal.rumor.same_as or rebuttal.rumor
    posts = Sighting.objects.with_repeats(rumor).exclude(url="", archive_url="").values_list("url", "archive_url")
    known = {_bare(address) for row in posts for address in row if address}
    refused = []
    if any(_bare(link) in known for text in fields.values() for link in markup.links(text)):
        refused.append(pgettext("staff", "It leads to a post that spreads the rumor. Take the link out."))
    claims = [fields.get("claim", ""), *([rumor.claim] if language == languages.SOURCE else [])]
    if any(is_alike(fields.get("title", ""), claim) for claim in claims):
        refused.append(pgettext("staff", "The title repeats the claim. Let it state the truth."))
    return refused


def _bare(address: str) -> str:
    """The same for one page, however its address is written; what follows a ? may name another video."""
    return re.sub(r"^https?://(www\.|m\.)?", "", address.strip().lower().partition("#")[0]).rstrip("/")


def is_alike(title: str, claim: str) -> bool:
    """Whether what shall state the truth says what the claim says."""
    one, other = (said(fold(text)).strip(" .?!") for text in (title, claim))
    return bool(one) and SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


RATINGS: Final[Mapping[str, int]] = {
    Verdict.TRUE: 5,
    Verdict.MOSTLY_TRUE: 4,
    Verdict.PARTLY_TRUE: 3,
    Verdict.MOSTLY_FALSE: 2,
    Verdict.OUT_OF_CONTEXT: 2,
    Verdict.FALSE: 1,
}
"""From 1, false, to 5, true; an opinion and what cannot be checked have none."""


def claim_review(rumor: Rumor, text: Text, provenance: Provenance, *, url: str) -> dict[str, Any] | None:
    """The answer in the words of schema.org, for search engines; None when it is not to be told, or has no verdict.

    Never who said it or where: only what the page says itself, and the verdict.
    """
    rating = RATINGS.get(rumor.verdict)
    if not settings.CLAIM_REVIEW or rating is None or not text["claim"]:
        return None
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": url,
        "datePublished": provenance.published_at.date().isoformat(),
        "inLanguage": text.language.tag,
        "claimReviewed": contacts.expand(text["claim"]),
        "author": {"@type": "GovernmentOrganization", "name": settings.MUNICIPALITY},
        "reviewRating": {
            "@type": "Rating",
            "ratingValue": rating,
            "bestRating": 5,
            "worstRating": 1,
            "alternateName": contacts.expand(text["title"]),
        },
    }
