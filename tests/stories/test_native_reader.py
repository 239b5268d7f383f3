"""Native speakers without an account read a text on a phone and say what is wrong with it."""

import pytest
from playwright.sync_api import expect

from portal.accounts.models import Role
from portal.facts.models import Fact
from portal.revisions.models import Revision
from portal.revisions.readers.models import ReaderCheck
from tests.stories.conftest import DESK, PHONE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask(open_browser, is_accessible, example_content):
    """A translator makes a link; what the reader gets is in the three lines to send."""

    def asked(language):
        fact = Fact.objects.get(slug="ta-mitt-barn")
        revision = Revision.objects.of(fact).get(language=language)
        desk = open_browser(Role.TRANSLATOR, viewport=DESK)
        desk.goto(f"/staff/revisions/{revision.pk}/")
        desk.get_by_role("link", name="Ask a native reader").click()
        desk.locator("[name=label]").fill("native speaker, association")
        desk.locator("[name=note]").fill("Läs gärna högt.")
        is_accessible(desk)
        desk.locator("main form button").last.click()
        desk.wait_for_url("**/readers/#check-*")
        lines = desk.locator("textarea[readonly]").input_value().splitlines()
        assert len(lines) == 3
        is_accessible(desk)
        return desk, revision, lines[1]

    return asked


def test_a_reader_of_tigrinya_marks_sentences_on_a_phone_without_script(ask, open_browser, is_accessible):
    # Given a link that came by a message
    desk, revision, link = ask("ti")
    phone = open_browser(java_script_enabled=False, locale="ti", viewport=PHONE)
    # When she opens it
    phone.goto(link)
    # Then the page and the text are in her language, the word to her is there, and nothing is stored on her phone
    assert phone.locator("html").get_attribute("lang") == "ti"
    assert "Läs gärna högt." in phone.locator("main .notice").inner_text()
    sentences = phone.locator(".sentences summary")
    assert sentences.count() > 20
    assert any("\u1200" <= letter <= "\u137f" for letter in sentences.first.inner_text())
    assert phone.context.cookies() == []
    # And every sentence is large enough to press
    assert min(box["height"] for box in (s.bounding_box() for s in sentences.all())) >= 44
    is_accessible(phone)

    # When she presses two sentences and says what is the matter, but forgets the question at the end
    sentences.nth(2).click()
    phone.locator("[name=k3][value=wrong]").check()
    phone.locator("[name=c3]").fill("ዳኛ ኣይኮነን")
    sentences.nth(4).click()
    phone.locator("[name=k5][value=unclear]").check()
    phone.locator("main form button").click()
    # Then nothing is lost, and the page says what is missing
    expect(phone.locator(".summary")).to_be_visible()
    assert phone.locator("[name=c3]").input_value() == "ዳኛ ኣይኮነን"
    expect(phone.locator("[name=k5][value=unclear]")).to_be_checked()
    assert not ReaderCheck.objects.filter(answered_at__isnull=False).exists()

    # When she answers it
    phone.locator("[name=is_understood][value=no]").check()
    phone.locator("main form button").click()
    # Then she is thanked and sees what she said
    expect(phone.locator("main [role=status]")).to_be_visible()
    assert "ዳኛ ኣይኮነን" in phone.locator("main dl").inner_text()
    is_accessible(phone)

    # And it stands on the revision, beside its sentence
    desk.goto(f"/staff/revisions/{revision.pk}/")
    assert "0 yes, 1 no" in desk.locator("main").inner_text()
    desk.get_by_role("link", name="Read what they say").click()
    assert "ዳኛ ኣይኮነን" in desk.locator("tr", has_text="Wrong").inner_text()
    is_accessible(desk)

    # When the link is ended
    desk.get_by_text("End the link").first.click()
    desk.get_by_role("button", name="End the link").click()
    # Then the phone is told, and whom to ask
    phone.reload()
    expect(phone.locator("form")).to_have_count(0)
    expect(phone.locator("h1")).to_be_visible()
    [complaint] = open_browser.complaints
    assert "410 (Gone)" in complaint
    open_browser.complaints.clear()


def test_a_reader_of_persian_changes_his_mind(ask, open_browser, is_accessible):
    desk, revision, link = ask("fa")
    phone = open_browser(locale="fa", viewport=PHONE)
    phone.goto(link)
    assert phone.locator("html").get_attribute("dir") == "rtl"
    # Given that he has said that a sentence is offensive
    phone.locator(".sentences summary").nth(1).click()
    phone.locator("[name=k2][value=offensive]").check()
    phone.locator("[name=c2]").fill("لحن بد است")
    is_accessible(phone)
    phone.locator("[name=is_understood][value=no]").check()
    phone.locator("main form button").click()
    phone.locator("main [role=status]").wait_for()
    assert phone.url == link

    # When he opens what he said and takes it back
    phone.locator("main > .page > details > summary").click()
    assert phone.locator("[name=c2]").input_value() == "لحن بد است"
    phone.locator("[name=k2][value='']").check()
    phone.locator("[name=c2]").fill("")
    phone.locator("[name=is_understood][value=yes]").check()
    phone.locator("main form button").click()
    phone.locator("main dl").filter(has_not_text="لحن").first.wait_for()

    # Then only the second answer counts
    check = ReaderCheck.objects.get()
    assert (check.is_understood, check.marks.count()) == (True, 0)
    desk.goto(f"/staff/revisions/{revision.pk}/readers/")
    assert "Answered" in desk.locator("main").inner_text()
    is_accessible(phone)
