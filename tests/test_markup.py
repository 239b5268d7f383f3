"""Editors' texts become safe HTML that reads right in every direction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import contacts, markup


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        '[x](https://a.example "onmouseover=alert(1)")',
        "![x](https://a.example/a.png)",
        '<a href="https://a.example" onclick="x()">x</a>',
        "<img src=x onerror=alert(1)>",
    ],
)
def test_nothing_that_runs_survives(text):
    html = markup.render(text).lower()
    assert "<script" not in html
    assert "<img" not in html
    assert "javascript:" not in html.replace("[x](javascript:", "")
    assert 'onmouseover="' not in html
    assert "title=" not in html


@given(st.text(max_size=200))
def test_any_text_renders_and_no_tag_of_its_own_comes_through(text):
    html = str(markup.render(text))
    assert "<script" not in html.lower()
    assert "\x00" not in markup.plain(text)


@pytest.mark.parametrize(
    "number",
    ["1–4 §§", "1990:52", "1–4, 6–8, 13, 36, 39 §§", "2026-11-03", "27 300", "0980-319 200", "116 111", "73 %"],
)
def test_numbers_keep_their_order_between_words_from_right_to_left(number):
    assert f'<bdi dir="ltr">{number}</bdi>' in markup.render(f"قانون {number} يقول")


@pytest.mark.parametrize("token", ["{{phone:bris}}", "{{ phone:bris }}", "**{{phone: bris}}**"])
def test_a_number_to_call_is_a_link_from_left_to_right(token):
    assert '<a class="phone" href="tel:116111"><bdi dir="ltr">116 111</bdi></a>' in markup.render(f"Ring {token}.")


def test_a_number_to_call_in_a_title_is_no_link_and_whatever_it_is_does_not_fall_apart():
    contacts.write([contacts.Contact("bris", "+1 2-3 <4")])
    assert markup.isolate("نداء {{phone:bris}} 1–4 §§") == (
        'نداء <bdi class="phone" dir="ltr">+1 2-3 &lt;4</bdi> <bdi dir="ltr">1–4 §§</bdi>'
    )


@given(st.lists(st.sampled_from(["Ring ", "{{phone:", "{{ phone:", "bris", "nobody", "112", "}}", "\n\n", "12 "])))
def test_no_reader_ever_sees_how_a_number_to_call_is_written(pieces):
    """What can be saved: braces that hold no number to call are refused before."""
    text = "".join(pieces)
    if contacts.mistaken(text):
        assert "{{" in text or "}}" in text
        return
    for shown in (markup.render(text), markup.isolate(text), contacts.expand(markup.plain(text))):
        assert "{{" not in shown
        assert shown.count("116 111") == text.count("bris}}")


def test_a_number_to_call_that_there_is_no_more_leaves_no_braces_behind():
    text = "Ring {{phone:nobody}} eller {{phone:112}}."
    assert markup.render(text) == "<p>Ring  eller .</p>\n"
    assert markup.isolate(text) == contacts.expand(text) == "Ring  eller ."


def test_plain_words_hold_no_marks_and_leave_numbers_to_call_for_later():
    assert markup.plain("## A & B\n\n- **fet** {{phone:emergency}}") == "A & B fet {{phone:emergency}}"
