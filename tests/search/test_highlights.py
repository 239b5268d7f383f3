"""What is marked in a hit, and which part of a long text is shown."""

import pytest

from portal.search import actions
from portal.search.models import SNIPPET_CHARACTERS, Hit, IndexRow

pytestmark = pytest.mark.django_db

FILLER = "Kommunen svarar gärna den som undrar. " * 20


def hit(query: str, title: str, text: str = "", language: str = "sv") -> Hit:
    actions.index(kind="fact", object_id=1, language=language, title=title, text=text, url="/x/")
    (only,) = IndexRow.objects.matching(query, language)
    return only


@pytest.mark.parametrize(
    ("language", "text", "query", "marked"),
    [
        ("sv", "Vad händer i domstolen?", "domstolen", ["domstolen"]),
        ("sv", "Alla barnets rättigheter, barn!", "barn", ["barnets", "barn"]),
        ("sv", "En barnavårdsutredning inleds", "utredning", ["barnavårdsutredning"]),
        ("sv", "Domstolarna beslutar", "domstol", ["Domstolarna"]),
        ("sv", "Domstolen beslutar", "domstolarna", ["Domstolen"]),
        ("sv", "En orosanmälan görs", "orosanmlan", ["orosanmälan"]),
        ("sv", "Kan de ta barnen?", "de barn", ["de", "barnen"]),
        ("sv", "LVU (1990:52) gäller", "1990:52", ["1990", "52"]),
        ("ar", "في المَدْرَسَةُ اليوم", "المدرسه", ["المَدْرَسَةُ"]),
        ("fa", "آیا می\u200cتوانند کودک", "میتوانند", ["می\u200cتوانند"]),
        ("fa", "زنگ ۱۱۲ بزنید", "112", ["۱۱۲"]),
        ("ti", "ማሕበራዊ ኣገልግሎት", "አገልግሎት", ["ኣገልግሎት"]),
        ("th", "เจ้าหน้าที่ช่วยเด็กและครอบครัว", "เด็ก", ["เด็ก"]),
        ("zh-hans", "社会服务部门保护儿童", "儿童", ["儿童"]),
        ("tr", "İSTANBUL'da", "istanbul", ["İSTANBUL"]),
        ("so", "Kommunka iyo caruurta", "caruurta", ["caruurta"]),
    ],
)
def test_what_matched_is_marked(language: str, text: str, query: str, marked: list[str]) -> None:
    found = hit(query, text, text, language)
    assert [part for part, is_match in found.title_parts if is_match] == marked
    assert [part for part, is_match in found.text_parts if is_match] == marked


def test_parts_are_plain_text_for_the_template_to_escape() -> None:
    found = hit("barn", "<script>barn</script>", "a & b <b>barn</b>")
    assert list(found.title_parts) == [("<script>", False), ("barn", True), ("</script>", False)]
    assert list(found.text_parts) == [("a & b <b>", False), ("barn", True), ("</b>", False)]


def test_a_long_text_is_cut_around_the_first_match_between_words() -> None:
    found = hit("tingsrätten", "Rubrik", FILLER + "Sedan prövar tingsrätten saken noga. " + FILLER)
    shown = "".join(part for part, _ in found.text_parts)
    assert ("tingsrätten", True) in found.text_parts
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= SNIPPET_CHARACTERS + 2
    assert set(shown.strip("…").split()) <= set(f"{FILLER} Sedan prövar tingsrätten saken noga.".split())


@pytest.mark.parametrize(("before", "after"), [("", FILLER), (FILLER, "")])
def test_nothing_says_that_more_follows_where_the_text_begins_or_ends(before: str, after: str) -> None:
    found = hit("tingsrätten", "Rubrik", f"{before} tingsrätten {after}".strip())
    shown = "".join(part for part, _ in found.text_parts)
    assert shown.startswith("…") == bool(before)
    assert shown.endswith("…") == bool(after)


def test_a_match_in_the_title_alone_shows_how_the_text_begins() -> None:
    found = hit("tolk", "Tolk", FILLER)
    shown = "".join(part for part, _ in found.text_parts)
    assert shown.startswith("Kommunen svarar")
    assert not any(is_match for _, is_match in found.text_parts)


def test_a_text_without_spaces_is_cut_too() -> None:
    found = hit("儿童", "社会", "社会服务部门" * 100 + "儿童" + "社会服务部门" * 100, "zh-hans")
    shown = "".join(part for part, _ in found.text_parts)
    assert len(shown) <= SNIPPET_CHARACTERS + 2
    assert ("儿童", True) in found.text_parts


def test_an_endless_word_is_cut_and_still_marked() -> None:
    found = hit("barn", "Rubrik", "x" * 500 + "barn" + "x" * 500)
    shown = "".join(part for part, _ in found.text_parts)
    assert len(shown) <= SNIPPET_CHARACTERS + 2
