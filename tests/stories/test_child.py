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
