"""Every page with a list asks the database as often for three rows as for one."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.questions import actions as questions
from portal.reports import actions as reports
from rumors import actions
from rumors.exports import actions as exports
from rumors.imports import actions as imports
from rumors.models import Narrative
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.imports.conftest import csv_of, row
from tests.questions.conftest import asked
from tests.rumors.conftest import TEXT, answer, log

pytestmark = pytest.mark.django_db


def rumor(number: int, by) -> None:
    actions.assign(log(claim=f"Det sägs att sak {number} är sann.", area=f"Del {number}"), to=by, by=by)


def threat(number: int, by) -> None:
    log(claim=f"Det sägs att sak {number} är sann.", is_threat=True, by=person(Role.REPORTER))


def narrative(number: int, by) -> None:
    actions.tell(Narrative(), name=f"Berättelse {number}", description="Så här går den.", by=by)


def suggestion(number: int, by) -> None:
    one, other = log(claim=f"Det sägs att {number}."), log(claim=f"Det sägs att {number}!")
    pairs.suggest(one, other=other, kind="same", method="words", score=0.9, terms=["sak"])


def public_answer(number: int, by) -> None:
    factories.publish(answer(slug=f"svar-{number}"), **TEXT | {"title": f"Domstolen beslutar {number}"})


def question(number: int, by) -> None:
    asked(f"Hur går {number} till?")


def missing_fact(number: int, by) -> None:
    found = asked(f"Hur går {number} till?")
    questions.settle(found, outcome="missing_fact", note=f"Om {number}", by=by)


def report(number: int, by) -> None:
    reports.keep(scope="period", first=date(2026, 1, 1), last=date(2026, 1, number + 1), by=by, form_id=uuid4())


def export(number: int, by) -> None:
    exports.order(what="rumors", kind="csv", level=1, columns=["number"], query="", form_id=uuid4(), by=by)


def sent_list(number: int, by) -> None:
    imports.keep(SimpleUploadedFile(f"lista-{number}.csv", csv_of(row())), by=by)


def followed(number: int, by) -> None:
    actions.watch(log(claim=f"Det sägs att sak {number} är sann."), by=by)


def uncertain(number: int, by) -> None:
    now = timezone.now()
    mail.plan(kind="account", key=f"account:{number}", to=f"a{number}@example.org", language="sv", due_at=now)
    Delivery.objects.update(state="uncertain", fenced_at=now, ended_at=now)


def held_back(number: int, by) -> None:
    mail.pause(prefix=f"event:{number}:", reason="Fel i texten", by=by)


def overdue(number: int, by) -> None:
    found = log(claim=f"Det sägs att sak {number} är sann.")
    type(found).objects.filter(pk=found.pk).update(due_at=timezone.now() - timedelta(days=8))


LISTS = {
    "/staff/rumors/": (Role.EDITOR, rumor, 7),
    "/staff/rumors/threats/": (Role.SECURITY, threat, 4),
    "/staff/rumors/narratives/": (Role.EDITOR, narrative, 3),
    "/staff/rumors/suggestions/": (Role.EDITOR, suggestion, 6),
    "/staff/rumors/alarms/": (Role.EDITOR, overdue, 7),
    "/staff/rumors/notices/": (Role.EDITOR, followed, 5),
    "/staff/rumors/export/": (Role.EDITOR, export, 5),
    "/staff/rumors/import/": (Role.EDITOR, sent_list, 4),
    "/staff/mail/": (Role.EVENTS, held_back, 8),
    "/staff/mail/deliveries/": (Role.EVENTS, uncertain, 4),
    "/staff/mail/uncertain/account/": (Role.EVENTS, uncertain, 4),
    "/staff/questions/": (Role.EDITOR, question, 8),
    "/staff/questions/missing/": (Role.EDITOR, missing_fact, 3),
    "/staff/reports/": (Role.MANAGER, report, 4),
    "/staff/reports/audit/": (Role.AUDITOR, threat, 4),
    "/sv/rumors/": (None, public_answer, 2),
}


@pytest.mark.parametrize("path", LISTS)
def test_three_rows_take_no_more_queries_than_one(path, django_assert_num_queries):
    role, make, number = LISTS[path]
    by = person(role or Role.EDITOR)
    client = sign_in(by) if role else browser()
    for rows in (range(1, 2), range(2, 4)):
        for row_number in rows:
            make(row_number, by)
        client.get(path)
        cache.clear()
        with django_assert_num_queries(number):
            response = client.get(path)
        assert response.status_code == 200
