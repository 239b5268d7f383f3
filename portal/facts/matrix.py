"""How far the translation of the library has come: a cell for every fact and language, computed from what stands."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Fact
from portal.facts.readings.models import ReadingCount
from portal.languages import Language
from portal.revisions import paragraphs
from portal.revisions.models import Revision, Standing, State
from portal.revisions.rules import translated_fields

READERS_DAYS: Final = 30


class Cell(models.TextChoices):
    """The state of a text, from what is most urgent to what is done."""

    HELD = "held", pgettext_lazy("staff", "Held back")
    OUTDATED = "outdated", pgettext_lazy("staff", "Outdated")
    MISSING = "missing", pgettext_lazy("staff", "Missing")
    WAITING = "waiting", pgettext_lazy("staff", "Waiting for approval")
    DRAFT = "draft", pgettext_lazy("staff", "Draft")
    UP_TO_DATE = "up_to_date", pgettext_lazy("staff", "Up to date")


ORDER: Final = list(Cell)
_STANDING: Final = (
    "object_id",
    "language",
    "published_at",
    "is_outdated",
    "is_held",
    "state",
    "base",
    "translator__name",
    "due_on",
)


@dataclass(frozen=True, slots=True)
class Text:
    """One fact in one language."""

    fact: Fact
    language: Language
    state: Cell
    words: int
    """To translate."""
    since: datetime | None
    """When what readers get was published."""
    readers: int
    """Of this language, in the last thirty days."""
    translator: str
    due_on: Any

    @property
    def days(self) -> int | None:
        return (timezone.now() - self.since).days if self.since else None

    @property
    def is_overdue(self) -> bool:
        return self.due_on is not None and self.due_on < timezone.localdate()

    @property
    def urgency(self) -> tuple[Any, ...]:
        """What waits longest for most readers comes first."""
        return (
            ORDER.index(self.state),
            -self.readers,
            self.due_on or timezone.localdate(),
            self.fact.order,
            self.fact.pk,
        )


@dataclass(frozen=True, slots=True)
class Row:
    fact: Fact
    texts: list[Text]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the library one language has."""

    language: Language
    total: int
    counts: Mapping[Cell, int]

    @property
    def published(self) -> int:
        return self.counts[Cell.UP_TO_DATE] + self.counts[Cell.OUTDATED]

    @property
    def up_to_date(self) -> int:
        return self.counts[Cell.UP_TO_DATE]

    @property
    def percent(self) -> int:
        return round(100 * self.up_to_date / self.total) if self.total else 0


def rows(facts: Iterable[Fact], chosen: Sequence[Language]) -> list[Row]:
    """Every fact with a text for each of the languages; four queries, however many there are."""
    found = list(facts)
    codes = [language.code for language in chosen]
    standing = {
        (row["object_id"], row["language"]): row
        for row in Standing.objects.of_model(Fact).filter(language__in=codes).values(*_STANDING)
    }
    words = _Words({row["base"] for row in standing.values() if row["is_outdated"]})
    readers = ReadingCount.objects.last_days(READERS_DAYS)
    return [
        Row(
            fact,
            [
                _text(fact, language, standing.get((key := (fact.pk, language.code)), {}), readers.get(key, 0), words)
                for language in chosen
            ],
        )
        for fact in found
    ]


class _Words:
    """How many words are to be translated; counted once for each fact and older Swedish text."""

    def __init__(self, bases: Collection[int]) -> None:
        self.names = translated_fields(Fact)
        self.bases: dict[int, dict[str, str]] = dict(Revision.objects.filter(pk__in=bases).values_list("pk", "fields"))
        self.known: dict[tuple[int, int | None], int] = {}

    def of(self, fact: Fact, base: int | None) -> int:
        key = (fact.pk, base)
        if key not in self.known:
            old = self.bases[base] if base else {}
            now = ((name, getattr(fact, languages.suffixed(name, languages.SOURCE)) or "") for name in self.names)
            self.known[key] = sum(paragraphs.words_to_translate(old.get(name), text) for name, text in now)
        return self.known[key]


def _text(fact: Fact, language: Language, row: Mapping[str, Any], readers: int, words: _Words) -> Text:
    state = _state(row)
    is_done = state in {Cell.UP_TO_DATE, Cell.WAITING}
    return Text(
        fact=fact,
        language=language,
        state=state,
        words=0 if is_done else words.of(fact, row["base"] if row.get("is_outdated") else None),
        since=row.get("published_at"),
        readers=readers,
        translator=row.get("translator__name") or "",
        due_on=row.get("due_on"),
    )


def _state(row: Mapping[str, Any]) -> Cell:
    if row.get("state") in {State.SUBMITTED, State.APPROVED}:
        return Cell.WAITING
    if row.get("is_held"):
        return Cell.HELD
    if row.get("published_at"):
        return Cell.OUTDATED if row["is_outdated"] else Cell.UP_TO_DATE
    return Cell.DRAFT if row.get("state") in {State.DRAFT, State.REJECTED} else Cell.MISSING


def coverage(rows: Sequence[Row]) -> list[Coverage]:
    """One line a language, in their order."""
    counts: dict[Language, Counter[Cell]] = {}
    for row in rows:
        for text in row.texts:
            counts.setdefault(text.language, Counter())[text.state] += 1
    return [Coverage(language, len(rows), counted) for language, counted in counts.items()]


def outdated(rows: Sequence[Row]) -> list[tuple[Language, list[Text]]]:
    """The old texts of each language; languages and texts with most readers first."""
    by_language: dict[Language, list[Text]] = {}
    for row in rows:
        for text in row.texts:
            if text.state in {Cell.HELD, Cell.OUTDATED}:
                by_language.setdefault(text.language, []).append(text)
    for texts in by_language.values():
        texts.sort(key=lambda text: (-text.readers, ORDER.index(text.state)))
    return sorted(by_language.items(), key=lambda pair: -sum(text.readers for text in pair[1]))
