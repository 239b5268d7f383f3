"""No cell of ours runs in a spreadsheet, and every text comes back as it was."""

import csv
import io
import unicodedata
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from portal.sheets import CsvSheet, ExcelSheet, neutral, plain
from rumors.imports import cells

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
SIGNS = "=+-@＝＋－＠﹢﹣﹦﹫−"
BEFORE = [
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n ",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\x07",
    "'",
    "''",
    " ' ",
]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", BEFORE, ids=repr)
def test_what_begins_like_a_formula_gets_an_apostrophe(before, sign):
    text = f"{before}{sign}1+1"
    assert neutral(text) == f"'{text}"
    assert plain(neutral(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "'", "’tis", "'90s", "R-2026-0042", "٣+٣", "(-1)", "عربي = متن", "1-2"])
def test_what_does_not_stays_as_it_is(text):
    assert neutral(text) == plain(text) == text


@given(TEXT)
def test_neutralizing_can_be_undone_and_leaves_nothing_that_runs(text):
    written = neutral(text)
    assert plain(written) == text
    visible = [c for c in written if not c.isspace() and unicodedata.category(c)[0] not in "CZ"]
    assert not visible or unicodedata.normalize("NFKC", visible[0])[0] not in "=+-@−"


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=1, max_size=5), st.sampled_from(";,"))
def test_rows_of_csv_come_back_as_they_were(rows, delimiter):
    file = io.StringIO(newline="")
    sheet = CsvSheet(file, delimiter=delimiter)
    for row in rows:
        sheet.write(row)
    read = csv.reader(io.StringIO(file.getvalue().removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    assert [[plain(cell) for cell in row] for row in read] == rows


@given(st.lists(st.lists(TEXT.map(str.strip), min_size=2, max_size=4), min_size=1, max_size=5))
def test_what_we_write_we_read(rows):
    """Through the program that takes files apart: empty cells at the end and outer spaces apart."""
    file = io.StringIO(newline="")
    sheet = CsvSheet(file)
    sheet.write(["a", "b", "c", "d"])
    for row in rows:
        sheet.write(row)
    found = cells.read(file.getvalue().encode())["rows"]
    wanted = [[cell.strip() for cell in row] for row in rows]
    kept = [[*row, *[""] * 4][:4] for row in wanted if any(neutral(cell).strip() for cell in row)]
    assert [[plain(cell) for cell in row] for _number, row in found] == kept


def test_excel_keeps_numbers_days_and_texts_apart(tmp_path):
    path = tmp_path / "file.xlsx"
    moment = datetime(2026, 11, 3, 14, 20)  # noqa: DTZ001 - a spreadsheet knows no zone
    with ExcelSheet(path, name="Rykten", widths=[10] * 7) as sheet:
        sheet.write(["a", "b", "c", "d", "e", "f", "g"])
        sheet.write(["=1+1", -5, 2.5, date(2026, 11, 3), moment, None, "مرحبا = سلام"])
        sheet.write(["+46 70", True, "", None, None, "  @SUM(A1)", "\x07bell"])
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert rows[1] == ["'=1+1", -5.0, 2.5, date(2026, 11, 3), moment, "", "مرحبا = سلام"]
    assert rows[2][0] == "'+46 70"
    assert rows[2][5] == "'  @SUM(A1)"
    with zipfile.ZipFile(path) as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert "<f>" not in page
    assert 'state="frozen"' in page
    assert "<autoFilter" in page
    assert 'readingOrder="2"' in styles
    assert sorted(tmp_path.iterdir()) == [path]


def test_what_breaks_on_the_way_leaves_no_parts(tmp_path):
    sheet = ExcelSheet(tmp_path / "file.xlsx", name="Rykten", widths=[10])
    with pytest.raises(TypeError), sheet:
        sheet.write(["a", object()])
    assert list(tmp_path.iterdir()) == []
