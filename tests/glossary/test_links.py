"""Words of the glossary in texts: found as people write them, linked once, and the text stays what it was."""

import re
from html import unescape

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from portal import languages, markup
from portal.revisions.glossary import actions, rules
from portal.revisions.glossary.rules import Entry, Phrases, Words, highlight, link_terms
from tests import factories


class Listed(Words):
    """A glossary that asks no database where its page is."""

    url = "/xx/words/"


def found_in(text, forms, language):
    phrases = Phrases([(None, forms)], language)
    return [text[start:end] for start, end, _ in phrases.find(text)]


def glossary(language: str, *uses: str | tuple[str, ...], swedish: str = "ord") -> Words:
    rows = (use if isinstance(use, tuple) else (use,) for use in uses)
    return Listed(
        language, tuple(Entry(pk, (f"{swedish}{pk}",), use, (), "", "") for pk, use in enumerate(rows, start=1))
    )


def linked(html: str, words: Words, reader: Words | None = None) -> list[str]:
    return re.findall(r'<a class="term" href="[^"]*">([^<]*)</a>', link_terms(html, words, reader or words))


def visible(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


WORDS = glossary(
    "sv", ("orosanmälan", "orosanmälning*"), "utredning", ("förvaltningsrätten",), "vård utan samtycke", "vård"
)
PIECES = [
    "orosanmälan",
    "Utredning",
    "vård",
    "utan",
    "samtycke",
    " ",
    "-",
    "(",
    "). ",
    "**",
    "\n\n",
    "## ",
    "1–4 §§",
    "ö",
]
PIECES += ["[vård](https://example.org/vård)", "{{phone:bris}}", "<b>", "&amp;", "'", "’", "\u00ad", "\u200d", "- "]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
def test_linking_never_changes_what_is_read(text):
    html = markup.render(text)
    after = link_terms(html, WORDS, WORDS)
    assert visible(after) == visible(html)
    assert re.sub(r'<a class="term" href="[^"]*">([^<]*)</a>', r"\1", after) == html
    assert not re.search(r"<a [^>]*>(?:(?!</a>).)*<a ", after, re.DOTALL), "a link in a link"
    targets = re.findall(r"#term-(\d+)", after)
    assert len(targets) == len(set(targets)), "a word is linked twice"


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
def test_marking_for_a_translator_never_changes_what_is_read(text):
    plain, _found = highlight(text, WORDS)
    assert unescape(re.sub(r'</?span(?: class="term")?>', "", plain)) == unescape(escape(text))
    html, _found = highlight(markup.render(text), WORDS)
    assert visible(html) == visible(markup.render(text))


def test_only_the_first_of_each_word_is_a_link_and_the_longest_wins():
    html = markup.render("En utredning och en utredning till. Vård utan samtycke är vård.")
    assert linked(html, WORDS) == ["utredning", "Vård utan samtycke", "vård"]


def test_no_link_stands_in_a_link_a_heading_or_a_number():
    html = markup.render("## Orosanmälan\n\n[utredning](https://example.org) 1990:52 {{phone:bris}}")
    words = glossary("sv", "orosanmälan", "utredning", "1990", "116", "52")
    assert linked(html, words) == []
    assert linked(markup.render("En orosanmälan."), words) == ["orosanmälan"]


def test_a_word_is_no_part_of_another():
    assert linked("<p>barnavårdsutredning utredningen vårdnad</p>", WORDS) == []


@pytest.mark.parametrize("text", ["orosanmälningar", "Orosanmälningarna", "OROSANMÄLAN", "oros\u00adanmälan"])
def test_every_form_is_the_word(text):
    assert linked(f"<p>{text}</p>", WORDS) == [text]


@pytest.mark.parametrize(
    ("language", "use", "text", "found"),
    [
        # What grows onto an Arabic word is part of it: the whole written word is the link.
        ("ar", "المحكمة الإدارية", "تذهب للمحكمة الإدارية", ["للمحكمة الإدارية"]),
        ("ar", "المحكمة الإدارية", "والمحكمة الإدارية تقرّر", ["والمحكمة الإدارية"]),
        ("ar", "المحكمة الإدارية", "محكمة إدارية", ["محكمة إدارية"]),
        ("ar", "بلاغ القلق", "وبلاغ القلق رسالة", ["وبلاغ القلق"]),
        ("ar", "مترجم", "بمُتَرْجِم", ["بمُتَرْجِم"]),
        ("ar", "مترجم", "مترجمون", []),
        ("ar", "حضانة", "احتضانة", []),
        ("ti", "ማሕበራዊ ኮሚቴ", "ንማሕበራዊ ኮሚቴ፡", ["ንማሕበራዊ ኮሚቴ"]),
        ("ti", "ተርጓሚ", "ተርጓሚን ጠበቓን", ["ተርጓሚን"]),
        ("ti", "ቤት ፍርዲ", "ብቤት፡ፍርዲ።", ["ብቤት፡ፍርዲ"]),
        ("ti", "ተርጓሚ", "ኣተርጓሚ", []),
        ("tr", "idare mahkemesi", "İDARE MAHKEMESI", ["İDARE MAHKEMESI"]),
        ("tr", "ıslah", "Islah ve islah", ["Islah", "islah"]),
        ("tr", "LVU", "LVU'nun ve LVU’ya", ["LVU", "LVU"]),
        ("fr", "interprète", "l’interprète", ["interprète"]),
        ("fr", "famille d’accueil", "une famille d'accueil", ["famille d'accueil"]),
        ("so", "go'aan", "go’aan iyo goʼaan", ["go’aan", "goʼaan"]),
        ("fa", "گزارش نگرانی", "گزارش‌نگرانی گزارش نگرانی", ["گزارش نگرانی"]),
        ("fi", "hallinto-oikeu*", "hallinto-oikeuden", ["hallinto-oikeuden"]),
        ("uk", "прийомна сім’я", "прийомна сім'я", ["прийомна сім'я"]),
        ("zh-hans", "法院", "行政法院", []),
        ("th", "ศาล", "ศาล", []),
    ],
)
def test_words_are_found_as_each_language_writes_them(language, use, text, found):
    assert found_in(text, [use], language) == found


def test_words_part_at_a_sentence():
    assert found_in("Vi ger vård. Utan samtycke går det inte.", ["vård utan samtycke"], "sv") == []
    assert found_in("vård\nutan\u00a0samtycke", ["vård utan samtycke"], "sv") == ["vård\nutan\u00a0samtycke"]


def test_in_html_a_space_that_does_not_break_and_an_apostrophe_part_nothing():
    assert linked("<p>vård&nbsp;utan samtycke</p>", WORDS) == ["vård&nbsp;utan samtycke"]
    assert linked("<p>famille d&#x27;accueil</p>", glossary("fr", "famille d’accueil")) == ["famille d&#x27;accueil"]


def test_a_translation_may_keep_the_swedish_word():
    words = glossary("so", "qoyska korinta", swedish="familjehem")
    assert linked("<p>Waxay ku nool yihiin familjehem1.</p>", words) == ["familjehem1"]


def test_a_translator_is_told_what_to_say_for_every_term_of_the_text():
    entry = Entry(7, ("utredning", "utredning*"), ("inquiry",), ("investigation",), "Polisens ord.", "Betyder.")
    html, found = highlight(markup.render("## Utredningen\n\nEn utredning & <b>."), Words("en", (entry,)))
    assert re.findall(r'<span class="term">([^<]*)</span>', html) == ["Utredningen", "utredning"]
    assert found == [entry]
    assert highlight("a < b & utredning", Words("en", (entry,)))[0] == (
        'a &lt; b &amp; <span class="term">utredning</span>'
    )


# On the page of a fact -----------------------------------------------------------------------------------------


@pytest.fixture
def term(db):
    made = factories.term("orosanmälan", "orosanmälning*")
    for code in ("sv", "ar"):
        factories.wording(made, code, use="بلاغ القلق")
    return made


def page(path: str) -> str:
    cache.clear()
    return Client().get(path).content.decode()


def fact_about(body: str, **fields):
    made = factories.fact(**fields)
    factories.publish(made, title="Vad är en orosanmälan?", summary="En orosanmälan är ett meddelande.", body=body)
    return made


def test_a_fact_links_its_words_to_their_meaning(term):
    fact = fact_about("En orosanmälan. Två orosanmälningar.")
    factories.publish(fact, "ar", title="ما هو؟", summary="رسالة.", body="هذا بلاغ القلق.")
    swedish, arabic = (page(f"/{code}/facts/{fact.slug}/") for code in ("sv", "ar"))
    assert re.findall(r'href="([^"]*#term[^"]*)"', swedish) == [f"/sv/words/#term-{term.pk}"]
    assert f'<a class="term" href="/ar/words/#term-{term.pk}">بلاغ القلق</a>' in arabic
    assert f'id="term-{term.pk}"' in page("/ar/words/")


def test_who_gets_a_swedish_text_is_led_to_the_words_of_their_own_language(term):
    fact = fact_about("En orosanmälan.")
    assert f'href="/ar/words/#term-{term.pk}">orosanmälan</a>' in page(f"/ar/facts/{fact.slug}/")
    assert f'href="/sv/words/#term-{term.pk}">orosanmälan</a>' in page(f"/ti/facts/{fact.slug}/")


def test_a_child_is_not_led_away_from_the_exit(term):
    fact = fact_about("En orosanmälan.", audience="children")
    html = page(f"/sv/facts/{fact.slug}/")
    assert "En orosanmälan." in html
    assert "#term-" not in html


def test_links_cost_no_query_for_a_minute_and_then_follow_the_glossary(term, django_assert_num_queries):
    fact = fact_about("En orosanmälan och en utredning.")
    path = f"/sv/facts/{fact.slug}/"
    with time_machine.travel("2026-11-28 12:00", tick=False) as clock:
        assert len(re.findall("#term-", page(path))) == 1
        factories.wording(factories.term("utredning"))
        with django_assert_num_queries(2):
            assert len(re.findall("#term-", page(path))) == 1
        clock.shift(61)
        assert len(re.findall("#term-", page(path))) == 2
        actions.delete(term, by=factories.user())
        clock.shift(61)
        assert len(re.findall("#term-", page(path))) == 1


def test_a_glossary_that_has_not_changed_keeps_the_pages_made_with_it(term):
    with time_machine.travel("2026-11-28 12:00", tick=False) as clock:
        words = rules.words_of("sv")
        clock.shift(61)
        assert rules.words_of("sv") is words
        factories.wording(factories.term("tolk"))
        clock.shift(61)
        assert rules.words_of("sv") is not words


def test_starter_words_are_found_in_the_starter_texts(example_content):
    """Every default language links its texts to what their words mean."""
    for known in languages.ACTIVE:
        html = page(f"/{known.code}/facts/ta-mitt-barn/")
        assert html.count(f'href="/{known.code}/words/#term-') >= 2, known.code
