"""What managers count and hand in."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import html5lib
import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pypdf import PdfReader
from python_calamine import load_workbook

from events import actions as events
from events.registrations import actions as registrations
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts.readings import actions as readings
from portal.questions import actions as questions
from portal.questions.models import Door
from portal.reports import actions, documents, rules, vocabulary
from portal.reports.models import Report
from portal.sheets import neutral
from portal.tally.transport import Count
from rumors import actions as rumors
from rumors.assessments import actions as assessments
from rumors.models import Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.responses import actions as responses
from tests import factories
from tests.accounts.people import person, sign_in
from tests.dashboard.conftest import heard
from tests.rumors.conftest import log, published

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 5, 4), date(2026, 5, 31)
"""Four whole weeks."""
SOON = date(2026, 6, 10)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=timezone.get_default_timezone())


def on(day: date, hour: int = 12):
    return time_machine.travel(at(day, hour), tick=False)


def kept(scope: str = "period", *, first: date = FIRST, last: date = LAST, day: date = SOON, **fields) -> Report:
    """A report that is made on a day after the period."""
    values = {"by": person(Role.MANAGER), "form_id": uuid4()} | fields
    with on(day):
        return actions.keep(scope=scope, first=first, last=last, **values)


def numbers(report: Report, key: str) -> dict:
    return dict(report.numbers[key])


@pytest.fixture
def a_busy_month():
    """Everything that a report counts, some of it before and after the period."""
    editor, topic = person(Role.EDITOR), factories.topic()
    with on(date(2026, 4, 20)):
        old = log(seen_on=date(2026, 4, 18), priority="low")
    with on(date(2026, 5, 5)):
        first = log(seen_on=date(2026, 5, 5), topic=topic, channel="tiktok", original_language="ar", area="Öster")
        heard(first, *[0] * 5, area="Öster", language="ar")
        heard(first, 0, 0, area="Kulla")
        heard(first, 0, is_threat=True, area="Öster")
        log(claim="HEMLIGT", sensitivity="secret", seen_on=date(2026, 5, 5), area="Hemlig")
        again = log(seen_on=date(2026, 5, 5), area="Öster")
    with on(date(2026, 5, 7)):
        pairs.merge(again, into=first, by=editor)
        rumors.rate(first, verdict="false", basis="Lagen", by=editor)
        assessments.assess(first, reach="trending", basis="Många delar", impacts={}, by=editor)
        made = responses.plan(first, action="reply_public", by=editor)
        responses.plan(first, action="publish_fact", by=editor)
        responses.finish(made, result="Klart", by=editor)
        questions.ask(text="Hur är det med tolk?", language="so", door=Door.FORM)
    with on(date(2026, 5, 15)):
        fact = factories.published_fact("ar")
        published("ar", rumor=first, fact=fact)
        rumors.move(old, status="out_of_scope", by=editor, reason="Inget för oss")
    with on(date(2026, 5, 20)):
        starts_at = at(date(2026, 5, 21))
        event = events.create(
            by=editor,
            kind="seminar",
            slug="seminarium",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            registration_ends_at=starts_at,
        )
        factories.publish(event, title="Seminarium", summary="Kom.", body="Välkommen.")
        factories.put_out(event)
        registrations.register(event, name="NAMNET PÅ NÅGON", email="nagon@example.org", language="sv")
        readings.keep([Count(date(2026, 5, 20), (fact.pk, "ar"), 12), Count(date(2026, 6, 2), (fact.pk, "ar"), 99)])
    with on(date(2026, 6, 3)):
        log(seen_on=date(2026, 6, 3))
    return first


def test_every_number_is_that_of_the_rows(a_busy_month):
    report = kept()
    assert numbers(report, "rumors.summary") == {"logged": 2, "repeating": 1, "closed": 0, "open": 1}
    assert numbers(report, "rumors.by_status") == {"new": 1}
    assert numbers(report, "rumors.by_verdict") == {"false": 1}
    assert numbers(report, "rumors.by_topic") == {"Vård": 1}
    assert numbers(report, "rumors.by_reach") == {"trending": 1}
    assert numbers(report, "sightings.summary") == {"sightings": 9, "sighted": 1}
    assert numbers(report, "sightings.by_week") == {"2026-W19": 9, "2026-W20": 0, "2026-W21": 0, "2026-W22": 0}
    assert numbers(report, "sightings.by_channel") == {"home_visit": 8, "tiktok": 1}
    assert numbers(report, "sightings.by_language") == {"ar": 6, "sv": 3}
    assert numbers(report, "sightings.by_topic") == {"Vård": 9}
    # Two in Kulla would be a number to subtract to.
    assert numbers(report, "sightings.by_area") == {"": 9}
    assert numbers(report, "answers.summary") == {
        "answered": 1,
        "median_days": 10,
        "lower_days": 10,
        "upper_days": 10,
        "unanswered": 0,
    }
    assert numbers(report, "answers.by_language") == {"ar": 1, "sv": 1}
    assert numbers(report, "responses.done") == {"reply_public": 1}
    assert numbers(report, "responses.planned") == {"publish_fact": 1, "reply_public": 1}
    assert numbers(report, "questions.summary") == {"questions": 1, "showed_missing": 0, "missing_facts": 0}
    assert numbers(report, "questions.by_outcome") == {"open": 1}
    assert numbers(report, "facts.summary") == {"facts": 1, "new_facts": 1, "new_translations": 1}
    assert numbers(report, "events.summary") == {"held": 1, "planned": 0, "registered": 1, "canceled": 0}
    assert numbers(report, "events.by_kind") == {"seminar": 1}
    assert numbers(report, "reach.summary") == {"readings": 12, "facts_read": 1, "helped": 0, "did_not_help": 0}
    assert numbers(report, "reach.by_language") == {"ar": 12}
    assert numbers(report, "reach.by_fact") == {"Fråga sv?": 12}


def test_a_rumor_stands_as_it_stood_at_the_end_of_the_period(a_busy_month):
    """What happened afterwards is taken back by the audit log."""
    editor = person(Role.EDITOR)
    before = kept().numbers
    with on(date(2026, 6, 11)):
        rumors.move(a_busy_month, status="screened", by=editor)
        rumors.move(a_busy_month, status="assessed", by=editor)
        rumors.rate(a_busy_month, verdict="true", basis="Tvärtom", by=editor)
        rumors.edit(a_busy_month, by=editor, priority="high", claim_type="statistic")
        assessments.assess(a_busy_month, reach="headline_story", basis="Överallt", impacts={}, by=editor)
    assert kept(day=date(2026, 6, 12)).numbers == before
    in_june = kept(first=date(2026, 6, 1), last=date(2026, 6, 12), day=date(2026, 6, 13))
    assert numbers(in_june, "rumors.summary")["open"] == 2


def test_a_rumor_is_closed_in_the_period_in_which_it_ends():
    editor, approver = person(Role.EDITOR), person(Role.APPROVER)
    with on(date(2026, 5, 5)):
        rumor = log(seen_on=date(2026, 5, 5))
        rumors.rate(rumor, verdict="false", basis="Lagen", by=editor)
        responses.plan(rumor, action="reply_public", by=editor)
        for status in ("screened", "assessed", "decided"):
            rumors.move(rumor, status=status, by=editor)
        rumor.refresh_from_db()
        rumors.approve(rumor, by=approver, version=rumor.version)
    with on(date(2026, 6, 15)):
        rumors.move(rumor, status="closed", by=editor, reason="Klart")
    may, june = kept(day=date(2026, 7, 1)), kept(first=date(2026, 6, 1), last=date(2026, 6, 30), day=date(2026, 7, 1))
    assert numbers(may, "rumors.summary") == {"logged": 1, "repeating": 0, "closed": 0, "open": 1}
    assert numbers(may, "rumors.by_status") == {"decided": 1}
    assert numbers(june, "rumors.summary") == {"logged": 0, "repeating": 0, "closed": 1, "open": 0}
    assert numbers(june, "rumors.by_status") == {}


def test_a_period_ends_at_midnight_in_sweden():
    for moment in (datetime(2026, 5, 31, 21, 59, tzinfo=UTC), datetime(2026, 5, 31, 22, 1, tzinfo=UTC)):
        with time_machine.travel(moment, tick=False):
            log(seen_on=LAST)
    assert numbers(kept(), "rumors.summary")["logged"] == 1


def test_what_was_handed_in_keeps_its_numbers_and_a_new_report_shows_what_has_changed(a_busy_month):
    client = sign_in(person(Role.MANAGER))
    handed_in = kept(name="Till nämnden")
    files = documents.pdf(handed_in), documents.workbook(handed_in)
    was = handed_in.content
    with on(date(2026, 7, 1)):
        heard(a_busy_month, 40, channel="sfi", area="Öster")
        a_secret = Rumor.objects.create(
            year=2026, number=99, claim="x", due_at=timezone.now(), logged_by=person(Role.REPORTER)
        )
        Rumor.objects.filter(pk=a_secret.pk).update(logged_at=at(FIRST))
        new = kept(name="Rättad", day=date(2026, 7, 1))
    Rumor.objects.filter(pk=a_busy_month.pk).update(sensitivity="secret")
    Sighting.objects.all().delete()
    found = Report.objects.get(pk=handed_in.pk)
    assert found.content == was
    assert found.is_intact
    assert (documents.pdf(found), documents.workbook(found)) == files
    changed = {(each.name, each.then, each.now) for each in rules.changes(found, Report.objects.get(pk=new.pk))}
    assert ("Antecknade rykten", 2, 3) in changed
    assert ("Iakttagelser", 9, 10) in changed
    assert ("Svenska för invandrare (sfi)", 0, 1) in changed
    assert not any("Öster" in name for name, _then, _now in changed)
    page = " ".join(client.get(new.get_absolute_url()).content.decode().split())
    assert "Jämfört med" in page
    assert "Svenska för invandrare (sfi)" in page
    assert "Områden jämförs inte" in page
    assert "Alla tal är desamma" not in page
    alone = " ".join(client.get(handed_in.get_absolute_url()).content.decode().split())
    assert "Det finns ingen tidigare rapport för samma dagar." in alone
    backwards = client.get(handed_in.get_absolute_url(), {"older": new.pk})
    assert backwards.context["older"] == new


def test_the_database_refuses_to_change_or_delete_a_report():
    report = kept()
    for change in (lambda: Report.objects.update(name="x"), report.delete):
        with pytest.raises(IntegrityError, match="a report is kept as it was handed in"), transaction.atomic():
            change()
    assert Report.objects.get().is_intact
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE reports_report DISABLE TRIGGER reports_refuse_change")
        cursor.execute("""UPDATE reports_report SET numbers = jsonb_set(numbers, '{reach.summary,0,1}', '7')""")
        cursor.execute("ALTER TABLE reports_report ENABLE TRIGGER reports_refuse_change")
    page = sign_in(person(Role.MANAGER)).get(report.get_absolute_url()).content.decode()
    assert "kontrollsumman stämmer inte" in page


def text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def sheets(workbook: bytes) -> dict[str, list[list]]:
    book = load_workbook(io.BytesIO(workbook))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_nothing_of_secret_rumors_threats_or_people_is_in_page_pdf_or_workbook(a_busy_month):
    report = kept()
    client = sign_in(person(Role.SECURITY, Role.MANAGER))
    page = client.get(report.get_absolute_url()).content.decode()
    files = [client.get(f"{report.get_absolute_url()}report.{suffix}") for suffix in ("pdf", "xlsx")]
    pdf, workbook = (file.content for file in files)
    for text in (page, text_of(pdf), str(sheets(workbook)), str(report.numbers)):
        assert "Antecknade" in text or "logged" in text
        for hidden in ("HEMLIGT", "Hemlig by", "NAMNET", "nagon@example.org", "Påstå", "Kulla"):
            assert hidden not in text
    assert files[0]["Content-Disposition"] == (f'attachment; filename="rapport-{report.pk}-2026-05-04-2026-05-31.pdf"')


def test_the_pdf_is_in_swedish_tagged_and_says_when_it_was_counted(a_busy_month):
    made = documents.pdf(kept(name="Maj, till nämnden"))
    pdf = PdfReader(io.BytesIO(made))
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.trailer["/Root"]["/Lang"] == "sv"
    text = text_of(made)
    assert pdf.metadata.title.startswith("Maj, till nämnden")
    for words in ("Räknat den 10 juni 2026", "4 maj 2026 – 31 maj 2026", "vecka 19, 2026", "Hembesök"):
        assert words in " ".join(text.split())
    assert "Kontrollsumma" in text


def test_the_workbook_has_a_sheet_for_each_section_with_numbers_that_are_numbers(a_busy_month):
    found = sheets(documents.workbook(kept(name="=HYPERLINK(1)")))
    assert list(found) == [
        "Om rapporten",
        "Rykten",
        "Hur rykten sprids",
        "Bemötanden",
        "Vad som gjordes",
        "Frågor från allmänheten",
        "Fakta och översättningar",
        "Evenemang",
        "Hur många som nåddes",
    ]
    assert found["Om rapporten"][0][0] == "'=HYPERLINK(1)"
    assert ["Hembesök", 8.0] in [row[:2] for row in found["Hur rykten sprids"]]


@pytest.mark.parametrize("text", ["=1+1", "+46", "-1", "@SUM(A1)", "\t=1", "\r-1"])
def test_no_cell_begins_as_a_formula_does(text):
    with on(date(2026, 5, 5)):
        heard(log(seen_on=date(2026, 5, 5), area=f"{text} Öster"), *[0] * 6, area=f"{text} Öster")
    rows = sheets(documents.workbook(kept()))["Hur rykten sprids"]
    cells = [cell for row in rows for cell in row if "Öster" in str(cell)]
    assert cells
    assert not [cell for cell in cells if cell.lstrip()[:1] in "=+-@"]
    assert neutral(text) == f"'{text}"


def test_the_assignment_gets_what_it_asks_for(a_busy_month):
    report = kept("assignment")
    assert {key.partition(".")[0] for key in report.numbers} == {
        "sightings",
        "answers",
        "responses",
        "facts",
        "events",
        "reach",
    }
    page = sign_in(person(Role.AUDITOR)).get(report.get_absolute_url()).content.decode()
    assert "Till regeringsuppdraget" in page
    assert "Frågor från allmänheten" not in page


def test_a_long_period_is_told_by_month():
    with on(date(2026, 5, 5)):
        log(seen_on=date(2026, 5, 5))
    report = kept(first=date(2025, 3, 15), last=date(2026, 5, 10))
    by_month = report.numbers["sightings.by_month"]
    assert [by_month[0][0], *by_month[-1]] == ["2025-03", "2026-05", 1]
    assert len(by_month) == 15
    page = sign_in(person(Role.MANAGER)).get(report.get_absolute_url()).content.decode()
    assert "mars 2025" in page


def test_an_empty_site_has_a_report_of_zeros():
    report = kept()
    client = sign_in(person(Role.MANAGER))
    page = client.get(report.get_absolute_url()).content.decode()
    assert page.count("Inga under perioden.") > 10
    assert "Ingenting hördes under den här tiden." in page
    assert "Inga under perioden." in " ".join(text_of(documents.pdf(report)).split())
    assert numbers(report, "answers.summary")["median_days"] is None


def test_a_report_is_looked_at_first_then_kept_by_whoever_may(a_busy_month):
    by = person(Role.MANAGER)
    sent = {"first": FIRST, "last": LAST, "scope": "period", "name": "Maj", "form_id": str(uuid4())}
    with on(SOON):
        client, auditor = sign_in(by), sign_in(person(Role.AUDITOR))
        assert "Inga än." in client.get("/staff/reports/").content.decode()
        looked_at = client.get("/staff/reports/", {"first": FIRST, "last": LAST, "scope": "period"}).content.decode()
        assert not Report.objects.exists()
        assert "Antecknade rykten" in looked_at
        assert "Spara den här rapporten" in looked_at
        assert "Spara den här rapporten" not in auditor.get("/staff/reports/", sent).content.decode()
        assert auditor.post("/staff/reports/keep/", sent).status_code == 403
        assert not Report.objects.exists()
        for _twice in range(2):
            client.post("/staff/reports/keep/", sent)
        assert "Maj" in client.get("/staff/reports/").content.decode()
    parser = html5lib.HTMLParser()
    parser.parse(looked_at)
    assert parser.errors == []
    report = Report.objects.get()
    assert (report.name, report.made_by, report.as_of) == ("Maj", by, at(SOON))
    event = AuditEvent.objects.about(report).get()
    assert (event.verb, event.note) == ("make_report", "period 2026-05-04 2026-05-31")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"first": "2026-05-31", "last": "2026-05-01"}, "Perioden måste sluta efter att den börjar."),
        ({"first": "0001-01-01", "last": "2026-05-01"}, "Välj en dag som har varit."),
        ({"first": "2026-05-01", "last": "9999-12-31"}, "Välj en dag som har varit."),
        ({"first": "2001-01-01", "last": "2026-05-01"}, "Välj högst fem år."),
        ({"first": "2026-05-01", "last": "2026-05-02", "name": "Om 19121212-1212"}, "personnummer"),
        ({"first": "", "last": "", "scope": "nope"}, "måste fyllas i"),
    ],
)
def test_what_cannot_be_counted_is_said(sent, said):
    with on(SOON):
        client = sign_in(person(Role.MANAGER))
        values = {"scope": "period", "form_id": str(uuid4())} | sent
        assert said in client.post("/staff/reports/keep/", values).content.decode()
        if "name" not in sent:
            assert said in client.get("/staff/reports/", values).content.decode()
    assert not Report.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_form_that_is_sent_twice_at_once_makes_one_report():
    by, form_id, start = person(Role.MANAGER), uuid4(), Barrier(2)

    def press(_number: int) -> int:
        try:
            start.wait(10)
            return kept(by=by, form_id=form_id).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(press, range(2))) == {Report.objects.get().pk}


def test_from_a_form_that_was_refused_everything_leads_on():
    with on(SOON):
        client = sign_in(person(Role.MANAGER))
        sent = {"first": FIRST, "last": LAST, "scope": "period", "form_id": str(uuid4()), "name": "Om 19121212-1212"}
        refused = client.post("/staff/reports/keep/", sent)
        assert refused.status_code == 422
        assert '<form class="filters" action="/staff/reports/">' in refused.content.decode()
        # The address of the page itself, as pages of the list and a reload ask for it.
        asked = client.get(f"/staff/reports/keep/?first={FIRST}&last={LAST}&scope=period", follow=True)
    assert asked.redirect_chain == [(f"/staff/reports/?first={FIRST}&last={LAST}&scope=period", 302)]
    assert asked.context["report"] is not None


def test_what_the_public_told_that_became_secret_is_not_counted():
    with on(date(2026, 5, 5)):
        for is_secret in (True, False):
            asked = questions.ask(text="Hur?", language="ti", door=Door.FORM)
            questions.settle(asked, outcome="sighting", is_secret=is_secret, by=person(Role.SECURITY))
    assert numbers(kept(), "questions.by_language") == {"ti": 1}


@pytest.mark.parametrize("number", [1, 3])
def test_counting_costs_the_same_for_one_and_for_three(number, django_assert_num_queries):
    editor = person(Role.EDITOR)
    with on(date(2026, 5, 5)):
        for place in range(number):
            rumor = log(seen_on=date(2026, 5, 5), topic=factories.topic(f"topic-{place}"))
            heard(rumor, *[0] * 6, area=f"Del {place}")
            rumors.move(rumor, status="screened", by=editor)
            published(rumor=rumor, slug=f"svar-{place}")
    with on(SOON), django_assert_num_queries(34):
        report = actions.counted(scope="period", first=FIRST, last=LAST)
    assert numbers(report, "rumors.by_status") == {"screened": number}


def test_a_code_that_the_site_has_no_more_stays_as_it_is():
    report = Report(scope="period", numbers={"sightings.by_channel": [["myspace", 3]], "gone.table": [["x", 1]]})
    (_section, tables) = rules.in_words(report)[1]
    assert [(row.name, row.number) for row in tables[0].rows] == [("myspace", 3)]
    assert vocabulary.monday_of(vocabulary.week_code(date(2027, 1, 1))) == date(2026, 12, 28)


def test_a_report_that_ends_before_it_begins_cannot_be_kept():
    with pytest.raises((IntegrityError, ValidationError), match="report_ends_after_it_begins"), transaction.atomic():
        kept(first=LAST, last=FIRST)
