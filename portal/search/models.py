import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models import F, Func

from portal import languages
from portal.fold import fold

PAGE: Final = 20
LAST_PAGE: Final = 500
QUERY_CHARACTERS: Final = 200
SNIPPET_CHARACTERS: Final = 180

# The tiers of hits below those that PostgreSQL's own text search finds in titles (0) and texts (1).
FOLDED, CORRECTED = 2, 3

_RANKED: Final = 250
"""How many folded or corrected matches of one language are put in order; of more, the rest is not looked at."""

# Shorter words are one letter away from too many others, longer ones stand in no vocabulary, and each costs a look.
WORD_LENGTHS: Final = range(4, 41)
_CORRECTED_LENGTHS: Final = range(5, 41)
_CORRECTED_TERMS: Final = 6
_ALTERNATIVES: Final = 6

# Python's \w leaves out marks, without which Thai falls to pieces, and the joiners inside of Persian words.
_JOINED: Final = "".join(c for c in map(chr, range(0x20000)) if unicodedata.category(c) in {"Mn", "Mc", "Me", "Cf"})
_WORD: Final = re.compile(f"(?:[^\\W_]|[{re.escape(_JOINED)}])+")
_WILDCARDS: Final = re.compile(r"[%_\\]")


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


# What each word may have been meant to be, per language. Edits find misspelled words, word similarity those that are
# a part of a longer word. A union, because each half has its index and the two in one condition have none.
_MEANT: Final = """
SELECT term, language, EXISTS (
    SELECT FROM search_word WHERE search_word.language = chain.language AND word = term
), array_agg(word ORDER BY score DESC, word), array_agg(score ORDER BY score DESC, word)
FROM unnest(%(languages)s::text[]) AS chain (language)
CROSS JOIN unnest(%(corrected)s::text[]) AS term
CROSS JOIN LATERAL (
    SELECT word, similarity(term, word) AS score
    FROM (
        SELECT word FROM search_word
        WHERE search_word.language = chain.language AND word %% term
            AND levenshtein_less_equal(word, term, 2) <= least(length(term) / 8 + 1, 2)
        UNION
        SELECT word FROM search_word WHERE search_word.language = chain.language AND word %%> term
    ) AS close
    WHERE strpos(word, term) = 0
    ORDER BY score DESC, word
    LIMIT %(alternatives)s
) AS close
GROUP BY term, language
"""

# Each tier holds those before it, and none is computed once the page is full: common words are dear to rank and rare
# ones dear to look for elsewhere, but never both. Titles come first by their own index. What the rows are joined with
# is never a constant, so that PostgreSQL asks the index for language and words at once. The limits within bound what
# a piece of a word that stands everywhere may cost; the words as typed come before those that may have been meant.
_MATCHING: Final = r"""
WITH reads AS (
    SELECT language, websearch_to_tsquery(config::regconfig, %(query)s) AS query
    FROM unnest(%(languages)s::text[], %(configs)s::text[]) AS chain (language, config)
), titled AS (
    SELECT kind, object_id, 0 AS tier, max(ts_rank_cd('{0, 0, 0, 1}', vector, query)) AS score
    FROM reads JOIN search_indexrow USING (language)
    WHERE ts_filter(vector, '{a}') @@ query AND (%(audience)s = '' OR audience = %(audience)s)
    GROUP BY kind, object_id
), exact AS (
    SELECT * FROM titled
    UNION ALL
    SELECT kind, object_id, 1, max(ts_rank_cd(vector, query))
    FROM reads JOIN search_indexrow USING (language)
    WHERE vector @@ query AND (%(audience)s = '' OR audience = %(audience)s)
        AND (SELECT count(*) FROM titled) < %(needed)s
        AND (kind, object_id) NOT IN (SELECT kind, object_id FROM titled)
    GROUP BY kind, object_id
), alike AS (
    SELECT * FROM exact
    UNION ALL (
        SELECT DISTINCT ON (kind, object_id) kind, object_id, tier, score + is_titled::int
        FROM (
            SELECT kind, object_id, tier, score, is_titled
            FROM jsonb_to_recordset(%(variants)s) AS variant (
                tier int, language text, score real, first text, second text, others text[]
            )
            CROSS JOIN LATERAL (
                SELECT kind, object_id, split_part(left(folded, 300), E'\n', 1)
                    LIKE ALL (ARRAY[variant.first, variant.second] || variant.others) AS is_titled
                FROM search_indexrow
                WHERE language = variant.language
                    AND folded LIKE variant.first AND folded LIKE variant.second AND folded LIKE ALL (variant.others)
                    AND (%(audience)s = '' OR audience = %(audience)s)
                    AND (kind, object_id) NOT IN (SELECT kind, object_id FROM exact)
                LIMIT %(ranked)s
            ) AS found
            WHERE (SELECT count(*) FROM exact) < %(needed)s
            LIMIT %(ranked)s * 2
        ) AS found
        ORDER BY kind, object_id, tier, score + is_titled::int DESC
    )
)
SELECT tier, kind, object_id, page.language, page.url, page.title, page.text
FROM (SELECT * FROM alike ORDER BY tier, score DESC, kind, object_id LIMIT %(limit)s OFFSET %(offset)s) AS hit
CROSS JOIN LATERAL (
    SELECT language, url, title, text
    FROM search_indexrow
    WHERE kind = hit.kind AND object_id = hit.object_id AND language = ANY (%(languages)s)
    ORDER BY array_position(%(languages)s::text[], language::text)
    LIMIT 1
) AS page
ORDER BY tier, score DESC, kind, object_id
"""

