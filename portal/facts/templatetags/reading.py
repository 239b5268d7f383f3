"""Filters for reading pages; built in to every template."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils.formats import date_format
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language, pgettext

from portal import contacts, languages, markup
from portal.public import Alternate
from portal.revisions.glossary import rules as glossary
from portal.revisions.rules import Text

register = template.Library()

_IMAGES: Final = settings.BASE_DIR / "portal" / "static" / "img"


@register.filter
def prose(text: str) -> SafeString:
    return markup.render(text)


@register.filter
def prose_with_words(markdown: str, text: Text) -> SafeString:
    """A part of `text`, with the words of the glossary linked where they stand first."""
    words, reader = glossary.words_of(text.language.code), glossary.words_of(text.wanted.code)
    return glossary.link_terms(markup.render(markdown), words, reader)


@register.filter
def prose_for_translators(markdown: str, words: glossary.Words) -> SafeString:
    """A Swedish text with the words marked for which the glossary has a wording."""
    return glossary.highlight(markup.render(markdown), words)[0]


@register.filter
def isolated(text: str) -> SafeString:
    """A short text whose numbers, sections and dates must not be turned around."""
    return markup.isolate(conditional_escape(text))


@register.simple_tag
@lru_cache
def icon(name: str) -> str:
    """The address of an icon with the icon in it: one thing less to ask for on a slow phone."""
    drawing = (_IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    return f"data:image/svg+xml,{quote(drawing, safe=' /:=')}"


@register.filter
def filled(text: str) -> str:
    """A short text with its numbers to call, where no markup can stand: in a title, in an attribute, in mail."""
    return contacts.expand(text)


@register.filter
def phone(contact: contacts.Contact) -> SafeString:
    return markup.phone(contact)


@register.filter
def day(value: date | datetime | None) -> SafeString | str:
    """`<time>` in the reader's own words; moments are shown as Stockholm has them."""
    return _day(_local(value), get_language()) if value else ""


@register.filter
def weekday(value: date | datetime) -> SafeString:
    """The same behind the day of the week."""
    return _weekday(_local(value), get_language())


@register.filter
def spelled(value: date | datetime) -> str:
    """The day of the week and the date, where no markup can stand."""
    return _spelled(_local(value), get_language())


def _local(value: date | datetime) -> date:
    return localtime(value).date() if isinstance(value, datetime) else value


# Django looks up how dates are written each time, and one page or ten thousand messages name the same few days.


@lru_cache(maxsize=1024)
def _day(on: date, _language: str) -> SafeString:
    return format_html('<time datetime="{}"><bdi>{}</bdi></time>', on.isoformat(), date_format(on, "DATE_FORMAT"))


@lru_cache(maxsize=1024)
def _weekday(on: date, language: str) -> SafeString:
    return format_html("{} {}", date_format(on, "l"), _day(on, language))


@lru_cache(maxsize=1024)
def _spelled(on: date, _language: str) -> str:
    return f"{date_format(on, 'l')} {date_format(on, 'DATE_FORMAT')}"


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    if value is None:
        return ""
    return format_html('<bdi dir="ltr">{}</bdi>', localtime(value).strftime("%H:%M"))


@register.filter
def as_json(value: Any) -> SafeString:
    """For a data block: nothing in it can end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return mark_safe(text)  # noqa: S308


@register.filter
def hreflang(alternates: Iterable[Alternate] | None) -> SafeString:
    """The same page in other languages, for machines. Made here, for a template takes ten times as long over them."""
    links = [f'<link rel="alternate" hreflang="{one.tag}" href="{escape(one.url)}">' for one in alternates or ()]
    return mark_safe("\n".join(links))  # noqa: S308 - the address is escaped; all the rest is ours


@register.filter
def language_of(code: str) -> languages.Language:
    return languages.get(code)


@register.filter
def language_name(code: str) -> str:
    """For staff; of no code, that nobody knows it."""
    return languages.get(code).in_both_scripts if code else pgettext("staff", "Language not known")


@register.filter
def listed(parts: list[str], language: languages.Language) -> str:
    """One after the other, as the script of the language parts them."""
    return {"arabic": "، ", "ethiopic": "፣ "}.get(language.script, ", ").join(parts)


@register.filter
def in_swedish(thing: Any, field: str) -> str:
    """The published Swedish text of a field, for staff, whose pages may be in English."""
    return getattr(thing, languages.suffixed(field, languages.SOURCE)) or ""


@register.filter
def opened_with(field: BoundField) -> SafeString | str:
    """What a group of choices held when its form was opened (`portal.meanwhile`), to be sent along: Django writes that
    only beside a single input, and of an empty group nothing at all."""
    if not field.field.show_hidden_initial:
        return ""
    widget, form = field.field.hidden_widget(), field.form
    name = field.html_initial_name
    value = widget.value_from_datadict(form.data, form.files, name) if form.is_bound else field.value()
    return widget.render(name, value)
