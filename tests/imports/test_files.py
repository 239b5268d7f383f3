"""Whatever is sent as a table: its rows, or one sentence; never more than a moment and a hundred megabytes."""

import io
import resource
import struct
import subprocess
import sys
import time
import zipfile
from datetime import datetime

import pytest
import xlsxwriter
from django.core.exceptions import ValidationError
from django.utils import timezone

from rumors.imports import cells, encoding
from rumors.imports.models import Batch
from rumors.imports.words import understood
from tests.imports.conftest import CLAIM, csv_of, excel_of, row


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_csv_is_read_in_whatever_way_it_was_saved(delimiter, name):
    content = csv_of(row("Ä, å; ö\tsägs på\ntvå rader"), delimiter=delimiter, encoding=name)
    found = encoding.rows(content)
    assert found["header"] == ["Datum", "Påstående", "Var", "Språk"]
    assert found["rows"] == [[2, ["2026-11-03", "Ä, å; ö\tsägs på\ntvå rader", "Hembesök", "Somaliska"]]]


def test_excels_own_word_for_the_delimiter_is_heard():
    found = encoding.rows(b"sep=|\r\na;b|c\r\n1;2|3\r\n")
    assert found == {"header": ["a;b", "c"], "rows": [[3, ["1;2", "3"]]]}


def test_rows_are_numbered_as_a_spreadsheet_does():
    content = csv_of(row(), [], ["", "", "", ""], row(), ["x", "y", "z", "ä", "en till"])
    assert [number for number, _cells in encoding.rows(content)["rows"]] == [2, 5, 6]
    assert encoding.rows(content)["header"][4] == ""


def test_excel_gives_days_numbers_and_the_values_of_formulas():
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    book.add_worksheet("Tomt")
    sheet = book.add_worksheet("Listan")
    book.add_worksheet("Gömt").hide()
    sheet.write_row(2, 1, ["Dag", "Tid", "Antal", "Summa", "Hot"])
    sheet.write_datetime(3, 1, datetime(2026, 11, 3))  # noqa: DTZ001 - a spreadsheet knows no zone
    sheet.write_datetime(3, 2, datetime(2026, 11, 3, 14, 20))  # noqa: DTZ001
    sheet.write_number(3, 3, 1200)
    sheet.write_formula(3, 4, "=D4+1", None, 1201)
    sheet.write_boolean(3, 5, boolean=True)
    book.close()
    found = encoding.rows(file.getvalue())
    assert found["header"] == ["Dag", "Tid", "Antal", "Summa", "Hot"]
    assert found["rows"] == [[4, ["2026-11-03", "2026-11-03 14:20", "1200", "1201", "true"]]]


def opendocument(body: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?>'
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            '<?xml version="1.0"?><office:document-content '
            'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
            'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:spreadsheet>'
            f'<table:table table:name="A">{body}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        )
    return file.getvalue()


def cell(text: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{text}</text:p></table:table-cell>'


def test_opendocument_is_read():
    body = "".join(
        f"<table:table-row>{cell(a)}{cell(b)}</table:table-row>" for a, b in [("Datum", "Var"), ("3/11", "x")]
    )
    assert encoding.rows(opendocument(body)) == {"header": ["Datum", "Var"], "rows": [[2, ["3/11", "x"]]]}


def test_a_row_says_who_it_is_whatever_its_file_is_called():
    """A wrong ending does not matter: the content tells."""
    assert encoding.rows(excel_of(row()))["rows"][0][1][1] == CLAIM


# Hostile files ---------------------------------------------------------------------------------------------------


def bomb(name: str = "xl/worksheets/sheet1.xml", size: int = 400_000_000) -> bytes:
    """A few hundred kilobytes that unpack to gigabytes."""
    file = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(excel_of(row())))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in source.infolist():
            if part.filename != name:
                archive.writestr(part, source.read(part))
        with archive.open(name, "w", force_zip64=True) as part:
            for _ in range(size // 1_000_000):
                part.write(b" " * 1_000_000)
    return file.getvalue()


def lying_bomb() -> bytes:
    """It says of itself that it is small."""
    content = bytearray(bomb(size=300_000_000))
    at = 0
    while (at := content.find(b"PK\x01\x02", at)) != -1:
        struct.pack_into("<L", content, at + 24, 1000)
        at += 4
    return bytes(content)


def with_part(name: str, text: str) -> bytes:
    file = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(excel_of(row())))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in source.infolist():
            archive.writestr(part, text if part.filename == name else source.read(part))
    return file.getvalue()


ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + "ha" * 1000 + '">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(8)
) + "]>"  # fmt: skip
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1" t="inlineStr"><is><t>&i;</t></is></c></row>{rows}</sheetData></worksheet>'
)
FAR = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
OTHER_FILE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'
WORDS = {"damaged", "too_large_unpacked", "too_many_columns", "too_many_rows", "too_much_text", "empty", "no_rows"}


