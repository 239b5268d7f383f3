"""A child, maybe watched, leaves the page at once."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere(settings, live_server):
    """The neutral site; our own health page stands in for it, since a test goes nowhere else."""
    settings.QUICK_EXIT_URL = f"{live_server.url}/healthz"
    return settings.QUICK_EXIT_URL


def test_a_child_reads_and_leaves_with_one_press(open_browser, is_accessible, example_content, elsewhere):
    # Given a child on the page about telling
    page = open_browser()
    page.goto("/sv/children/")
    page.locator("main .links a").first.click()
    page.wait_for_url("**/sv/facts/om-jag-berattar/")
    assert page.title() == "Information"
    # Then the crisis numbers come first, and the exit is in reach of the thumb
    first = page.locator("main a").first
    assert first.get_attribute("href") == "tel:112"
    exit_link = page.locator("[data-exit] a")
    assert exit_link.bounding_box()["y"] + exit_link.bounding_box()["height"] <= 740
    is_accessible(page)

    # When the child presses it
    exit_link.click()
    page.wait_for_url(elsewhere)
    # Then the page is not behind the browser's back button
    page.go_back()
    assert "om-jag-berattar" not in page.url


def test_three_times_shift_leaves_and_says_how_many_are_left(open_browser, example_content, elsewhere):
    page = open_browser()
    page.goto("/en/facts/om-jag-berattar/")
    status = page.locator("[data-exit-status]")
    page.keyboard.press("Shift")
    assert "two" in status.inner_text()
    page.keyboard.press("Shift")
    assert "once" in status.inner_text()
    page.keyboard.press("Shift")
    page.wait_for_url(elsewhere)


def test_shift_counts_for_five_seconds(open_browser, example_content, elsewhere):
    page = open_browser()
    page.clock.install()
    page.goto("/en/facts/om-jag-berattar/")
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    page.clock.fast_forward(5_100)
    page.keyboard.press("Shift")
    assert "two" in page.locator("[data-exit-status]").inner_text()
    assert "om-jag-berattar" in page.url


def test_the_page_is_blank_at_once(open_browser, example_content, elsewhere):
    page = open_browser()
    page.goto("/sv/facts/om-jag-berattar/")
    # Within the press itself, before the other site can have answered.
    seen = page.evaluate("""() => {
      document.querySelector("[data-exit] a").click();
      return [getComputedStyle(document.body).visibility, document.title];
    }""")
    assert seen == ["hidden", ""]
    page.wait_for_url(elsewhere)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["sv", "ar", "ti"])
def test_the_exit_is_in_reach_wherever_the_child_reads(open_browser, is_accessible, example_content, language, scheme):
    page = open_browser(color_scheme=scheme)
    for path in ("children/", "facts/om-jag-berattar/"):
        page.goto(f"/{language}/{path}")
        link = page.locator("[data-exit] a")
        for place in ("0", "document.body.scrollHeight / 2"):
            page.evaluate(f"scrollTo(0, {place})")
            box = link.bounding_box()
            # In the lower half, where a thumb is, and as high as a thumb is wide.
            assert 370 < box["y"] <= 740 - box["height"]
            assert box["height"] >= 44
            assert page.evaluate(
                "([x, y]) => !!document.elementFromPoint(x, y).closest('[data-exit] a')",
                [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2],
            )
        is_accessible(page)


def test_typing_capital_letters_does_not_leave(open_browser, example_content, elsewhere):
    page = open_browser()
    page.goto("/en/facts/om-jag-berattar/")
    for letter in "ABC":
        page.keyboard.press(f"Shift+{letter}")
    assert page.locator("[data-exit-status]").inner_text() == ""
    assert "om-jag-berattar" in page.url


def test_the_exit_is_a_link_without_javascript(open_browser, is_accessible, example_content, elsewhere):
    page = open_browser(java_script_enabled=False)
    page.goto("/ar/facts/om-jag-berattar/")
    is_accessible(page)
    page.locator("[data-exit] a").click()
    page.wait_for_url(elsewhere)
