"""Which text a reader gets, and what may be said about it."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.db.models import Field, Model
from modeltranslation.translator import translator

from portal import languages
from portal.languages import Language
from portal.public import absolute, in_language

_FACTS_IN_TEXT: Final = re.compile(r"https?://[^\s)>\]]+|\{\{[^}]*\}\}|\d+(?:[  ]\d{3})*|§+")


def text_fields(model: type[Model]) -> list["Field[Any, Any]"]:
    """The translated fields themselves, with their labels and limits."""
    names = translated_fields(model)
    return [field for field in model._meta.concrete_fields if field.name in names]


def translated_fields(model: type[Model]) -> tuple[str, ...]:
    """The translated fields in the model's order; the first one says whether a language is published at all.

    modeltranslation keeps them in a set, whose order changes from process to process.
    """
    translated = translator.get_options_for_model(model).all_fields
    return tuple(field.name for field in model._meta.concrete_fields if field.name in translated)


@cache
def reading_columns(model: type[Model], codes: tuple[str, ...]) -> list[str]:
    """Every column a reader of `codes` needs, for `.only()`: without it each row brings all languages along."""
    translated = translated_fields(model)
    generated = {languages.suffixed(name, code) for name in translated for code in languages.CATALOG}
    own = [f.name for f in model._meta.concrete_fields if f.name not in generated and f.name not in translated]
    return own + [languages.suffixed(name, code) for code in codes for name in translated]


@dataclass(frozen=True, slots=True)
class Text:
    """One whole text in one language, never mixed from several."""

    fields: Mapping[str, str]
    language: Language
    wanted: Language

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def is_fallback(self) -> bool:
        return self.language.code != self.wanted.code


def read(thing: Model, code: str, *, audience: str = "") -> Text | None:
    """The published text for a reader of `code`, else the next whole text of the chain, else None."""
    names = translated_fields(type(thing))
    for candidate in languages.chain(code, audience=audience):
        if getattr(thing, languages.suffixed(names[0], candidate)):
            fields = {name: getattr(thing, languages.suffixed(name, candidate)) or "" for name in names}
            return Text(fields, languages.get(candidate), languages.get(code))
    return None


def hard_facts(fields: Mapping[str, Any]) -> Counter[str]:
    """Numbers, links, phone tokens and section signs of a text, with how often each stands there."""
    return Counter(found for value in fields.values() for found in _FACTS_IN_TEXT.findall(str(value)))


@dataclass(frozen=True, slots=True)
class Alternate:
    tag: str
    url: str


def alternates(path: str, codes: Collection[str] = languages.CATALOG.keys()) -> list[Alternate]:
    """hreflang for those of `codes` that are active; x-default is the Swedish page, which every language ends at."""
    found = [language for language in languages.ACTIVE if language.code in codes]
    rows = [Alternate(language.tag, absolute(in_language(path, language.code))) for language in found]
    if rows:
        rows.append(Alternate("x-default", absolute(in_language(path, languages.SOURCE))))
    return rows
