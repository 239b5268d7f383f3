"""A press officer at an embassy, who reads French, wants something to cite and to hear when it no longer holds."""

import io
import re
import zipfile

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from portal.accounts.models import Role
from portal.facts.models import Audience
from portal.facts.packs import actions as packs
from portal.facts.packs.models import Follower
from portal.mail import actions as mail
from tests import factories
from tests.mail.conftest import Post

pytestmark = pytest.mark.django_db(transaction=True)
DESK = {"width": 1280, "height": 800}
ADDRESS = "presse@embassy.example.org"


@pytest.fixture
def post(settings):
    server = Post()
    settings.EMAIL_URL = server.url
    yield server
    server.close()


def newest_letter(post) -> str:
    mail.deliver()
    return post.letters[-1].get_body(("plain",)).get_content()


def test_an_embassy_cites_a_version_and_hears_when_it_no_longer_holds(open_browser, is_accessible, settings, post):
    # Given a text in French and one that is there in English only
    french = factories.published_fact("en", "fr", audience=Audience.EMBASSIES)
    factories.published_fact("en", audience=Audience.EMBASSIES)
    # And an editor who makes a version of both, in English and French
    editor = open_browser(Role.EDITOR, viewport=DESK)
    editor.goto("/staff/packs/new/")
    expect(editor.locator("[name=facts]:checked")).to_have_count(2)
    assert editor.locator("[name=codes]:checked").get_attribute("value") == "en"
    editor.locator("[name=codes][value=fr]").check()
    is_accessible(editor)
    editor.locator("main form button").click()
    editor.wait_for_url("**/staff/packs/")
    is_accessible(editor)

    # When the officer comes from the page for embassies
    page = open_browser(locale="fr", java_script_enabled=False)
    page.goto("/fr/embassies/")
    page.locator("main a[href$='/embassies/packs/']").click()
    is_accessible(page)
    page.locator("main .go a").click()
    # Then the version has an address of its own, and says which text is not in French
    assert page.url.endswith("/fr/embassies/packs/1/")
    assert f"{settings.PUBLIC_URL}/fr/embassies/packs/1/" in page.locator("main").inner_text()
    section = page.locator("h2[lang=fr] + ul")
    expect(section.locator("a")).to_have_text(["Fråga fr?", "Fråga en?"])
    expect(section.locator("a[data-fallback=en][lang=en]")).to_have_count(1)
    is_accessible(page)

    # When they fetch the files
    with page.expect_download(timeout=60_000) as pdf:
        page.locator("a[href$='pack.pdf']").click(no_wait_after=True)
    with page.expect_download(timeout=60_000) as archive:
        page.locator("a[href$='pack.zip']").click(no_wait_after=True)
    # Then they are what they say
    assert pdf.value.suggested_filename == "pack-1.pdf"
    text = " ".join(found.extract_text() for found in PdfReader(pdf.value.path()).pages)
    assert "Text fr" in text
    assert "/packs/1/" in re.sub(r"\s", "", text)
    with zipfile.ZipFile(io.BytesIO(archive.value.path().read_bytes())) as files:
        assert "pack-1/fr.txt" in files.namelist()

    # When they ask to be told of changes, and say yes through the link in the mail
    page.locator("a[href$='/follow/']").click()
    is_accessible(page)
    page.locator("[name=email]").fill(ADDRESS)
    page.locator("main form button").click()
    assert page.url.endswith("/follow/thanks/")
    is_accessible(page)
    page.goto(re.search(r"http\S+/following/\S+", newest_letter(post))[0])
    is_accessible(page)
    page.locator("main form button:not([name])").click()
    expect(page.locator("button[name=stop]")).to_have_count(1)
    is_accessible(page)

    # And the French text changes
    factories.publish(french, "fr", title="Nouveau ?", summary="Nouveau.", body="Nouveau.")
    packs.tell(now=Follower.objects.get().confirmed_at)
    # Then a mail names it
    assert "- Fråga fr? (Français)" in newest_letter(post)
    assert post.recipients == [ADDRESS] * 2

    # When their mail program unsubscribes with one click
    sent = post.letters[-1]
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.search(r"<(\S+)>", sent["List-Unsubscribe"])[1]
    page.request.post(link, form={"List-Unsubscribe": "One-Click"})
    # Then nothing follows, and the address is forgotten
    factories.publish(french, "fr", title="Encore ?", summary="Encore.", body="Encore.")
    packs.tell(now=Follower.objects.get().told_at + Follower.QUIET)
    mail.deliver()
    assert len(post.letters) == 2
    assert not Follower.objects.exists()
