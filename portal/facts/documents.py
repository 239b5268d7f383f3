"""Facts on paper and as pictures: the handout (PDF/UA-1, one or two languages) and the share card (PNG)."""

import hashlib
import html
import io
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache as once
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import BaseHandler, Request, url2pathname

import segno
import structlog
from celery import current_app
from celery.exceptions import OperationalError
from django.conf import settings
from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from PIL import Image, ImageDraw, ImageFont

from portal import contacts, fonts, languages, markup
from portal.facts.models import Fact, Source
from portal.facts.rules import short_url
from portal.languages import Language
from portal.public import CACHE_DOWN
from portal.revisions.models import Provenance
from portal.revisions.rules import Text, read

log = structlog.get_logger(__name__)

STATIC: Final = Path(settings.BASE_DIR) / "portal" / "static"
KEPT_SECONDS: Final = 7 * 86400
WAIT_SECONDS: Final = 2
LONG: Final = 45_000
"""Characters of a page that takes more than two seconds to lay out: a worker does it, and who asked comes back."""
MAKE: Final = "portal.facts.tasks.make_document"
MAKING_SECONDS: Final = 60
PATIENCE: Final = 30
"""How often it may be asked for in vain within these seconds."""
CARD_SIZE: Final = (1200, 630)

_ISOLATED: Final = re.compile(r'<bdi dir="ltr">(.*?)</bdi>')
_one_at_a_time: Final = threading.Lock()


class UnavailableError(Exception):
    """No document just now: another one is being made, or the machine lacks the libraries for it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One language of a handout."""

    text: Text
    provenance: Provenance
    labels: Language
    """The language of everything around the text: the reader's, or Swedish when our fonts cannot write it."""
    is_unprintable: bool
    """There is a text in the reader's language, which our fonts cannot write; this is the Swedish one."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One fact on paper, in one language or in two beside each other."""

    parts: Sequence[Part]
    sources: Sequence[Source]
    reviewed_on: date
    url: str
    """The absolute short address, as the code has it."""
    is_guarded: bool

    @property
    def address(self) -> str:
        return _typed(self.url)

    @property
    def code(self) -> str:
        """The picture of the address."""
        uri: str = segno.make_qr(self.url, error="m").svg_data_uri(border=0)
        return uri


def _printable(fact: Fact, code: str) -> tuple[Text, bool]:
    """The text for a reader of `code` and True, or the Swedish one and False when our fonts cannot write it."""
    text = read(fact, code, audience=fact.audience)
    swedish = read(fact, languages.SOURCE)
    assert text is not None
    assert swedish is not None
    missing = fonts.unprintable("".join(text.fields.values()))
    if not missing:
        return text, True
    log.warning("fonts_lack_characters", fact=fact.pk, language=text.language.code, characters=missing)
    # Swedish is printed even so: a box in it is better than no paper.
    return Text(swedish.fields, swedish.language, text.wanted), text.language == swedish.language


@once
def labels_for(language: Language) -> Language:
    """The language of what stands around a text: the reader's, or Swedish when nothing is translated into that or our
    fonts cannot write it. Swedish words in a line from right to left would change places."""
    swedish = languages.get(languages.SOURCE)
    label = "Numbers to call"
    is_translated = _in(language, label) != _in(swedish, label)
    return language if is_translated and not fonts.unprintable(language.autonym) else swedish


def _in(language: Language, label: str) -> str:
    with translation.override(language.code):
        return gettext(label)


# Kept documents ------------------------------------------------------------------------------------------------


@once
def _version() -> bytes:
    """Changes with the look: what is drawn by this file and its stylesheet is another document."""
    return Path(__file__).read_bytes() + (STATIC / "css" / "handout.css").read_bytes()


