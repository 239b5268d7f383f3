import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import rules

from portal import contacts, languages, secret_links
from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.facts.models import Fact
from portal.public import in_language
from portal.questions.models import Question
from portal.revisions.rules import read
from portal.search.models import QUERY_CHARACTERS, IndexRow

rules.add_perm("questions.view", is_anyone_on_staff)
rules.add_perm("questions.settle", has_role(Role.EDITOR, Role.REPORTER, Role.EVENTS))
rules.add_perm("questions.approve", has_role(Role.APPROVER, Role.EDITOR))
rules.add_perm("questions.reopen", has_role(Role.EDITOR, Role.REPORTER, Role.EVENTS, Role.APPROVER))


# The reader's code -----------------------------------------------------------------------------------------------

CODE: Final = "question code"


def code_of(form_id: UUID) -> str:
    return secret_links.code(CODE, form_id)


def hash_of(code: str) -> str:
    return secret_links.code_hash(CODE, code)


# What may answer it ----------------------------------------------------------------------------------------------

CLOSEST: Final = 5


@dataclass(frozen=True, slots=True)
class Close:
    """A published fact that may answer a question. Title and summary are Swedish, for staff."""

    fact: Fact
    title: str
    summary: str
    url: str
    language: languages.Language
    """In which the reader would get it."""
    is_in_their_language: bool


def closest(question: Question) -> list[Close]:
    """The facts that share words with a question, those with more and rarer ones first."""
    hits = IndexRow.objects.matching(any_word(question.text), question.language)
    wanted = list(dict.fromkeys(hit.object_id for hit in hits if hit.kind == "fact"))[:CLOSEST]
    facts = Fact.objects.published().read_in(languages.SOURCE, question.language).in_bulk(wanted)
    return [_close(facts[pk], question.language) for pk in wanted if pk in facts]


def any_word(text: str) -> str:
    """A query for the search, which wants all words it is given: of a whole sentence any will do, long ones first."""
    words = sorted(set(re.findall(r"[^\W\d_]{2,}", text.lower())), key=lambda word: (-len(word), word))
    query = ""
    for word in words:
        longer = f"{query} or {word}" if query else word
        if len(longer) > QUERY_CHARACTERS:
            break
        query = longer
    return query


def _close(fact: Fact, code: str) -> Close:
    swedish, theirs = read(fact, languages.SOURCE), read(fact, code)
    assert swedish is not None
    assert theirs is not None
    language = theirs.language
    return Close(
        fact=fact,
        title=contacts.expand(swedish["title"]),
        summary=contacts.expand(swedish["summary"]),
        url=in_language(fact.get_absolute_url(), language.code),
        language=language,
        is_in_their_language=language.code == code,
    )
