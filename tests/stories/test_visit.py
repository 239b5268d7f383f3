"""A visit, written down on a phone in a stairwell, and what becomes of the questions that were asked there."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from events.attendance.models import Band
from events.outreach.models import Draft, SafetyNote, Session
from portal.accounts.models import Role, User
from portal.questions.models import Outcome, Question
from rumors.models import Rumor, Sighting
from tests import factories
from tests.accounts.people import sign_in
from tests.rumors.conftest import log, published
from tests.stories.conftest import DESK

pytestmark = pytest.mark.django_db(transaction=True)

RUMOR = "Det sägs att socialen hämtar barn på natten"
QUESTIONS = [
    "Stämmer det att socialen hämtar barn på natten?",
    "Får jag ha med en tolk till mötet?",
    "Vem bestämmer om mitt barn ska få byta skola?",
]
SAVED = re.compile(r"/outreach/\d+/$")
NOTE = "Någon filmade oss i trappan"


def sign_in_again(phone, worker: User) -> None:
    """In another tab: the session is a new one, and so is the token of every form."""
    url = phone.url.partition("/staff/")[0]
    client = sign_in(worker)
    client.get("/staff/")
    cookies = {name: client.cookies[name].value for name in ("session", "csrf") if name in client.cookies}
    phone.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])


def test_a_field_worker_loses_nothing_typed_and_the_questions_are_settled_one_by_one(open_browser, is_accessible):
    known = log(claim=RUMOR)
    published(rumor=known)
    fact = factories.published_fact()
    # Given a field worker with a phone, after a visit to an association
    phone = open_browser(Role.REPORTER)
    worker = User.objects.latest("pk")
    phone.goto("/staff/events/outreach/")
    is_accessible(phone)
    phone.get_by_role("link", name="Log a visit").click()
    is_accessible(phone)
    status = phone.locator("[data-log-status]")
    # When they write down whom they visited, and the phone is closed
    phone.locator("[name=host]").fill("Föreningen Bron")
    phone.locator("[name=questions_1]").fill(QUESTIONS[0])
    status.filter(has_text="saved for you").wait_for()
    assert Draft.objects.get().owner == worker
    phone.goto("about:blank")
    # Then it is offered when the form is opened again
    phone.goto("/staff/events/outreach/log/")
    is_accessible(phone)
    phone.get_by_role("link", name="Föreningen Bron").click()
    assert phone.locator("[name=questions_1]").input_value() == QUESTIONS[0]

    # When they write on, and the session ends meanwhile
    phone.locator("[name=questions_1]").fill("\n".join(QUESTIONS))
    phone.get_by_label("25–49").check()
    phone.locator("[name=spoken][value=sv]").check()
    phone.locator("[name=spoken][value=so]").check()
    phone.get_by_text("More, if you have time").click()
    phone.locator("[name=groups][value=parents]").check()
    phone.locator("[name=safety_note]").fill(NOTE)
    phone.context.clear_cookies()
    phone.locator("[name=follow_up]").fill("Ta med blad på somaliska.")
    status.filter(has_text="You are signed out").wait_for()
    assert phone.locator("[name=questions_1]").input_value() == "\n".join(QUESTIONS)
    is_accessible(phone)
    # And they press the button all the same, sign in in another tab, and send it again
    phone.get_by_role("button", name="Save the visit").click()
    phone.get_by_role("heading", name="What you wrote is still here").wait_for()
    is_accessible(phone)
    assert not Session.objects.exists()
    sign_in_again(phone, worker)
    phone.get_by_role("button", name="Send again").click()
    phone.get_by_text("You have signed in since the page was opened").wait_for()
    phone.get_by_role("button", name="Send again").click()
    # Then it is saved once, with every question, and the draft is gone
    phone.wait_for_url(SAVED)
    is_accessible(phone)
    session = Session.objects.get()
    assert not Draft.objects.exists()
    assert [asked.question.text for asked in session.asked.in_order()] == QUESTIONS
    event = session.event
    assert (session.host, event.spoken, event.groups) == ("Föreningen Bron", ["sv", "so"], ["parents"])
    assert (session.heads, list(event.team.all())) == (str(Band.CLASS.label), [worker])
    assert (session.follow_up, SafetyNote.objects.get().text) == ("Ta med blad på somaliska.", NOTE)

    # And who may not read what was not safe does not, not even whoever wrote it
    assert NOTE not in phone.content()
    expect(phone.get_by_role("link", name="Safety note")).to_have_count(0)
    refused = phone.goto(f"/staff/events/outreach/{session.pk}/safety/")
    assert refused.status == 403
    assert NOTE not in phone.content()
    security = open_browser(Role.SECURITY)
    security.goto(session.get_absolute_url())
    assert NOTE not in security.content()
    security.get_by_role("link", name="Safety note").click()
    assert security.locator("[name=text]").input_value() == NOTE
    is_accessible(security)

    # When triage finds the three in the work list
    desk = open_browser(Role.EDITOR, viewport=DESK)
    desk.goto("/staff/events/outreach/")
    waiting = desk.locator("main ul.links").first
    assert [words in waiting.inner_text() for words in QUESTIONS] == [True, True, True]
    is_accessible(desk)
    # And makes a sighting of the first, which is a rumor that is known
    waiting.get_by_role("link", name=QUESTIONS[0]).click()
    is_accessible(desk)
    desk.get_by_role("link", name="It is one: add it to the register").click()
    assert desk.locator("[name=original]").input_value() == QUESTIONS[0]
    desk.locator("[name=claim]").fill(RUMOR)
    desk.locator("[name=channel]").select_option("home_visit")
    desk.get_by_role("button", name="This is it").click()
    desk.wait_for_url(f"**/rumors/{known.pk}/logged/")
    assert Rumor.objects.count() == 1
    assert Sighting.objects.filter(rumor=known, original=QUESTIONS[0]).count() == 1
    # And answers the second by a fact
    desk.goto("/staff/events/outreach/")
    desk.get_by_role("link", name=QUESTIONS[1]).click()
    desk.locator("[name=outcome][value=answered]").check()
    desk.locator("[name=fact]").select_option(str(fact.pk))
    desk.get_by_role("button", name="Settle").click()
    desk.wait_for_load_state()
    # Then the third stays on the list alone
    desk.goto("/staff/events/outreach/")
    assert [words in waiting.inner_text() for words in QUESTIONS] == [False, False, True]
    outcomes = dict(Question.objects.values_list("text", "outcome"))
    assert [outcomes[words] for words in QUESTIONS] == [Outcome.SIGHTING, Outcome.ANSWERED, Outcome.OPEN]
    # And whoever was there sees on the page of the visit what became of each
    phone.goto(reverse("outreach_session", args=[session.pk]))
    assert "Fråga sv?" in phone.locator("main ol").inner_text()
    is_accessible(phone)
    # The messages of a browser that was refused on purpose
    open_browser.complaints[:] = [said for said in open_browser.complaints if "status of 403" not in said]


def test_a_visit_that_is_sent_in_a_cellar_is_saved_when_there_is_a_connection(open_browser):
    phone = open_browser(Role.REPORTER)
    phone.goto("/staff/events/outreach/log/")
    status = phone.locator("[data-log-status]")
    phone.locator("[name=host]").fill("Föreningen Bron")
    phone.get_by_label("10–24").check()
    phone.locator("[name=spoken][value=sv]").check()
    status.filter(has_text="saved for you").wait_for()
    # When the connection goes while they write
    phone.context.set_offline(True)
    phone.locator("[name=questions_1]").fill("\n".join(QUESTIONS))
    status.filter(has_text="No connection").wait_for()
    phone.get_by_role("button", name="Save the visit").click()
    status.filter(has_text="sent as soon as there is one").wait_for()
    assert phone.locator("[name=questions_1]").input_value() == "\n".join(QUESTIONS)
    assert not Session.objects.exists()
    # Then it is sent when there is one
    phone.context.set_offline(False)
    phone.wait_for_url(SAVED)
    assert [asked.question.text for asked in Session.objects.get().asked.in_order()] == QUESTIONS
    assert not Draft.objects.exists()
