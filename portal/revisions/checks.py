from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.revisions.models import Revision


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    is_blocking: bool
    field: str
    message: str


def compare(
    source: Mapping[str, str] | None, text: Mapping[str, str], *, language: str, terms: Sequence[Any] = ()
) -> list[Finding]:
    return []


def of(revision: Revision) -> list[Finding]:
    """What the checks find in a version of a text, beside the Swedish one that it renders."""
    base = revision.based_on
    return compare(base.fields if base else None, revision.fields, language=revision.language)
