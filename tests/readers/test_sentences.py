"""How a text is cut into sentences, in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.revisions.readers.rules import sentences

SCRIPTS = st.one_of(
    st.text(max_size=200),
    st.text("abcÅÄÖ .!?…\"'”)»(\n\t1234567890§–", max_size=120),
    st.text("ابتثجحخدذرز ؟.!،؛«»٠١٢٣٤٥\u200f\u200e", max_size=120),
    st.text("پچژگ ۔؟.!۰۱۲۳۴\u200c", max_size=120),
    st.text("ሀለሐመሠረሰ ፡።፧፨፣?!.0123", max_size=120),
    st.text("กขคงจฉชซ ฯๆ.!?๐๑๒๓ะาิีึื่้", max_size=120),
    st.text("我们的孩子。！？“”「」，、1234. ", max_size=120),
    st.text("кНГ. «»!?т е №", max_size=120),
)


@given(SCRIPTS)
def test_every_character_is_kept_and_no_piece_is_empty(text):
    found = sentences(text)
    assert "".join(found) == text
    assert all(found)


@given(st.lists(SCRIPTS, min_size=1, max_size=5))
def test_a_sentence_is_not_cut_once_more_when_it_stands_alone(texts):
    """Where the cut of one sentence does not lie with its neighbors."""
    for text in texts:
        for sentence in sentences(text)[:-1]:
            assert sentences(sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # what ends a sentence
        ("Nej. Domstolen beslutar! Eller? Ja…", ["Nej. ", "Domstolen beslutar! ", "Eller? ", "Ja…"]),
        ("Ring 112. Polisen kommer.", ["Ring 112. ", "Polisen kommer."]),
        ("Lagen gäller sedan 2025. Före den gällde SoL.", ["Lagen gäller sedan 2025. ", "Före den gällde SoL."]),
        ("Det står i 1–4 §§. Läs dem.", ["Det står i 1–4 §§. ", "Läs dem."]),
        ("De säger: ”Nej.” Sedan går de.", ["De säger: ”Nej.” ", "Sedan går de."]),
        ("(Se ovan.) Sedan då?", ["(Se ovan.) ", "Sedan då?"]),
        ("No. The court decides.", ["No. ", "The court decides."]),
        ("Vi ger mat, kläder osv. Det kostar inget.", ["Vi ger mat, kläder osv. ", "Det kostar inget."]),
        ("Rad ett.\nRad två.", ["Rad ett.\n", "Rad två."]),
        ("Vad?! Nej...  Jo.", ["Vad?! ", "Nej...  ", "Jo."]),
        ("Закон действует с 2025 г. Суд решает.", ["Закон действует с 2025 г. ", "Суд решает."]),
        # what does not
        ("I snitt 1.8 år, mot 3.6 år.", None),
        ("T.ex. Bris, bl.a. Rädda Barnen och s.k. Familjehem.", None),
        ("Se 3 kap. 4 § och art. 8, kl. 8.30–10.00.", None),
        ("Den 3. maaliskuuta 2026.", None),
        ("Od 2021. godine.", None),
        ("A. Ek och B. Ek beslutar.", None),
        ("Läs på https://example.org/a.b?c=d!e nu.", None),
        ("”Kan de?” frågar många.", None),
        ("Lag (2025:400), 2026-11-03 och 27 300 barn.", None),
        ("No. 5 and s. 7 apply.", None),
        ("1. Vi ringer dig", None),
        ("Напр. Стокгольм, ст. 8.", None),
        ("Ring {{phone:bris}} nu", None),
        # Arabic, Persian, Urdu
        ("هل يأخذون طفلي؟ لا. المحكمة تقرر.", ["هل يأخذون طفلي؟ ", "لا. ", "المحكمة تقرر."]),
        ("يقول د. محمد ذلك.", None),
        ("٣. نتصل بك", None),
        ("آیا می‌توانند؟نه! دادگاه ۱.۸ سال.", ["آیا می‌توانند؟", "نه! ", "دادگاه ۱.۸ سال."]),
        ("عدالت فیصلہ کرتی ہے۔ آپ کو وکیل ملتا ہے۔", ["عدالت فیصلہ کرتی ہے۔ ", "آپ کو وکیل ملتا ہے۔"]),
        # Tigrinya, with the mark and with the two that many type
        ("ቤት ፍርዲ ይውስን። ጠበቓ ይወሃበኩም፧ እወ።", ["ቤት ፍርዲ ይውስን። ", "ጠበቓ ይወሃበኩም፧ ", "እወ።"]),
        ("ቤት ፍርዲ ይውስን፡፡ እወ፡፡", ["ቤት ፍርዲ ይውስን፡፡ ", "እወ፡፡"]),
        ("ሰብ፡ቤት፡ኣሎ", None),
        # Hindi mark, Chinese without spaces, Thai without marks
        ("法院决定。孩子有律师！“可以吗？”可以。", ["法院决定。", "孩子有律师！", "“可以吗？”", "可以。"]),
        ("平均1.8年", None),
        ("ศาลเป็นผู้ตัดสิน เด็กมีทนายความ", None),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_its_readers_would(text, expected):
    assert sentences(text) == (expected or [text])


def test_a_long_line_of_dots_takes_no_time():
    """Quadratic patterns would take minutes."""
    for text in ("." * 50_000, "a" * 50_000 + ". " * 10, '"' * 50_000, "؟" + ")" * 50_000, "A." * 25_000):
        assert "".join(sentences(text)) == text
