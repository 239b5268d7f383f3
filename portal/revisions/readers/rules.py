"""Whose link it is, what its reader gets to read, sentence by sentence, and who may ask one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import CharField, Model
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import pgettext

from portal import contacts, languages, markup, secret_links
from portal.accounts.models import User
from portal.public import absolute
from portal.revisions.models import Revision
from portal.revisions.readers.models import ReaderCheck
from portal.revisions.rules import text_fields

PURPOSE: Final = "revisions.reader"
MOST: Final = 200
"""Sentences on one page: each sends two fields, and no form may send more than DATA_UPLOAD_MAX_NUMBER_FIELDS."""


def may_ask(user: User, area: str) -> bool:
    return user.has_perm(f"{area}.translate") or user.has_perm(f"{area}.approve")


# The link ------------------------------------------------------------------------------------------------------


def check_of(token: str) -> ReaderCheck | None:
    """The check whose link this is, whether or not it still works."""
    found: ReaderCheck | None = ReaderCheck.objects.with_text().filter(pk=secret_links.pk_of(token) or 0).first()
    return found if found and secret_links.fits(token, PURPOSE, found.pk, found.nonce) else None


def reader_language(check: ReaderCheck) -> languages.Language:
    """Of the page around the text: its own, or what its readers would get where the site does not offer that one."""
    found = (languages.get(code) for code in languages.chain(check.revision.language))
    return next(language for language in found if language in languages.ACTIVE)


def address(check: ReaderCheck) -> str:
    with translation.override(reader_language(check).code):
        token = secret_links.token(PURPOSE, check.pk, check.nonce)
        return absolute(reverse("reader_check", args=[token]))


def invitation(check: ReaderCheck) -> str:
    """Three lines to send to the reader, in their language."""
    with translation.override(reader_language(check).code):
        lines = [
            pgettext(
                "native reader", "Hello! Will you read a text for us and say whether a parent would understand it?"
            ),
            address(check),
            pgettext("native reader", "You need no account. The link is for you alone and works until %(date)s.")
            % {"date": date_format(localtime(check.expires_at), "DATE_FORMAT")},
        ]
    return "\n".join(lines)


# The text ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, or more of them where the text has too many for one page."""

    field: str
    number: int
    text: str
    is_heading: bool = False

    @property
    def quote(self) -> str:
        """With its numbers to call, as it is read."""
        return contacts.expand(self.text).strip()


def pieces(revision: Revision) -> list[Piece]:
    """The whole text in its order. Headings and list items stand alone."""
    model = revision.content_type.model_class()
    assert model is not None
    blocks = _blocks(model, revision.fields)
    cut = [
        (field, is_heading, part)
        for field, is_heading, words in blocks
        for part in ([words] if is_heading else sentences(words))
    ]
    if len(cut) > MOST:
        cut = blocks
    if len(cut) > MOST:
        # Nobody reads that far; but nothing is left out.
        field = cut[MOST - 1][0]
        cut[MOST - 1 :] = [(field, False, "\n\n".join(words for _field, _is_heading, words in cut[MOST - 1 :]))]
    found: list[Piece] = []
    for field, is_heading, text in cut:
        before = found[-1].number if found and found[-1].field == field else 0
        found.append(Piece(field, before + 1, text, is_heading))
    return found


def _blocks(model: type[Model], fields: Mapping[str, str]) -> list[tuple[str, bool, str]]:
    """Field, whether it is a heading, and words of every block that has any."""
    found: list[tuple[str, bool, str]] = []
    for field in text_fields(model):
        value = fields.get(field.name, "")
        if isinstance(field, CharField):
            found.append((field.name, True, value))
        else:
            found += [(field.name, tag.startswith("h"), words) for tag, words in markup.blocks(value)]
    return [block for block in found if block[2].strip()]


# Quotation marks, brackets and marks of direction that still belong to the sentence.
_CLOSERS: Final = "[\"'”’»›)\\]}」』】）\u200e\u200f\u202c\u2069]*"
_END: Final = re.compile(
    rf"""
    (?P<sure> (?: [؟۔।॥።፧፨。！？｡] | ፡፡ ) [.!?…؟۔።፧。！？]* ) {_CLOSERS} \s*
    | (?<! [.!?…] ) (?P<mark> [.!?…]++ ) {_CLOSERS} \s+
    """,
    re.VERBOSE,
)
# Those that as often end a sentence (osv., m.m., etc.) are no use here, nor those that a small letter follows.
_BEFORE_ANYTHING: Final = re.compile(
    r"""
    t\.ex | bl\.a | s\.k | fr\.o\.m | t\.o\.m | f\.d | d\.v\.s | dvs | resp | jfr | inkl | exkl
    | e\.g | i\.e | vs | mr | mrs | ms | dr | prof | esim | ks | tzn | tj | m\.in | np | im | tzv | npr | örn | bkz
    | p\.ej | sr | sra | mme | напр | см | им | т\.е | т\.к
    """,
    re.VERBOSE,
)
_BEFORE_NUMBERS: Final = re.compile(
    r"kap|nr|no|art|st|mom|tel|kl|ca|sid|sec|fig|ust|str|čl|br|núm|pág|md|ст|рис|гл|[^\W\d_]"
)


def sentences(text: str) -> list[str]:
    """Cut after what ends a sentence; the space after it goes with it, so that nothing is lost or added.

    A full stop stands in dates, ordinals and abbreviations, too: it ends a sentence only before a space, and when
    neither the word before it nor what follows says otherwise. Thai marks no ends, so that its paragraphs stay whole.
    """
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        before = text[max(start, match.start() - 40) : match.start()]
        if match["sure"] or _ends(before, match["mark"], text[match.end() : match.end() + 1]):
            found.append(text[start : match.end()])
            start = match.end()
    if start < len(text):
        found.append(text[start:])
    return found


def _ends(before: str, mark: str, following: str) -> bool:
    words = before.split()
    if not words or following.islower():
        return False
    if mark != ".":
        return True
    last = words[-1].lstrip("([\"'“”„«»").lower()
    if len(words) == 1 and len(last) <= 2 and last.isdecimal():
        return False  # the number of a step
    if following.isdecimal() and _BEFORE_NUMBERS.fullmatch(last):
        return False
    return not (_BEFORE_ANYTHING.fullmatch(last) or _is_initial(words[-1]))


def _is_initial(word: str) -> bool:
    """A. Ek, and the single letters that stand for a title in Arabic script."""
    return len(word) == 1 and (word.isupper() or "\u0620" <= word <= "\u064a")
