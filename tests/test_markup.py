"""Editors' texts become safe HTML that reads right in every direction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import markup


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


@pytest.mark.parametrize("number", ["1–4 §§", "1990:52", "2026-11-03", "27 300", "0980-319 200", "116 111", "73 %"])
def test_numbers_keep_their_order_between_words_from_right_to_left(number):
    assert f'<bdi dir="ltr">{number}</bdi>' in markup.render(f"قانون {number} يقول")


def test_a_number_to_call_is_a_link_from_left_to_right_and_an_unknown_one_is_left_for_the_editor_to_see():
    html = markup.render("Ring {{phone:bris}} eller {{phone:nobody}}.")
    assert '<a class="phone" href="tel:116111"><bdi dir="ltr">116 111</bdi></a>' in html
    assert "{{phone:nobody}}" in html


def test_plain_words_hold_no_marks():
    assert markup.plain("## A & B\n\n- **fet** {{phone:emergency}}") == "A & B fet 112"
