"""A report as PDF and as a workbook: the same bytes for the same report."""

import io
from base64 import b64encode
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import pgettext

from portal import charts, languages
from portal.facts.documents import printed
from portal.reports import rules
from portal.reports.models import Report
from portal.reports.rules import Shown
from portal.sheets import neutral


def pdf(report: Report) -> bytes:
    """In Swedish. Raises UnavailableError."""
    swedish = languages.get(languages.SOURCE)
    with translation.override(swedish.code):
        sections = rules.in_words(report)
        by_week = [shown.weeks for _section, tables in sections for shown in tables if shown.weeks]
        context = {"report": report, "labels": swedish, "sections": sections}
        context |= {"weeks_picture": _picture(by_week[0]) if by_week else ""}
        return printed("reports/document.html", context, swedish)


def _picture(chart: charts.Weeks) -> str:
    """The bars as an address that holds them: in a PDF a picture says what it shows, and a drawing does not."""
    drawn = render_to_string(
        "components/weeks.html", {"chart": chart, "series": chart.series[0], "key": "weeks", "is_large": True}
    )
    return f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"


def workbook(report: Report) -> bytes:
    """In Swedish: a sheet about the report, and one for each section."""
    import xlsxwriter  # noqa: PLC0415 - 11 MB, and hardly any process ever needs it

    made = io.BytesIO()
    # Nothing is ever read as a formula, an address or a number.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with translation.override(languages.SOURCE), xlsxwriter.Workbook(made, options) as book:
        # The clock of today would make another file.
        moment = report.as_of.replace(tzinfo=None, microsecond=0)
        book.set_properties({"title": str(report), "company": settings.MUNICIPALITY, "created": moment})
        formats = {
            "bold": book.add_format({"bold": True}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "text": book.add_format({"text_wrap": True, "valign": "top"}),
            "number": book.add_format({"valign": "top"}),
        }
        _about(book.add_worksheet(pgettext("staff", "About")), report, formats)
        for section, tables in rules.in_words(report):
            _section(book.add_worksheet(str(section.title)[:31]), section, tables, formats)
    return made.getvalue()


def about(report: Report) -> list[tuple[str, str]]:
    """What a report says of itself."""
    days = f"{date_format(report.first)} – {date_format(report.last)}"
    moment = localtime(report.as_of)
    return [
        (pgettext("staff", "Period"), days),
        (pgettext("staff", "What it is for"), str(report.get_scope_display())),
        (pgettext("staff", "Counted as of"), f"{date_format(moment)} {moment:%H:%M}"),
        (pgettext("staff", "Way of counting"), str(report.counting)),
        (pgettext("staff", "Check sum"), report.digest),
    ]


def _about(sheet: Any, report: Report, formats: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, neutral(report.name or pgettext("staff", "Report")), formats["title"])
    for number, (name, value) in enumerate(about(report), start=2):
        sheet.write_string(number, 0, neutral(name), formats["bold"])
        sheet.write_string(number, 1, neutral(value), formats["text"])
    secret = pgettext("staff", "Secret rumors and threats are in no number. No person is.")
    sheet.write_string(8, 0, neutral(secret))


def _section(sheet: Any, section: Any, tables: list[Shown], formats: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 12)
    sheet.write_string(0, 0, neutral(str(section.title)), formats["title"])
    line = 1
    if section.note:
        sheet.write_string(line, 0, neutral(str(section.note)), formats["text"])
        line += 1
    for shown in tables:
        line += 1
        sheet.write_string(line, 0, neutral(str(shown.table.title)), formats["bold"])
        line += 1
        if shown.table.note:
            sheet.write_string(line, 0, neutral(str(shown.table.note)), formats["text"])
            line += 1
        sheet.write_string(line, 0, neutral(str(shown.table.heading)), formats["bold"])
        sheet.write_string(line, 1, pgettext("staff", "Number"), formats["bold"])
        for row in shown.rows:
            line += 1
            sheet.write_string(line, 0, neutral(row.name), formats["text"])
            if row.number is not None:
                sheet.write_number(line, 1, row.number, formats["number"])
        line += 1
