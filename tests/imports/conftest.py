import csv
import io

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from portal.accounts.models import Role
from rumors.imports.models import Batch
from tests.accounts.people import person, sign_in

HEADER = ["Datum", "Påstående", "Var", "Språk"]
CLAIM = "Det sägs att barn tas utan att en domstol prövar det."


def csv_of(*rows, header=HEADER, delimiter=";", encoding="utf-8-sig") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue().encode(encoding)


def excel_of(*rows, header=HEADER, sheets=("Blad",)) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    for name in sheets:
        sheet = book.add_worksheet(name)
        for number, row in enumerate((header, *rows)):
            for place, cell in enumerate(row):
                sheet.write(number, place, cell)
    book.close()
    return file.getvalue()


def row(claim=CLAIM, *, day="2026-11-03", where="Hembesök", language="Somaliska"):
    return [day, claim, where, language]


def sent(content: bytes, name: str = "lista.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


class Importer:
    """Somebody who goes through the pages, as without script."""

    def __init__(self, user):
        self.user = user
        self.client = sign_in(user)

    def send(self, content: bytes, name: str = "lista.csv"):
        return self.client.post("/staff/rumors/import/", {"file": sent(content, name)})

    def batch(self) -> Batch:
        return Batch.objects.filter(owner=self.user).latest("pk")

    def columns(self, **changes):
        """As the page has guessed them."""
        batch = self.batch()
        said = {f"column_{name}": str(place) for name, place in batch.columns.items()}
        said |= {f"fixed_{name}": value for name, value in batch.fixed.items()}
        return said | changes

    def map(self, **changes):
        return self.client.post(f"/staff/rumors/import/{self.batch().pk}/", self.columns(**changes))

    def check(self, content: bytes, **changes) -> Batch:
        answer = self.send(content)
        assert answer.status_code == 302, answer.content.decode()
        answer = self.map(**changes)
        assert answer.status_code == 302, answer.content.decode()
        return self.batch()

    def page(self, query: str = "") -> str:
        return self.client.get(f"/staff/rumors/import/{self.batch().pk}/check/{query}").content.decode()

    def do(self, **said):
        return self.client.post(f"/staff/rumors/import/{self.batch().pk}/check/", said)


@pytest.fixture
def reporter(db) -> Importer:
    return Importer(person(Role.REPORTER))


@pytest.fixture
def security(db) -> Importer:
    return Importer(person(Role.SECURITY))
