"""Every page a reader can reach parses strictly, says its language and direction, and has one heading of the first
rank. A formatter does not find broken HTML; a parser does."""

import re
from collections import deque

import html5lib
import pytest
from django.test import Client

from portal import languages

pytestmark = pytest.mark.django_db


def parsed(html: str, path: str):
    parser = html5lib.HTMLParser(strict=False)
    tree = parser.parse(html)
    problems = [(place, code, data) for place, code, data in parser.errors]
    assert problems == [], f"{path}: {problems[:3]}"
    return tree


def links(html: str) -> set[str]:
    return {link for link in re.findall(r'href="(/[^"#?]*)', html) if link.startswith("/")}


@pytest.mark.parametrize("code", ["sv", "ar", "ti"])
def test_every_page_that_can_be_reached_is_whole(code, example_content):
    client, seen, waiting = Client(), set(), deque([f"/{code}/"])
    known = languages.get(code)
    while waiting:
        path = waiting.popleft()
        if path in seen or not path.startswith(f"/{code}/") or path.endswith((".pdf", ".png", ".zip")):
            continue
        seen.add(path)
        response = client.get(path)
        assert response.status_code == 200, f"{path} is linked and answers {response.status_code}"
        if not response["Content-Type"].startswith("text/html"):
            continue
        html = response.content.decode()
        parsed(html, path)
        assert re.search(rf'<html lang="{known.tag}"\s+dir="{known.direction}"', html), path
        assert len(re.findall(r"<h1\b", html)) == 1, path
        assert response["Content-Language"] == known.tag, path
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), f"{path}: an id stands twice"
        waiting.extend(links(html))
    # The front page, three audiences, 24 facts, the answers, the events and the standing pages.
    assert len(seen) > 45
    assert f"/{code}/words/" in seen


def test_the_numbers_to_call_are_right_in_every_language(example_content):
    for known in languages.ACTIVE:
        html = Client().get(f"/{known.code}/").content.decode()
        for uri, number in [("tel:112", "112"), ("tel:116111", "116 111"), ("tel:020505050", "020-50 50 50")]:
            assert re.search(rf'<a href="{uri}"\s*>\s*<strong\s*>\s*<bdi dir="ltr">{number}</bdi>', html), known.code


def test_example_texts_keep_their_numbers_in_every_language():
    from portal.pages import starter

    hard = re.compile(r"\{\{[^}]*\}\}|\(\d{4}:\d+\)|\d+")
    for kind in ("facts", "rumors", "events", "pages"):
        for versions in starter.texts(kind):
            wanted = sorted(hard.findall(versions["sv"].body))
            for code, file in versions.items():
                assert sorted(hard.findall(file.body)) == wanted, f"{kind}/{file.key}/{code}.md"
                headings = len(re.findall(r"^#+ ", file.body, re.MULTILINE))
                assert headings == len(re.findall(r"^#+ ", versions["sv"].body, re.MULTILINE)), f"{file.key}/{code}"
