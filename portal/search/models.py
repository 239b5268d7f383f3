import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any, ClassVar, Final, NamedTuple

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models import Case, F, Func, Max, Sum, Value, When
from django.utils.timezone import localdate

from portal import contacts, languages
from portal.fold import fold

PAGE: Final = 20
LAST_PAGE: Final = 500
QUERY_CHARACTERS: Final = 200
SNIPPET_CHARACTERS: Final = 180

CORRECTED: Final = 3
"""The tier of hits for what may have been meant, below exact ones in titles (0) and texts (1) and folded ones (2)."""

_PIECE: Final = 40
"""Longer words are indexed in pieces that overlap by half."""
WORD_LENGTHS: Final = range(4, _PIECE + 1)
_CORRECTED_LENGTHS: Final = range(5, _PIECE + 1)
"""Shorter words are one letter away from too many others."""
# How many words of a query are looked up in the vocabulary, and how many each may bring along.
_ASKED: Final = 12
_COMPOUNDS: Final = 50
_CLOSE: Final = 5
_RANKED: Final = 300
"""Matches of one tier and language that are ranked, and shown; ten microseconds each."""

# Python's \w leaves out marks, without which Thai falls to pieces, and the joiners inside of Persian words.
_JOINED: Final = "".join(c for c in map(chr, range(0x20000)) if unicodedata.category(c) in {"Mn", "Mc", "Me", "Cf"})
_WORD: Final = re.compile(f"[\\w{re.escape(_JOINED)}]+")
_CHUNK: Final = re.compile(r"\S+")
_SIGN: Final = re.compile(r"[\W_]")
# Thai, Lao, Burmese, Khmer, Japanese and Chinese are written without spaces.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_TRIGRAM: Final = re.compile(r"[^\W_]{3}")


