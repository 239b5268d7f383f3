from hypothesis import given
from hypothesis import strategies as st

from portal.revisions import paragraphs

TEXTS = st.lists(st.text("abc å.\n1", min_size=1, max_size=12), max_size=6).map("\n\n".join)


@given(TEXTS, TEXTS)
def test_a_comparison_holds_both_texts_whole_and_in_order(old, new):
    changes = paragraphs.compare(old, new)
    assert [change.old for change in changes if change.old] == paragraphs.split(old)
    assert [change.new for change in changes if change.new] == paragraphs.split(new)
    for change in changes:
        assert "".join(part.text for part in change.parts if part.kind != "added") == change.old
        assert "".join(part.text for part in change.parts if part.kind != "removed") == change.new


@given(TEXTS, TEXTS, TEXTS)
def test_no_word_of_a_translation_is_lost_between_the_boxes(base, now, translation):
    rows = paragraphs.rows(base, now, translation)
    written = paragraphs.join([row.translation for row in rows])
    assert written.split() == translation.split()
    assert [row.change.new for row in rows if row.change.new] == paragraphs.split(now)


@given(TEXTS)
def test_a_translation_of_the_text_as_it_is_now_stands_paragraph_by_paragraph(text):
    rows = paragraphs.rows(text, text, text)
    assert [row.translation for row in rows] == paragraphs.split(text)
    assert not any(row.is_to_do for row in rows)


def test_only_paragraphs_that_are_not_in_the_older_text_are_counted():
    old = "Ett två tre.\n\nFyra fem."
    assert paragraphs.words_to_translate(None, old) == 5
    assert paragraphs.words_to_translate(old, old) == 0
    assert paragraphs.words_to_translate(old, "Fyra fem.\n\nEtt två.") == 2
    assert paragraphs.count_words("**Ring** {{phone:bris}} [nu](https://example.org/a-b).") == 4


def test_lix_is_low_for_short_words_and_high_for_long_ones():
    easy = "Du kan få hjälp. Det är gratis. Du kan ringa oss när du vill. Vi tar emot dig. Du får en tolk om du vill."
    hard = (
        "Socialnämndens myndighetsutövning förutsätter rättssäkra handläggningsprocesser varvid barnavårdsutredningar "
        "genomförs skyndsamt och dokumentationsskyldigheten iakttas i enlighet med förvaltningslagens bestämmelser om "
        "beslutsmotivering samt kommunicering med vårdnadshavare."
    )
    assert paragraphs.lix(easy) < 30
    assert paragraphs.lix(hard) > 60
    assert paragraphs.lix("För kort.") is None
