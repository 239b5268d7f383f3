"""A small phone, letters of twice the size and the wide spacing of WCAG 1.4.12: nothing scrolls sideways, is cut
or is squeezed to a column of single letters."""

from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from events.actors.models import Actor
from events.models import Event
from portal.accounts.models import Role
from portal.facts.models import Fact
from portal.revisions.models import Revision
from portal.revisions.readers import actions as readers
from portal.revisions.readers.models import Mark
from portal.revisions.readers.rules import address
from rumors import actions
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

SPACING = """
  * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
  p { margin-block-end: 2em !important; }
"""
# What leaves the window or a box that hides or scrolls the rest; fields may.
CUT = """() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const element of document.querySelectorAll("body, body *")) {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (!box.width || element.closest(".unseen, .trap, .skip, input, select, textarea")) continue;
    const leaves = box.left < -1 || box.right > width + 1;
    const cuts = style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
    const words = element.innerText?.trim().slice(0, 60);
    const size = parseFloat(style.fontSize), squeezes = words && box.width < 2 * size && box.height > 4 * size;
    const what = leaves ? "leaves the window" : cuts ? "is cut" : squeezes ? "is squeezed" : "";
    if (what) found.push(`<${element.localName} class="${element.className}"> ${what}: ${words}`);
  }
  return found;
}"""


@pytest.fixture
def fits(browser, live_server, settings):
    """Looks at one page after the other; `by` is who has signed in."""
    settings.PUBLIC_URL = live_server.url
    contexts = []

    def look(*paths, by=None):
        # The site lets no stranger's styles in, so the window has to.
        context = browser.new_context(base_url=live_server.url, viewport={"width": 320, "height": 640}, bypass_csp=True)
        contexts.append(context)
        if by:
            session = sign_in(by).cookies["session"].value
            context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
        page, found = context.new_page(), []
        context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
        for path in paths:
            answer = page.goto(path)
            assert answer.status == (404 if "nowhere" in path else 200), path
            assert page.url == live_server.url + path
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
            for spacing in ("normal", "wide"):
                if spacing == "wide":
                    page.add_style_tag(content=SPACING)
                if scrolls := page.evaluate("document.documentElement.scrollWidth") - 320:
                    found.append(f"{path} ({spacing} spacing) scrolls {scrolls} px sideways")
                found.extend(f"{path} ({spacing} spacing) {what}" for what in page.evaluate(CUT))
        assert not found, "\n".join(found)

    yield look
    for context in contexts:
        context.close()


@pytest.mark.parametrize("code", ["sv", "fi", "ar", "ti"])
def test_a_reader_with_large_letters_reads_every_page_to_its_edges(fits, example_content, code):
    event = Event.objects.get(slug="natforelasning-orosanmalan").slug
    pages = (
        "",
        "parents/",
        "children/",
        "embassies/",
        "facts/ta-mitt-barn/",
        "facts/pengar/",
        "facts/om-jag-berattar/",
        "rumors/",
        "rumors/domstolen-beslutar/",
        "events/",
        f"events/{event}/",
        f"events/{event}/register/",
        "search/?q=barn",
        "search/?q=Familjehemsplaceringsutredningen",
        "tell-us/",
        "tell-us/answer/",
        "accessibility/",
        "privacy/",
        "nowhere/",
    )
    fits(*(f"/{code}/{page}" for page in pages))


