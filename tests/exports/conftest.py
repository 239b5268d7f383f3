import csv
import io
import json
from datetime import date
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from portal.accounts.models import Role, User
from rumors import actions as rumors
from rumors.exports import actions
from rumors.exports.forms import filtered
from rumors.exports.models import Export
from rumors.exports.words import COLUMNS, RUMOR, SIGHTING
from rumors.models import Rumor
from tests.accounts.people import person, sign_in

CLAIM = "Det sägs att barn tas utan att en domstol prövar det."
ALL = {"rumor_columns": list(RUMOR), "sighting_columns": list(SIGHTING)}


def named(name: str) -> User:
    """An editor of that name."""
    editor = person(Role.EDITOR)
    User.objects.filter(pk=editor.pk).update(name=name)
    return User.objects.get(pk=editor.pk)


def log(claim=CLAIM, **values) -> Rumor:
    values = {"channel": "web", "seen_on": date(2026, 11, 1), "by": named("Bo Loggare")} | values
    return rumors.log(claim=claim, **values)


def work() -> int:
    """As the clock does."""
    return actions.work(now=timezone.now(), filtered=filtered)


class Exporter:
    def __init__(self, *roles: Role, **fields):
        self.user = person(*roles, **fields)
        self.client = sign_in(self.user)

    def order(self, query: dict | None = None, **said):
        said = {"what": "rumors", "kind": "csv", "level": "2"} | said
        if query:
            said["query"] = urlencode(query)
        return self.client.post("/staff/rumors/export/", {**ALL, **said})

    def export(self) -> Export:
        return Export.objects.filter(owner=self.user).latest("pk")

    def page(self) -> str:
        return self.client.get(f"/staff/rumors/export/{self.export().pk}/").content.decode()

    def fetch(self):
        return self.client.get(f"/staff/rumors/export/{self.export().pk}/file/")

    def content(self, query: dict | None = None, **said) -> bytes:
        answer = self.order(query, **said)
        assert answer.status_code == 302, answer.content.decode()
        work()
        return b"".join(self.fetch().streaming_content)

    def rows(self, query: dict | None = None, **said) -> list[dict[str, str]]:
        """By the names of our columns."""
        content = self.content(query, kind="csv", **said).decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(content, newline=""), delimiter=";")
        names = {str(label): name for name, label in reversed(COLUMNS.items())}
        return [dict(zip([names[title] for title in header], row, strict=True)) for row in rows]

    def objects(self, query: dict | None = None, **said) -> list[dict]:
        return json.loads(self.content(query, kind="json", **said))["rumors"]

    def sheet(self, **said) -> list[list]:
        content = self.content(kind="xlsx", **said)
        return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.fixture
def editor(db) -> Exporter:
    return Exporter(Role.EDITOR)


@pytest.fixture
def manager(db) -> Exporter:
    return Exporter(Role.MANAGER)


@pytest.fixture
def security(db) -> Exporter:
    return Exporter(Role.SECURITY)
