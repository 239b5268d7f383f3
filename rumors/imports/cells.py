"""Takes the rows out of a table that was sent: CSV, or the first sheet of an Excel or OpenDocument file.

A program of its own (`portal.confined`): it imports nothing of the site.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from portal.confined.inside import RefusedError

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_ROWS: Final = 2_000
MOST_COLUMNS: Final = 200
MOST_IN_A_CELL: Final = 1024 * 1024
MOST_TEXT: Final = 2_000_000
"""Characters of all cells together."""
MOST_UNPACKED: Final = 60 * 1024 * 1024
MOST_PARTS: Final = 2_000
MOST_MEMORY: Final = 128 * 1024 * 1024
MOST_SECONDS: Final = 5
_DELIMITERS: Final = ";\t,|"

Rows = Iterable[tuple[int, list[str]]]
"""The number of the row, as a spreadsheet counts, and its cells."""


def read(content: bytes) -> dict[str, Any]:
    """`header`, and `rows` of number and cells: those that are not empty, all of one length."""
    rows = _from_workbook(content) if content[:4] == b"PK\x03\x04" else _from_text(content)
    header: list[str] | None = None
    found: list[tuple[int, list[str]]] = []
    text = 0
    for number, cells in rows:
        if len(cells) > MOST_COLUMNS and any(cells[MOST_COLUMNS:]):
            raise RefusedError("too_many_columns")
        kept = [cell.replace("\0", "").strip() for cell in cells[:MOST_COLUMNS]]
        if not any(kept):
            continue
        text += sum(map(len, kept))
        if text > MOST_TEXT or max(map(len, kept)) > MOST_IN_A_CELL:
            raise RefusedError("too_much_text")
        if header is None:
            header = kept
            continue
        if len(found) == MOST_ROWS:
            raise RefusedError("too_many_rows")
        found.append((number, kept))
    if header is None:
        raise RefusedError("empty")
    return _even(header, found)


def _even(header: list[str], rows: list[tuple[int, list[str]]]) -> dict[str, Any]:
    width = max(_length(cells) for cells in (header, *(cells for _number, cells in rows)))
    return {
        "header": [*header, *[""] * width][:width],
        "rows": [(number, [*cells, *[""] * width][:width]) for number, cells in rows],
    }


def _length(cells: list[str]) -> int:
    return max((place + 1 for place, cell in enumerate(cells) if cell), default=0)


# Workbooks -------------------------------------------------------------------------------------------------------


def _from_workbook(content: bytes) -> Rows:
    _look_before_unpacking(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [
            place
            for place, sheet in enumerate(book.sheets_metadata)
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        for place in sheets:
            sheet = book.get_sheet_by_index(place)
            if sheet.start is None:
                continue
            if sheet.width > MOST_COLUMNS * 10:
                raise RefusedError("too_many_columns")
            return [(number, [_text(cell) for cell in cells]) for number, cells in _some(sheet.iter_rows())]
    except PasswordError:
        raise RefusedError("password") from None
    except CalamineError:
        raise RefusedError("damaged") from None
    raise RefusedError("empty")


def _some(rows: Iterable[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """Rows that hold something, and one more than are taken: what is left blank below costs nothing. They are counted
    from the top of the sheet, empty ones too."""
    kept = 0
    for number, cells in enumerate(rows, 1):
        if any(cell not in ("", None) for cell in cells):
            kept += 1
            yield number, cells
        if kept > MOST_ROWS + 1:
            return


def _look_before_unpacking(content: bytes) -> None:
    """By what the archive says of itself; who says too little there meets the limit on memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except Exception:  # noqa: BLE001 - a file that was made to break whoever reads it may do so in any way
        raise RefusedError("damaged") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise RefusedError("too_large_unpacked")
    if any(part.flag_bits & 1 for part in parts):
        raise RefusedError("password")


def _text(cell: Any) -> str:
    """As somebody would have typed it. Of a formula this is its value, which the file has beside it."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes") if cell.time() != time.min else cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)


# Text ------------------------------------------------------------------------------------------------------------


def _from_text(content: bytes) -> Rows:
    text = _decoded(content)
    if "\0" in text:
        raise RefusedError("damaged")
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"')
    # What Excel writes, and reads, to name the delimiter.
    named = said[4:] if said.lower().startswith("sep=") and len(said) == 5 else ""
    delimiter = named or _delimiter(first)
    skipped = 1 if named else 0
    csv.field_size_limit(MOST_IN_A_CELL)
    reader = csv.reader(io.StringIO(rest if named else text, newline=""), delimiter=delimiter)
    try:
        yield from enumerate(reader, 1 + skipped)
    except csv.Error:
        raise RefusedError("too_much_text") from None


def _decoded(content: bytes) -> str:
    """Nearly everything that is no UTF-8 is what Excel in Western Europe writes."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encodings = ["utf-16"]
    elif len(content) > 3 and content[1::2][:200].count(0) > len(content[1::2][:200]) // 2:
        encodings = ["utf-16-le"]
    elif len(content) > 3 and content[::2][:200].count(0) > len(content[::2][:200]) // 2:
        encodings = ["utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedError("damaged")


def _delimiter(line: str) -> str:
    """The one that stands most often in the header, outside of quotation marks."""
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=lambda char: (outside.count(char), -_DELIMITERS.index(char)))


def answer(content: bytes) -> tuple[dict[str, object], bytes]:
    try:
        return read(content), b""
    except MemoryError:
        raise RefusedError("too_large_unpacked") from None