def test_staff_with_large_letters_work_on_every_page(fits, example_content):
    """In Swedish, whose words are the long ones."""
    everything = person(*(role for role in Role if role != Role.SECURITY), language="sv")
    fact = Fact.objects.get(slug="ta-mitt-barn").pk
    event = Event.objects.get(slug="natforelasning-orosanmalan").pk
    actor = Actor.objects.get(name="Exempelföreningen Tvärbro")
    claim = "Påståendet: familjehemsplaceringsutredningen är hemlig"
    rumor = actions.log(claim=claim, channel="home_visit", seen_on=timezone.localdate(), by=everything).pk
    fits(
        "/staff/",
        "/staff/facts/",
        f"/staff/facts/{fact}/",
        f"/staff/facts/{fact}/edit/",
        f"/staff/texts/fact/{fact}/ar/",
        "/staff/rumors/",
        "/staff/rumors/log/",
        f"/staff/rumors/{rumor}/",
        f"/staff/rumors/{rumor}/link/",
        "/staff/events/",
        f"/staff/events/{event}/",
        f"/staff/events/{event}/registrations/",
        "/staff/events/actors/",
        actor.get_absolute_url(),
        f"{actor.get_absolute_url()}edit/",
        "/staff/events/actors/helpers/",
        "/staff/questions/",
        "/staff/rumors/dashboard/",
        "/staff/reports/",
        "/staff/reports/?first=2026-05-04&last=2026-05-31&scope=period",
        "/staff/reports/audit/",
        "/staff/contacts/",
        "/staff/profile/",
        "/staff/mfa/",
        by=everything,
    )


@pytest.mark.parametrize("code", ["sv", "ar", "ti"])
def test_a_native_reader_with_large_letters_reads_a_text_and_staff_what_they_say(fits, example_content, code):
    revision = Revision.objects.of(Fact.objects.get(slug="ta-mitt-barn")).get(language=code)
    everything = person(Role.APPROVER, language="sv")
    check = readers.ask(revision, by=everything, days=21, label="familjehemsplaceringsutredningen")
    said = {"number": 1, "sentence": revision.fields["title"], "kind": "offensive", "comment": "x" * 200}
    path = urlsplit(address(check)).path
    fits(path)
    readers.answer(check, is_understood=False, comment="x" * 200, marks=[Mark(field="title", **said)])
    fits(path)
    fits(f"/staff/revisions/{revision.pk}/", f"/staff/revisions/{revision.pk}/readers/", by=everything)


def test_signing_in_with_large_letters(fits):
    fits("/staff/login/", "/staff/password/reset/")


@pytest.mark.parametrize("code", ["sv", "en", "ar", "ti", "ckb"])
def test_the_row_of_languages_shows_whole_names_and_more_shows_all(open_browser, is_accessible, code):
    page = open_browser(java_script_enabled=False)
    page.goto(f"/{code}/")
    links = page.locator(".languages .page > ul a")
    shown = [link for link in links.all() if link.is_visible()]
    assert 2 <= len(shown) < links.count()
    assert code in [link.get_attribute("lang") for link in shown]
    more = page.locator(".languages summary")
    for box in (link.bounding_box() for link in [*shown, more]):
        assert box["y"] == more.bounding_box()["y"]
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 360

    more.click()
    assert all(link.is_visible() for link in page.locator(".languages a").all())
    is_accessible(page)


def test_the_ways_of_staff_are_one_row_on_a_phone_and_more_opens_by_keyboard(open_browser):
    page = open_browser(Role.EDITOR, java_script_enabled=False)
    page.goto("/staff/facts/library/")
    nav = page.locator(".staff-nav")
    assert nav.bounding_box()["height"] < 60
    expect(nav.get_by_role("link", name="How the library is doing")).to_be_hidden()
    nav.get_by_role("link", name="Rumors").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert (focused.inner_text(), focused.get_attribute("aria-current")) == ("How the library is doing", "true")
    expect(focused).to_be_visible()


def test_the_ways_of_staff_are_one_column_on_a_desk(open_browser, is_accessible):
    page = open_browser(Role.EDITOR, viewport={"width": 1280, "height": 800})
    page.goto("/staff/events/")
    nav = page.locator(".staff-nav")
    expect(nav.locator("summary")).to_be_hidden()
    nav.get_by_role("link", name="Rumors").focus()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "How the library is doing"
    boxes = [link.bounding_box() for link in nav.get_by_role("link").all()]
    assert len(boxes) > 7
    assert len({box["x"] for box in boxes}) == 1
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    is_accessible(page)
