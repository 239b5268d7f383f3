"""What people ask at visits, or when they register, is triaged like all other questions."""

from uuid import uuid4

import pytest
from django.urls import reverse

from events.outreach.actions import Said
from portal.accounts.models import Role
from portal.questions import actions as questions
from portal.questions.models import Door, Outcome, Question
from rumors.models import Sighting
from tests import factories
from tests.accounts.people import person, sign_in
from tests.outreach.conftest import visit
from tests.questions.conftest import asked
from tests.rumors.conftest import log
from tests.rumors.test_log import form

pytestmark = pytest.mark.django_db
LIST = "/staff/events/outreach/"
TEXT = "Stämmer det att socialen tar barnen om natten?"


@pytest.fixture
def question():
    visit("Föreningen Bron", asked=[Said(TEXT, "sv")])
    return Question.objects.get()


def test_a_question_of_a_visit_is_on_the_work_list_until_it_is_settled(question):
    client = sign_in(person(Role.EVENTS))
    assert TEXT in client.get(LIST).content.decode()
    assert TEXT in client.get("/staff/questions/?door=outreach&outcome=open").content.decode()
    fact = factories.published_fact()
    questions.settle(question, outcome=Outcome.ANSWERED, fact=fact, by=person(Role.EDITOR))
    assert TEXT not in client.get(LIST).content.decode()
    page = client.get(reverse("outreach_session", args=[question.asked.session_id])).content.decode()
    assert TEXT in page
    assert "Fråga sv?" in page


@pytest.mark.parametrize("door", [Door.OUTREACH, Door.REGISTRATION])
def test_the_register_makes_a_sighting_of_it_and_the_person_says_where(door):
    question, rumor = asked(TEXT, door=door), log()
    client = sign_in(person(Role.REPORTER))
    url = reverse("log_from_question", args=[question.pk])
    page = client.get(url)
    assert page.context["form"].initial["channel"] == ""
    assert page.context["form"].initial["original"] == TEXT
    sent = form(original=TEXT, original_language="sv", channel="sfi", same=str(rumor.pk), form_id=str(uuid4()))
    client.post(url, sent)
    question.refresh_from_db()
    assert question.outcome == Outcome.SIGHTING
    assert Sighting.objects.filter(rumor=rumor, channel="sfi", original=TEXT).count() == 1


def test_the_public_form_still_is_a_website():
    question = asked(TEXT, door=Door.FORM)
    page = sign_in(person(Role.REPORTER)).get(reverse("log_from_question", args=[question.pk]))
    assert page.context["form"].initial["channel"] == "web"


def test_what_became_a_secret_is_not_told_on_the_page_of_the_visit(question):
    questions.settle(question, outcome=Outcome.SIGHTING, is_secret=True, by=person(Role.SECURITY))
    url = reverse("outreach_session", args=[question.asked.session_id])
    assert TEXT not in sign_in(person(Role.EVENTS)).get(url).content.decode()
    assert TEXT in sign_in(person(Role.SECURITY)).get(url).content.decode()


def test_a_secret_that_waits_again_is_on_the_list_of_the_security_role_alone(question):
    settled = questions.settle(question, outcome=Outcome.SIGHTING, is_secret=True, by=person(Role.SECURITY))
    questions.reopen(settled, by=person(Role.SECURITY), version=settled.version)
    assert TEXT not in sign_in(person(Role.EVENTS)).get(LIST).content.decode()
    assert TEXT in sign_in(person(Role.SECURITY)).get(LIST).content.decode()


def test_the_page_of_a_question_leads_to_its_visit(question):
    page = sign_in(person(Role.EVENTS)).get(reverse("staff_question", args=[question.pk])).content.decode()
    assert reverse("outreach_session", args=[question.asked.session_id]) in page
