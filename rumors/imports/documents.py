"""Files that people get: a list to fill in, and the rows of their own list that cannot be imported."""

import io
import tempfile
from pathlib import Path
from typing import Final

from django.utils import timezone
from django.utils.translation import pgettext

from portal import languages
from portal.sheets import CsvSheet, ExcelSheet, Value
from rumors.imports.models import Batch
from rumors.imports.words import LABELS
from rumors.vocabulary import Channel, ClaimType, HeardHow, Precision, Priority, Sensitivity

TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_WIDE: Final = {"claim": 50, "original": 40, "url": 30, "archive_url": 30}


def template(kind: str) -> bytes:
    """The names of all columns that are known. No row as an example: filled in below it, that would be a rumor. In
    Excel the names have examples as notes."""
    header: list[Value] = [str(label) for label in LABELS.values()]
    if kind == "csv":
        return _csv([header])
    with tempfile.TemporaryDirectory() as folder:
        path, name = Path(folder) / "template.xlsx", pgettext("staff", "Sightings")
        with ExcelSheet(path, name=name, widths=[_WIDE.get(column, 18) for column in LABELS]) as sheet:
            sheet.write(header)
            for place, column in enumerate(LABELS):
                if example := _example(column):
                    sheet.note(place, pgettext("staff", "For example: %(example)s") % {"example": example})
        return path.read_bytes()


def _example(name: str) -> str:
    examples = {
        "claim": pgettext("staff", "It is said that children are taken without a court having looked at it."),
        "seen_on": timezone.localdate().isoformat(),
        "channel": str(Channel.SCHOOL_PRESCHOOL.label),
        "original_language": languages.get("so").autonym,
        "is_threat": pgettext("staff", "no"),
        "heard_how": str(HeardHow.ASKED_ABOUT.label),
        "claim_type": str(ClaimType.HOW_IT_WORKS.label),
        "priority": str(Priority.MEDIUM.label),
        "sensitivity": str(Sensitivity.INTERNAL.label),
        "precision": str(Precision.DAY.label),
    }
    return examples.get(name, "")


def faults(batch: Batch) -> bytes:
    """The rows that cannot be imported, as they came, and why in one column more."""
    header = [*batch.header, pgettext("staff", "What is wrong")]
    refused = batch.lines.refused().values_list("cells", "faults")
    return _csv([header, *([*cells, " ".join(said)] for cells, said in refused)])


def _csv(rows: list[list[Value]]) -> bytes:
    file = io.StringIO(newline="")
    sheet = CsvSheet(file)
    for row in rows:
        sheet.write(row)
    return file.getvalue().encode()
