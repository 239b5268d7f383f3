from collections.abc import Sequence
from typing import Any

import rules
from django.conf import settings

from portal import contacts, languages
from portal.accounts.models import Role, User
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Source
from portal.revisions.models import Provenance
from portal.revisions.rules import Text

rules.add_perm("facts.view", is_anyone_on_staff)
rules.add_perm("facts.edit", has_role(Role.EDITOR))
rules.add_perm("facts.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("facts.approve", has_role(Role.APPROVER))
rules.add_perm("topics.edit", has_role(Role.EDITOR))


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
