from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import rules

from portal import languages, public
from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.languages import Language
from portal.revisions.models import Edition, Method
from portal.revisions.rules import Text

rules.add_perm("facts.view", is_anyone_on_staff)
rules.add_perm("facts.edit", has_role(Role.EDITOR))
rules.add_perm("facts.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("facts.approve", has_role(Role.APPROVER))
rules.add_perm("topics.edit", has_role(Role.EDITOR))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What may truthfully be said about the very text on the page."""

    is_example: bool
    is_machine_made: bool
    is_machine_edited: bool
    is_approved: bool
    is_outdated: bool
    published_at: datetime
    changed_on: date | None
    """When the Swedish text last changed in content after this translation was made."""
    change_note: str


@dataclass(frozen=True, slots=True)
class Alternate:
    tag: str
    url: str


def provenance(text: Text, editions: Iterable[Any]) -> Provenance:
    """`editions` as `Edition.objects.with_staleness()` brings them."""
    edition = next(e for e in editions if e.language == text.language.code)
    revision = edition.revision
    return Provenance(
        is_example=revision.is_example,
        is_machine_made=revision.method == Method.MACHINE,
        is_machine_edited=revision.method == Method.MACHINE_EDITED,
        is_approved=revision.decided_by_id is not None,
        is_outdated=edition.staleness.is_outdated,
        published_at=edition.published_at,
        changed_on=edition.staleness.changed_at,
        change_note=edition.staleness.change_note,
    )


def alternates(path: str, editions: Iterable[Edition]) -> list[Alternate]:
    """hreflang for the active languages in which a page is really published; x-default is the language choice."""
    codes = {edition.language for edition in editions}
    found: list[Language] = [language for language in languages.ACTIVE if language.code in codes]
    rows = [Alternate(language.tag, public.absolute(public.in_language(path, language.code))) for language in found]
    if rows:
        rows.append(Alternate("x-default", public.absolute(public.in_language(path, languages.SOURCE))))
    return rows