def kept(content: str, make: Callable[[], bytes]) -> bytes:
    """The document with this content, from the cache or made now, one at a time in this process."""
    key = _key(content)
    found = _from_cache(key)
    if found is not None:
        return found
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise UnavailableError
    try:
        # Whoever held the lock may have made this very document.
        found = _from_cache(key)
        if found is not None:
            return found
        made = make()
        try:
            cache.set(key, made, KEPT_SECONDS)
        except CACHE_DOWN:
            log.warning("document_not_stored")
        return made
    finally:
        _one_at_a_time.release()


def _key(content: str) -> str:
    return "document:" + hashlib.blake2b(content.encode() + _version(), digest_size=16).hexdigest()


def _from_cache(key: str) -> bytes | None:
    try:
        found: bytes | None = cache.get(key)
    except CACHE_DOWN:
        return None
    return found


@once
def _color(name: str) -> str:
    """The municipality's colors stand in one place, at the top of the stylesheet."""
    match = re.search(rf"--{name}:\s*(#[0-9a-fA-F]{{6}});", (STATIC / "css" / "klarlagt.css").read_text("utf-8"))
    assert match, name
    return match[1]


def _typed(address: str) -> str:
    """An address as people type it."""
    return re.sub(r"^https?://", "", address)


# Handout -------------------------------------------------------------------------------------------------------


def read_parts(fact: Fact, codes: Iterable[str], provenances: Mapping[str, Provenance]) -> list[Part]:
    """One part a language; languages that end at the same text make one part, with the notice about it."""
    found: dict[str, Part] = {}
    for code in codes:
        text, is_printable = _printable(fact, code)
        if text.language.code not in found or text.is_fallback:
            found[text.language.code] = Part(
                text, provenances[text.language.code], labels_for(text.wanted), not is_printable
            )
    return list(found.values())


def sheet(fact: Fact, codes: Iterable[str]) -> Sheet:
    """What readers of `codes` get of a fact, with what it rests on."""
    return Sheet(
        parts=read_parts(fact, codes, Provenance.by_language(fact)),
        sources=list(fact.sources.all()),
        reviewed_on=fact.matter.reviewed_on,
        url=short_url(fact),
        is_guarded=fact.is_guarded,
    )


def handout(sheets: Sequence[Sheet]) -> bytes:
    """PDF/UA-1 on A4, each fact on a page of its own. Raises UnavailableError.

    It names no day of printing: the same texts are the same document tomorrow, so that it can be made in advance.
    """
    first = sheets[0].parts[0]
    context = {
        "sheets": sheets,
        "first": first,
        "labels": first.labels,
        "is_guarded": any(each.is_guarded for each in sheets),
    }
    return printed("facts/handout.html", context, first.labels)


def printed(template: str, context: Mapping[str, object], labels: Language) -> bytes:
    """The PDF of a page made from `facts/handout.html`. Raises UnavailableError."""
    about: dict[str, object] = {
        "contacts": contacts.numbers(),
        "site_name": settings.SITE_NAME,
        "municipality": settings.MUNICIPALITY,
    }
    with translation.override(labels.code):
        page = render_to_string(template, about | dict(context))
    if len(page) > LONG and _is_with_a_worker(page):
        raise UnavailableError
    return make(page)


def make(page: str) -> bytes:
    return kept(page, lambda: _pdf(page))


def _is_with_a_worker(page: str) -> bool:
    """False when it is there already, when no worker can be asked, and when none has come to it."""
    key = _key(page)
    if _from_cache(key) is not None:
        return False
    try:
        if cache.add(f"{key}:asked", 1, MAKING_SECONDS):
            current_app.send_task(MAKE, [page], expires=MAKING_SECONDS, retry=False)
            return True
        return cache.incr(f"{key}:asked") <= PATIENCE
    except (*CACHE_DOWN, OperationalError, ValueError):
        return False


class OwnFilesOnly(BaseHandler):
    """Asked before the opener of files: nothing outside our static folder ends up in a document."""

    handler_order = 100

    def file_open(self, request: Request) -> None:
        path = Path(url2pathname(request.selector)).resolve()
        if not path.is_relative_to(STATIC):
            raise URLError(f"{path} is none of our static files")


