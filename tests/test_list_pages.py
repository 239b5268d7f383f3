"""Every page with a list asks the database as often for three rows as for one."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from events import actions as events
from events.actors.models import Actor
from events.agreements import actions as agreements
from events.invitations import actions as invitations
from events.models import Event
from events.outreach.actions import Said
from events.series import actions as series
from events.series.models import Series
from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.pages import actions as pages
from portal.questions import actions as questions
from portal.reports import actions as reports
from rumors import actions
from rumors.exports import actions as exports
from rumors.imports import actions as imports
from rumors.models import Narrative
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.actors import conftest as actors
from tests.actors.conftest import contact
from tests.attachments.conftest import attach
from tests.imports.conftest import csv_of, row
from tests.outreach.conftest import visit
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


def purged(number: int, by) -> None:
    pages.purge(now=timezone.now())


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


def actor(number: int, by) -> None:
    contact(actors.actor(f"Förening {number}", area=f"Del {number}", topics=[factories.topic()], languages=["ti"]))


def contacts(number: int, by) -> None:
    """Of the one actor that the first of them makes."""
    contact(Actor.objects.first() or actors.actor(pk=1), name=f"Namn {number}")


def helper(number: int, by) -> None:
    actors.helper(name=f"Namn {number}")


def session(number: int, by) -> None:
    visit(f"Förening {number}", asked=[Said(f"Hur går {number} till?", "so")], by=by)


def of_circle(number: int, by) -> None:
    """Agreements and sittings of the one series that the first of them makes."""
    circle = Series.objects.first() or series.create(name="Rundabordet", pk=1, by=by)
    starts_at = timezone.now() + timedelta(days=number)
    values = {"kind": "round_table", "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    event = events.create(by=by, slug=f"bord-{number}", series=circle, **values)
    guest = {"name": f"Namn {number}", "email": f"namn{number}@example.org", "language": "sv"}
    invitations.invite(event, guests=[guest | {"actor": actors.actor(email="")}], by=by)
    agreements.agree(event=event, what=f"Sak {number}", owner_actor=actors.actor(), by=by)


def invited(number: int, by) -> None:
    """To the one event that the first of them makes."""
    starts_at = timezone.now() + timedelta(days=9)
    values = {"kind": "round_table", "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    event = Event.objects.first() or events.create(by=by, pk=1, slug="bord", **values)
    actors.actor(f"Kan bjudas {number}", email=f"kan{number}@example.org")
    guest = {"name": f"Namn {number}", "email": f"namn{number}@example.org", "language": "sv"}
    invitations.invite(event, guests=[guest | {"actor": actors.actor()}], by=by)
    agreements.agree(event=event, what=f"Sak {number}", owner_actor=actors.actor(), by=by)


def document(number: int, by) -> None:
    """Of the one event that the first of them makes."""
    starts_at = timezone.now() + timedelta(days=9)
    values = {"kind": "seminar", "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    event = Event.objects.first() or events.create(by=by, pk=1, slug="seminarium", **values)
    attach(event, f"Del {number}", by=by)


LISTS = {
    "/staff/events/1/attachments/": (Role.EVENTS, document, 4),
    "/staff/events/outreach/": (Role.EVENTS, session, 7),
    "/staff/events/series/": (Role.EVENTS, of_circle, 3),
    "/staff/events/series/1/": (Role.EVENTS, of_circle, 8),
    "/staff/events/series/1/agreements/": (Role.EVENTS, of_circle, 8),
    "/staff/events/1/agreements/": (Role.EVENTS, invited, 9),
    "/staff/events/1/invitations/": (Role.EVENTS, invited, 6),
    "/staff/events/1/invitations/invite/": (Role.EVENTS, invited, 11),
    "/staff/events/actors/coverage/": (Role.EVENTS, of_circle, 6),
    "/staff/events/actors/": (Role.EVENTS, actor, 8),
    "/staff/events/actors/1/": (Role.EVENTS, contacts, 7),
    "/staff/events/actors/helpers/": (Role.EVENTS, helper, 5),
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
    "/staff/mail/uncertain/account/": (Role.EVENTS, uncertain, 5),
    "/staff/questions/": (Role.EDITOR, question, 8),
    "/staff/questions/missing/": (Role.EDITOR, missing_fact, 3),
    "/staff/reports/": (Role.MANAGER, report, 4),
    "/staff/reports/audit/": (Role.AUDITOR, threat, 4),
    "/staff/purges/": (Role.AUDITOR, purged, 6),
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
