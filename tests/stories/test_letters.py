"""A phone without Ethiopic letters, like the machine of these tests, gets ours and shows no boxes."""

import subprocess

import pytest

from tests.stories.conftest import DESK

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fonts_of(open_browser):
    """Which fonts the browser draws the letters of an element with."""

    def ask(page, selector):
        session = page.context.new_cdp_session(page)
        session.send("DOM.enable")
        session.send("CSS.enable")
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
        return {font["familyName"] for font in session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]}

    return ask


@pytest.fixture
def _no_ethiopic_letters():
    if subprocess.run(["fc-list", ":lang=ti"], capture_output=True, check=True).stdout:
        pytest.skip("this machine has Ethiopic letters of its own")


@pytest.mark.usefixtures("_no_ethiopic_letters")
def test_tigrinya_is_drawn_with_our_letters_when_the_phone_has_none(open_browser, fonts_of, example_content):
    page = open_browser(viewport=DESK)
    page.goto("/ti/children/")
    page.evaluate("document.fonts.ready.then(() => 1)")
    for selector in ("h1", "main .links a", ".numbers span", ".exit .button"):
        assert "Noto Sans Ethiopic" in fonts_of(page, selector), selector
    assert "Noto Sans Ethiopic" in fonts_of(page, ".languages a[lang=ti]")


@pytest.mark.usefixtures("_no_ethiopic_letters")
def test_a_page_in_another_language_fetches_the_letters_of_the_names_alone(open_browser, fonts_of, example_content):
    page = open_browser(viewport=DESK)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/sv/", wait_until="networkidle")
    page.evaluate("document.fonts.ready.then(() => 1)")
    assert fonts_of(page, ".languages a[lang=ti]") == {"Noto Sans Ethiopic"}
    assert "Noto Sans Ethiopic" not in fonts_of(page, ".languages a[lang=ar]")
    assert [url.rpartition("/")[2].partition(".")[0] for url in asked if "font" in url] == ["names-ethiopic"]
