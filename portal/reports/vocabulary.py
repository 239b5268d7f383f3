"""What a report tells, in which order, and the words for its codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.dates import MONTHS
from django.utils.translation import pgettext, pgettext_lazy

from events.models import Kind as EventKind
from portal import languages
from portal.questions.models import Door, Outcome
from rumors.vocabulary import Action, Channel, ClaimType, Priority, Reach, Status, Verdict

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


BY_WEEK: Final = "sightings.by_week"


class Scope(models.TextChoices):
    """What a report is for decides which sections it has."""

    PERIOD = "period", pgettext_lazy("staff", "Everything: for the board")
    ASSIGNMENT = "assignment", pgettext_lazy("staff", "For the government assignment")


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    title: "StrOrPromise"
    heading: "StrOrPromise"
    word: Callable[[str], str]
    note: "StrOrPromise" = ""
    is_compared: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: "StrOrPromise"
    tables: tuple[Table, ...]
    note: "StrOrPromise" = ""
    is_in_assignment: bool = True


def _of(words: "Mapping[str, StrOrPromise]", *, empty: "StrOrPromise" = "–") -> Callable[[str], str]:
    """By code; a code that the site no longer has stays as it is."""
    return lambda code: str(words.get(code, code) if code else empty)


def _plain(empty: "StrOrPromise") -> Callable[[str], str]:
    return lambda name: name or str(empty)


def _language(code: str) -> str:
    known = languages.CATALOG.get(code)
    return str(known.in_both_scripts) if known else code or pgettext("staff", "Language not known")


def _week(code: str) -> str:
    """Of `2026-W48`."""
    year, _, week = code.partition("-W")
    return pgettext("staff", "week %(number)s, %(year)s") % {"number": week.lstrip("0"), "year": year}


def _month(code: str) -> str:
    """Of `2026-11`."""
    year, _, month = code.partition("-")
    return f"{MONTHS[int(month)]} {year}"


def week_code(monday: date) -> str:
    year, week, _day = monday.isocalendar()
    return f"{year}-W{week:02d}"


def monday_of(code: str) -> date:
    year, _, week = code.partition("-W")
    return date.fromisocalendar(int(year), int(week), 1)


def month_code(day: date) -> str:
    return f"{day:%Y-%m}"


_FIGURES: Final = {
    "logged": pgettext_lazy("staff", "Rumors logged"),
    "repeating": pgettext_lazy("staff", "of them found to repeat another one"),
    "closed": pgettext_lazy("staff", "Rumors closed"),
    "open": pgettext_lazy("staff", "Rumors open at the end of the period, whenever logged"),
    "sightings": pgettext_lazy("staff", "Sightings"),
    "sighted": pgettext_lazy("staff", "Different rumors heard"),
    "answered": pgettext_lazy("staff", "Rumors that got their first answer"),
    "median_days": pgettext_lazy("staff", "Days from the first sighting to the answer: half of them within"),
    "lower_days": pgettext_lazy("staff", "the fastest quarter within"),
    "upper_days": pgettext_lazy("staff", "the slowest quarter after"),
    "unanswered": pgettext_lazy("staff", "Open rumors never answered, at the end of the period"),
    "questions": pgettext_lazy("staff", "Questions from the public"),
    "showed_missing": pgettext_lazy("staff", "of them about something that no fact says"),
    "missing_facts": pgettext_lazy("staff", "Different facts that are missing"),
    "facts": pgettext_lazy("staff", "Facts published on the day of counting"),
    "new_facts": pgettext_lazy("staff", "Facts published for the first time"),
    "new_translations": pgettext_lazy("staff", "Translations published for the first time"),
    "held": pgettext_lazy("staff", "Events held"),
    "planned": pgettext_lazy("staff", "Events still to come in the period"),
    "registered": pgettext_lazy("staff", "Registrations that came in"),
    "canceled": pgettext_lazy("staff", "Registrations taken back"),
    "readings": pgettext_lazy("staff", "Times that a page with a fact was read"),
    "facts_read": pgettext_lazy("staff", "Different facts read"),
    "helped": pgettext_lazy("staff", "Readers who said that the text helped"),
    "did_not_help": pgettext_lazy("staff", "Readers who said that it did not"),
}
_figure: Final = _of(_FIGURES)
_STANDING: Final = pgettext_lazy("staff", "Of the rumors logged in the period, as it stood at its end.")
_PERIOD: Final = pgettext_lazy("staff", "In the period")
_FIGURE: Final = pgettext_lazy("staff", "Figure")
_LANGUAGE: Final = pgettext_lazy("staff", "Language")
_CHANNEL: Final = pgettext_lazy("staff", "Channel")
_TOPIC: Final = pgettext_lazy("staff", "Topic")
_NO_TOPIC: Final = pgettext_lazy("staff", "Without a topic")
_DONE: Final = pgettext_lazy("staff", "What was done")


def _summary(section: str) -> Table:
    return Table(f"{section}.summary", _PERIOD, _FIGURE, _figure)


SECTIONS: Final = (
    Section(
        "rumors",
        pgettext_lazy("staff", "Rumors"),
        (
            _summary("rumors"),
            Table(
                "rumors.by_status",
                pgettext_lazy("staff", "By status"),
                pgettext_lazy("staff", "Status"),
                _of(dict(Status.choices)),
                _STANDING,
            ),
            Table(
                "rumors.by_verdict",
                pgettext_lazy("staff", "By verdict"),
                pgettext_lazy("staff", "Verdict"),
                _of(dict(Verdict.choices), empty=pgettext_lazy("staff", "No verdict yet")),
                _STANDING,
            ),
            Table(
                "rumors.by_priority",
                pgettext_lazy("staff", "By priority"),
                pgettext_lazy("staff", "Priority"),
                _of(dict(Priority.choices)),
                _STANDING,
            ),
            Table("rumors.by_topic", pgettext_lazy("staff", "By topic"), _TOPIC, _plain(_NO_TOPIC)),
            Table(
                "rumors.by_claim_type",
                pgettext_lazy("staff", "By kind of claim"),
                pgettext_lazy("staff", "Kind of claim"),
                _of(dict(ClaimType.choices)),
            ),
            Table(
                "rumors.by_reach",
                pgettext_lazy("staff", "How far they came"),
                pgettext_lazy("staff", "Reach"),
                _of(dict(Reach.choices), empty=pgettext_lazy("staff", "Not estimated")),
                pgettext_lazy("staff", "The last estimate that was made before the end of the period, by a person."),
            ),
        ),
        is_in_assignment=False,
    ),
    Section(
        "sightings",
        pgettext_lazy("staff", "How rumors spread"),
        (
            _summary("sightings"),
            Table(BY_WEEK, pgettext_lazy("staff", "By week"), pgettext_lazy("staff", "Week"), _week),
            Table("sightings.by_month", pgettext_lazy("staff", "By month"), pgettext_lazy("staff", "Month"), _month),
            Table("sightings.by_channel", pgettext_lazy("staff", "By channel"), _CHANNEL, _of(dict(Channel.choices))),
            Table("sightings.by_language", pgettext_lazy("staff", "By language"), _LANGUAGE, _language),
            Table("sightings.by_topic", pgettext_lazy("staff", "By topic"), _TOPIC, _plain(_NO_TOPIC)),
            Table(
                "sightings.by_area",
                pgettext_lazy("staff", "By district"),
                pgettext_lazy("staff", "District"),
                _plain(pgettext_lazy("staff", "Other districts, and no district named")),
                pgettext_lazy("staff", "A district with fewer than 5 sightings is not named."),
                is_compared=False,
            ),
        ),
    ),
    Section(
        "answers",
        pgettext_lazy("staff", "Answers"),
        (
            _summary("answers"),
            Table(
                "answers.by_language",
                pgettext_lazy("staff", "Answers published for the first time, by language"),
                _LANGUAGE,
                _language,
            ),
        ),
        pgettext_lazy(
            "staff",
            "A rumor is answered when the Swedish text of an answer first comes out, also when it is withdrawn later.",
        ),
    ),
    Section(
        "responses",
        pgettext_lazy("staff", "What was done"),
        (
            Table("responses.done", pgettext_lazy("staff", "Done in the period"), _DONE, _of(dict(Action.choices))),
            Table(
                "responses.planned",
                pgettext_lazy("staff", "Decided in the period, and not taken back"),
                _DONE,
                _of(dict(Action.choices)),
            ),
        ),
    ),
    Section(
        "questions",
        pgettext_lazy("staff", "Questions from the public"),
        (
            _summary("questions"),
            Table(
                "questions.by_outcome",
                pgettext_lazy("staff", "What became of them"),
                pgettext_lazy("staff", "Outcome"),
                _of(dict(Outcome.choices)),
                pgettext_lazy("staff", "On the day of counting."),
            ),
            Table(
                "questions.by_door",
                pgettext_lazy("staff", "How they came in"),
                pgettext_lazy("staff", "Came in by"),
                _of(dict(Door.choices)),
            ),
            Table("questions.by_language", pgettext_lazy("staff", "By language"), _LANGUAGE, _language),
        ),
        is_in_assignment=False,
    ),
    Section(
        "facts",
        pgettext_lazy("staff", "Facts and translations"),
        (
            _summary("facts"),
            Table(
                "facts.new_by_language",
                pgettext_lazy("staff", "Published for the first time in the period, by language"),
                _LANGUAGE,
                _language,
            ),
            Table(
                "facts.by_language",
                pgettext_lazy("staff", "Published on the day of counting, by language"),
                _LANGUAGE,
                _language,
            ),
        ),
    ),
    Section(
        "events",
        pgettext_lazy("staff", "Events"),
        (
            _summary("events"),
            Table(
                "events.by_kind",
                pgettext_lazy("staff", "Events held, by kind"),
                pgettext_lazy("staff", "Kind"),
                _of(dict(EventKind.choices)),
            ),
        ),
        pgettext_lazy("staff", "Registrations are counted on the day they came in. How many came is not recorded."),
    ),
    Section(
        "reach",
        pgettext_lazy("staff", "How many were reached"),
        (
            _summary("reach"),
            Table("reach.by_language", pgettext_lazy("staff", "Readings by language"), _LANGUAGE, _language),
            Table(
                "reach.by_fact",
                pgettext_lazy("staff", "The facts that were read most"),
                pgettext_lazy("staff", "Fact"),
                _plain(pgettext_lazy("staff", "A fact that is gone")),
            ),
        ),
        pgettext_lazy("staff", "Pages for children and about violence are never counted."),
    ),
)


def sections(scope: str) -> tuple[Section, ...]:
    return tuple(each for each in SECTIONS if scope != Scope.ASSIGNMENT or each.is_in_assignment)
