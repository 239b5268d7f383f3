"""Tables as files for a spreadsheet: CSV and Excel.

A spreadsheet runs a cell that begins like a formula, also one that somebody has typed into a form of ours for a
colleague to open. So texts that begin so get an apostrophe in front; numbers and days are written as what they are.
"""

import csv
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, Final, Self

Value = str | int | float | bool | date | None
"""What a cell may hold. A datetime has no zone: a spreadsheet knows none."""

APOSTROPHE: Final = "'"
MOST_IN_A_CELL: Final = 32_767
"""Characters, for Excel."""
_STARTS_A_FORMULA: Final = frozenset("=+-@\u2212")
_WIDEST: Final = 60


def neutral(text: str) -> str:
    """The same text, as one that no spreadsheet takes for a formula; `plain` gives it back."""
    return APOSTROPHE + text if _may_run(text) else text


def plain(text: str) -> str:
    """What `neutral` was given."""
    return text[1:] if text.startswith(APOSTROPHE) and _may_run(text) else text


def _may_run(text: str) -> bool:
    """Whether a sign that starts a formula is the first thing in it: spaces, controls, what cannot be seen and
    apostrophes do not count, and it may be as wide as a Chinese letter."""
    for char in text:
        if char == APOSTROPHE or char.isspace() or unicodedata.category(char)[0] in "CZ":
            continue
        return unicodedata.normalize("NFKC", char)[:1] in _STARTS_A_FORMULA
    return False


class CsvSheet:
    """Rows written to a file as CSV. It begins with the mark by which Excel knows UTF-8."""

    def __init__(self, file: IO[str], *, delimiter: str = ";") -> None:
        file.write("\ufeff")
        self._writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")

    def write(self, row: Iterable[Value]) -> None:
        self._writer.writerow([_as_text(value) for value in row])


def _as_text(value: Value) -> str:
    if isinstance(value, str):
        return neutral(value.replace("\0", ""))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return "" if value is None else str(value)


class ExcelSheet:
    """Rows written to an .xlsx file, none of which stay in memory: the first is the header, and stands still while one
    scrolls. Days are days, and texts that run from right to left are shown so. It is whole once it is left; OSError
    when the disk is full."""

    def __init__(self, path: Path, *, name: str, widths: Sequence[int], is_right_to_left: bool = False) -> None:
        import xlsxwriter  # noqa: PLC0415 - 11 MB, and only a worker ever needs it

        # Its parts lie beside it until it is whole, and not where everybody may look.
        self._parts = tempfile.TemporaryDirectory(dir=path.parent)
        options = {"constant_memory": True, "tmpdir": self._parts.name}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._page = self._book.add_worksheet(name[:31])
        if is_right_to_left:
            self._page.right_to_left()
        self._head = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._text = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._from_right = self._book.add_format({"text_wrap": True, "valign": "top", "reading_order": 2})
        self._number = self._book.add_format({"valign": "top"})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm", "valign": "top", "align": "left"})
        for place, width in enumerate(widths):
            self._page.set_column(place, place, min(width, _WIDEST))
        self._page.freeze_panes(1, 0)
        self._rows, self._columns = 0, len(widths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *about: object) -> None:
        try:
            if kind is None:
                self._close()
            else:
                self._page._opt_close()  # nobody will ever ask it to
        finally:
            self._parts.cleanup()

    def write(self, row: Iterable[Value]) -> None:
        for place, value in enumerate(row):
            self._put(place, value)
        self._rows += 1

    def note(self, place: int, text: str) -> None:
        """On a cell of the header, for who points at it."""
        self._page.write_comment(0, place, text)

    def _put(self, place: int, value: Value) -> None:
        at = self._rows, place
        if value in (None, ""):
            return
        if isinstance(value, str):
            text = neutral(value)[:MOST_IN_A_CELL]
            layout = self._head if self._rows == 0 else self._from_right if _runs_from_right(text) else self._text
            self._page.write_string(*at, text, layout)
        elif isinstance(value, datetime):
            self._page.write_datetime(*at, value, self._moment)
        elif isinstance(value, date):
            self._page.write_datetime(*at, value, self._day)
        elif isinstance(value, bool):
            self._page.write_boolean(*at, value, self._number)
        else:
            self._page.write_number(*at, value, self._number)

    def _close(self) -> None:
        if self._rows > 1:
            self._page.autofilter(0, 0, self._rows - 1, self._columns - 1)
        from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415 - as above

        try:
            self._book.close()
        except FileCreateError as error:
            # It wraps what the disk said.
            raise (error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error))) from None


def _runs_from_right(text: str) -> bool:
    """By its first letter that has a direction."""
    for char in text[:200]:
        direction = unicodedata.bidirectional(char)
        if direction in {"R", "AL"}:
            return True
        if direction == "L":
            return False
    return False
