"""Folding: what a search finds although it was spelled differently."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.fold import fold

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates, NUL and unassigned code points too
MARKS = st.text(
    "a\u05d0\u0627\u0939\u1240\u0301\u0327\u064e\u0651\u0951\u0952\u034f\u200d\u0f73\u0e48\u3099\ufe77", max_size=90
)


@given(ANY_TEXT | MARKS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(ANY_TEXT | MARKS)
def test_every_normalization_form_folds_alike(text: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert fold(composed) == fold(decomposed) == fold(text)


def test_both_hold_for_every_single_character() -> None:
    for char in map(chr, range(sys.maxunicode + 1)):
        folded = fold(char)
        assert fold(folded) == folded, hex(ord(char))
        assert fold(unicodedata.normalize("NFD", char)) == folded, hex(ord(char))


@given(ANY_TEXT)
@example("\ud800")
@example("a\x00b\ud83d\ude00c\udfff")
def test_the_result_can_be_stored_and_is_one_line(text: str) -> None:
    folded = fold(text)
    folded.encode()  # a lone surrogate would raise
    assert "\x00" not in folded
    assert folded == " ".join(folded.split())


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        pytest.param("Socialtjänsten får SE ÖVER", "socialtjansten far se over", id="Swedish"),
        pytest.param("Straße, STRASSE", "strasse, strasse", id="sharp s"),
        pytest.param("Đorđe Łódź Ødegård æ", "dorde lodz odegard ae", id="strokes"),
        pytest.param("čáhci Ŋ Ŧ", "cahci n t", id="Northern Sami"),
        pytest.param("IŞIK ışık İstanbul", "isik isik istanbul", id="Turkish"),
        pytest.param("zarokên şîretkar", "zaroken siretkar", id="Kurmanji"),
        pytest.param("go\u2019aan go\u02bcaan go`aan go\u00b4aan", "go'aan go'aan go'aan go'aan", id="Somali"),
        pytest.param("ﬁnska ① ²", "finska 1 2", id="compatibility forms"),
        pytest.param("Ёлка ЙОД", "елка иод", id="Russian"),
        pytest.param("сім\u2019я Ґанок їжа", "сім'я ганок іжа", id="Ukrainian"),
        pytest.param("سَمَاءٌ مدرسة إلى أب", "سماء مدرسه الي اب", id="Arabic"),
        pytest.param("كـــتاب", "كتاب", id="tatweel"),
        pytest.param("ﻻ ﷲ", "لا الله", id="presentation forms"),
        pytest.param("می\u200cخواهم", "ميخواهم", id="ZWNJ"),
        pytest.param("کتاب", "كتاب", id="kaf"),
        pytest.param("خانهٔ خانۀ", "خانه خانه", id="Persian heh"),
        pytest.param("ډوډۍ ښوونځے", "ډوډي ښوونځي", id="Pashto keeps its own letters"),
        pytest.param("ڕۆژ ماڵ ئێمە ھەموو", "روژ مال ييمه ههموو", id="Sorani"),
        pytest.param("ہمیں بچوں کے", "همين بچون كي", id="Urdu"),
        pytest.param("שָׁלוֹם", "שלום", id="Hebrew points"),
        pytest.param("ייִדיש ײַ װוּ", "יידיש יי ווו", id="Yiddish"),
        pytest.param("ሐገር ሃገር ኃገር ሀገር", "ሀገር ሀገር ሀገር ሀገር", id="Ethiopic h"),
        pytest.param("ሠላም ዓለም ፀሐይ", "ሰላም አለም ጸሀይ", id="Ethiopic s, glottals, ts"),
        pytest.param("ኣብ ስድራቤት", "አብ ስድራቤት", id="Tigrinya"),
        pytest.param("ሰላም፡ለዓለም", "ሰላም ለአለም", id="Ethiopic word space"),
        pytest.param("١١٢ ۱۱۲ １１２ ११२ ๑๑๒", "112 112 112 112 112", id="digits"),
        pytest.param("10\u201112 \u2212 \u2013", "10-12 - -", id="dashes"),
        pytest.param("\u202b112\u202c \u2067x\u2069 so\u00adcial", "112 x social", id="bidi marks"),
        pytest.param(" a\t\u00a0b\r\n\u2003c\u2028 ", "a b c", id="spaces"),
        pytest.param("a\x00b\x07c\ud800d", "abcd", id="controls and lone surrogates"),
    ],
)
def test_what_is_typed_finds_what_is_meant(text: str, same_as: str) -> None:
    assert fold(text) == same_as == fold(same_as)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("มา", "ม้า"),  # Thai tone mark: come, horse
        ("कल", "कुल"),  # Hindi vowel sign: tomorrow, total
        ("か", "が"),  # Japanese voicing
        ("ከ", "ኸ"),
        ("ሀ", "ኸ"),
        ("ټ", "ت"),
        ("پ", "ب"),
        ("г", "r"),
    ],
)
def test_what_is_another_word_stays_another_word(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_a_flood_of_marks_is_sorted_as_unicode_sorts_it() -> None:
    flood = "\u0915" + "\u0951\u034f\u0952\ufe77" * 300
    assert fold(flood) == "\u0915" + "\u0952" * 300 + "\u0951" * 300