class Segment(NamedTuple):
    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """An object as the reader gets it: in their language where it is published, else in the next of the chain."""

    kind: str
    object_id: int
    language: str
    is_fallback: bool
    url: str
    title_parts: list[Segment]
    text_parts: list[Segment]


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of hits; counts and iterates as a list."""

    found: list[Hit]
    has_more: bool

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.found)


# The words of each language in which an asked one is contained, and those that it may have been meant to be: a few
# edits away, or alike to a part of a longer word. Each of the three has its index; in one condition they have none.
_VOCABULARY: Final = """
SELECT asked.term, chain.language, false AS is_close, found.word
FROM unnest(%(languages)s::text[]) AS chain (language)
CROSS JOIN unnest(%(contained)s::text[]) AS asked (term)
CROSS JOIN LATERAL (
    SELECT word FROM search_word
    WHERE language = chain.language AND word LIKE '%%' || asked.term || '%%'
    GROUP BY word ORDER BY length(word), word LIMIT %(compounds)s
) AS found
UNION ALL
SELECT asked.term, chain.language, true, found.word
FROM unnest(%(languages)s::text[]) AS chain (language)
CROSS JOIN unnest(%(corrected)s::text[]) AS asked (term)
CROSS JOIN LATERAL (
    SELECT word
    FROM (
        SELECT word FROM search_word
        WHERE language = chain.language AND word %% asked.term
            AND levenshtein_less_equal(word, asked.term, 2) <= least(length(asked.term) / 8 + 1, 2)
        UNION
        SELECT word FROM search_word WHERE language = chain.language AND word %%> asked.term
    ) AS alike
    WHERE strpos(word, asked.term) = 0
    ORDER BY similarity(word, asked.term) DESC, word LIMIT %(close)s
) AS found
"""

# Each tier holds those before it, and none is computed once the page is full: common words are dear to rank and rare
# ones dear to look for elsewhere, but never both. Titles come first by their own index, and by weight in the others.
# Of words that stand in every text only so many are put in order.
_MATCHING: Final = """
WITH reads AS (
    SELECT language, websearch_to_tsquery(config::regconfig, %(query)s) AS query, folded::tsquery, meant::tsquery
    FROM unnest(%(languages)s::text[], %(configs)s::text[], %(folded)s::text[], %(meant)s::text[])
        AS chain (language, config, folded, meant)
), titled AS (
    SELECT kind, object_id, 0 AS tier, max(ts_rank_cd('{0, 0, 0, 1}', vector, query)) AS score
    FROM reads CROSS JOIN LATERAL (
        SELECT kind, object_id, vector
        FROM search_indexrow
        WHERE language = reads.language AND ts_filter(vector, '{a}') @@ query
            AND (%(audience)s = '' OR audience = %(audience)s)
        LIMIT %(ranked)s
    ) AS found
    GROUP BY kind, object_id
), exact AS (
    SELECT * FROM titled
    UNION ALL
    SELECT kind, object_id, 1, max(ts_rank_cd(vector, query))
    FROM reads CROSS JOIN LATERAL (
        SELECT kind, object_id, vector
        FROM search_indexrow
        WHERE language = reads.language AND vector @@ query AND (%(audience)s = '' OR audience = %(audience)s)
            AND (kind, object_id) NOT IN (SELECT kind, object_id FROM titled)
        LIMIT %(ranked)s
    ) AS found
    WHERE (SELECT count(*) FROM titled) < %(needed)s
    GROUP BY kind, object_id
), alike AS (
    SELECT * FROM exact
    UNION ALL
    SELECT kind, object_id, 2, max(ts_rank('{0, 0, 0.01, 1}', words, folded))
    FROM reads CROSS JOIN LATERAL (
        SELECT kind, object_id, words
        FROM search_indexrow
        WHERE language = reads.language AND words @@ folded AND (%(audience)s = '' OR audience = %(audience)s)
            AND (kind, object_id) NOT IN (SELECT kind, object_id FROM exact)
        LIMIT %(ranked)s
    ) AS found
    WHERE (SELECT count(*) FROM exact) < %(needed)s
    GROUP BY kind, object_id
), corrected AS (
    SELECT * FROM alike
    UNION ALL
    SELECT kind, object_id, 3, max(ts_rank('{0, 0, 0.01, 1}', words, meant))
    FROM reads CROSS JOIN LATERAL (
        SELECT kind, object_id, words
        FROM search_indexrow
        WHERE language = reads.language AND words @@ meant AND (%(audience)s = '' OR audience = %(audience)s)
            AND (kind, object_id) NOT IN (SELECT kind, object_id FROM alike)
        LIMIT %(ranked)s
    ) AS found
    WHERE (SELECT count(*) FROM alike) < %(needed)s
    GROUP BY kind, object_id
)
SELECT tier, kind, object_id, page.language, page.url, page.title, page.text
FROM (SELECT * FROM corrected ORDER BY tier, score DESC, kind, object_id LIMIT %(limit)s OFFSET %(offset)s) AS hit
CROSS JOIN LATERAL (
    SELECT language, url, title, text
    FROM search_indexrow
    WHERE kind = hit.kind AND object_id = hit.object_id AND language = ANY (%(languages)s)
    ORDER BY array_position(%(languages)s::text[], language::text)
    LIMIT 1
) AS page
ORDER BY tier, score DESC, kind, object_id
"""


def _from_left_to_right(contact: contacts.Contact) -> str:
    # By signs and not by <bdi>, for any part of it may be marked as a match.
    return f"\u2066{contact.number}\u2069"


class IndexRowManager(models.Manager["IndexRow"]):
    def read_in(self, code: str) -> "models.QuerySet[IndexRow]":
        """Each object once, in the language in which its page is shown to a reader of `code`."""
        place = Case(
            When(audience="embassies", then=_place(languages.chain(code, audience="embassies"))),
            default=_place(languages.chain(code)),
        )
        ranked = self.alias(place=place).filter(place__isnull=False)
        best = ranked.order_by("kind", "object_id", "place").distinct("kind", "object_id")
        return self.filter(pk__in=best.values("pk")).defer("vector", "words")

    def matching(self, query: str, language: str, audience: str = "", *, page: int = 1) -> Hits:
        """What answers a reader's words, best first: exact, then folded, then with misspelled words put right.

        Looks in the reader's language and those it falls back to, Swedish always among them. Two SQL queries at most
        for anything that was typed; none for nothing or beyond the last page.
        """
        query = query.encode("utf-8", "ignore").decode().replace("\0", " ").strip()[:QUERY_CHARACTERS]
        folded = fold(query)
        terms = asked_words(folded)
        if not terms or not 1 <= page <= LAST_PAGE:
            return Hits([], has_more=False)
        chain = languages.chain(language, audience=audience)
        offset = (page - 1) * PAGE
        with connections[self.db].cursor() as cursor:
            compounds, close = _vocabulary(cursor, chain, terms)
            cursor.execute(
                _MATCHING,
                {
                    # A leading hyphen means NOT to PostgreSQL, and to people a number or the half of a compound.
                    "query": query.replace("-", " "),
                    "languages": list(chain),
                    "configs": [languages.get(code).search_config for code in chain],
                    "folded": [_tsquery(code, terms, compounds) for code in chain],
                    "meant": [_tsquery(code, terms, compounds, close) for code in chain],
                    "audience": audience,
                    "ranked": _RANKED,
                    "needed": offset + PAGE + 1,
                    "limit": PAGE + 1,
                    "offset": offset,
                },
            )
            rows = cursor.fetchall()
        typed = tuple(_words(folded) or folded.split())
        meant = (*typed, *(word for alternatives in close.values() for word in alternatives))
        marker = cache(Marker)
        found = []
        for tier, kind, object_id, shown, url, title, text in rows[:PAGE]:
            mark = marker(shown, meant if tier == CORRECTED else typed)
            title_parts = list(mark.parts(contacts.expand(title, _from_left_to_right)))
            text_parts = list(mark.snippet(contacts.expand(text, _from_left_to_right)))
            found.append(Hit(kind, object_id, shown, shown != language, url, title_parts, text_parts))
        return Hits(found, has_more=len(rows) > PAGE)


class IndexRow(models.Model):
    """One published text of one object in one language, as the search sees it. Written by every publish action."""

    kind = models.CharField(max_length=10)
    """What it is, in a word: fact, rebuttal, event."""
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=10)
    audience = models.CharField(max_length=10, blank=True)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    """Plain text, without markup; numbers to call stand in it as tokens."""
    url = models.CharField(max_length=500)
    vector = SearchVectorField()
    """Title (A) and text (B) in the configuration of the language."""
    words = SearchVectorField()
    """The folded words of title (A) and text (B), as they stand."""
    updated_at = models.DateTimeField()

    objects: ClassVar[IndexRowManager] = IndexRowManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "object_id", "language"], name="one_index_row_per_language"),
        ]
        # The language leads in each: "LVU" and "112" stand in all languages, and a reader wants two of them. Without
        # fastupdate, whose unsorted pending list every search would have to read through.
        indexes: ClassVar = [
            GinIndex(fields=["language", "vector"], name="index_row_by_word", fastupdate=False),
            GinIndex(
                F("language"),
                Func(F("vector"), function="ts_filter", template="%(function)s(%(expressions)s, '{a}')"),
                name="index_row_by_title",
                fastupdate=False,
            ),
            GinIndex(fields=["language", "words"], name="index_row_by_folded_word", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.language}"


class Word(models.Model):
    """The vocabulary of the texts, folded: in which compounds a word stands, and which one a misspelled word may be.

    Looked for here and not in the texts, where a trigram index has every long text looked at and takes a second. May
    hold a word twice: two who publish at once do not wait for each other. Keeps words whose texts are gone, which lead
    nowhere.
    """

    language = models.CharField(max_length=10)
    word = models.CharField(max_length=WORD_LENGTHS[-1])

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["language", "word"], name="word_by_language"),
            GinIndex(
                fields=["language", "word"],
                opclasses=["varchar_ops", "gin_trgm_ops"],
                name="word_by_trigram",
                fastupdate=False,
            ),
        ]

    def __str__(self) -> str:
        return self.word


class MissedSearchQuerySet(models.QuerySet["MissedSearch"]):
    def often(self, days: int) -> "models.QuerySet[Any, Any]":
        """What was looked for in vain of late: `language`, `term`, `times` and `last_on`, the most wanted first.

        Twice at least: what one person typed once may be about that person, or about somebody they know.
        """
        recent = self.filter(day__gt=localdate() - timedelta(days=days)).values("language", "term")
        counted = recent.annotate(times=Sum("count"), last_on=Max("day"))
        return counted.filter(times__gte=2).order_by("-times", "-last_on", "language", "term")

    def expired(self, on: date) -> "MissedSearchQuerySet":
        return self.filter(day__lt=on - MissedSearch.KEEP)


class MissedSearch(models.Model):
    """How often a search found nothing, by what was typed: a word that the texts lack, or a text that is missing."""

    KEEP: Final = timedelta(days=180)
    MOST_A_DAY: Final = 2000
    """Terms; whoever sends noise fills a day and not the disk."""

    language = models.CharField(max_length=10)
    term = models.CharField(max_length=80)
    day = models.DateField(db_index=True)
    count = models.PositiveIntegerField()

    objects: ClassVar[models.Manager[Any]] = MissedSearchQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["language", "term", "day"], name="one_count_per_language_term_and_day"),
        ]

    def __str__(self) -> str:
        return self.term


def _place(chain: tuple[str, ...]) -> Case:
    return Case(*(When(language=code, then=Value(place)) for place, code in enumerate(chain)))


def _words(folded: str) -> list[str]:
    return _WORD.findall(folded.replace("_", " "))


def indexed_words(folded: str) -> set[str]:
    """What a folded text is found by: words or their pieces, signs, and without spaces letters and pairs of them."""
    half = _PIECE // 2
    found = set(_SIGN.findall(folded)) - {" "}
    for word in _words(folded):
        for part in _UNSPACED.split(word):
            found.update(part[start : start + _PIECE] for start in range(0, max(len(part) - half, 1), half))
        for run in _UNSPACED.findall(word):
            found.update(run, (run[place : place + 2] for place in range(len(run) - 1)))
    return found - {""}


def asked_words(folded: str) -> list[str]:
    """What all has to be found for a folded query; signs only where there is no word."""
    half = _PIECE // 2
    asked: dict[str, None] = {}
    for word in _words(folded):
        for part in _UNSPACED.split(word):
            starts = [*range(0, len(part) - half, half), len(part) - half]
            asked |= dict.fromkeys([part] if len(part) <= _PIECE else [part[at : at + half] for at in starts])
        for run in _UNSPACED.findall(word):
            asked |= dict.fromkeys(run[place : place + 2] for place in range(max(len(run) - 1, 1)))
    asked.pop("", None)
    return list(asked) or list(dict.fromkeys(_SIGN.findall(folded.replace(" ", ""))))


Alternatives = dict[tuple[str, str], list[str]]
"""Words by language and term."""


def _vocabulary(cursor: CursorWrapper, chain: tuple[str, ...], terms: list[str]) -> tuple[Alternatives, Alternatives]:
    """The longer words around each term, and the words it may have been meant to be."""
    contained = [term for term in terms if _TRIGRAM.search(term)][:_ASKED]
    corrected = [term for term in contained if len(term) in _CORRECTED_LENGTHS]
    compounds: Alternatives = {}
    close: Alternatives = {}
    if contained:
        cursor.execute(
            _VOCABULARY,
            {
                "languages": list(chain),
                "contained": contained,
                "corrected": corrected,
                "compounds": _COMPOUNDS,
                "close": _CLOSE,
            },
        )
        for term, language, is_close, word in cursor.fetchall():
            (close if is_close else compounds).setdefault((language, term), []).append(word)
    return compounds, close


def _tsquery(language: str, terms: list[str], *vocabularies: Alternatives) -> str:
    """Every term, or another word that stands for it in one of the vocabularies."""
    groups = []
    for term in terms:
        words = [term, *(word for known in vocabularies for word in known.get((language, term), ()))]
        groups.append("|".join(quoted(word) for word in words))
    return "&".join(f"({group})" for group in groups)


def quoted(word: str) -> str:
    """A word as it is written in a tsvector or a tsquery."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


