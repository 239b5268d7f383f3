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
from portal.search.models import MissedSearch
from tests import factories
from tests.accounts.people import person, sign_in
from tests.overtaken import overtaken
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
        ({"outcome": "dismissed", "answer": "Nej.", "answer_language": "sv"}, "answer"),
        ({"outcome": "missing_fact", "note": "Tolk", "answer": "Nej.", "answer_language": "sv"}, "answer"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_settled(as_editor, sent, wrong):
    question = asked(has_code=True)
    response = as_editor.post(f"{page_of(question)}settle/", sent)
    assert response.status_code == 422
    assert wrong in response.context["form"].errors
    assert sent.get("answer", "") in unescape(response.content.decode())
    question.refresh_from_db()
    assert question.is_open


def test_a_fact_that_was_chosen_is_not_thrown_away_unseen(as_editor):
    question, fact = asked(), factories.published_fact()
    response = as_editor.post(f"{page_of(question)}settle/", {"outcome": "dismissed", "fact": fact.pk})
    assert "take the fact out" in words(response)
    question.refresh_from_db()
    assert question.is_open


def test_words_are_written_only_where_somebody_has_a_code_to_read_them_with(as_editor, as_approver):
    without = asked()
    page = as_editor.get(page_of(without)).content.decode()
    assert 'name="fact"' in page
    assert 'name="answer"' not in page
    assert "or in words" not in page
    refused = as_editor.post(f"{page_of(without)}settle/", {"outcome": "answered"})
    assert "Choose the fact that answers it." in words(refused)
    assert 'name="answer"' in as_editor.get(page_of(asked(has_code=True))).content.decode()

    # The code was too old before somebody came to approve: what was written can be mended, and nothing is promised.
    question = proposed()
    Question.objects.update(code_hash=None)
    assert "whoever has the code" not in words(as_approver.get(page_of(question)))
    approved = as_approver.post(f"{page_of(question)}approve/", {"version": question.version}, follow=True)
    assert "Nobody has a code for it" in words(approved)
    question.refresh_from_db()
    actions.reopen(question, by=person(Role.EDITOR), version=question.version)
    assert 'name="answer"' in as_editor.get(page_of(question)).content.decode()


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
    actions.reopen(question, by=approver, version=question.version)
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
    as_approver.post(f"{page_of(question)}reopen/", {"version": question.version})
    question.refresh_from_db()
    assert (question.outcome, question.answer, question.settled_by) == (Outcome.OPEN, "Nästan rätt.", None)
    assert "Nästan rätt." in as_editor.get(page_of(question)).content.decode()


@pytest.mark.parametrize(
    ("outcome", "note", "kept"),
    [
        (Outcome.SIGHTING, "R-2026-0001", ""),
        (Outcome.MISSING_FACT, "Får jag ha tolk?", "Får jag ha tolk?"),
        (Outcome.DISMISSED, "Ringde henne", "Ringde henne"),
    ],
)
def test_settling_can_be_undone_and_the_note_waits_to_be_mended(as_editor, outcome, note, kept):
    question = actions.settle(asked(), outcome=outcome, note=note, by=person(Role.REPORTER))
    version = re.search(r'name="version" value="([^"]+)"', as_editor.get(page_of(question)).content.decode())[1]
    as_editor.post(f"{page_of(question)}reopen/", {"version": version})
    question.refresh_from_db()
    assert (question.outcome, question.outcome_note, question.settled_at) == (Outcome.OPEN, kept, None)
    assert as_editor.get(page_of(question)).context["form"]["note"].value() == kept
    assert AuditEvent.objects.about(question).filter(verb="reopen").count() == 1


def test_nobody_takes_back_what_they_have_not_seen(as_editor):
    question = proposed()
    seen = question.version
    approved = actions.approve(question, by=person(Role.APPROVER), version=seen)
    response = as_editor.post(f"{page_of(question)}reopen/", {"version": seen}, follow=True)
    assert "Somebody was faster. The question is now: Answered." in words(response)
    question.refresh_from_db()
    assert (question.is_answered, question.version) == (True, approved.version)


def test_an_approved_answer_that_is_taken_back_is_read_by_nobody():
    question = proposed()
    question = actions.approve(question, by=person(Role.APPROVER), version=question.version)
    reopened = actions.reopen(question, by=person(Role.EDITOR), version=question.version)
    assert (reopened.outcome, reopened.approved_by) == (Outcome.OPEN, None)


def test_somebody_who_was_slower_is_told_and_loses_nothing_typed(as_editor):
    question = asked(has_code=True)
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


@pytest.mark.django_db(transaction=True)
def test_what_two_make_a_question_of_at_once_is_one_question():
    MissedSearch.objects.create(language="sv", term="barnbidrag", day=timezone.localdate(), count=2)
    faster, slower = sign_in(person(Role.EDITOR)), sign_in(person(Role.REPORTER))
    sent = {"term": "barnbidrag", "language": "sv"}

    def press(client):
        assert client.post(f"{INBOX}missed/", sent).status_code == 302

    overtaken(lambda: press(faster), lambda: press(slower))
    assert Question.objects.get().text == "barnbidrag"


def test_the_way_back_from_a_filter_says_where_it_leads(as_editor):
    assert "Show what waits" not in words(as_editor.get(INBOX))
    page = words(as_editor.get(f"{INBOX}?outcome="))
    assert "Show what waits" in page
    assert "Show all" not in page


# What became a secret rumor or a threat --------------------------------------------------------------------------

MARKER = "Zebra säger något farligt"


@pytest.mark.parametrize(
    ("roles", "sees"),
    [
        ((Role.REPORTER,), False),
        ((Role.EDITOR,), False),
        ((Role.SECURITY,), True),
        ((Role.EDITOR, Role.SECURITY), True),
    ],
)
@pytest.mark.parametrize("was", ["settled", "taken back"])
def test_what_became_secret_is_read_by_the_security_role_alone(roles, sees, was):
    question = asked(MARKER)
    values = {"outcome": Outcome.SIGHTING, "note": "R-2026-0099", "fact": factories.published_fact()}
    both = person(Role.EDITOR, Role.SECURITY)
    question = actions.settle(question, is_secret=True, by=both, **values)
    assert (question.outcome_note, question.fact) == ("", None)
    if was == "taken back":
        actions.reopen(question, by=both, version=question.version)
    client = sign_in(person(*roles, language="en"))
    for path in (INBOX, f"{INBOX}?outcome=", f"{INBOX}missing/", page_of(question), "/staff/"):
        page = words(client.get(path))
        assert "R-2026-0099" not in page
        assert sees or MARKER not in page
        assert sees or "1 question waits" not in page
    page = client.get(f"{INBOX}?outcome=").content.decode()
    assert (page_of(question) in page) == sees
    assert MARKER not in page  # every reading is told: the list shows no words of it
    read = AuditEvent.objects.about(question).filter(verb="read")
    before = read.count()
    page = words(client.get(page_of(question)))
    assert read.count() - before == sees
    assert (MARKER in page) == sees
    assert ("It has been handed to the security role." in page) != sees


def test_nobody_decides_on_what_they_may_not_read(as_editor, as_approver):
    both = person(Role.EDITOR, Role.SECURITY)
    question = actions.settle(asked(MARKER), outcome=Outcome.SIGHTING, is_secret=True, by=both)
    response = as_editor.post(f"{page_of(question)}reopen/", {"version": question.version}, follow=True)
    assert "It has been handed to the security role." in words(response)
    actions.reopen(question, by=both, version=question.version)
    refused = as_editor.post(f"{page_of(question)}settle/", {"outcome": "dismissed", "note": "Mina ord"})
    assert MARKER not in words(refused)
    assert "Mina ord" in words(refused)
    with pytest.raises(ValidationError):
        actions.approve(proposed(question, by=both), by=person(Role.APPROVER), version=question.version)
    question.refresh_from_db()
    # Once secret it stays so, whatever becomes of it.
    assert (question.outcome, question.is_secret) == (Outcome.PROPOSED, True)


def test_a_search_that_became_secret_is_not_told_as_a_search(as_editor):
    MissedSearch.objects.create(language="sv", term="zebrahot", day=timezone.localdate(), count=2)
    as_editor.post(f"{INBOX}missed/", {"term": "\0", "language": "\0"})
    as_editor.post(f"{INBOX}missed/", {"term": "zebrahot", "language": "sv"})
    actions.settle(Question.objects.get(), outcome=Outcome.SIGHTING, is_secret=True, by=person(Role.SECURITY))
    assert "zebrahot" not in words(as_editor.get(f"{INBOX}?outcome="))


def test_when_a_rumor_becomes_secret_so_does_what_people_told_of_it(editor):
    questions = [
        actions.settle(asked(f"{number}?"), outcome=Outcome.SIGHTING, note=f"R-2026-000{number}", by=editor)
        for number in (1, 2)
    ]
    actions.restrict(numbers=["R-2026-0001"], by=person(Role.SECURITY))
    for question in questions:
        question.refresh_from_db()
    assert [(each.is_secret, each.outcome_note) for each in questions] == [(True, ""), (False, "R-2026-0002")]
    assert AuditEvent.objects.about(questions[0]).filter(verb="restrict").count() == 1