def many_parts() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}", "")
    return file.getvalue()


HOSTILE = {
    "zip bomb": bomb,
    "zip bomb that lies": lying_bomb,
    "bomb in the shared strings": lambda: bomb("xl/sharedStrings.xml"),
    "entity bomb": lambda: with_part("xl/worksheets/sheet1.xml", ENTITIES + SHEET.format(rows="")),
    "another file as an entity": lambda: with_part("xl/worksheets/sheet1.xml", OTHER_FILE + SHEET.format(rows="")),
    "a cell at the far end": lambda: with_part("xl/worksheets/sheet1.xml", SHEET.format(rows=FAR).replace("&i;", "a")),
    "truncated": lambda: excel_of(row())[:-400],
    "truncated in the middle": lambda: excel_of(row())[:2000],
    "an archive of something else": lambda: with_part("xl/workbook.xml", "no"),
    "many parts": many_parts,
    "ten thousand columns": lambda: csv_of(["x"] * 10_000, header=[f"k{n}" for n in range(10_000)]),
    "ten thousand columns in Excel": lambda: excel_of(["x"] * 10_000, header=[f"k{n}" for n in range(10_000)]),
    "an OpenDocument row repeated a million times": lambda: opendocument(
        '<table:table-row table:number-rows-repeated="1048576">'
        + cell("x", ' table:number-columns-repeated="1024"')
        + "</table:table-row>"
    ),
    "NUL": lambda: b"a;b\r\n1;\x00\x00\x01",
    "random bytes": lambda: bytes((n * 7919 + n // 251) % 256 for n in range(300_000)),
    "nothing but delimiters": lambda: b";" * 5_000_000,
    "nothing but line ends": lambda: b"\n" * 5_000_000,
    "quotation marks without an end": lambda: b'a;b\n"' + b"x" * 4_000_000,
    "a cell of two megabytes": lambda: b"a;b\n1;" + b"x" * 2_500_000,
    "many rows": lambda: csv_of(*(row() for _ in range(2_001))),
    "nothing": lambda: b"",
    "a header alone": csv_of,
}  # fmt: skip


def seconds() -> float:
    """Of the processor, of ours and of the programs that we have started."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def taken(content: bytes) -> dict | ValidationError:
    try:
        return encoding.rows(content)
    except ValidationError as error:
        return error


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence_within_moments(name):
    content, before = HOSTILE[name](), seconds()
    found = taken(content)
    assert seconds() - before < 8
    if isinstance(found, ValidationError):
        assert found.code in WORDS
        assert [message[-1] for message in found.messages] == ["."]
    else:
        assert name in {"another file as an entity", "entity bomb", "random bytes"}
        assert "root:" not in str(found)
        assert len(str(found)) < 1_000_000


MEASURES = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdin=sys.stdin, capture_output=True, env={})
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("name", ["zip bomb that lies", "a cell at the far end", "nothing but delimiters"])
def test_the_program_takes_little_memory_whatever_it_is_given(name):
    measured = subprocess.run(
        [
            sys.executable,
            "-c",
            MEASURES,
            *encoding._PROGRAM.command(),
        ],
        input=HOSTILE[name](),
        capture_output=True,
        check=True,
    )
    assert int(measured.stdout) < 130_000


@pytest.mark.parametrize(
    ("beginning", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
        (b"%PDF-1.7", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"<!DOCTYPE html><table>", "damaged"),
    ],
)
def test_other_kinds_of_files_are_told_apart(beginning, code):
    with pytest.raises(ValidationError) as refused:
        encoding.rows(beginning + b"a;b\n1;2\n")
    assert refused.value.code == code


def test_a_file_that_is_too_large_is_not_even_opened():
    with pytest.raises(ValidationError) as refused:
        encoding.rows(b"x" * (cells.MOST_BYTES + 1))
    assert refused.value.code == "too_large"


def test_the_page_says_so_and_keeps_nothing(reporter):
    for content in (bomb(), b"%PDF-1.7 x", csv_of(), b""):
        answer = reporter.send(content, "lista.xlsx")
        assert answer.status_code == 422
        assert 'class="error"' in answer.content.decode()
    assert not Batch.objects.exists()


# Words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-03", "2026/11/3", "2026.11.03", "20261103", "3.11.2026", "03/11/2026", "3/11 2026", "3-11-2026",
        "3. 11. 2026",
        "3 nov 2026", "den 3 november 2026", "3 Nov. 2026", "3:e november 2026", "2026-11-03 14:20", "2026-11-03T14:20",
        "46329", "46329.5",
    ],
)  # fmt: skip
def test_days_are_understood(said):
    assert understood("seen_on", said) == "2026-11-03"


@pytest.mark.parametrize("said", ["2026-02-30", "31/11 2026", "nov 2026", "igår", "2026", "3/11", "03-11-26", "99999"])
def test_what_is_no_day_is_left_to_be_refused(said):
    assert understood("seen_on", said) == said


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [
        ("original_language", "ar", "ar"), ("original_language", "Arabiska", "ar"),
        ("original_language", "العربية", "ar"),
        ("original_language", "Arabic", "ar"), ("original_language", "ትግርኛ", "ti"),
        ("original_language", "tigrinja", "ti"),
        ("original_language", "zh-Hans", "zh-hans"), ("original_language", "Kurmanji", "kmr"),
        ("original_language", "klingonska", "klingonska"),
        ("channel", "tiktok", "tiktok"), ("channel", "Tik Tok", "tiktok"), ("channel", "HEMBESÖK", "home_visit"),
        ("channel", "home visit", "home_visit"), ("channel", "home_visit", "home_visit"), ("channel", "SFI", "sfi"),
        ("priority", "hög", "high"), ("priority", "High", "high"), ("is_threat", "Ja", "on"), ("is_threat", "nej", ""),
        ("is_threat", "TRUE", "on"), ("is_threat", "0", ""), ("is_threat", "kanske", "kanske"),
        ("reached", "1 200", "1200"),
        ("reached", "1\u00a0200\u00a0000", "1200000"), ("reached", "1.200", "1200"), ("area", " Norrby ", "Norrby"),
    ],
)  # fmt: skip
def test_codes_and_labels_in_both_languages_are_understood(name, said, code):
    assert understood(name, said) == code


def test_the_template_holds_no_row_that_could_become_a_rumor(reporter):
    for kind in ("csv", "xlsx"):
        content = reporter.client.get(f"/staff/rumors/import/template.{kind}").content
        assert cells.read(content)["rows"] == []
        answer = reporter.send(content)
        assert answer.status_code == 422
    notes = zipfile.ZipFile(io.BytesIO(content)).read("xl/comments1.xml").decode()
    assert "Till exempel: Soomaali" in notes


def test_the_template_can_be_filled_in_below_its_header(reporter):
    content = reporter.client.get("/staff/rumors/import/template.csv").content.decode("utf-8-sig")
    header = content.strip().split(";")
    said = {"När": timezone.localdate().isoformat(), "Var": "Hembesök", "Påståendet": CLAIM}
    batch = reporter.check(csv_of([said.get(title, "") for title in header], header=header))
    assert len(batch.columns) == len(batch.header) == 20
    assert (batch.lines.get().outcome, batch.lines.get().faults) == ("new", [])


@pytest.mark.parametrize(
    ("said", "code"),
    [("skola", "school_preschool"), ("Förskola", "school_preschool"), ("radio", "tv_radio"), ("eller", "eller")],
)
def test_a_part_of_a_label_is_understood(said, code):
    assert understood("channel", said) == code
