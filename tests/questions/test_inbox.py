"""What staff do with a question: find what answers it, answer it, approve, take back; and what people ask for."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from threading import Barrier

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.questions import actions, rules
from portal.questions.models import Door, Outcome, Question
from tests import factories
from tests.accounts.people import person, sign_in
from tests.questions.conftest import asked, proposed, told

pytestmark = pytest.mark.django_db

INBOX = "/staff/questions/"


def page_of(question: Question) -> str:
    return f"{INBOX}{question.pk}/"


@pytest.fixture
def editor():
    return person(Role.EDITOR, language="en")


@pytest.fixture
def as_editor(editor):
    return sign_in(editor)


@pytest.fixture
def as_approver():
    return sign_in(person(Role.APPROVER, language="en"))


def words(response) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))


# The list --------------------------------------------------------------------------------------------------------


def test_the_inbox_shows_what_waits_the_oldest_first(as_editor):
    for days in (1, 3, 2):
        with time_machine.travel(timezone.now() - timedelta(days=days), tick=False):
            asked(f"För {days} dagar sedan")
    settled = asked("Redan klar")
    actions.settle(settled, outcome=Outcome.DISMISSED, by=person(Role.EDITOR))
    page = words(as_editor.get(INBOX))
    places = [page.index(f"För {days} dagar") for days in (3, 2, 1)]
    assert places == sorted(places)
    assert "Redan klar" not in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("door=form", {"B"}),
        ("language=ar", {"C"}),
        ("outcome=dismissed", {"D"}),
        ("outcome=", {"A", "B", "C", "D"}),
        ("outcome=&language=sv&door=outreach", {"A", "D"}),
        ("outcome=nonsense", {"A", "B", "C"}),
        ("page=99&door=form", {"B"}),
    ],
)
def test_the_inbox_is_filtered_by_door_language_and_outcome(as_editor, query, shown):
    asked("Fråga A?")
    asked("Fråga B?", language="so", door=Door.FORM)
    asked("Fråga C?", language="ar")
    actions.settle(asked("Fråga D?"), outcome=Outcome.DISMISSED, by=person(Role.EDITOR))
    assert set(re.findall(r"Fråga (\w)\?", words(as_editor.get(f"{INBOX}?{query}")))) == shown


# One question ----------------------------------------------------------------------------------------------------


def test_the_page_of_a_question_shows_the_closest_facts_first(as_editor):
    near = factories.fact()
    factories.publish(near, title="Kan en domstol ta barnet?", summary="En domstol beslutar.", body="Om domstolen.")
    factories.published_fact()
    question = asked("Är det en domstol som beslutar?")
    assert [close.fact for close in rules.closest(question)] == [near]
    page = as_editor.get(page_of(question)).content.decode()
    options = re.findall(r'<option value="(\d*)"', page.partition('name="fact"')[2].partition("</select>")[0])
    assert options[1] == str(near.pk)
    assert len(options) == 3


def test_a_question_in_another_language_finds_facts_by_their_translation(as_editor):
    fact = factories.published_fact()
    factories.publish(fact, "ar", title="هل تأخذ المحكمة طفلي؟", summary="المحكمة تقرر.", body="نص")
    close = rules.closest(asked("هل المحكمة تقرر ذلك؟", language="ar"))
    assert [(each.fact, each.is_in_their_language, each.title) for each in close] == [(fact, True, "Fråga sv?")]


def test_a_question_without_words_finds_nothing():
    assert rules.closest(asked("???")) == []


def test_a_published_fact_answers_at_once(as_editor, editor):
    fact = factories.published_fact()
    question, _code = told()
    as_editor.post(f"{page_of(question)}settle/", {"outcome": "answered", "fact": fact.pk})
    question.refresh_from_db()
    assert (question.outcome, question.fact, question.settled_by) == (Outcome.ANSWERED, fact, editor)
    assert question.approved_by is None
    event = AuditEvent.objects.about(question).get(verb="settle")
    assert event.changes == {"outcome": ["open", "answered"]}


def test_a_fact_without_a_published_text_answers_nothing(as_editor):
    question = asked()
    sent = {"outcome": "answered", "fact": factories.fact().pk}
    assert as_editor.post(f"{page_of(question)}settle/", sent).context["form"].errors.keys() == {"fact"}


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({}, "outcome"),
        ({"outcome": "sighting"}, "outcome"),
        ({"outcome": "proposed"}, "outcome"),
        ({"outcome": "answered"}, "fact"),
        ({"outcome": "missing_fact"}, "note"),
        ({"outcome": "answered", "answer": "Ring 070-123 45 67"}, "guard_reason"),
        ({"outcome": "answered", "answer": "Om 19850101-1236"}, "answer"),
        ({"outcome": "dismissed", "note": "Se dnr 2026-123"}, "guard_reason"),
        ({"outcome": "answered", "answer": "Nej.", "answer_language": "tr"}, "answer_language"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_settled(as_editor, sent, wrong):
    question = asked()
    response = as_editor.post(f"{page_of(question)}settle/", sent)
    assert response.status_code == 422
    assert wrong in response.context["form"].errors
    assert sent.get("answer", "") in unescape(response.content.decode())
    question.refresh_from_db()
    assert question.is_open


def test_words_wait_for_another_person(as_editor, as_approver, editor):
    question, _code = told()
    sent = {"outcome": "answered", "answer": "Maya, maxkamad baa go'aamisa.", "answer_language": "so"}
    as_editor.post(f"{page_of(question)}settle/", sent)
    question.refresh_from_db()
    assert (question.outcome, question.answer_language) == (Outcome.PROPOSED, "so")
    assert "approve/" not in as_editor.get(page_of(question)).content.decode()
    as_editor.post(f"{page_of(question)}approve/", {"version": question.version})
    question.refresh_from_db()
    assert question.is_proposed

    page = as_approver.get(page_of(question)).content.decode()
    assert "1 answer waits for approval" in words(as_approver.get(INBOX))
    version = re.search(r'name="version" value="([^"]+)"', page)[1]
    as_approver.post(f"{page_of(question)}approve/", {"version": version})
    question.refresh_from_db()
    assert (question.outcome, question.settled_by) == (Outcome.ANSWERED, editor)
    assert question.approved_by is not None
    assert AuditEvent.objects.about(question).filter(verb="approve_answer").count() == 1


def test_the_database_itself_lets_nobody_approve_their_own_words(editor):
    question = proposed(by=editor)
    for values in (
        {"outcome": Outcome.ANSWERED, "approved_by": editor, "approved_at": timezone.now()},
        {"outcome": Outcome.ANSWERED},
        {"approved_by": person(Role.APPROVER), "approved_at": timezone.now()},
        {"answer": ""},
        {"outcome": Outcome.DISMISSED},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Question.objects.filter(pk=question.pk).update(**values)


def test_who_approves_has_read_what_they_approve():
    question = proposed()
    version = question.version
    approver = person(Role.APPROVER)
    actions.reopen(question, by=approver)
    proposed(question, answer="Något helt annat.")
    with pytest.raises(actions.MeanwhileError):
        actions.approve(question, by=approver, version=version)
    question.refresh_from_db()
    assert question.is_proposed


def test_an_approval_twice_is_one():
    question, approver = proposed(), person(Role.APPROVER)
    for _ in range(2):
        actions.approve(question, by=approver, version=question.version)
    assert AuditEvent.objects.about(question).filter(verb="approve_answer").count() == 1


def test_an_answer_that_is_sent_back_waits_with_its_words_to_be_mended(as_editor, as_approver):
    question = proposed(answer="Nästan rätt.")
    as_approver.post(f"{page_of(question)}reopen/")
    question.refresh_from_db()
    assert (question.outcome, question.answer, question.settled_by) == (Outcome.OPEN, "Nästan rätt.", None)
    assert "Nästan rätt." in as_editor.get(page_of(question)).content.decode()


@pytest.mark.parametrize("outcome", [Outcome.SIGHTING, Outcome.MISSING_FACT, Outcome.DISMISSED])
def test_settling_can_be_undone(as_editor, outcome):
    question = asked()
    actions.settle(question, outcome=outcome, note="R-2026-0001", by=person(Role.REPORTER))
    as_editor.post(f"{page_of(question)}reopen/")
    question.refresh_from_db()
    assert (question.outcome, question.outcome_note, question.settled_at) == (Outcome.OPEN, "", None)
    assert AuditEvent.objects.about(question).filter(verb="reopen").count() == 1


def test_an_approved_answer_that_is_taken_back_is_read_by_nobody():
    question = proposed()
    actions.approve(question, by=person(Role.APPROVER), version=question.version)
    reopened = actions.reopen(question, by=person(Role.EDITOR))
    assert (reopened.outcome, reopened.approved_by) == (Outcome.OPEN, None)


def test_somebody_who_was_slower_is_told_and_loses_nothing_typed(as_editor):
    question = asked()
    actions.settle(question, outcome=Outcome.DISMISSED, by=person(Role.REPORTER))
    sent = {"outcome": "answered", "answer": "Ett långt svar som jag skrev"}
    response = as_editor.post(f"{page_of(question)}settle/", sent)
    assert response.status_code == 422
    assert "Somebody was faster" in words(response)
    assert "Ett långt svar som jag skrev" in words(response)
    question.refresh_from_db()
    assert question.outcome == Outcome.DISMISSED


def test_the_same_once_more_by_the_same_person_is_a_double_click(editor):
    question = asked()
    for _ in range(2):
        actions.settle(question, outcome=Outcome.DISMISSED, by=editor)
    assert AuditEvent.objects.about(question).filter(verb="settle").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_settle_at_once_one_is_told():
    question = asked()
    people = [person(Role.EDITOR), person(Role.REPORTER)]
    start = Barrier(2)

    def attempt(number: int) -> str:
        try:
            start.wait(10)
            outcome = (Outcome.DISMISSED, Outcome.MISSING_FACT)[number]
            actions.settle(question, outcome=outcome, note="Tolk", by=people[number])
        except actions.MeanwhileError:
            return "slower"
        finally:
            connection.close()
        return "settled"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == ["settled", "slower"]
    assert AuditEvent.objects.about(question).filter(verb="settle").count() == 1


def test_another_module_settles_within_its_own_transaction(editor):
    question = asked()
    with transaction.atomic():
        actions.settle(question, outcome=Outcome.SIGHTING, note="R-2026-0007", by=editor)
        transaction.set_rollback(True)  # what the other module does after it fails
    question.refresh_from_db()
    assert question.is_open
    with transaction.atomic():
        actions.settle(question, outcome=Outcome.SIGHTING, note="R-2026-0007", by=editor)
    question.refresh_from_db()
    assert (question.outcome, question.outcome_note) == (Outcome.SIGHTING, "R-2026-0007")
    with pytest.raises(ValidationError):
        actions.settle(question, outcome=Outcome.SIGHTING, note="R-2026-0008", by=editor)


def test_a_translator_reads_but_settles_nothing():
    client = sign_in(person(Role.TRANSLATOR))
    question = asked()
    page = client.get(page_of(question)).content.decode()
    assert "Hur går det till?" in page
    assert "settle/" not in page
    assert client.post(f"{page_of(question)}settle/", {"outcome": "dismissed"}).status_code == 403


def test_who_may_log_can_take_it_into_the_register(as_editor):
    question = asked()
    address = f'href="/staff/rumors/log/question/{question.pk}/"'
    assert address in as_editor.get(page_of(question)).content.decode()
    assert address not in sign_in(person(Role.TRANSLATOR)).get(page_of(question)).content.decode()


def test_the_work_list_shows_answers_to_who_may_approve_them_and_did_not_write_them(editor, as_editor, as_approver):
    proposed(by=editor)
    assert "1 answer waits for approval" in words(as_approver.get("/staff/"))
    assert "waits for approval" not in words(as_editor.get("/staff/"))
    assert "1 answer waits" not in words(sign_in(person(Role.REPORTER, language="en")).get("/staff/"))


# Missing facts ---------------------------------------------------------------------------------------------------


def test_what_people_ask_for_and_no_fact_says_is_counted_by_language(as_editor, editor):
    for language, note in [("ar", "Får jag ha tolk?"), ("so", "får jag ha tolk?"), ("ar", "Får jag ha tolk?")]:
        actions.settle(asked(language=language), outcome=Outcome.MISSING_FACT, note=note, by=editor)
    actions.settle(asked(), outcome=Outcome.MISSING_FACT, note="Vad kostar det?", by=editor)
    actions.settle(asked(), outcome=Outcome.DISMISSED, note="Vad kostar det?", by=editor)
    first, second = Question.objects.missing_facts()
    assert (first.what, first.total, first.by_language) == ("Får jag ha tolk?", 3, [("ar", 2), ("so", 1)])
    assert (second.what, second.total) == ("Vad kostar det?", 1)
    page = words(as_editor.get(f"{INBOX}missing/"))
    assert page.index("Får jag ha tolk?") < page.index("Vad kostar det?")
    assert "2 facts that people ask for are missing" in words(as_editor.get(INBOX))
    # And offered, so that the next one is counted with them.
    assert '<option value="Får jag ha tolk?">' in as_editor.get(page_of(asked())).content.decode()
