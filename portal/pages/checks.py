"""What an accessibility statement lacks: the eleven parts that the supervising agency, Digg, asks for (law 2018:1937,
MDFFS 2019:2). Only the Swedish text is looked at, by its headings; the translations render it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.utils.translation import pgettext, pgettext_lazy

FRESH: Final = timedelta(days=365)
"""After it the assessment is to be made again."""

BEHIND: Final = "Vem står bakom webbplatsen"
CONFORMITY: Final = "Hur tillgänglig är webbplatsen"
HELP: Final = "Vad du kan göra om något inte fungerar"
SUPERVISION: Final = "Tillsyn och hur du anmäler brister"
LACKS: Final = "Innehåll som inte är tillgängligt: brister mot lagen"
BURDEN: Final = "Oskäligt betungande anpassning"
OUTSIDE: Final = "Innehåll som inte omfattas av lagen"
METHOD: Final = "Hur vi har testat webbplatsen"
ASSESSED: Final = "När bedömningen gjordes"
UPDATED: Final = "När redogörelsen uppdaterades"

MONTHS: Final = (
    "januari februari mars april maj juni juli augusti september oktober november december".split()  # noqa: SIM905
)
_heading: Final = re.compile(r"^ {0,3}##[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_day: Final = re.compile(rf"\b(?:(\d{{4}})-(\d\d)-(\d\d)|(\d\d?) ({'|'.join(MONTHS)}) (\d{{4}}))\b", re.IGNORECASE)
_level: Final = re.compile(r"\b(?:helt|delvis|inte)\W+förenlig", re.IGNORECASE)
_link: Final = re.compile(r"\]\((?:/|https?://)|<https?://", re.IGNORECASE)
_digg: Final = re.compile(r"https://(?:www\.)?digg\.se/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    heading: str
    says: Callable[[str], Any]
    """Whether the text under the heading says it."""
    name: Any
    """In words, for editors."""


def parts(*, actor: str, service: str) -> tuple[Part, ...]:
    return (
        Part(
            BEHIND, lambda text: actor in text, pgettext_lazy("staff", "the name of the municipality, as on every page")
        ),
        Part(BEHIND, lambda text: service in text, pgettext_lazy("staff", "the name of the site, as on every page")),
        Part(
            CONFORMITY,
            _level.search,
            pgettext_lazy("staff", "how far it follows the law: “helt”, “delvis” or “inte förenlig”"),
        ),
        Part(LACKS, bool, pgettext_lazy("staff", "which content is not accessible, and why")),
        Part(
            BURDEN, bool, pgettext_lazy("staff", "what was left out as a disproportionate burden, or that nothing was")
        ),
        Part(OUTSIDE, bool, pgettext_lazy("staff", "what the law does not cover")),
        Part(ASSESSED, day_in, pgettext_lazy("staff", "the day of the assessment")),
        Part(METHOD, bool, pgettext_lazy("staff", "how it was assessed")),
        Part(UPDATED, day_in, pgettext_lazy("staff", "the day of the last update")),
        Part(HELP, _link.search, pgettext_lazy("staff", "a link to a form for telling us what does not work")),
        Part(SUPERVISION, _digg.search, pgettext_lazy("staff", "the link to Digg's form for complaints")),
    )


def sections(text: str) -> dict[str, str]:
    """What stands under each heading of the second level."""
    _before, *pieces = _heading.split(text)
    return {_folded(title): body.strip() for title, body in zip(pieces[::2], pieces[1::2], strict=True)}


def _folded(heading: str) -> str:
    return " ".join(heading.casefold().split()).rstrip("?")


def lacking(text: str, *, actor: str, service: str) -> list[Part]:
    """The parts that a Swedish statement does not have."""
    found = sections(text)
    return [part for part in parts(actor=actor, service=service) if not part.says(found.get(_folded(part.heading), ""))]


def day_in(text: str) -> date | None:
    """The first day that is named: 2026-11-21 or 21 november 2026."""
    for year, month, day, its_day, name, its_year in _day.findall(text):
        try:
            if year:
                return date(int(year), int(month), int(day))
            return date(int(its_year), 1 + MONTHS.index(name.lower()), int(its_day))
        except ValueError:
            continue
    return None


def is_stale(text: str, on: date) -> bool:
    """The assessment that the statement tells of is older than twelve months: its own day counts, for a text that is
    published again with a comma more is no new assessment."""
    assessed = day_in(sections(text).get(_folded(ASSESSED), ""))
    return assessed is not None and on > assessed + FRESH


def findings(text: str, *, actor: str, service: str, on: date) -> list[str]:
    """For editors, in words."""
    found = [
        pgettext("staff", "Missing under “%(heading)s”: %(part)s.") % {"heading": part.heading, "part": part.name}
        for part in lacking(text, actor=actor, service=service)
    ]
    if is_stale(text, on):
        found.append(
            pgettext("staff", "The assessment is more than twelve months old. Make it again and write the new day.")
        )
    return found
