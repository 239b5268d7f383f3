"""A mother, afraid, on a cheap phone without JavaScript, reads Arabic."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_parent_finds_the_answer_in_arabic_without_javascript(open_browser, is_accessible, example_content):
    # Given a phone that asks for Arabic and runs no script
    page = open_browser(java_script_enabled=False, locale="ar")

    # When she opens the address of the site
    page.goto("/")
    # Then she is on the Arabic front page, which reads from right to left
    assert page.url.endswith("/ar/")
    assert page.locator("html").get_attribute("dir") == "rtl"

    # When she follows the first of the questions that many ask
    page.locator("main .links a").first.click()
    # Then the question, the answer and who stands behind it are on the first screen
    assert "/ar/facts/ta-mitt-barn/" in page.url
    for selector in ("h1", ".answer", ".provenance"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] < 740, selector
    answer = page.locator(".answer").inner_text()
    assert any("\u0600" <= letter <= "\u06ff" for letter in answer)
    # And nothing was stored on her phone
    assert page.context.cookies() == []
    # And a number to call is a link, and reads from left to right
    assert page.locator('a[href="tel:116111"] bdi[dir="ltr"]').count() >= 1

    # When she opens the Swedish text
    page.locator(".provenance a[hreflang=sv]").click()
    assert page.locator("html").get_attribute("lang") == "sv"
    page.go_back()

    # When she looks for the languages of others in her family
    page.locator(".languages summary").click()
    page.locator(".languages a[lang=ps]").click()
    # Then the page stays the same one
    assert page.url.endswith("/ps/facts/ta-mitt-barn/")
    page.go_back()
    is_accessible(page)


def test_a_parent_is_told_when_a_text_is_not_in_her_language(open_browser, is_accessible, example_content):
    page = open_browser(java_script_enabled=False, locale="ps")
    page.goto("/ps/facts/pengar/")
    block = page.locator("[data-fallback=sv]").first
    assert (block.get_attribute("lang"), block.get_attribute("dir")) == ("sv", "ltr")
    notice = page.locator("article .notice").first
    assert (notice.get_attribute("lang"), notice.get_attribute("dir")) == ("ps", "rtl")
    is_accessible(page)
