"""Who may do what with words, and where the words of the glossary stand in a text."""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Generic, TypeVar

import rules
from django.urls import reverse
from django.utils import translation
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from portal import languages
from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff
from portal.fold import fold
from portal.revisions.glossary.models import Wording

rules.add_perm("words.view", is_anyone_on_staff)
rules.add_perm("words.edit", has_role(Role.EDITOR))
rules.add_perm("words.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("words.approve", has_role(Role.APPROVER))


def deed_to_write(language: str) -> str:
    """The permission that writing in a language asks for."""
    return "words.edit" if language == languages.SOURCE else "words.translate"


def alphabetical(word: str) -> str:
    """As a Swedish dictionary sorts: å, ä and ö come last, capitals make no difference."""
    return word.casefold().translate({ord("å"): "{a", ord("ä"): "{b", ord("ö"): "{c"})


T = TypeVar("T")

# A text in words -----------------------------------------------------------------------------------------------

# Letters with their marks and joiners. An apostrophe parts words (LVU'nun, l'interprète); inside of a term it may
# stand between two. Entities are no words: the text may be escaped.
_WORD: Final = re.compile(
    "&#?\\w+;|((?:[^\\W_\u02b9\u02bb-\u02bf\u02c8\u02ca\u02cb]|[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06ed\u135d-\u135f\u00ad\u200c\u200d])+)"
)
_BETWEEN: Final = re.compile(
    "(?:&nbsp;|&#x27;|&#39;|[\\s'\\-\u00b4\u02b9\u02bb-\u02bf\u02c8\u02ca\u02cb\u1361\u200e\u200f\u2010-\u2012"
    "\u2018\u2019])+"
)
_UNSPACED: Final = frozenset({"thai", "han"})
"""Scripts that do not part words: nothing is found in them."""

# What grows onto the first letters or the last one of a word: and, so, in, like, for; Tigrinya for, in, and.
# "و" alone would turn any word that begins with it into another, but that one would have to be a term.
_BEFORE: Final = {"ar": ("و", "ف", "ب", "ك", "ل", "وب", "ول", "وك", "فب", "فل", "لل", "ولل", "فلل"), "ti": ("ን", "ብ")}
_AFTER: Final = {"ti": ("ን",)}
_ARTICLE: Final = {"ar": "ال"}
_LEAST: Final = 2
"""Letters that have to be left."""


@lru_cache(maxsize=20_000)
def _spoken(word: str, language: str) -> tuple[str, ...]:
    """The word as it is compared, then without what may have grown onto it."""
    whole = fold(word)
    cores = (
        _bare(whole[len(before) : len(whole) - len(after)], language)
        for before in ("", *_BEFORE.get(language, ()))
        for after in ("", *_AFTER.get(language, ()))
        if whole.startswith(before) and whole.endswith(after)
    )
    return tuple(dict.fromkeys([whole, *(core for core in cores if len(core) >= _LEAST)]))


def _bare(word: str, language: str) -> str:
    article = _ARTICLE.get(language)
    return word.removeprefix(article) if article else word


@dataclass(frozen=True, slots=True)
class Phrase(Generic[T]):
    words: tuple[str, ...]
    is_open: bool
    """Any ending will do."""
    value: T


class Phrases(Generic[T]):
    """Words and groups of words of one language, to be found in texts whatever their case, marks and spelling."""

    def __init__(self, rows: Iterable[tuple[T, Iterable[str]]], language: str) -> None:
        self._language = language
        self._by_first: defaultdict[str, list[Phrase[T]]] = defaultdict(list)
        self._open_by_letter: defaultdict[str, list[Phrase[T]]] = defaultdict(list)
        self.can_find = languages.get(language).script not in _UNSPACED
        if not self.can_find:
            return
        for value, forms in rows:
            for form in forms:
                self._add(form, value)

    def _add(self, form: str, value: T) -> None:
        words = [_bare(fold(match[1]), self._language) for match in _WORD.finditer(form) if match[1]]
        if not words:
            return
        phrase = Phrase(tuple(words), form.endswith("*"), value)
        if phrase.is_open and len(words) == 1:
            self._open_by_letter[words[0][0]].append(phrase)
        else:
            self._by_first[words[0]].append(phrase)

    def find(self, text: str) -> Iterator[tuple[int, int, T]]:
        """From left to right, the longest first, without overlaps. Escaped text will do."""
        matches = [match for match in _WORD.finditer(text) if match[1]]
        place = 0
        while place < len(matches):
            phrase = self._longest(text, matches, place)
            if phrase is None:
                place += 1
                continue
            last = place + len(phrase.words) - 1
            yield matches[place].start(), matches[last].end(), phrase.value
            place = last + 1

    def _longest(self, text: str, matches: Sequence[re.Match[str]], place: int) -> Phrase[T] | None:
        cores = _spoken(matches[place][1], self._language)
        found = [phrase for core in cores for phrase in self._by_first.get(core, ())]
        for core in cores:
            found += [phrase for phrase in self._open_by_letter.get(core[:1], ()) if core.startswith(phrase.words[0])]
        fitting = [phrase for phrase in found if self._goes_on(phrase, text, matches, place)]
        return max(fitting, key=lambda phrase: (len(phrase.words), not phrase.is_open, phrase.words), default=None)

    def _goes_on(self, phrase: Phrase[T], text: str, matches: Sequence[re.Match[str]], place: int) -> bool:
        if place + len(phrase.words) > len(matches):
            return False
        for step, wanted in enumerate(phrase.words[1:], place + 1):
            if not _BETWEEN.fullmatch(text, matches[step - 1].end(), matches[step].start()):
                return False
            cores = {_bare(core, self._language) for core in _spoken(matches[step][1], self._language)}
            is_last = step == place + len(phrase.words) - 1
            if wanted not in cores and not (
                is_last and phrase.is_open and any(core.startswith(wanted) for core in cores)
            ):
                return False
        return True


# The glossary of a language ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """What a language says for a term."""

    pk: int
    """Of the term."""
    forms: tuple[str, ...]
    """Swedish, the word itself first."""
    use: tuple[str, ...]
    """What is right in this language, the word to prefer first."""
    avoid: tuple[str, ...]
    why: str
    meaning: str

    @property
    def word(self) -> str:
        return self.forms[0]


class Words:
    """The glossary that readers of one language are shown. There is one of each version: it stands for itself."""

    def __init__(self, language: str, entries: tuple[Entry, ...]) -> None:
        self.language = language
        self.entries = entries

    @cached_property
    def spoken(self) -> Phrases[Entry]:
        """What texts in this language say; many keep the Swedish word beside their own."""
        return Phrases(((entry, (*entry.use, entry.word)) for entry in self.entries), self.language)

    @cached_property
    def swedish(self) -> Phrases[Entry]:
        """What Swedish texts say."""
        return Phrases(((entry, entry.forms) for entry in self.entries), languages.SOURCE)

    @cached_property
    def keys(self) -> frozenset[int]:
        return frozenset(entry.pk for entry in self.entries)

    @cached_property
    def url(self) -> str:
        with translation.override(self.language):
            return reverse("words")


def read(language: str) -> Words:
    """As it is now; one query."""
    rows = Wording.objects.shown().read_in(language)
    return Words(language, tuple(_entry(row) for row in sorted(rows, key=lambda row: alphabetical(row.term.word))))


def _entry(row: Wording) -> Entry:
    forms = (row.term.word, *row.term.forms)
    use = (row.use, *row.also) if row.use else forms
    return Entry(row.term_id, forms, use, tuple(row.avoid), row.why, row.meaning)


# A page asks for the words of its language each time it is made, and may not pay a query for that. ADR 0004 promises
# 60 s for a text that is published or withdrawn; a minute more for its links to the glossary harms nobody: a word
# that was just withdrawn leads to a page where it no longer stands, and the page itself reads the database.
KEPT_SECONDS: Final = 60
_kept: Final[dict[str, tuple[float, Words]]] = {}


def words_of(language: str) -> Words:
    """As this process knew it within the last minute. What has not changed stays the same object."""
    now = time.time()
    made_at, words = _kept.get(language, (0.0, None))
    if words is None or not 0 <= now - made_at < KEPT_SECONDS:
        fresh = read(language)
        words = words if words is not None and words.entries == fresh.entries else fresh
        _kept[language] = (now, words)
    return words


def forget() -> None:
    _kept.clear()


# Marked in HTML ------------------------------------------------------------------------------------------------

_TAG: Final = re.compile(r"(<[^>]*>|\{\{[^{}<>\n]*\}\})")
_NAME: Final = re.compile(r"<(/?)(\w+)")
_NO_LINK_IN: Final = frozenset({"a", "bdi", "button", "h1", "h2", "h3", "h4", "h5", "h6"})
"""Links, headings, and the numbers that are kept from turning around."""


def _marked(
    html: str, phrases: Phrases[Entry], mark: Callable[[Entry, str], str], closed: Collection[str] = ()
) -> SafeString:
    """Every word that is found, as `mark` writes it; the text stays as it is, and so does what stands in `closed`."""
    parts, depth = _TAG.split(html), 0
    for place, part in enumerate(parts):
        if place % 2:
            tag = _NAME.match(part)
            if tag and tag[2] in closed:
                depth += -1 if tag[1] else 1
        elif part and not depth:
            made, read_to = [], 0
            for start, end, entry in phrases.find(part):
                made += [part[read_to:start], mark(entry, part[start:end])]
                read_to = end
            parts[place] = "".join([*made, part[read_to:]])
    return mark_safe("".join(parts))  # noqa: S308 - safe before; `mark` adds a link or a span of ours


@lru_cache(maxsize=512)
def link_terms(html: str, words: Words, reader: Words) -> SafeString:
    """Each word of the glossary linked where it stands first, to its line on the page of words: that of the reader's
    own language where it has one, for a reader who got a text in another language needs it most."""
    linked: set[int] = set()

    def link(entry: Entry, text: str) -> str:
        if entry.pk in linked:
            return text
        linked.add(entry.pk)
        url = reader.url if entry.pk in reader.keys else words.url
        return f'<a class="term" href="{url}#term-{entry.pk}">{text}</a>'

    return _marked(html, words.spoken, link, _NO_LINK_IN)


def highlight(source: str, words: Words) -> tuple[SafeString, list[Entry]]:
    """A Swedish text, plain or as HTML from `markup.render`, with every term marked for who translates it, and what
    to say for those that occur, in the order of the text."""
    found: dict[int, Entry] = {}

    def mark(entry: Entry, text: str) -> str:
        found[entry.pk] = entry
        return format_html('<span class="term">{}</span>', mark_safe(text))  # noqa: S308 - a piece of safe HTML

    return _marked(conditional_escape(source), words.swedish, mark), list(found.values())
