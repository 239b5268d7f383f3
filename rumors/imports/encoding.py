"""Has a program of its own take the rows out of what was sent (`cells`), and says in words why there are none."""

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import pgettext_lazy

from portal.confined import Program
from rumors.imports import cells

_WHY: Final = {
    "too_large": pgettext_lazy("staff", "The file is larger than %(megabytes)d MB. Divide it."),
    "too_many_rows": pgettext_lazy("staff", "The file has more than %(rows)d rows. Divide it."),
    "too_many_columns": pgettext_lazy("staff", "The file has more than %(columns)d columns. Take some out."),
    "too_much_text": pgettext_lazy(
        "staff", "The file holds more text than a list of sightings does. Take columns out, or divide it."
    ),
    "too_large_unpacked": pgettext_lazy(
        "staff", "The table is far too large once it is unpacked. Copy the rows into a new, empty file."
    ),
    "empty": pgettext_lazy("staff", "The file has no rows. The first one names the columns."),
    "no_rows": pgettext_lazy("staff", "The file has names of columns, and no rows below them."),
    "password": pgettext_lazy("staff", "The file is locked with a password. Save it without one."),
    "damaged": pgettext_lazy(
        "staff", "The file is no table that can be read. Save it as CSV, Excel (.xlsx) or OpenDocument (.ods)."
    ),
    "old_excel": pgettext_lazy("staff", "This is an old or a locked Excel file. Save it as .xlsx, without a password."),
    "busy": pgettext_lazy("staff", "Many files are being read just now. Send it again in a minute."),
}
# What other files begin with, that people choose by mistake: not everything is a text just because it can be read.
_NO_TABLES: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"{\\rtf",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"<?xml",
    b"<!DO",
)
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"

_PROGRAM: Final = Program(
    cells,
    _WHY,
    died="too_large_unpacked",
    megabytes=cells.MOST_BYTES // 1024**2,
    rows=cells.MOST_ROWS,
    columns=cells.MOST_COLUMNS,
)


def rows(content: bytes) -> dict[str, Any]:
    """`header`, and `rows` of number and cells. ValidationError, in a sentence for people, for what is no table."""
    if len(content) > cells.MOST_BYTES:
        raise too_large()
    if content.startswith(_OLD_EXCEL):
        raise _PROGRAM.refused("old_excel")
    if content.startswith(_NO_TABLES):
        raise _PROGRAM.refused("damaged")
    found, _nothing = _PROGRAM.run(content)
    if not found["rows"]:
        raise _PROGRAM.refused("no_rows")
    return found


def too_large() -> ValidationError:
    return _PROGRAM.refused("too_large")
