"""What machines read: a feed and a sitemap that any parser takes, with what is published and nothing else."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.utils import timezone

from events import actions as events
from portal import languages
from portal.facts.models import Audience
from portal.pages import feeds
from portal.revisions import actions as revisions
from portal.search.models import IndexRow
from tests import factories
from tests.accounts.people import browser
from tests.rumors.conftest import published

pytestmark = pytest.mark.django_db

SITE = "https://fakta.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"
XML = "{http://www.w3.org/XML/1998/namespace}"


@pytest.fixture(autouse=True)
def _somewhere(settings):
    settings.PUBLIC_URL = SITE
    settings.MUNICIPALITY = "Å & Ö <kommun>"


def get(path: str) -> ElementTree.Element:
    """Parsed by a parser that takes nothing but well-formed XML."""
    cache.clear()
    response = browser().get(path, headers={"host": "127.0.0.1"})
    assert response.status_code == 200, path
    return ElementTree.fromstring(response.content)


def feed(code: str = "sv") -> ElementTree.Element:
    return get(f"/{code}/feed.xml")


def entries(code: str = "sv") -> list[ElementTree.Element]:
    return feed(code).findall(f"{ATOM}entry")


def titles(code: str = "sv") -> list[str]:
    return [entry.findtext(f"{ATOM}title") for entry in entries(code)]


def event(*codes: str, slug: str, **fields):
    starts_at = timezone.now() + timedelta(days=5)
    values = {"kind": "seminar", "slug": slug, "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    made = events.create(by=factories.user(), **values | fields)
    for code in codes:
        factories.publish(made, code, title=f"Träff {code}", summary=f"Om {code}.", body="Text.")
    if codes:
        made.refresh_from_db()
        factories.put_out(made)
    return made


# Atom -------------------------------------------------------------------------------------------------------------


def test_the_feed_says_of_a_canceled_event_that_it_is():
    factories.published_fact()
    canceled, _other = event("sv", slug="a"), event("sv", slug="b")
    events.cancel(canceled, by=factories.user(), reason="Sjukdom")
    assert titles() == ["Inställt: Träff sv", "Träff sv", "Fråga sv?"]


def test_an_event_that_moves_comes_first_in_the_feed_again():
    moved, _other = event("sv", slug="a"), event("sv", slug="b")
    before = [entry.findtext(f"{ATOM}updated") for entry in entries()]
    day = timedelta(days=1)
    events.edit(moved, by=factories.user(), starts_at=moved.starts_at + day, ends_at=moved.ends_at + day)
    first = entries()[0]
    assert first.find(f"{ATOM}link").get("href") == f"{SITE}/sv/events/a/"
    assert first.findtext(f"{ATOM}updated") >= max(before)


def test_the_feed_is_atom_with_everything_that_atom_asks_for():
    fact = factories.published_fact("ar")
    published("ar", fact=fact, slug="sa-ar-det")
    event("sv", "ar", slug="traff")
    for code in ("sv", "ar"):
        root = feed(code)
        assert root.tag == f"{ATOM}feed"
        assert root.get(f"{XML}lang") == code
        assert root.findtext(f"{ATOM}title") == "Klarlagt – Å & Ö <kommun>"
        assert root.findtext(f"{ATOM}author/{ATOM}name") == "Å & Ö <kommun>"
        assert root.findtext(f"{ATOM}id") == f"{SITE}/{code}/"
        links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
        assert links == {"alternate": f"{SITE}/{code}/", "self": f"{SITE}/{code}/feed.xml"}
        found = root.findall(f"{ATOM}entry")
        places = {f"{SITE}/{code}/{tail}/" for tail in (f"facts/{fact.slug}", "rumors/sa-ar-det", "events/traff")}
        assert {entry.findtext(f"{ATOM}id") for entry in found} == places
        assert {entry.find(f"{ATOM}link").get("href") for entry in found} == places
        for entry in [root, *found]:
            assert entry.findtext(f"{ATOM}title").strip()
            assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")).utcoffset() is not None
        assert all(entry.findtext(f"{ATOM}summary").strip() for entry in found)


def test_the_feed_says_what_it_is():
    factories.published_fact()
    response = browser().get("/ar/feed.xml")
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert response.headers["Content-Language"] == "ar"
    assert response.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')


def test_every_link_in_the_feed_leads_to_the_page_it_names():
    published(fact=factories.published_fact(), slug="sa-ar-det")
    event("sv", slug="traff")
    for entry in entries():
        page = browser().get(urlsplit(entry.find(f"{ATOM}link").get("href")).path)
        assert entry.findtext(f"{ATOM}title") in page.content.decode()


def test_an_empty_feed_is_a_feed():
    assert titles() == []
    assert feed().findtext(f"{ATOM}updated")


def test_each_language_has_its_own_texts_and_whole_ones_of_another_where_there_is_none():
    fact = factories.published_fact("ar")
    swedish = published(fact=fact, slug="sa-ar-det")
    factories.published_fact("en", audience=Audience.EMBASSIES)
    assert titles("sv") == ["Fråga sv?", swedish.title_sv, "Fråga sv?"]
    assert titles("ar") == ["Fråga en?", swedish.title_sv, "Fråga ar?"]
    assert titles("so") == ["Fråga en?", swedish.title_sv, "Fråga sv?"]
    told = entries("ar")
    assert [entry.get(f"{XML}lang") for entry in told] == ["en", "sv", "ar"]
    assert unescape(told[1].findtext(f"{ATOM}summary")).startswith(swedish.answer_sv)
    for entry in told:
        page = browser().get(urlsplit(entry.findtext(f"{ATOM}id")).path)
        assert page.headers["Content-Language"] == "ar"
        assert entry.findtext(f"{ATOM}title") in page.content.decode()


def test_an_entry_keeps_its_id_when_its_translation_arrives():
    fact = factories.published_fact()
    before = entries("ar")[0].findtext(f"{ATOM}id")
    factories.publish(fact, "ar", title="سؤال؟", summary="جواب.", body="نص.")
    assert [(entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}title")) for entry in entries("ar")] == [
        (before, "سؤال؟")
    ]


def test_no_proxy_shows_a_feed_that_a_text_was_taken_from_while_the_site_is_away():
    factories.published_fact()
    cache.clear()
    assert browser().get("/sv/feed.xml").headers["Cache-Control"] == ("public, max-age=15, stale-while-revalidate=15")


def test_the_newest_change_comes_first_and_keeps_the_id_of_its_text():
    facts = [factories.published_fact() for _ in range(3)]
    first = [entry.findtext(f"{ATOM}id") for entry in entries()]
    assert first == [f"{SITE}/sv/facts/{fact.slug}/" for fact in reversed(facts)]
    before = {entry.findtext(f"{ATOM}id"): entry.findtext(f"{ATOM}updated") for entry in entries()}

    factories.publish(facts[0], title="Ny fråga?", summary="Nytt svar.", body="Text.")

    assert titles()[0] == "Ny fråga?"
    after = {entry.findtext(f"{ATOM}id"): entry.findtext(f"{ATOM}updated") for entry in entries()}
    assert after.keys() == before.keys()
    changed = f"{SITE}/sv/facts/{facts[0].slug}/"
    assert after[changed] > before[changed]
    assert {key: at for key, at in after.items() if key != changed} == {
        key: at for key, at in before.items() if key != changed
    }
    assert feed().findtext(f"{ATOM}updated") == after[changed]


def test_a_new_translation_does_not_make_the_others_new():
    fact = factories.published_fact("ar")
    before = [entry.findtext(f"{ATOM}updated") for entry in entries("sv")]
    factories.publish(fact, "so", title="Su'aal", summary="Jawaab.", body="Qoraal.")
    assert [entry.findtext(f"{ATOM}updated") for entry in entries("sv")] == before
    assert titles("so") == ["Su'aal"]


def test_the_feed_ends_after_the_newest():
    for _ in range(feeds.NEWEST + 2):
        factories.published_fact()
    assert len(entries()) == feeds.NEWEST == 30


def test_a_long_feed_costs_one_query(django_assert_num_queries):
    for _ in range(3):
        factories.published_fact()
    cache.clear()
    with django_assert_num_queries(1):
        browser().get("/sv/feed.xml")


def test_a_draft_is_not_in_the_feed_and_a_withdrawn_text_is_so_no_longer():
    fact, editor = factories.published_fact("ar"), factories.user()
    text = {"title": "Senare?", "summary": "Svar.", "body": "Text."}
    revisions.draft(fact, language="sv", fields=text, by=editor)
    revisions.draft(factories.fact(), language="sv", fields=text, by=editor)
    assert titles() == ["Fråga sv?"]
    revisions.withdraw(fact, language="ar", by=editor, reason="Fel")
    assert (titles("ar"), titles("sv")) == (["Fråga sv?"], ["Fråga sv?"])
    factories.publish(fact, "ar", title="Igen?", summary="Svar.", body="Text.")
    revisions.withdraw(fact, language="sv", by=editor, reason="Fel")
    assert (titles("ar"), titles("sv")) == ([], [])


def test_marks_and_signs_that_no_xml_can_hold_are_taken_out_and_cost_nothing_else():
    strange = 'Är "a" < b & c > d? ]]> \x0b\x0c\x1f\x7f\x85\ufffe\uffff 👩‍👧 \u202eسؤال\u202c'
    factories.publish(factories.fact(), title=strange, summary=strange, body="Text.")
    entry = entries()[0]
    for name in ("title", "summary"):
        told = entry.findtext(f"{ATOM}{name}")
        if name == "summary":
            told = unescape(told)
        assert told.startswith('Är "a" < b & c > d? ]]> '), name
        assert "👩‍👧 \u202eسؤال\u202c" in told, name
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", told), name


def test_a_summary_is_words_and_neither_markdown_nor_html():
    body = "## Rubrik\n\n**Fett** [länk](https://example.org) <b>x</b>"
    factories.publish(factories.fact(), title="Fråga?", summary="Svar.", body=body)
    summary = entries()[0].find(f"{ATOM}summary")
    assert summary.get("type") == "html"  # so `<b>` has to be escaped for a reader to see it as it was typed
    assert summary.text == "Svar. Rubrik Fett länk &lt;b&gt;x&lt;/b&gt;"


def test_the_link_to_join_is_neither_in_the_feed_nor_in_the_sitemap():
    event("sv", "ar", slug="traff", is_online=True, join_url="https://meet.example.net/only-for-you")
    for path in ("/sv/feed.xml", "/ar/feed.xml", "/sitemap.xml"):
        text = ElementTree.tostring(get(path), encoding="unicode")
        assert "/events/traff/" in text
        assert "only-for-you" not in text


# Sitemap ----------------------------------------------------------------------------------------------------------


def sitemap() -> dict[str, tuple[str | None, dict[str, str]]]:
    """Address: when it changed, and its languages."""
    found = {}
    root = get("/sitemap.xml")
    assert root.tag == f"{MAP}urlset"
    for url in root:
        assert url.tag == f"{MAP}url"
        links = url.findall(f"{XHTML}link")
        assert {link.get("rel") for link in links} == {"alternate"}
        address = url.findtext(f"{MAP}loc")
        assert address not in found
        found[address] = (
            url.findtext(f"{MAP}lastmod"),
            {link.get("hreflang"): link.get("href") for link in links},
        )
    return found


def test_the_sitemap_names_each_text_once_with_the_languages_it_is_published_in():
    fact = factories.published_fact("ar", "ti")
    factories.published_fact("ar")
    rebuttal = published("ar", fact=fact, slug="sa-ar-det")
    meeting = event("sv", slug="traff")
    revisions.draft(fact, language="so", fields={"title": "Utkast"}, by=factories.user())
    found = sitemap()
    for path, codes in [
        (f"facts/{fact.slug}", {"sv", "ar", "ti"}),
        (f"rumors/{rebuttal.slug}", {"sv", "ar"}),
        (f"events/{meeting.slug}", {"sv"}),
    ]:
        addresses = {code: f"{SITE}/{code}/{path}/" for code in codes}
        assert {address for address in found if f"/{path}/" in address} == set(addresses.values())
        for address in addresses.values():
            changed, others = found[address]
            assert others == addresses | {"x-default": addresses["sv"]}
            assert datetime.fromisoformat(changed).utcoffset() is not None


def test_the_sitemap_says_which_language_its_addresses_are_in_as_the_pages_do():
    fact = factories.published_fact("ar")
    for address, (_, others) in sitemap().items():
        if fact.slug in address:
            html = browser().get(urlsplit(address).path).content.decode()
            on_page = dict(re.findall(r'<link rel="alternate"\s+hreflang="([^"]+)"\s+href="([^"]+/facts/[^"]+)"', html))
            assert on_page == others


def test_every_address_in_the_sitemap_is_ours_and_in_a_language_of_the_site():
    factories.published_fact("ar")
    active = {language.code: language.tag for language in languages.ACTIVE}
    for address, (_, others) in sitemap().items():
        for tag, url in [("", address), *others.items()]:
            assert url.startswith(f"{SITE}/")
            code = urlsplit(url).path.split("/")[1]
            assert code in active
            assert tag in {"", active[code]} or (tag, code) == ("x-default", "sv")


def test_the_standing_pages_are_there_in_all_languages_and_exist(example_content):
    found = sitemap()
    tags = {language.tag for language in languages.ACTIVE}
    for tail in ("", "parents/", "children/", "embassies/", "rumors/", "events/", "tell-us/"):
        assert found[f"{SITE}/sv/{tail}"][1].keys() == tags | {"x-default"}
        for code in ("sv", "ti"):
            assert browser().get(f"/{code}/{tail}").status_code == 200, tail
    for tail in ("accessibility/", "privacy/"):
        assert found[f"{SITE}/sv/{tail}"][1].keys() == {"sv", "en", "x-default"}
    facts = [address for address in found if "/facts/" in address]
    assert len(facts) > 20
    assert not any("/staff/" in address or "/search/" in address for address in found)


def test_a_text_in_a_language_the_site_does_not_show_is_not_in_the_sitemap():
    hidden = next(code for code in languages.CATALOG if code not in {known.code for known in languages.ACTIVE})
    fact = factories.published_fact(hidden)
    assert IndexRow.objects.filter(language=hidden).exists()
    assert {address for address in sitemap() if fact.slug in address} == {f"{SITE}/sv/facts/{fact.slug}/"}


def test_a_withdrawn_text_is_not_in_the_sitemap_and_no_other_language_points_to_it():
    fact, kept, editor = factories.published_fact("ar"), factories.published_fact("ar"), factories.user()
    revisions.withdraw(fact, language="sv", by=editor, reason="Fel")
    revisions.withdraw(kept, language="ar", by=editor, reason="Fel")
    found = sitemap()
    assert not [address for address in found if fact.slug in address]
    swedish = f"{SITE}/sv/facts/{kept.slug}/"
    assert {address: others for address, (_, others) in found.items() if kept.slug in address} == {
        swedish: {"sv": swedish, "x-default": swedish}
    }


def test_the_sitemap_names_the_glossary_in_the_languages_that_have_words():
    term = factories.term()
    for code in ("sv", "ar"):
        factories.wording(term, code)
    factories.wording(term, "ti", is_approved=False)
    addresses = {f"{SITE}/{code}/words/" for code in ("sv", "ar")}
    assert {address for address in sitemap() if "/words/" in address} == addresses


def test_every_page_and_its_other_languages_name_each_other_as_the_sitemap_does(example_content):
    found = {url: others for url, (_, others) in sitemap().items()}
    for url, others in found.items():
        html = browser().get(urlsplit(url).path).content.decode()
        on_page = re.findall(r'<link rel="alternate"\s+hreflang="([^"]+)"\s+href="([^"]+)"', html)
        assert dict(on_page) == others, url
        assert len(on_page) == len(others)
        assert re.search(r'<link rel="canonical" href="([^"]+)"', html)[1] == url
        assert url in others.values()
        for other in others.values():
            assert found[other] == others, url
    assert len(found) > 200


def test_a_page_that_stands_in_for_a_translation_names_the_page_its_text_is_at_home_on():
    fact = factories.published_fact("ar")
    html = browser().get(f"/so/facts/{fact.slug}/").content.decode()
    home = f"{SITE}/sv/facts/{fact.slug}/"
    assert re.search(r'<link rel="canonical" href="([^"]+)"', html)[1] == home
    assert re.search(r'<meta property="og:url" content="([^"]+)"', html)[1] == home
    assert re.search(r'<meta property="og:locale" content="([^"]+)"', html)[1] == "sv_SE"


def test_a_long_sitemap_costs_three_queries(django_assert_num_queries):
    for _ in range(3):
        factories.published_fact("ar", "ti")
    cache.clear()
    with django_assert_num_queries(3):
        browser().get("/sitemap.xml")


def test_robots_are_told_where_the_sitemap_is():
    lines = browser().get("/robots.txt").content.decode().splitlines()
    assert f"Sitemap: {SITE}/sitemap.xml" in lines
    assert "Disallow: /staff/" in lines
