"""A real browser on a running site. Each story ends with an accessibility check of the page it ends on."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.accounts.people import person, sign_in

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# In milliseconds: what a slow machine needs to draw a page.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def open_browser(browser, live_server, settings):
    """A window of its own for each person in a story; complaints of the page fail the story."""
    settings.PUBLIC_URL = live_server.url
    contexts, complaints = [], []

    def said(message):
        # Chromium asks for an icon on pages that are no HTML; 422 is the answer to a form that has to be mended,
        # and a story may pull out the plug.
        expected = "status of 422" in message.text or "ERR_INTERNET_DISCONNECTED" in message.text
        is_harmless = message.location["url"].endswith("/favicon.ico") or expected
        if message.type == "error" and not is_harmless:
            complaints.append(f"{message.text} {message.location['url']}")

    def leaves(url):
        if not url.startswith((live_server.url, "data:")):
            complaints.append(f"asked another host: {url}")

    def opened(*roles, viewport=PHONE, **options):
        context = browser.new_context(base_url=live_server.url, viewport=viewport, **options)
        contexts.append(context)
        if roles:
            client = sign_in(person(*roles, language="en"))
            cookie = client.cookies["session"]
            context.add_cookies([{"name": "session", "value": cookie.value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.runs_script = options.get("java_script_enabled", True)
        page.on("console", said)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: leaves(request.url))
        return page

    opened.complaints = complaints
    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def is_accessible(open_browser):
    """axe finds nothing and nothing scrolls sideways. A page without script is looked at in a window that has it."""

    def check(page):
        if not page.runs_script:
            with_script = open_browser(viewport=page.viewport_size)
            with_script.goto(page.url)
            page = with_script
        found = Axe().run(page, options={"runOnly": RULES})
        assert found.violations_count == 0, found.generate_report()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], "the page scrolls sideways"

    return check