# Texts share most of their words, and folding one takes longer than all else that is done with it.
_folded: Final = lru_cache(maxsize=2**15)(fold)


class Marker:
    """Finds the words of one language that match the folded terms, to be shown as such."""

    def __init__(self, language: str, terms: tuple[str, ...]) -> None:
        known = languages.get(language)
        self.terms = terms
        self.is_spaced = known.script not in {"thai", "han"}
        self.is_stemmed = known.search_config != "simple"
        # Texts share most of their words: looked at once each, with what punctuation surrounds them.
        self.matches = cache(self._matches)

    def _matches(self, chunk: str) -> list[tuple[int, int]]:
        words = _WORD.finditer(chunk.replace("_", " "))
        return [word.span() for word in words if self._is_match(_folded(word[0]))]

    def _is_match(self, folded: str) -> bool:
        return any(
            term == folded or (len(term) > 2 and term in folded) or (self.is_stemmed and _is_inflected(folded, term))
            for term in self.terms
        )

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the matches stand: whole words, or as many letters as match in scripts without spaces."""
        if not self.is_spaced:
            yield from self._spans_within(text)
            return
        for chunk in _CHUNK.finditer(text):
            for start, stop in self.matches(chunk[0]):
                yield chunk.start() + start, chunk.start() + stop

    def _spans_within(self, text: str) -> Iterator[tuple[int, int]]:
        # Folding sign by sign keeps the way back from a place in the folded text to the one in the text.
        signs = [_folded(sign) for sign in text]
        origin = [place for place, sign in enumerate(signs) for _ in sign]
        end = 0
        for found in re.finditer("|".join(map(re.escape, sorted(self.terms, key=len, reverse=True))), "".join(signs)):
            # One sign can fold to several, and a match then end or begin within it.
            if origin[found.start()] >= end:
                end = origin[found.end() - 1] + 1
                yield origin[found.start()], end

    def parts(self, text: str) -> Iterator[Segment]:
        end = 0
        for start, stop in self.spans(text):
            if start > end:
                yield Segment(text[end:start], is_match=False)
            yield Segment(text[start:stop], is_match=True)
            end = stop
        if end < len(text):
            yield Segment(text[end:], is_match=False)

    def snippet(self, text: str) -> Iterator[Segment]:
        """About SNIPPET_CHARACTERS of the text around the first match, cut between words."""
        text = " ".join(text.split())
        first, _ = next(self.spans(text), (0, 0))
        half = SNIPPET_CHARACTERS // 2
        start = 0 if first < half else max(text.rfind(" ", 0, first - half // 2) + 1, first - half)
        stop = len(text)
        if stop - start > SNIPPET_CHARACTERS:
            stop = text.rfind(" ", first, start + SNIPPET_CHARACTERS)
            stop = stop if stop > first else start + SNIPPET_CHARACTERS
        return self.parts(("…" if start else "") + text[start:stop] + ("…" if stop < len(text) else ""))


def _is_inflected(word: str, term: str) -> bool:
    """Whether two words share so much of their beginning that a stemmer took them for one."""
    shared = max(4, math.ceil(0.7 * min(len(word), len(term))))
    return len(word) >= shared and word[:shared] == term[:shared]