def _pdf(page: str) -> bytes:
    # Late: it needs libraries of the system, without which only the documents are missing and not the site.
    try:
        import weasyprint  # noqa: PLC0415
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except OSError as error:
        log.error("documents_lack_libraries", error=str(error))
        raise UnavailableError from error
    fetcher = URLFetcher(allowed_protocols=("file", "data"), allow_redirects=False)
    fetcher.add_handler(OwnFilesOnly())
    configuration = FontConfiguration()
    brand = weasyprint.CSS(string=f":root {{ --brand: {_color('brand')} }}")

    def say_languages(document: Any, pdf: Any) -> None:
        # WeasyPrint names the language of the whole document only; other languages stand in articles and sections,
        # which it turns into these elements in the order of their boxes.
        boxes = (box for page in document.pages for box in page._page_box.descendants())
        blocks = (box.element for box in boxes if box.element_tag in {"article", "section"})
        tagged = (each for each in pdf.objects if isinstance(each, dict) and each.get("S") in {"/Art", "/Sect"})
        for element, block in zip(tagged, blocks, strict=True):
            element["Lang"] = f"({block.get('lang')})"

    made: bytes = weasyprint.HTML(string=page, base_url=f"{STATIC.as_uri()}/", url_fetcher=fetcher).write_pdf(
        stylesheets=[brand], font_config=configuration, pdf_variant="pdf/ua-1", finisher=say_languages
    )
    return made


# Card ----------------------------------------------------------------------------------------------------------


def card(fact: Fact, code: str, *, address: str) -> bytes:
    """PNG of 1200x630 pixels with the question. Raises UnavailableError."""
    text, _ = _printable(fact, code)
    return picture(text["title"], text.language, address=address)


