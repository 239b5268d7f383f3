"""What machines are told of a fact: what the page says, and never more."""

import json
import re
from html import unescape

import html5lib
import pytest

from portal.facts.models import Audience
from tests import factories
from tests.accounts.people import browser
from tests.rumors.conftest import CLAIM, TEXT, published

pytestmark = pytest.mark.django_db

SITE = "https://fakta.example.org"


@pytest.fixture(autouse=True)
def _somewhere(settings):
    settings.PUBLIC_URL = SITE
    settings.MUNICIPALITY = "Å & Ö <kommun>"


def page(path: str) -> str:
    return browser().get(path, headers={"host": "127.0.0.1"}).content.decode()


def linked_data(path: str) -> list[dict]:
    """As a parser of HTML finds it."""
    tree = html5lib.parse(page(path), namespaceHTMLElements=False)
    return [json.loads(e.text) for e in tree.iter("script") if e.get("type") == "application/ld+json"]


def shown(html: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'<meta property="(og:[^"]+)" content="([^"]*)"', html)}


def test_a_fact_is_an_article_that_says_what_it_translates_and_rests_on():
    fact = factories.published_fact("ar", slug="domstolen")
    fact.sources.create(title="LVU", sfs="1990:52", sections="1–4 §§")
    fact.sources.create(title="En rapport", order=1)
    swedish, arabic = (linked_data(f"/{code}/facts/domstolen/")[0] for code in ("sv", "ar"))
    municipality = {"@type": "GovernmentOrganization", "name": "Å & Ö <kommun>"}
    assert arabic == {
        "@context": "https://schema.org",
        "@type": "Article",
        "url": f"{SITE}/ar/facts/domstolen/",
        "headline": "Fråga ar?",
        "abstract": "Svar ar.",
        "inLanguage": "ar",
        "dateModified": arabic["dateModified"],
        "author": municipality,
        "publisher": municipality,
        "isBasedOn": [
            {
                "@type": "Legislation",
                "legislationIdentifier": "SFS 1990:52",
                "name": "LVU 1–4 §§",
                "url": "https://rkrattsbaser.gov.se/sfst?bet=1990:52",
            },
            {"@type": "Report", "name": "En rapport"},
        ],
        "translationOfWork": {"@type": "Article", "url": f"{SITE}/sv/facts/domstolen/", "inLanguage": "sv"},
    }
    assert (swedish["inLanguage"], "translationOfWork" in swedish) == ("sv", False)
    assert (
        swedish["dateModified"] < arabic["dateModified"] or swedish["dateModified"][:10] == arabic["dateModified"][:10]
    )


def test_a_page_in_place_of_a_translation_says_whose_text_it_shows():
    factories.published_fact(slug="domstolen")
    told = linked_data("/so/facts/domstolen/")[0]
    assert (told["inLanguage"], told["url"]) == ("sv", f"{SITE}/sv/facts/domstolen/")


def test_an_example_says_so_to_machines_too(example_content):
    assert linked_data("/ar/facts/domstolen/")[0]["creativeWorkStatus"] == "Example"


def test_no_title_can_end_the_data_or_begin_a_script():
    sly = '</script><script>alert(1)</script><!-- & ]]> " \u2028'
    fact = factories.fact(slug="sly")
    factories.publish(fact, title=sly, summary=f"{sly} {{{{phone:bris}}}}", body="Text.")
    html = page("/sv/facts/sly/")
    assert len(linked_data("/sv/facts/sly/")) == 1
    told = linked_data("/sv/facts/sly/")[0]
    assert told["headline"] == " ".join(sly.split())
    assert told["abstract"].endswith("116 111")
    assert "<script>alert" not in html
    assert shown(html)["og:title"] == told["headline"]


@pytest.mark.parametrize("about", [{"audience": Audience.CHILDREN}, {"is_about_violence": True}])
def test_pages_that_are_read_in_secret_tell_machines_nothing(about):
    factories.published_fact(slug="tyst", **about)
    html = page("/sv/facts/tyst/")
    assert linked_data("/sv/facts/tyst/") == []
    assert shown(html) == {}
    assert "aloud.js" not in html


def test_what_is_shown_where_a_link_is_shared():
    fact = factories.published_fact("ar")
    told = shown(page(f"/ar/facts/{fact.slug}/"))
    assert told == {
        "og:title": "Fråga ar?",
        "og:description": "Svar ar.",
        "og:type": "article",
        "og:url": f"{SITE}/ar/facts/{fact.slug}/",
        "og:site_name": "Klarlagt",
        "og:locale": "ar_SE",
        "og:image": f"{SITE}/ar/facts/{fact.slug}/card.png",
        "og:image:alt": "Fråga ar?",
    }


def test_the_link_to_an_answer_shows_the_truth_and_never_the_claim():
    published("ar", slug="sant")
    html = page("/sv/rumors/sant/")
    head = html.partition("</head>")[0]
    assert shown(html)["og:title"] == TEXT["title"]
    assert shown(html)["og:description"] == TEXT["answer"]
    assert TEXT["claim"] in html
    assert TEXT["claim"] not in head
    assert CLAIM not in html


def test_no_example_answer_shows_its_claim_where_its_link_is_shared(example_content):
    from rumors.models import Rebuttal

    for rebuttal in Rebuttal.objects.published():
        head = unescape(page(f"/sv/rumors/{rebuttal.slug}/").partition("</head>")[0])
        assert rebuttal.title_sv in head
        assert rebuttal.claim_sv
        assert rebuttal.claim_sv not in head
        assert rebuttal.rumor.claim not in head
