import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

import rules
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext

from portal import contacts, languages, markup
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Fact, Matter, Source
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute
from portal.revisions.models import Provenance
from portal.revisions.rules import Text, heading

rules.add_perm("facts.view", is_anyone_on_staff)
rules.add_perm("facts.edit", has_role(Role.EDITOR))
rules.add_perm("facts.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("facts.approve", has_role(Role.APPROVER))
rules.add_perm("topics.edit", has_role(Role.EDITOR))


def review(delivery: Delivery) -> Message | None:
    """To the owner of a matter: look whether it is still right."""
    due = Matter.objects.filter(review_due__lte=timezone.localdate(), owner__is_active=True)
    matter = due.filter(pk=delivery.context["matter"]).first()
    fact = matter.facts.first() if matter else None
    if matter is None or fact is None:
        return None
    about = {"title": heading(fact), "day": date_format(matter.review_due, "DATE_FORMAT")}
    return Message(
        subject=pgettext("staff", "Is it still right? %(title)s") % about,
        text="\n\n".join(
            [
                pgettext("staff", "“%(title)s” was to be checked by %(day)s.") % about,
                pgettext("staff", "If nothing has changed, one press on “Still right” is enough:"),
                absolute(reverse("staff_fact", args=[fact.pk])),
            ]
        ),
    )


# Addresses for print -------------------------------------------------------------------------------------------

SHORT_WORD: Final = 24
"""What people type from paper without a mistake."""


def short_url(fact: Fact) -> str:
    """The address on paper and in messages: the fact's own word when that is short, else its number."""
    is_word = len(fact.slug) <= SHORT_WORD and not fact.slug.isdecimal()
    return absolute(reverse("short", args=[fact.slug if is_word else fact.pk]))


# Three lines for a message -------------------------------------------------------------------------------------

SHORT_ANSWER: Final = 160
# A mark and a space, and not what follows "kap." in "kap. 26" or "bl.a." in "bl.a. om".
_SENTENCE_END: Final = re.compile(r"(?<=[.!?؟۔።])([\"”»’)]*)\s+(?=\W*([^\W\d_]))")
_RIGHT_TO_LEFT_MARK: Final = "\u200f"


def message(text: Text, *, url: str) -> str:
    """Three lines to send on: the question, the beginning of the answer, the short address.

    The address stands alone and without a mark beside it, or programs would not make a link of it.
    """
    lines = [_one_line(text["title"]), _first_sentences(_one_line(text["summary"]))]
    if text.language.direction == "rtl":
        lines = [_from_right_to_left(line) for line in lines]
    return "\n".join([*filter(None, lines), url])


def _one_line(text: str) -> str:
    return " ".join(contacts.expand(text).split())


def _first_sentences(answer: str) -> str:
    """Whole sentences as far as they are short together; at least the first. Never part of one: half an answer may say
    the opposite."""
    ends = [end.end(1) for end in _SENTENCE_END.finditer(answer) if not end[2].islower()]
    ends.append(len(answer))
    return answer[: max([end for end in ends if end <= SHORT_ANSWER] or ends[:1])].strip()


def _from_right_to_left(line: str) -> str:
    """With signs that are not seen, for programs that know nothing of the language: numbers keep their order, and a
    line that begins with a Latin word begins at the right even so."""
    first = next((kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}), "")
    return (_RIGHT_TO_LEFT_MARK if first == "L" else "") + markup.isolate_plain(line)


# For machines ----------------------------------------------------------------------------------------------------


def may_take_in(user: User) -> bool:
    """Texts of others, in all languages, with their topics."""
    return user.has_perms(["facts.edit", "facts.translate", "topics.edit"])


def linked_data(
    text: Text, provenance: Provenance, sources: Sequence[Source], *, url: str, swedish_url: str
) -> dict[str, Any]:
    """What a machine may know of a fact page, in the words of schema.org: nothing that the page does not say.

    An article, not a page of frequent questions: briefings for embassies ask none, and an article can say what it is
    based on, what it translates and who answers for it.
    """
    municipality = {"@type": "GovernmentOrganization", "name": settings.MUNICIPALITY}
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Article",
        "url": url,
        "headline": contacts.expand(text["title"]),
        "abstract": contacts.expand(text["summary"]),
        "inLanguage": text.language.tag,
        "dateModified": provenance.published_at.isoformat(timespec="seconds"),
        "author": municipality,
        "publisher": municipality,
        "isBasedOn": [_linked_source(source) for source in sources],
    }
    if text.language.code != languages.SOURCE:
        found["translationOfWork"] = {"@type": "Article", "url": swedish_url, "inLanguage": languages.SOURCE}
    if provenance.is_example:
        found["creativeWorkStatus"] = "Example"
    return found


def _linked_source(source: Source) -> dict[str, str]:
    kind = {"@type": "Legislation", "legislationIdentifier": f"SFS {source.sfs}"} if source.sfs else {"@type": "Report"}
    return kind | {"name": str(source)} | ({"url": source.link} if source.link else {})
