"""From an editor's Markdown to safe HTML, with phone numbers and sections that read right in every direction."""

import re
from functools import lru_cache
from html import unescape
from typing import Final

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from portal import contacts

TAGS: Final = {"h2", "h3", "p", "ul", "ol", "li", "strong", "em", "a", "br"}

_markdown: Final = MarkdownIt("commonmark", {"html": False}).disable(["image", "code", "fence", "html_block"])
# Also entities: the 27 in an apostrophe written as &#x27; is no number of the text.
_tag: Final = re.compile(r"(<[^>]*>|&#?\w+;)")
# A number with anything between its digits that has no direction of its own: 1–4 §§, 1990:52, 2026-11-03, 27 300,
# and a typed phone number, 0980-319 200, whose groups would change places.
_number: Final = re.compile(
    r"\+?\d+(?:[-–.,:/\u00a0\u202f]\d+|, \d+(?= ?§)| \d{2,3}(?!\d))*(?:[ \u00a0]?§+)?(?:[ \u00a0]?%)?"
)


def phone(contact: contacts.Contact) -> SafeString:
    """A number to press, always from left to right."""
    return format_html('<a class="phone" href="{}"><bdi dir="ltr">{}</bdi></a>', contact.uri, contact.number)


def isolate(html: str) -> SafeString:
    """Wrap every number of an escaped text, so that it is not turned around between words from right to left."""
    parts = _tag.split(html)
    parts[::2] = [_number.sub(lambda match: f'<bdi dir="ltr">{match[0]}</bdi>', part) for part in parts[::2]]
    return mark_safe("".join(parts))  # noqa: S308 - escaped before; only <bdi> is new


def _only_links(tag: str, attribute: str, value: str) -> str | None:
    return value if (tag, attribute) == ("a", "href") else None


@lru_cache(maxsize=1024)
def _rendered(text: str) -> str:
    html: str = nh3.clean(
        _markdown.render(text), tags=TAGS, attribute_filter=_only_links, url_schemes={"https", "http", "mailto", "tel"}
    )
    return str(isolate(html))


def render(text: str) -> SafeString:
    """Markdown as HTML. `{{phone:bris}}` becomes a link to call; it is filled in late, so that a new number shows."""
    known = contacts.numbers()

    def fill(match: re.Match[str]) -> str:
        return phone(known[match[1]]) if match[1] in known else match[0]

    return mark_safe(contacts.TOKEN.sub(fill, _rendered(text)))  # noqa: S308 - sanitized by nh3


def plain(text: str) -> str:
    """The words of a Markdown text, for search and for mail: no marks, numbers filled in."""
    return contacts.expand(re.sub(r"\s+", " ", unescape(nh3.clean(_markdown.render(text), tags=set()))).strip())