# Signs and words of two letters stand in no trigram, and asked for them the index would read all of itself.
_MATCHING_SHORT: Final = _MATCHING.replace("folded LIKE variant.", "folded || '' LIKE variant.")
_TRIGRAM: Final = re.compile(r"[^\W_]{3}")


class IndexRowManager(models.Manager["IndexRow"]):
    def matching(self, query: str, language: str, audience: str = "", *, page: int = 1) -> Hits:
        """What answers a reader's words, best first: exact, then folded, then with misspelled words put right.

        Looks in the reader's language and those it falls back to, Swedish always among them. At most two SQL
        queries for anything that was typed; none for nothing or beyond the last page.
        """
        query = query.encode("utf-8", "ignore").decode().replace("\0", " ").strip()[:QUERY_CHARACTERS]
        terms = _terms(query)
        if not terms or not 1 <= page <= LAST_PAGE:
            return Hits([], has_more=False)
        chain = languages.chain(language, audience=audience)
        offset = (page - 1) * PAGE
        with connections[self.db].cursor() as cursor:
            meant = _meant(cursor, chain, terms)
            cursor.execute(
                _MATCHING if any(_TRIGRAM.search(term) for term in terms) else _MATCHING_SHORT,
                {
                    # A leading hyphen means NOT to PostgreSQL, and to people a number or the half of a compound.
                    "query": query.replace("-", " "),
                    "languages": list(chain),
                    "configs": [languages.get(code).search_config for code in chain],
                    "audience": audience,
                    "variants": _as_json([*(_Variant(FOLDED, code, terms) for code in chain), *meant]),
                    "ranked": _RANKED,
                    "needed": offset + PAGE + 1,
                    "limit": PAGE + 1,
                    "offset": offset,
                },
            )
            rows = cursor.fetchall()
        corrected = {term for variant in meant for term in variant.terms}
        found = [
            _hit(row, wanted=language, terms=(*terms, *corrected) if tier == CORRECTED else terms)
            for tier, *row in rows[:PAGE]
        ]
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
    """Plain text, without markup."""
    url = models.CharField(max_length=500)
    vector = SearchVectorField()
    """Title (A) and text (B) in the configuration of the language."""
    folded = models.TextField()
    """Folded title, a line break, folded text."""
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
            GinIndex(
                fields=["language", "folded"],
                opclasses=["varchar_ops", "gin_trgm_ops"],
                name="index_row_by_trigram",
                fastupdate=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.language}"


