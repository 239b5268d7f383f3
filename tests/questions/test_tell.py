"""The public form, the code that its reader keeps, and the page on which it leads to an answer."""

import json
import logging
import math
import re
from datetime import datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal import public, secret_links
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.pages.actions import purge
from portal.questions import actions, rules
from portal.questions.models import Door, Outcome, Question
from tests import factories
from tests.accounts.people import browser, person
from tests.questions.conftest import CODE, FORM, LOOK_UP, asked, look_up, opened, proposed, tell, token_in, told
from tests.test_guard import numbers

pytestmark = pytest.mark.django_db


def main_of(response) -> str:
    return unescape(re.search(r"<main.*</main>", response.content.decode(), re.DOTALL)[0])


# The form --------------------------------------------------------------------------------------------------------


def test_the_form_sets_no_cookie_is_not_stored_and_says_first_where_to_call():
    client = Client(enforce_csrf_checks=True)
    response = client.get(FORM)
    page = main_of(response)
    assert not response.cookies
    assert response["Cache-Control"] == "no-store"
    assert page.index("tel:112") < page.index("tel:116111") < page.index("<form")
    assert f'href="{LOOK_UP}"' in page


def test_what_is_told_lands_in_the_inbox_in_its_language_and_nothing_about_who_it_was():
    client = Client(enforce_csrf_checks=True)
    response = tell(client=client)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert not client.cookies
    question = Question.objects.get()
    assert (question.language, question.door, question.outcome) == ("so", Door.FORM, Outcome.OPEN)
    assert question.settled_by is None
    assert AuditEvent.objects.about(question).get().by is None
    page = main_of(response)
    assert page.index("tel:112") < page.index("<code")


@pytest.mark.parametrize(
    "text",
    [
        "Ring mig 070-123 45 67",
        "اتصل بي ٠٧٠١٢٣٤٥٦٧",
        "anna@example.org såg det",
        "Det hände på Storgatan 12",
        "Det står i ärende 2026-123",
        "0505021239 ring",  # both a valid number and one that can be dialed
        "Barnet 850709-9805 togs",
    ],
)
def test_a_reader_is_asked_to_take_out_what_may_point_at_somebody_and_nothing_typed_is_lost(text):
    response = tell(text)
    page = main_of(response)
    assert response.status_code == 422
    assert page.count(text) == 1
    assert 'aria-describedby="id_text_helptext id_text_error"' in page
    assert 'aria-invalid="true"' in page
    assert re.search(r'class="summary" role="alert" tabindex="-1" autofocus.*?href="#id_text"', page, re.DOTALL)
    assert not Question.objects.exists()


@given(numbers(), st.sampled_from(["{}", "Son {} la qaaday", "رقم {}"]))
def test_every_personal_number_is_refused(number, sentence):
    assert rules  # the form is a plain one: no server is needed
    from portal.questions.forms import TellForm

    assert "text" in TellForm({"text": sentence.format(number)}).errors


def test_public_numbers_may_be_named():
    assert tell("Är 020-50 50 50 eller 112 rätt nummer?").status_code == 200


def test_a_form_that_comes_back_is_the_same_form():
    token = opened()
    refused = tell("Ring 070-123 45 67", token=token)
    assert token_in(refused.content.decode()) == token


def test_a_machine_that_fills_the_trap_is_refused():
    assert tell(website="https://spam.example").status_code == 422
    assert not Question.objects.exists()


def test_what_is_sent_in_no_time_is_shown_again_and_then_taken():
    client = browser()
    token = token_in(client.get(FORM).content.decode())
    first = client.post(FORM, {"token": token, "text": "Ma run baa?"})
    assert first.status_code == 422
    assert "Ma run baa?" in main_of(first)
    assert not Question.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(seconds=public.FAST_SECONDS + 1)):
        again = client.post(FORM, {"token": token_in(first.content.decode()), "text": "Ma run baa?"})
    assert again.status_code == 200
    assert Question.objects.get().text == "Ma run baa?"


def test_an_expired_form_loses_nothing_and_may_be_sent_again_at_once():
    token = opened(ago=timedelta(seconds=public.FORM_SECONDS + 60))
    first = tell("Qoraal dheer", token=token)
    assert first.status_code == 422
    assert "Qoraal dheer" in main_of(first)
    assert not Question.objects.exists()
    assert tell("Qoraal dheer", token=token_in(first.content.decode())).status_code == 200
    assert Question.objects.count() == 1


def test_too_many_from_one_address_lose_nothing_either():
    client = browser()
    for number in range(120):
        assert tell(f"Su'aal {number}a", client=client).status_code == 200
    last = tell("Su'aal kale", client=client)
    assert last.status_code == 429
    assert "Su'aal kale" in main_of(last)
    assert Question.objects.count() == 120


def test_a_double_submit_makes_one_question_and_shows_one_code():
    token = opened()
    codes = {CODE.search(tell(token=token).content.decode())[0] for _ in range(2)}
    assert len(codes) == 1
    assert Question.objects.count() == 1


