"""A mother, afraid, on a cheap phone without JavaScript, reads Arabic, Tigrinya or Persian."""

import io

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from portal.facts.models import Fact
from portal.facts.readings.models import Opinion
from portal.revisions import actions as revisions
from tests import factories

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
    expect(page.locator('a[href="tel:116111"] bdi[dir="ltr"]').first).to_be_visible()

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


@pytest.mark.parametrize(
    ("code", "court", "unclear"), [("ti", "ቤት ፍርዲ", "ቤት ፍርዲ እንታይ እዩ?"), ("fa", "دادگاه", "دادگاه چیست؟")]
)
def test_a_parent_searches_reads_prints_and_asks_in_her_language(
    open_browser, is_accessible, example_content, code, court, unclear
):
    # Given a Swedish text to which a sentence was added, and that nobody has translated yet
    fact = Fact.objects.get(slug="ta-mitt-barn")
    swedish = revisions.current(fact).fields
    body = swedish["body"] + "\n\nEn tolk läser upp beslutet för dig."
    factories.publish(fact, **swedish | {"body": body}, change_note="En tolk läser upp beslutet")

    # When she looks for the word for a court in her language
    page = open_browser(java_script_enabled=False, locale=code)
    page.goto("/")
    assert page.url.endswith(f"/{code}/")
    page.locator(f'header a[href="/{code}/search/"]').click()
    page.locator("input[name=q]").fill(court)
    page.locator("form[role=search] button").click()
    # Then the word is marked in what is found, and all of it is there in her language
    expect(page.locator("main .links mark").first).to_be_visible()
    expect(page.locator("main .links li:not([data-fallback])").nth(1)).to_be_visible()
    is_accessible(page)

    # When she opens the question that she has
    page.locator(f'main .links a[href="/{code}/facts/ta-mitt-barn/"]').click()
    # Then she is told in her language that the Swedish text has changed, and in Swedish what has
    notice = page.locator("article .notice").first
    assert "En tolk läser upp beslutet" in notice.inner_text()
    assert notice.get_attribute("lang") == code
    is_accessible(page)
    # When she wants to see both
    notice.locator('a[href="?with=sv"]').click()
    # Then the Swedish text stands there, too, and a word of the law leads to what it means
    assert "En tolk läser upp beslutet för dig." in page.locator("article[lang=sv]").inner_text()
    page.locator("article:not([lang=sv]) a.term").first.click()
    assert f"/{code}/words/#term-" in page.url
    page.go_back()

    # When she takes it with her on paper, for a friend who reads Swedish
    link = page.locator(f'a[href="/{code}/facts/ta-mitt-barn/handout.pdf?with=sv"]').get_attribute("href")
    pdf = PdfReader(io.BytesIO(page.context.request.get(link).body()))
    paper = " ".join(sheet.extract_text() for sheet in pdf.pages)
    # Then both texts and the number to call are on it, the right way round
    assert "En tolk läser upp beslutet för dig." in " ".join(paper.split())
    assert paper.count("0980-319 200") >= 2

    # When she does not understand a word and says so
    page.goto(f"/{code}/facts/ta-mitt-barn/")
    page.locator(f'a[href="/{code}/facts/ta-mitt-barn/helpful/"]').click()
    page.locator("input[name=is_helpful]").last.check()
    page.locator("textarea").fill(unclear)
    page.locator("main form button").click()
    # Then it arrives, and nothing about her
    assert page.url.endswith("/helpful/thanks/")
    assert list(Opinion.objects.values_list("language", "comment")) == [(code, unclear)]
    assert page.context.cookies() == []
    is_accessible(page)