def picture(title: str, language: Language, *, address: str) -> bytes:
    title = contacts.expand(title)
    shown = (title, language.tag, address, settings.SITE_NAME, settings.MUNICIPALITY)
    colors = (_color("brand"), _color("brand-ink"))
    return kept("\n".join(shown + colors), lambda: _draw(title, language, _typed(address), *colors))


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one font and one direction. Pillow neither borrows from another font nor mixes fonts in
    its bidirectional layout, so lines are put together from these."""

    text: str
    font: ImageFont.FreeTypeFont
    direction: str
    tag: str

    @property
    def width(self) -> float:
        return self.font.getlength(self.text, direction=self.direction, language=self.tag)


@once
def _font(name: str, weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(fonts.FOLDER / f"{name}-{weight}.ttf", size, layout_engine=ImageFont.Layout.RAQM)


def _fonts_of(text: str, stack: Sequence[str]) -> list[tuple[str, str]]:
    """(font, piece) in order. Spaces and signs between two letters of one font stay with them."""
    chosen = [next((f for f in stack if ord(c) in fonts.characters(f)), stack[0]) for c in text]
    letters = [i for i, c in enumerate(text) if unicodedata.category(c)[0] in "LMN"]
    for i, j in pairwise(letters):
        if chosen[i] == chosen[j] and all(ord(c) in fonts.characters(chosen[i]) for c in text[i + 1 : j]):
            chosen[i:j] = [chosen[i]] * (j - i)
    return [
        (font, "".join(c for _, c in pairs)) for font, pairs in groupby(zip(chosen, text, strict=True), lambda p: p[0])
    ]


def _runs(line: str, language: Language, weight: str, size: int) -> list[Run]:
    own = fonts.BY_SCRIPT.get(language.script, fonts.LATIN)
    stack = list(dict.fromkeys((own, fonts.LATIN, *fonts.BY_SCRIPT.values())))
    found = []
    # The numbers that pages isolate stand at the odd places.
    for place, piece in enumerate(_ISOLATED.split(markup.isolate(html.escape(line)))):
        for font, text in _fonts_of(html.unescape(piece), [fonts.LATIN] if place % 2 else stack):
            strong = next((c for c in map(unicodedata.bidirectional, text) if c in {"L", "R", "AL"}), "")
            direction = "ltr" if place % 2 or strong == "L" else "rtl" if strong else language.direction
            found.append(Run(text, _font(font, weight, size), direction, language.tag))
    return found


def _pieces(text: str, language: Language) -> list[str]:
    """What a line is put together from: words with the space after them. A number stays whole."""
    safe = markup.isolate(html.escape(text))
    text = html.unescape(_ISOLATED.sub(lambda match: match[1].replace(" ", "\u00a0"), safe))
    words = re.findall(r"[^ ]+ ?", text)
    if language.script != "thai":
        return words
    # Thai has no space between words: Pango knows them.
    try:
        from weasyprint.text.line_break import get_log_attrs  # noqa: PLC0415
    except OSError:
        return words
    marks = get_log_attrs(text, language.tag)
    ends = [place for place in range(1, len(text)) if marks[place].is_line_break]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)])]


def _clusters(word: str) -> list[str]:
    """A word wider than a line is broken anywhere but before a mark that belongs to the letter before it."""
    return re.findall(r".[\u0300-\u036f\u0591-\u05c7\u064b-\u0670\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]*", word)


def _wrapped(
    pieces: Sequence[str], language: Language, size: int, width: float, *, breaks_words: bool = False
) -> list[list[Run]] | None:
    """The lines, or None when a word is wider than a line and may not be broken."""

    def length(line: str) -> float:
        return sum(run.width for run in _runs(line.rstrip(" "), language, "Bold", size))

    lines = [""]
    for piece in pieces:
        if length(lines[-1] + piece) <= width:
            lines[-1] += piece
        elif length(piece) <= width:
            lines.append(piece)
        elif breaks_words and len(piece) > 1:
            broken = _wrapped(_clusters(piece), language, size, width)
            return broken and [*(_runs(line.rstrip(" "), language, "Bold", size) for line in lines if line), *broken]
        else:
            return None
    return [_runs(line.rstrip(" "), language, "Bold", size) for line in lines if line]


def _draw(title: str, language: Language, address: str, ground: str, ink: str) -> bytes:
    image = Image.new("RGB", CARD_SIZE, ground)
    pen = ImageDraw.Draw(image)
    margin, top, bottom = 80, 190, 500
    width = CARD_SIZE[0] - 2 * margin
    leading = 1.3 if language.script in {"latin", "cyrillic"} else 1.5

    def write(runs: list[Run], baseline: float, direction: str) -> None:
        x = float(CARD_SIZE[0] - margin if direction == "rtl" else margin)
        for run in runs:
            x -= run.width if direction == "rtl" else 0
            pen.text((x, baseline), run.text, ink, run.font, "ls", direction=run.direction, language=run.tag)
            x += 0 if direction == "rtl" else run.width

    swedish = languages.get(languages.SOURCE)
    write(_runs(settings.SITE_NAME, swedish, "Bold", 44), 110, language.direction)
    write(_runs(settings.MUNICIPALITY, swedish, "Regular", 30), 152, language.direction)
    pieces = _pieces(title, language)
    for size in range(88, 32, -4):
        rows = _wrapped(pieces, language, size, width, breaks_words=size == 36) or []
        if rows and len(rows) * size * leading <= bottom - top:
            break
    start = top + (bottom - top - len(rows) * size * leading) / 2
    for number, row in enumerate(rows):
        write(row, start + (number + 0.75) * size * leading, language.direction)
    write([Run(address, _font(fonts.LATIN, "Regular", 34), "ltr", "sv")], 570, language.direction)
    file = io.BytesIO()
    # Two colors and the shades between them.
    image.quantize(32).save(file, "PNG", optimize=True)
    return file.getvalue()