def test_another_text_from_the_same_form_after_the_back_button_is_not_lost():
    token = opened()
    codes = {CODE.search(tell(text, token=token).content.decode())[0] for text in ("Horay", "Dambe")}
    assert len(codes) == 2
    assert set(Question.objects.values_list("text", flat=True)) == {"Horay", "Dambe"}


# The code --------------------------------------------------------------------------------------------------------


def test_a_code_has_sixty_bits_and_no_letter_that_looks_like_another():
    assert secret_links.GROUPS * secret_links.GROUP * math.log2(len(secret_links.LETTERS)) >= 60
    assert len(set(secret_links.LETTERS)) == len(secret_links.LETTERS)
    for alike in ("0OQD", "1IL", "2Z", "5S", "8B", "6G", "UVW"):
        assert len(set(secret_links.LETTERS) & set(alike)) <= 1, alike


@given(st.uuids(), st.uuids())
def test_codes_differ_and_only_their_form_makes_them(first, second):
    assert CODE.fullmatch(rules.code_of(first))
    assert (rules.code_of(first) == rules.code_of(second)) == (first == second)


@given(st.uuids(), st.sampled_from(["", " ", "-", " - ", "\u200f", "–", "."]), st.booleans())
def test_a_code_is_found_however_it_is_typed(form_id, joint, is_small):
    code = rules.code_of(form_id)
    typed = code.replace("-", joint)
    assert rules.hash_of(f" {typed.lower() if is_small else typed} ") == rules.hash_of(code)
    assert rules.hash_of(code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))) == rules.hash_of(code)
    assert rules.hash_of(code.translate(str.maketrans("CHKMPTXY", "СНКМРТХУ"))) == rules.hash_of(code)


def test_a_code_is_kept_as_a_hash_and_told_to_nobody_but_its_reader(caplog):
    with caplog.at_level(logging.DEBUG):
        question, code = told()
        look_up(code)
    kept = json.dumps(list(Question.objects.values()) + list(AuditEvent.objects.values()), default=str)
    for secret in (code, code.replace("-", "")):
        assert secret not in kept
        assert secret not in caplog.text
    assert question.code_hash == rules.hash_of(code)


def test_what_staff_write_down_has_no_code():
    assert asked().code_hash is None


def test_a_code_is_looked_up_by_post_on_a_page_that_is_not_stored_and_stands_in_no_address():
    _question, code = told()
    assert browser().get(f"{LOOK_UP}?code={code}").status_code == 200
    assert "wali" not in main_of(browser().get(f"{LOOK_UP}?code={code}"))
    answer = look_up(code)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert code not in answer.content.decode()
    assert not answer.cookies


@pytest.mark.parametrize("code", ["", "x", "VXY34-679CD-FHJKM", "0" * 100, "' OR 1=1", "٣" * 15, "\u202e", "🦊"])
def test_a_wrong_code_is_answered_beside_its_field(code):
    told()
    response = look_up(code)
    page = main_of(response)
    assert response.status_code == 422
    assert 'href="#id_code"' in page
    assert "Ma run baa" not in page


def test_wrong_codes_cost_the_same_queries_as_right_ones(django_assert_num_queries):
    question, code = told()
    for typed in (code, "VXY34-679CD-FHJKM", "nonsense"):
        token = opened(LOOK_UP)
        with django_assert_num_queries(1):
            browser().post(LOOK_UP, {"token": token, "code": typed})
    assert question.is_open


def test_wrong_codes_are_limited_and_what_was_typed_stays():
    _question, code = told()
    client = browser()
    for _ in range(120):
        assert look_up("VXY34-679CD-FHJKM", client=client).status_code == 422
    last = look_up(code, client=client)
    assert last.status_code == 429
    assert code in main_of(last)
    assert look_up(code).status_code == 200  # from elsewhere


def test_a_look_up_from_another_site_or_with_an_old_form_shows_nothing():
    _question, code = told()
    sent = {"token": opened(LOOK_UP), "code": code}
    assert browser().post(LOOK_UP, sent, headers={"origin": "https://evil.example"}).status_code == 403
    for token in ("", public.form_token("tell-us"), signing.dumps(["tell-us-answer", uuid4().hex])):
        late = browser().post(LOOK_UP, sent | {"token": token})
        assert late.status_code == 422
        assert code in main_of(late)


def test_a_code_expires_and_its_hash_and_the_text_are_deleted():
    question, code = told()
    later = timezone.now() + Question.CODE_KEEP + timedelta(days=1, minutes=1)
    with time_machine.travel(later, tick=False):
        assert look_up(code).status_code == 422
        purge(now=later)
    question.refresh_from_db()
    assert question.code_hash is None
    purge(now=timezone.now() + Question.KEEP + timedelta(minutes=1))
    assert not Question.objects.exists()


