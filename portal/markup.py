"""From an editor's Markdown to safe HTML, with phone numbers and sections that read right in every direction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Final
from urllib.parse import unquote

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from portal import contacts

TAGS: Final = {"h2", "h3", "p", "ul", "ol", "li", "strong", "em", "a", "br"}
SCHEMES: Final = {"https", "http", "mailto", "tel"}

_markdown: Final = MarkdownIt("commonmark", {"html": False}).disable(["image", "code", "fence", "html_block"])
# Tags, numbers to call, and entities: the 27 in an apostrophe written as &#x27; is no number of the text.
_left_alone: Final = re.compile(r"(<[^>]*>|&#?\w+;|\{\{[^{}<>\n]*\}\})")
# A number with anything between its digits that has no direction of its own: 1–4 §§, 1990:52, 2026-11-03, 27 300,
# and a typed phone number, 0980-319 200, whose groups would change places.
_number: Final = re.compile(
    r"\+?\d+(?:[-–.,:/\u00a0\u202f]\d+|, \d+(?=(?:[-–]\d+|, \d+)* ?§)| \d{2,3}(?!\d))*(?:[ \u00a0]?§+)?(?:[ \u00a0]?%)?"
)


def phone(contact: contacts.Contact) -> SafeString:
    """A number to press, always from left to right."""
    return format_html('<a class="phone" href="{}"><bdi dir="ltr">{}</bdi></a>', contact.uri, contact.number)


def _number_only(contact: contacts.Contact) -> SafeString:
    return format_html('<bdi class="phone" dir="ltr">{}</bdi>', contact.number)


def _isolated(html: str) -> str:
    parts = _left_alone.split(html)
    parts[::2] = [_number.sub(lambda match: f'<bdi dir="ltr">{match[0]}</bdi>', part) for part in parts[::2]]
    return "".join(parts)


def blocks(text: str) -> list[tuple[str, str]]:
    """The tag and the words of each heading and paragraph, those of list items among them, without marks."""
    found: list[tuple[str, str]] = []
    tag = ""
    for token in _markdown.parse(text):
        if token.type == "inline":
            words = (part.content or ("\n" if part.type.endswith("break") else "") for part in token.children or ())
            found.append((tag, "".join(words)))
        elif token.nesting == 1:
            tag = token.tag
    return found


def isolate(html: str) -> SafeString:
    """Wrap every number of an escaped text, so that it is not turned around between words from right to left.

    Numbers to call are filled in, without a link: the text may stand inside of one.
    """
    return mark_safe(contacts.expand(_isolated(html), _number_only))  # noqa: S308 - escaped before; only <bdi> is new


def isolate_plain(text: str) -> str:
    """The same for text without markup, by characters that are not seen; numbers to call are filled in before."""
    return _number.sub(lambda match: f"\u2066{match[0]}\u2069", text)


def _only_links(tag: str, attribute: str, value: str) -> str | None:
    return value if (tag, attribute) == ("a", "href") else None


@lru_cache(maxsize=1024)
def _rendered(text: str) -> str:
    html: str = nh3.clean(_markdown.render(text), tags=TAGS, attribute_filter=_only_links, url_schemes=SCHEMES)
    return _isolated(html)


def render(text: str) -> SafeString:
    """Markdown as HTML. Numbers to call become links, filled in late, so that a new number shows."""
    return mark_safe(contacts.expand(_rendered(text), phone))  # noqa: S308 - sanitized by nh3


@lru_cache(maxsize=1024)
def links(text: str) -> tuple[str, ...]:
    """The web addresses that a Markdown text leads to, as the page has them; none of the site's own."""
    inside = (inner for token in _markdown.parse(text) for inner in token.children or ())
    found = (str(inner.attrGet("href")) for inner in inside if inner.type == "link_open")
    return tuple(dict.fromkeys(address for address in found if address.startswith(("http://", "https://"))))


def plain(text: str) -> str:
    """The words of a Markdown text: no marks. Numbers to call are left to `contacts.expand`, when somebody reads it."""
    return re.sub(r"\s+", " ", unescape(nh3.clean(_markdown.render(text), tags=set()))).strip()


@dataclass(frozen=True, slots=True)
class Outline:
    """What a Markdown text is made of."""

    words: tuple[str, ...]
    """Of each heading, paragraph and list item, without marks. An address that is a link to itself is left out."""
    links: tuple[str, ...]
    headings: tuple[str, ...]
    """`##` or `###` each."""
    items: tuple[str, ...]
    """The mark of each list item: `-`, or the number that somebody typed."""
    lost: tuple[str, ...]
    """Markup that readers do not get, or see as it was typed."""


# Left as it stands although somebody meant something by it: tags, a link or bold letters with a space too many or too
# few, the second line of a table, code, a heading without a space.
_unread: Final = re.compile(
    r"</?[a-zA-Z][^<>\n]{0,40}>|<!--|\*\*|\]\s?\(|^\|?(?: ?:?-+:? ?\|)+|```|~~|^#{2,6}(?=[^\s#])", re.MULTILINE
)


@lru_cache(maxsize=256)
def outline(text: str) -> Outline:
    words: list[str] = []
    links: list[str] = []
    lost: list[str] = []
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.children:
            words.append(_words(token.children, links, lost))
            lost += _unread.findall(words[-1])
        elif token.nesting >= 0 and token.tag and token.tag not in TAGS:
            lost.append(token.markup)
    headings = ["#" * int(token.tag[1]) for token in tokens if token.type == "heading_open" and token.tag in TAGS]
    items = [token.info or token.markup for token in tokens if token.type == "list_item_open"]
    return Outline(tuple(words), tuple(links), tuple(headings), tuple(items), tuple(lost))


def _words(tokens: Sequence[Token], links: list[str], lost: list[str]) -> str:
    parts: list[str] = []
    href = ""
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrs["href"])
            scheme = href.partition(":")[0] if re.match(r"[\w+.-]+:", href) else ""
            if scheme.lower() in SCHEMES | {""}:
                links.append(href)
            else:
                lost.append(f"{scheme}:")
            if parts and parts[-1].endswith("!"):
                lost.append("![")
        elif token.type == "link_close":
            href = ""
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        else:
            if token.type == "code_inline":
                lost.append(token.markup)
            if not href or token.content.rstrip("/") != unquote(href).removeprefix("mailto:").rstrip("/"):
                parts.append(token.content)
    return "".join(parts)
