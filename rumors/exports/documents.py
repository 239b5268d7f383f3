"""An export as a file: its cells, as far as its level lets them out, and how they are written."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import pgettext

from portal import guard, languages
from portal.sheets import CsvSheet, ExcelSheet, Value
from rumors.exports.models import Export
from rumors.exports.words import COLUMNS, RUMOR, SIGHTING, Kind, Level, What, allowed
from rumors.models import Rumor, Sighting

Cells = Mapping[str, Any]

_FREE: Final = frozenset(
    [
        "claim",
        "original",
        "verdict_basis",
        "status_reason",
        "narratives",
        "area",
        "url",
        "archive_url",
        "country",
        "sighting_original",
    ]
)
"""What people write as they like: the guard looks at it once more."""
_OWN_NAMES: Final = {
    "sighting_original": "original",
    "sighting_logged_at": "logged_at",
    "sighting_logged_by": "logged_by",
}
"""Where both a rumor and a sighting have one."""
_WIDTHS: Final = {"claim": 50, "original": 40, "sighting_original": 40, "verdict_basis": 40, "url": 30, "number": 13}

_TOLD: Final[Mapping[str, Callable[[Any], Any]]] = {
    "number": lambda rumor: rumor.public_id,
    "same_as": lambda rumor: rumor.same_as.public_id if rumor.same_as else "",
    "assignee": lambda rumor: rumor.assignee.name if rumor.assignee else "",
    "logged_by": lambda thing: thing.logged_by.name,
    "narratives": lambda rumor: [narrative.name for narrative in rumor.narratives.all()],
}


class Reader:
    """What the cells of rumors and sightings hold. Counts in `found` the places in which the guard found something.

    A personal number leaves in no file: one may have come in before the guard knew its spelling.
    """

    def __init__(self, export: Export, *, districts: Collection[str]) -> None:
        columns = allowed(export.columns, export.level)
        self.rumor = [name for name in columns if name in RUMOR]
        self.sighting = [name for name in columns if name in SIGHTING]
        self.found = 0
        self._level, self._districts = export.level, districts
        self._is_for_programs = export.kind == Kind.JSON
        self._known: dict[tuple[type[Model], str], dict[Any, str]] = {}

    def of(self, thing: Rumor | Sighting) -> dict[str, Any]:
        names = self.rumor if isinstance(thing, Rumor) else self.sighting
        return {name: self._cell(thing, name) for name in names}

    def _cell(self, thing: Rumor | Sighting, name: str) -> Any:
        own = _OWN_NAMES.get(name, name)
        value = _TOLD[own](thing) if own in _TOLD else getattr(thing, own)
        if name == "area" and self._level == Level.OTHERS and str(value).lower() not in self._districts:
            return ""
        if name in _FREE:
            parts = [self._looked_at(part) for part in (value if isinstance(value, list) else [value])]
            return (parts if self._is_for_programs else ", ".join(parts)) if isinstance(value, list) else parts[0]
        if isinstance(value, date):
            return self._time(value)
        return value if self._is_for_programs and not isinstance(value, Model) else self._in_words(thing, own, value)

    def _looked_at(self, text: str) -> str:
        findings = guard.find(text) if text else []
        self.found += len(findings)
        return guard.masked(text, [each for each in findings if each.blocks or self._level != Level.ALL])

    def _time(self, value: date) -> Any:
        """To others by the month. For a program in UTC, for people as their clocks show it."""
        if isinstance(value, datetime):
            value = value.astimezone(UTC) if self._is_for_programs else timezone.localtime(value).replace(tzinfo=None)
        if self._level == Level.OTHERS:
            return f"{value:%Y-%m}"
        if not self._is_for_programs:
            return value
        return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value.isoformat()

    def _in_words(self, thing: Model, name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return pgettext("staff", "yes") if value else pgettext("staff", "no")
        if isinstance(value, Model):
            return getattr(value, "key", "") if self._is_for_programs else str(value)
        if name in {"original_language", "language"}:
            return languages.get(value).autonym if value else pgettext("staff", "Language not known")
        return self._labels(thing, name).get(value, value)

    def _labels(self, thing: Model, name: str) -> dict[Any, str]:
        """Of a field with choices. Django looks them up anew for each row, which took half of the time."""
        key = type(thing), name
        if key not in self._known:
            field = next((field for field in thing._meta.concrete_fields if field.name == name), None)
            self._known[key] = {code: str(label) for code, label in getattr(field, "flatchoices", ())}
        return self._known[key]


class File(Protocol):
    """What is written, rumor by rumor."""

    rows: int

    def write(self, rumor: Cells, sightings: Iterable[Cells]) -> None: ...


class _Table:
    def __init__(self, sheet: CsvSheet | ExcelSheet, reader: Reader, *, of_sightings: bool) -> None:
        self.rows = 0
        self._sheet, self._of_sightings = sheet, of_sightings
        sheet.write(header(reader, of_sightings=of_sightings))

    def write(self, rumor: Cells, sightings: Iterable[Cells]) -> None:
        for sighting in sightings if self._of_sightings else [{}]:
            self._sheet.write([*rumor.values(), *sighting.values()])
            self.rows += 1


class _Objects:
    def __init__(self, file: IO[str]) -> None:
        self.rows = 0
        self._file = file

    def write(self, rumor: Cells, sightings: Iterable[Cells]) -> None:
        told = [{_OWN_NAMES.get(name, name): value for name, value in sighting.items()} for sighting in sightings]
        self._file.write(",\n" if self.rows else "\n")
        self._file.write(json.dumps({**rumor, "sightings": told}, ensure_ascii=False))
        self.rows += 1


def header(reader: Reader, *, of_sightings: bool) -> list[Value]:
    names = [*reader.rumor, *(reader.sighting if of_sightings else [])]
    return [str(COLUMNS[name]) for name in names]


@contextmanager
def written(path: Path, export: Export, reader: Reader) -> Iterator[File]:
    """The file is whole once this is left. OSError when the disk is full."""
    of_sightings = export.what == What.SIGHTINGS
    if export.kind == Kind.XLSX:
        names = [*reader.rumor, *(reader.sighting if of_sightings else [])]
        title = str(What(export.what).label).partition(":")[0]
        with ExcelSheet(path, name=title, widths=[_WIDTHS.get(name, 18) for name in names]) as sheet:
            yield _Table(sheet, reader, of_sightings=of_sightings)
        return
    with open(path, "w", encoding="utf-8", newline="") as file:
        if export.kind == Kind.JSON:
            about = {"made_at": f"{timezone.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "level": export.level}
            file.write(json.dumps(about)[:-1] + ', "rumors": [')
            yield _Objects(file)
            file.write("\n]}\n")
        else:
            delimiter = "," if export.kind == Kind.CSV_COMMA else ";"
            yield _Table(CsvSheet(file, delimiter=delimiter), reader, of_sightings=of_sightings)
