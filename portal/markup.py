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
# Tags, numbers to call, and entities: the 27 in an apostrophe written as &#x27; is no number of the text.
_left_alone: Final = re.compile(r"(<[^>]*>|&#?\w+;|\{\{[^{}<>\n]*\}\})")
# A number with anything between its digits that has no direction of its own: 1–4 §§, 1990:52, 2026-11-03, 27 300,
# and a typed phone number, 0980-319 200, whose groups would change places.
_number: Final = re.compile(
    r"\+?\d+(?:[-–.,:/\u00a0\u202f]\d+|, \d+(?= ?§)| \d{2,3}(?!\d))*(?:[ \u00a0]?§+)?(?:[ \u00a0]?%)?"
)


def phone(contact: contacts.Contact) -> SafeString:
    """A number to press, always from left to right."""
    return format_html('<a class="phone" href="{}"><bdi dir="ltr">{}</bdi></a>', contact.uri, contact.number)


def _number_only(contact: contacts.Contact) -> SafeString:
    return format_html('<bdi dir="ltr">{}</bdi>', contact.number)


def _isolated(html: str) -> str:
    parts = _left_alone.split(html)
    parts[::2] = [_number.sub(lambda match: f'<bdi dir="ltr">{match[0]}</bdi>', part) for part in parts[::2]]
    return "".join(parts)


def isolate(html: str) -> SafeString:
    """Wrap every number of an escaped text, so that it is not turned around between words from right to left.

    Numbers to call are filled in, without a link: the text may stand inside of one.
    """
    return mark_safe(contacts.expand(_isolated(html), _number_only))  # noqa: S308 - escaped before; only <bdi> is new


def _only_links(tag: str, attribute: str, value: str) -> str | None:
    return value if (tag, attribute) == ("a", "href") else None


@lru_cache(maxsize=1024)
def _rendered(text: str) -> str:
    html: str = nh3.clean(
        _markdown.render(text), tags=TAGS, attribute_filter=_only_links, url_schemes={"https", "http", "mailto", "tel"}
    )
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
