"""What is found, in which language it is shown, and in which order."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.fold import fold
from portal.search import actions
from portal.search.models import PAGE, IndexRow, Word

pytestmark = pytest.mark.django_db


def publish(
    object_id: int, language: str, title: str, text: str = "", *, audience: str = "parents", kind: str = "fact"
) -> None:
    actions.index(
        kind=kind,
        object_id=object_id,
        language=language,
        audience=audience,
        title=title,
        text=text,
        url=f"/{language}/{kind}/{object_id}/",
    )


def found(query: str, language: str = "sv", audience: str = "", *, page: int = 1) -> list[int]:
    return [hit.object_id for hit in IndexRow.objects.matching(query, language, audience, page=page)]


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        pytest.param("sv", "Domstolen beslutar om vården", "domstolar", id="Swedish stem"),
        pytest.param("sv", "En barnavårdsutredning inleds", "utredning", id="Swedish compound"),
        pytest.param("sv", "Någon gör en orosanmälan", "orosanmlan", id="Swedish misspelled"),
        pytest.param("sv", "Enligt socialtjänstlagen", "socialtjnst", id="misspelled part of a compound"),
        pytest.param("sv", "En orosanmälan", "orosanmelan", id="one letter wrong"),
        pytest.param("sv", "Socialtjänsten hjälper", "soicaltjänsten", id="two letters changed places"),
        pytest.param("sv", "Barn- och ungdomsförvaltningsmyndigheten", "ungdomsförvaltningsmyndighetn", id="long"),
        pytest.param("sv", "Socialtjänsten hjälper", "socialtjanst", id="Swedish on a foreign keyboard"),
        pytest.param("en", "The authorities decided", "deciding", id="English stem"),
        pytest.param("ar", "الخدمات الاجتماعية", "خدمات", id="Arabic without article"),
        pytest.param("ar", "أطفال وأسرة", "اطفال", id="Arabic without hamza"),
        pytest.param("ar", "اطفال", "أطفال", id="Arabic with hamza"),
        pytest.param("ar", "المدرسة", "المَدْرَسَةُ", id="Arabic with vowel marks"),
        pytest.param("ar", "المَدْرَسَةُ", "المدرسه", id="Arabic without vowel marks and with heh"),
        pytest.param("ar", "المحكمة الإدارية", "المحكـــمة", id="Arabic stretched"),
        pytest.param("fa", "یک کودک", "كودك", id="Persian typed with Arabic kaf"),
        pytest.param("fa", "زندگي", "زندگی", id="Persian written with Arabic yeh"),
        pytest.param("fa", "نمی‌توانند", "نمیتوانند", id="Persian without the joiner"),
        pytest.param("fa", "به ۱۱۲ زنگ بزنید", "112", id="Persian digits, Latin asked"),
        pytest.param("fa", "به 112 زنگ بزنید", "۱۱۲", id="Latin digits, Persian asked"),
        pytest.param("prs", "خدمات اجتماعی", "اجتماعي", id="Dari"),
        pytest.param("ti", "ማሕበራዊ ኣገልግሎት", "ኣገልግሎት", id="Tigrinya"),
        pytest.param("ti", "ማሕበራዊ ኣገልግሎት", "አገልግሎት", id="Tigrinya spelled as in Amharic"),
        pytest.param("so", "Adeegyada bulshada", "bulsho", id="Somali, begun alike"),
        pytest.param("ckb", "خزمەتگوزارییە کۆمەڵایەتییەکان", "كومەلايەتى", id="Sorani without its own letters"),
        pytest.param("th", "เจ้าหน้าที่ช่วยเหลือเด็กและครอบครัว", "เด็ก", id="Thai within a line without spaces"),
        pytest.param("zh-hans", "社会服务部门保护儿童", "儿童", id="Chinese within a line without spaces"),
        pytest.param("tr", "İSTANBUL", "istanbul", id="Turkish dotted capital"),
        pytest.param("tr", "ıslak", "islak", id="Turkish dotless letter"),
        pytest.param("tr", "Çocuklar okulda", "cocuk", id="Turkish without cedilla"),
        pytest.param("pl", "Dziecko i łzy", "lzy", id="Polish stroke"),
        pytest.param("ru", "Ребёнок", "ребенок", id="Russian without dots"),
    ],
)
def test_a_text_is_found_by_what_people_type(language: str, text: str, query: str) -> None:
    publish(1, language, "1", text)
    publish(2, language, "2", "—")
    assert found(query, language) == [1]
    publish(1, language, text)
    assert found(query, language) == [1], "in the title too"


def test_a_swedish_word_leads_to_the_page_in_the_readers_language() -> None:
    publish(1, "sv", "Vad är LVU?", "Domstolen beslutar")
    publish(1, "fa", "LVU چیست؟", "دادگاه تصمیم می‌گیرد")
    (hit,) = IndexRow.objects.matching("domstolen", "fa")
    assert (hit.language, hit.is_fallback, hit.url) == ("fa", False, "/fa/fact/1/")
    assert "".join(part for part, _ in hit.title_parts) == "LVU چیست؟"


def test_a_page_that_is_not_in_the_readers_language_is_shown_in_swedish_and_says_so() -> None:
    publish(1, "sv", "Vad är LVU?", "Domstolen beslutar")
    publish(1, "en", "What is LVU?", "The court decides")
    (hit,) = IndexRow.objects.matching("domstolen", "fa")
    assert (hit.language, hit.is_fallback, hit.url) == ("sv", True, "/sv/fact/1/")


def test_dari_readers_get_persian_before_swedish() -> None:
    publish(1, "sv", "Vad är LVU?")
    publish(1, "fa", "LVU چیست؟")
    (hit,) = IndexRow.objects.matching("LVU", "prs")
    assert (hit.language, hit.is_fallback) == ("fa", True)


def test_other_languages_are_not_searched() -> None:
    publish(1, "sv", "Domstolen")
    publish(1, "so", "Maxkamadda")
    assert found("maxkamadda", "fa") == []
    assert found("maxkamadda", "so") == [1]


def test_embassies_search_english_too() -> None:
    publish(1, "sv", "Domstolen", audience="embassies")
    publish(1, "en", "The court", audience="embassies")
    assert found("court", "fr") == []
    (hit,) = IndexRow.objects.matching("court", "fr", "embassies")
    assert (hit.language, hit.is_fallback) == ("en", True)


def test_an_object_comes_once_although_both_languages_match() -> None:
    publish(1, "sv", "LVU", "LVU domstolen")
    publish(1, "fa", "LVU", "LVU دادگاه")
    assert found("LVU", "fa") == [1]


def test_only_the_chosen_audience_is_found() -> None:
    publish(1, "sv", "Barn", audience="parents")
    publish(2, "sv", "Barn", audience="children")
    publish(3, "sv", "Barnavård", audience="embassies")
    publish(4, "sv", "Barnn", audience="embassies")
    assert found("barn", audience="children") == [2]
    assert sorted(found("barn", audience="embassies")) == [3, 4]
    assert found("barnn", audience="parents") == [1]


def test_exact_is_above_folded_and_folded_above_misspelled_and_a_title_above_a_text() -> None:
    publish(1, "sv", "x", "En orosanmälan")
    publish(2, "sv", "En orosanmälan", "x")
    publish(3, "sv", "x", "En orosanmalan")
    publish(4, "sv", "En orosanmalan", "x")
    publish(5, "sv", "x", "En orosanmlan")
    publish(6, "sv", "En orosanmlan", "x")
    assert found("orosanmälan") == [2, 1, 4, 3, 6, 5]


def test_many_mentions_in_a_text_do_not_outrank_the_title() -> None:
    publish(1, "sv", "Om annat", "tolk " * 50)
    publish(2, "sv", "Om tolk", "x")
    assert found("tolk") == [2, 1]


def test_every_word_has_to_be_there() -> None:
    publish(1, "sv", "Domstolen", "beslutar om vård")
    publish(2, "sv", "Domstolen", "ligger i staden")
    assert found("domstolen vård") == [1]
    assert found("domstolen vrådd") == []
    assert found("domstoln vård") == [1], "one word right, one wrong"


@pytest.mark.parametrize("query", ["Tar de mitt barn?", "«barn»", "barn, mitt", "-barn", "mitt -barn", "barn & (mitt"])
def test_punctuation_of_a_question_is_not_searched_for(query: str) -> None:
    publish(1, "sv", "Kan de ta mitt barn?", "Nej. De tar inte ditt barn utan beslut av domstol.")
    assert found(query) == [1]


def test_quotes_ask_for_a_phrase_and_put_it_first() -> None:
    publish(1, "sv", "Vård av unga")
    publish(2, "sv", "Unga får vård av kommunen")
    assert found('"unga får vård"')[0] == 2


NASTY = [
    "%",
    "_",
    "%%",
    "\\",
    "\\%",
    "'",
    '"',
    '"barn',
    "';--",
    "%s %(query)s {a}",
    "!!!",
    "?",
    "-",
    "- -",
    "()",
    "&|!<->:*",
    "😀",
    "👩‍👧",
    "\ud800",
    "\udfffbarn\ud800",
    "\0",
    "a\0b",
    "\u202e",
    "\u0301",
    "x" * 5000,
    "x " * 5000,
    "%" * 5000,
    '"' * 5000,
    "or",
    "or or",
    "barn or",
    "\n\t",
]


@pytest.mark.parametrize("query", NASTY)
def test_nothing_that_is_typed_is_an_error(query: str) -> None:
    publish(1, "sv", "Utan", "tecken")
    assert found(query) == []
    assert found(query, "th", "embassies", page=3) == []


@pytest.mark.parametrize("sign", ["%", "_", "\\", "😀", "§", "'"])
def test_a_sign_is_found_where_it_stands_and_stands_for_nothing_else(sign: str) -> None:
    publish(1, "sv", "Ord", "fem stycken")
    publish(2, "sv", "Ord", f"fem {sign} stycken")
    assert found(sign) == [2]


@pytest.mark.parametrize("query", ["", "   ", "\u200b", "\0"])
def test_nothing_asked_costs_nothing(query: str) -> None:
    publish(1, "sv", "Ord")
    with CaptureQueriesContext(connection) as queries:
        assert found(query) == []
    assert len(queries) == 0


@pytest.mark.parametrize("query", ["domstolen", "utredning", "domstoln beslutr", "finns inte"])
def test_a_search_is_at_most_two_queries(query: str) -> None:
    publish(1, "sv", "Domstolen beslutar", "En barnavårdsutredning")
    with CaptureQueriesContext(connection) as queries:
        found(query, "fa", "parents")
    assert 1 <= len(queries) <= 2


def test_pages_continue_where_the_last_one_ended() -> None:
    for object_id in range(1, 11):
        publish(object_id, "sv", "Domstolen")
        publish(object_id + 10, "sv", "x", "Domstolen")
        publish(object_id + 20, "sv", "Förvaltningsdomstolen")
        publish(object_id + 30, "sv", "Domstoln")
    publish(99, "sv", "Annat")
    first = IndexRow.objects.matching("domstolen", "sv")
    second = IndexRow.objects.matching("domstolen", "sv", page=2)
    third = IndexRow.objects.matching("domstolen", "sv", page=3)
    assert (len(first), first.has_more) == (PAGE, True)
    assert (len(second), second.has_more) == (PAGE, False)
    assert (len(third), third.has_more) == (0, False)
    assert [hit.object_id for hits in (first, second) for hit in hits] == list(range(1, 41))


@pytest.mark.parametrize("page", [-1, 0, 501, 10**30])
def test_a_page_that_cannot_be_is_empty(page: int) -> None:
    publish(1, "sv", "Domstolen")
    assert found("domstolen", page=page) == []


def test_indexing_again_replaces_what_stood_there() -> None:
    publish(1, "sv", "Domstolen", audience="parents")
    before = IndexRow.objects.get()
    publish(1, "sv", "Kommunen", audience="children")
    row = IndexRow.objects.get()
    assert (row.pk, row.title, row.audience) == (before.pk, "Kommunen", "children")
    assert row.updated_at > before.updated_at
    assert found("domstolen") == []
    assert found("kommunen") == [1]


def test_the_vocabulary_learns_a_word_once_per_language() -> None:
    publish(1, "sv", "Domstolen domstolen", "DOMSTOLEN")
    publish(2, "sv", "Domstolen kallar")
    publish(2, "en", "Domstolen")
    learned = sorted(Word.objects.values_list("language", "word"))
    assert learned == [("en", "domstolen"), ("sv", "domstolen"), ("sv", "kallar")]


def test_removing_takes_away_one_language_or_all() -> None:
    publish(1, "sv", "LVU")
    publish(1, "fa", "LVU")
    publish(1, "ar", "LVU")
    publish(1, "sv", "LVU", kind="event")
    publish(2, "sv", "LVU")
    actions.remove(kind="fact", object_id=1, language="fa")
    assert not IndexRow.objects.filter(language="fa").exists()
    actions.remove(kind="fact", object_id=1)
    assert sorted(IndexRow.objects.values_list("kind", "object_id")) == [("event", 1), ("fact", 2)]


def test_a_removed_misspelling_leads_nowhere() -> None:
    publish(1, "sv", "Orosanmälan")
    actions.remove(kind="fact", object_id=1)
    assert found("orosanmlan") == []


def test_persian_is_never_stemmed_as_arabic() -> None:
    publish(1, "fa", "والدین", "کتابها")
    row = IndexRow.objects.get()
    assert "والدین" in row.vector, "the Arabic stemmer would have taken letters away"


def test_a_part_of_an_endless_word_is_found() -> None:
    word = "".join(chr(ord("a") + n * n % 23) for n in range(150))
    publish(1, "sv", "Rubrik", word)
    assert found(word) == [1]
    assert [found(word[start : start + 20]) for start in range(130)] == [[1]] * 130


def test_a_text_larger_than_a_vector_can_be_published() -> None:
    publish(1, "sv", "Lång", " ".join(f"ord{n}ord{n}" for n in range(120_000)))
    assert found("ord17ord17") == [1]


LANGUAGES = st.sampled_from(["sv", "en", "ar", "fa", "ti", "ckb", "tr", "ru", "th", "zh-hans", "yi"])
STORABLE = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
SCRIPTS = st.sampled_from("aåÅßİıŁéеёЙابتأآةىيیکكکۆەًّ۱٣אבּשׁሀሐኣไท้ำ儿童한글ｶﾞ½ﷺ 'ʼ-–_%\\\"´\u200c\u0301\n.!:§😀")
TEXTS = st.text(STORABLE | SCRIPTS, max_size=60)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(language=LANGUAGES, title=TEXTS, text=TEXTS)
def test_each_word_of_an_indexed_text_finds_it(language: str, title: str, text: str) -> None:
    publish(1, language, title, text)
    for word in f"{title} {text}".split():
        if fold(word):
            assert found(word, language) == [1], ascii(word)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(language=LANGUAGES, title=TEXTS, text=TEXTS, query=st.text(max_size=250) | TEXTS)
def test_the_parts_of_a_hit_are_its_title_and_its_text(language: str, title: str, text: str, query: str) -> None:
    publish(1, language, title, text)
    for hit in IndexRow.objects.matching(query, language):
        assert "".join(part for part, _ in hit.title_parts) == title
        assert "".join(part for part, _ in hit.text_parts).strip("…") in " ".join(text.split())