@pytest.mark.parametrize(
    ("asked_at", "last", "first_without"),
    [
        # Already the next day in Sweden, and a clock change before the last one.
        ("2026-05-03T23:30:00Z", "2026-10-31T22:59:00Z", "2026-10-31T23:00:00Z"),
        ("2026-05-03T06:00:00Z", "2026-10-30T22:59:00Z", "2026-10-30T23:00:00Z"),
        ("2026-01-10T06:00:00Z", "2026-07-09T21:59:00Z", "2026-07-09T22:00:00Z"),
    ],
)
def test_a_code_works_to_the_end_of_the_day_that_is_named(asked_at, last, first_without):
    with time_machine.travel(asked_at, tick=False):
        question = actions.ask(text="Hur?", language="sv", door=Door.FORM, form_id=uuid4(), has_code=True)
    last, first_without = datetime.fromisoformat(last), datetime.fromisoformat(first_without)
    assert question.code_works_until == timezone.localdate(last)
    for now, works in ((last, True), (first_without, False)):
        assert Question.objects.with_code(question.code_hash, now).exists() == works
        assert Question.objects.with_expired_code(now).exists() != works


# What the reader sees --------------------------------------------------------------------------------------------


def seen_with(code: str, path: str = "/en/tell-us/answer/") -> str:
    response = look_up(code, path=path)
    assert response.status_code == 200
    return main_of(response)


def test_while_it_waits_and_while_an_answer_waits_for_approval_it_is_not_there_yet():
    question, code = told()
    assert "The answer is not here yet" in seen_with(code)
    proposed(question, answer="Hemligt utkast")
    page = seen_with(code)
    assert "The answer is not here yet" in page
    assert "Hemligt utkast" not in page


def test_an_approved_answer_is_read_in_its_own_language_with_numbers_the_right_way_round():
    question, code = told()
    held = actions.settle(question, outcome=Outcome.ANSWERED, answer="Maya <b>.</b> 2026-05-01", by=person(Role.EDITOR))
    actions.approve(held, by=person(Role.APPROVER), version=held.version)
    response = look_up(code, path="/ar/tell-us/answer/")
    html = response.content.decode()
    assert re.search(r'<div class="text"\s+lang="so"\s+dir="ltr">', html)
    assert "&lt;b&gt;" in html
    assert "Ma run baa in carruurta" not in html  # the answer, and nothing else
    assert "tel:112" in html


def test_a_fact_as_the_answer_is_linked_in_the_readers_language():
    fact = factories.published_fact("so")
    question, code = told()
    actions.settle(question, outcome=Outcome.ANSWERED, fact=fact, by=person(Role.EDITOR))
    page = seen_with(code, "/so/tell-us/answer/")
    assert f'href="/so/facts/{fact.slug}/"' in page
    assert "Fråga so?" in page
    assert "Fråga sv?" in seen_with(code, "/ti/tell-us/answer/")


def test_a_fact_that_was_withdrawn_since_is_not_linked():
    from portal.revisions import actions as revisions

    fact = factories.published_fact("so")
    question, code = told()
    actions.settle(question, outcome=Outcome.ANSWERED, fact=fact, by=person(Role.EDITOR))
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert "The answer is not here yet" in seen_with(code)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.DISMISSED, "Thank you for telling us"),
        (Outcome.MISSING_FACT, "we know that it is missing"),
        (Outcome.SIGHTING, "What you told us has arrived"),
    ],
)
def test_what_else_became_of_it_is_said_kindly_and_the_note_to_no_reader(outcome, said):
    question, code = told()
    actions.settle(question, outcome=outcome, note="R-2026-0007", by=person(Role.EDITOR))
    page = seen_with(code)
    assert said in page
    assert "R-2026-0007" not in page
    assert "tel:112" in page


def test_who_told_of_a_known_rumor_gets_the_answer_that_there_is_already():
    fact = factories.published_fact("so")
    question, code = told()
    actions.settle(question, outcome=Outcome.SIGHTING, note="R-2026-0007", fact=fact, by=person(Role.REPORTER))
    page = seen_with(code, "/so/tell-us/answer/")
    assert f'href="/so/facts/{fact.slug}/"' in page
    assert "Fråga so?" in page
    assert "R-2026-0007" not in page


def test_who_told_of_a_rumor_before_there_was_an_answer_gets_it_when_it_comes():
    facts = [factories.published_fact(), factories.published_fact()]
    (question, code), (other, _code), (secret, _also) = told("Ett?"), told("Två?"), told("Tre?")
    by = person(Role.EDITOR)
    actions.settle(question, outcome=Outcome.SIGHTING, note="R-2026-0007", by=by)
    actions.settle(other, outcome=Outcome.SIGHTING, note="R-2026-0007", fact=facts[1], by=by)
    actions.settle(secret, outcome=Outcome.SIGHTING, note="R-2026-0007", is_secret=True, by=by)
    assert "has arrived" in seen_with(code)
    assert actions.point(to=facts[0], numbers=["R-2026-0007"]) == 1
    assert facts[0].slug in seen_with(code)
    assert set(Question.objects.values_list("text", "fact")) == {
        ("Ett?", facts[0].pk),
        ("Två?", facts[1].pk),
        ("Tre?", None),
    }
