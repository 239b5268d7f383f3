"""Addresses that are typed from paper, and lines that are sent on."""

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from portal import languages
from portal.facts import rules
from portal.facts.models import Fact
from portal.revisions import actions as revisions
from portal.revisions.rules import Text
from tests import factories

URL = "https://klarlagt.example.org/f/ta-mitt-barn"


def three_lines(title: str, summary: str, code: str = "sv") -> list[str]:
    known = languages.get(code)
    return rules.message(Text({"title": title, "summary": summary, "body": ""}, known, known), url=URL).splitlines()


@pytest.mark.django_db
def test_the_word_of_a_fact_leads_to_it_in_the_readers_language(client):
    fact = factories.published_fact("ar", slug="ta-mitt-barn")
    response = client.get("/f/ta-mitt-barn", headers={"accept-language": "ar"})
    assert response["Location"] == "/ar/facts/ta-mitt-barn/"
    assert response["Vary"] == "Accept-Language"
    assert "no-store" in response["Cache-Control"]
    assert client.get("/f/no-such-word").status_code == 404
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert client.get("/f/ta-mitt-barn").status_code == 410


@pytest.mark.django_db
def test_a_short_address_counts_nothing(client):
    fact = factories.published_fact(slug="ta-mitt-barn")
    cache.clear()
    for path in (f"/f/{fact.pk}", "/f/ta-mitt-barn"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(path).status_code == 302
        assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    assert cache._cache.get_client().keys("*") == []


@pytest.mark.parametrize(
    ("slug", "path"),
    [("ta-mitt-barn", "/f/ta-mitt-barn"), ("a" * 24, "/f/" + "a" * 24), ("a" * 25, "/f/7"), ("112", "/f/7")],
)
def test_print_shows_the_word_when_it_is_short_and_no_number_else_the_number(slug, path, settings):
    assert rules.short_url(Fact(pk=7, slug=slug)) == settings.PUBLIC_URL + path


@pytest.mark.django_db
def test_page_and_paper_show_the_same_short_address(client, settings):
    fact = factories.published_fact("ar", slug="ta-mitt-barn")
    html = client.get("/ar/facts/ta-mitt-barn/").content.decode()
    assert f'<bdi dir="ltr">{settings.PUBLIC_URL}/f/ta-mitt-barn</bdi>' in html
    shown = re.search(r"<textarea[^>]*readonly[^>]*>(.*?)</textarea>", html, re.DOTALL)[1]
    assert shown.replace("\u200f", "").splitlines() == [
        "Fråga ar?",
        "Svar ar.",
        f"{settings.PUBLIC_URL}/f/ta-mitt-barn",
    ]
    assert rules.short_url(fact) == f"{settings.PUBLIC_URL}/f/ta-mitt-barn"


def test_a_message_is_the_question_the_first_sentence_and_the_address_alone():
    answer = "Nej, inte hur som helst." + " Domstolen bestämmer nästan alltid." * 8
    kept = "Nej, inte hur som helst." + " Domstolen bestämmer nästan alltid." * 3
    assert three_lines("Kan de ta mitt barn?", answer) == ["Kan de ta mitt barn?", kept, URL]
    # A long sentence is kept whole: half of it may say the opposite.
    long = "Det är sant bara om " + "något mycket ovanligt och " * 10 + "aldrig annars."
    assert three_lines("Är det sant?", f"{long} Mer.") == ["Är det sant?", long, URL]


def test_a_point_that_ends_no_sentence_ends_none():
    summary = "Se kap. 26 och bl.a. 13 §, t.ex. kl. 8.30. Nästa mening är lång " + "och " * 40 + "slut."
    assert three_lines("Vad?", summary)[1] == "Se kap. 26 och bl.a. 13 §, t.ex. kl. 8.30."
    assert three_lines("ماذا؟", "هل هذا صحيح؟ لا. " + "نعم " * 60, "ar")[1] == "هل هذا صحيح؟ لا."
    assert three_lines("እንታይ?", "ቤት ፍርዲ ይውስን። " + "እወ " * 80, "ti")[1] == "ቤት ፍርዲ ይውስን።"


def test_numbers_to_call_are_filled_in_and_keep_their_order_from_right_to_left():
    title, answer, address = three_lines("LVU (1990:52) ما هو؟", "اتصل بالرقم {{phone:social}}.", "ar")
    assert answer == "اتصل بالرقم \u20660980-319 200\u2069."
    # The line begins at the right even so.
    assert title.startswith("\u200fLVU")
    assert address == URL


@given(st.text(max_size=160), st.text(max_size=400), st.sampled_from(["sv", "ar", "ti", "th"]))
def test_a_message_never_has_more_than_three_lines_and_ends_with_the_bare_address(title, summary, code):
    lines = three_lines(title, summary, code)
    assert len(lines) <= 3
    assert lines[-1] == URL
    # What stands there was written, word for word.
    unseen = str.maketrans("", "", "\u2066\u2069\u200f")
    written = f"{title} {summary}".translate(unseen).split()
    assert [word for line in lines[:-1] for word in line.translate(unseen).split() if word not in written] == []