class Word(models.Model):
    """The vocabulary of the texts, folded: what a misspelled word may have meant.

    Misspelled words are looked for here and not in the texts, where the same costs a second. May hold a word twice:
    two who publish at once do not wait for each other. Keeps words whose texts are gone; they lead nowhere.
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


def words(folded: str) -> list[str]:
    """The different words of a folded text, in their order."""
    return list(dict.fromkeys(_WORD.findall(folded)))


def _terms(query: str) -> list[str]:
    """What has to be found, folded: the words, or the signs where there is no word."""
    folded = fold(query)
    return words(folded) or folded.split()


def _pattern(term: str) -> str:
    return "%" + _WILDCARDS.sub(r"\\\g<0>", term) + "%"


@dataclass(frozen=True, slots=True)
class _Variant:
    """Folded words that all have to stand in a text of one language."""

    tier: int
    language: str
    terms: list[str]
    score: float = 0.0


def _as_json(variants: Iterable[_Variant]) -> str:
    """As SQL reads them: with the two longest words in front, which the index is asked for."""
    rows = []
    for variant in variants:
        # Those with trigrams first, of these the longest.
        ranked = sorted(variant.terms, key=lambda term: (_TRIGRAM.search(term) is None, -len(term)))
        patterns = [_pattern(term) for term in ranked]
        has_second = len(ranked) > 1 and _TRIGRAM.search(ranked[1])
        rows.append(
            {
                "tier": variant.tier,
                "language": variant.language,
                "score": variant.score,
                "first": patterns[0],
                "second": patterns[1 if has_second else 0],
                "others": patterns[2 if has_second else 1 :],
            }
        )
    return json.dumps(rows)


def _meant(cursor: CursorWrapper, chain: tuple[str, ...], terms: list[str]) -> list[_Variant]:
    """The terms with one of them put right, and, where several words are unknown, with all of those put right."""
    corrected = [term for term in terms if len(term) in _CORRECTED_LENGTHS][:_CORRECTED_TERMS]
    if not corrected:
        return []
    alternatives = max(_ALTERNATIVES // len(corrected), 1)
    cursor.execute(_MEANT, {"languages": list(chain), "corrected": corrected, "alternatives": alternatives})
    variants = []
    unknown: dict[str, dict[str, tuple[str, float]]] = {}
    for term, language, is_known, close, scores in cursor.fetchall():
        for word, score in zip(close, scores, strict=True):
            variants.append(_Variant(CORRECTED, language, [word if t == term else t for t in terms], score))
        if not is_known:
            unknown.setdefault(language, {})[term] = (close[0], scores[0])
    for language, best in unknown.items():
        if len(best) > 1:
            score = min(score for _, score in best.values())
            variants.append(_Variant(CORRECTED, language, [best[t][0] if t in best else t for t in terms], score))
    return variants


def _hit(row: list[Any], *, wanted: str, terms: Iterable[str]) -> Hit:
    kind, object_id, language, url, title, text = row
    terms = tuple(terms)
    return Hit(
        kind=kind,
        object_id=object_id,
        language=language,
        is_fallback=language != wanted,
        url=url,
        title_parts=list(_marked(title, terms, language)),
        text_parts=_snippet(text, terms, language),
    )


# Pages share their words; folding each anew would take longer than the query.
_folded_word: Final = lru_cache(maxsize=2**15)(fold)


def _matches(text: str, terms: tuple[str, ...], language: str) -> Iterator[tuple[int, int]]:
    """Where in a text the words stand that match: whole words, single signs in scripts without spaces."""
    known = languages.get(language)
    if known.script in {"thai", "han"}:
        yield from _matches_within(text, terms)
        return
    for word in _WORD.finditer(text):
        folded = _folded_word(word[0])
        if any(term in folded or (known.search_config != "simple" and _is_inflected(folded, term)) for term in terms):
            yield word.span()


def _matches_within(text: str, terms: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    # Folding sign by sign keeps the way back from a place in the folded text to the one in the text.
    signs = [_folded_word(sign) for sign in text]
    folded = "".join(signs)
    origin = [place for place, sign in enumerate(signs) for _ in sign]
    for found in re.finditer("|".join(map(re.escape, sorted(terms, key=len, reverse=True))), folded):
        yield origin[found.start()], origin[found.end() - 1] + 1


def _is_inflected(word: str, term: str) -> bool:
    """Whether two words share so much of their beginning that a stemmer took them for one. For marking only."""
    needed = max(4, 0.7 * min(len(word), len(term)))
    return len(word) >= needed and word[: int(needed + 0.999)] == term[: int(needed + 0.999)]


def _marked(text: str, terms: tuple[str, ...], language: str) -> Iterator[Segment]:
    end = 0
    for start, stop in _matches(text, terms, language):
        if start > end:
            yield Segment(text[end:start], is_match=False)
        yield Segment(text[start:stop], is_match=True)
        end = stop
    if end < len(text):
        yield Segment(text[end:], is_match=False)


def _snippet(text: str, terms: tuple[str, ...], language: str) -> list[Segment]:
    """About SNIPPET_CHARACTERS of the text around the first match, cut between words."""
    text = " ".join(text.split())
    first, _ = next(_matches(text, terms, language), (0, 0))
    start = 0 if first < SNIPPET_CHARACTERS // 2 else text.rfind(" ", 0, first - SNIPPET_CHARACTERS // 3) + 1
    start = max(start, first - SNIPPET_CHARACTERS // 2)
    stop = len(text)
    if stop - start > SNIPPET_CHARACTERS:
        stop = text.rfind(" ", first, start + SNIPPET_CHARACTERS)
        stop = stop if stop > first else start + SNIPPET_CHARACTERS
    cut = ("…" if start else "") + text[start:stop] + ("…" if stop < len(text) else "")
    return list(_marked(cut, terms, language))
