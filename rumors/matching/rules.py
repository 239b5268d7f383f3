"""Which rumors and facts say the same as a text: found by their words and by their meaning, in that order of trust.

By words: BM25 over the documents of each language, as a share of what a document with all the words would have. By
meaning: the cosine of centered vectors. What either way finds is put in order by the sum of both.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple

import structlog
from django.db import connection
from django.utils.timezone import localdate

from portal import languages, spoken
from portal.fold import fold
from rumors.matching import embedding, words
from rumors.matching.embedding import EmbeddingError, Vector
from rumors.matching.models import FOLDED_CHARACTERS, Document, config_of

log = structlog.get_logger(__name__)

KINDS: Final = ("rumor", "fact")
Method = Literal["both", "words", "meaning", "near"]

K1: Final = 1.2
B: Final = 0.6
REST: Final = 0.15
"""What the meaning of the second best text of a thing adds to that of its best."""
WHOLE: Final = 0.4
"""What the whole of a long text counts against its best piece."""
OTHER_WEIGHT: Final = 0.2
"""What all the words would count in another language: names and numbers are the same there, and little else."""


class Weighing(NamedTuple):
    """What the words count in the language of the text, where a perfect likeness of meaning counts 1."""

    weight: float
    """Those of the best document."""
    floor: float
    """The share of the words that it must hold to count so much."""


SHORT_TEXT: Final = Weighing(0.3, 0.5)
LONG_TEXT: Final = Weighing(0.4, 0.15)
"""Most words of a long text are about something else."""
SHARED: Final = 0.15
"""The share of the words from which they are a reason to show a document."""
GUESSED: Final = 0.8
"""What the share of the words stands for where there is no vector yet."""
LIKELY: Final = 0.45
"""Centered cosine from which a short text is likely the same."""
LIKELY_LONG: Final = 0.6
"""The same for a long one, which says many things."""
OLD: Final = timedelta(days=730)
NEAR: Final = 0.3
"""Trigram similarity from which a text may be one that is there already."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_WORDS: Final = 80
"""Words of a text that are looked for, the longest first when there are more."""
_TERMS: Final = 64
"""Of them, those that weigh most in each language."""
_READ: Final = 1500
"""Documents whose words are scored: with the rarest words first, as many as there are place for."""
_NEAREST: Final = 100
"""Documents nearest by meaning, for each piece of the text."""
EXCERPT: Final = 40
"""Words of a wording that are shown."""
_KEPT: Final = 150
"""Documents kept of each of the two rankings."""


@dataclass(frozen=True, slots=True)
class Match:
    kind: str
    object_id: int
    part: str
    """The text of it that says it best, and its language."""
    language: str
    score: float
    """Only for putting in order: between -1 and about 2."""
    method: Method
    """What found it: shared words, similar meaning, or both; or that it is spelled nearly the same."""
    cosine: float | None
    """Of the centered vectors, from -1 to 1; None when one is missing."""
    terms: tuple[str, ...]
    """The words of the text, as written there, that stand in the document as well; the rarest first."""
    is_likely: bool
    """It is likely the same; otherwise it is worth a look. A person decides in both cases."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Best first; counts and iterates as a list."""

    found: list[Match]
    is_semantic: bool
    """Whether meanings were compared; if not, only texts that share words are found."""
    language: str
    """Which the text was taken to be in; empty when unsure."""

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Match]:
        return iter(self.found)


@dataclass(frozen=True, slots=True)
class _Term:
    language: str
    lexeme: str
    word: str
    weight: float
    documents: int
    """That hold it; 0 when none does."""


@dataclass(slots=True)
class _Row:
    kind: str
    object_id: int
    part: str
    language: str
    seen_on: date | None
    bm25: float
    cosine: float | None
    lexemes: list[str]


# The words of the text in each configuration, and in how many documents of each language they stand. The settings of
# the index by meaning are made here, to save a query.
_COUNTS: Final = """
WITH known AS MATERIALIZED (
    SELECT language, sum(documents) AS documents, sum(length) AS length
    FROM matching_tally WHERE word = '' GROUP BY language HAVING sum(documents) > 0
), spoken AS (
    SELECT language, documents, length, config
    FROM known JOIN unnest(%(languages)s::text[], %(configs)s::text[]) AS catalog (language, config) USING (language)
), lexemes AS MATERIALIZED (
    SELECT config, lexeme, min(word) AS word, sum(times * cardinality(positions)) AS times
    FROM (SELECT DISTINCT config FROM spoken) AS configs
    CROSS JOIN unnest(%(words)s::text[], %(folded)s::text[], %(times)s::integer[]) AS asked (word, folded, times)
    CROSS JOIN LATERAL unnest(
        to_tsvector(config::regconfig, CASE config WHEN 'simple' THEN folded ELSE word END)
    ) AS made
    GROUP BY config, lexeme
)
SELECT language, spoken.documents, spoken.length, lexeme, word, times, tally.documents, setting
FROM (
    SELECT set_config('hnsw.ef_search', %(nearest)s::text, false)
        || set_config('hnsw.iterative_scan', 'relaxed_order', false) AS setting
) AS settings
LEFT JOIN (spoken JOIN lexemes USING (config)) ON true
LEFT JOIN LATERAL (
    SELECT sum(documents) AS documents FROM matching_tally
    WHERE matching_tally.language = spoken.language AND matching_tally.word = lexemes.lexeme
) AS tally ON true
"""

_LEXEMES: Final = """
SELECT config, word, array(
    SELECT lexeme FROM unnest(to_tsvector(config::regconfig, CASE config WHEN 'simple' THEN folded ELSE word END))
)
FROM unnest(%(configs)s::text[], %(words)s::text[], %(folded)s::text[]) AS asked (config, word, folded)
"""

_CENTERS: Final = """
SELECT (SELECT vector::text FROM matching_center WHERE model = %(model)s AND language = %(language)s),
    (SELECT avg(vector::vector)::text FROM matching_center WHERE model = %(model)s)
"""

# Documents that hold one of the rare words, and those nearest to a piece of the text; then both scores of each.
_SCORES: Final = """
WITH piece AS MATERIALIZED (
    SELECT vector::halfvec(384) AS vector, place = 1 AS is_whole
    FROM unnest(%(vectors)s::text[]) WITH ORDINALITY AS given (vector, place)
), term AS MATERIALIZED (
    SELECT language, lexeme, weight
    FROM unnest(%(term_languages)s::text[], %(lexemes)s::text[], %(weights)s::float8[]) AS t (language, lexeme, weight)
), near AS MATERIALIZED (
    SELECT found.id FROM piece CROSS JOIN LATERAL (
        SELECT id FROM matching_document AS document
        WHERE embedded_with = %(model)s AND kind = ANY (%(kinds)s) AND (%(with_secret)s OR NOT is_secret)
            AND NOT (kind || ':' || object_id = ANY (%(leave_out)s::text[]))
        ORDER BY document.vector <=> piece.vector LIMIT %(nearest)s
    ) AS found
), worded AS MATERIALIZED (
    SELECT found.id
    FROM unnest(%(languages)s::text[], %(queries)s::text[], %(shares)s::integer[]) AS asked (language, query, share)
    CROSS JOIN LATERAL (
        SELECT id FROM matching_document AS document
        WHERE document.language = asked.language AND document.words @@ asked.query::tsquery
            AND kind = ANY (%(kinds)s) AND (%(with_secret)s OR NOT is_secret)
            AND NOT (kind || ':' || object_id = ANY (%(leave_out)s::text[]))
        LIMIT asked.share
    ) AS found
), scored AS (
    SELECT document.id, kind, object_id, part, document.language, coalesce(by_word.score, 0) AS bm25, by_word.lexemes,
        CASE WHEN embedded_with = %(model)s THEN (
            SELECT %(whole)s * max(1 - (document.vector <=> piece.vector)) FILTER (WHERE is_whole)
                + (1 - %(whole)s) * max(1 - (document.vector <=> piece.vector))
            FROM piece
        ) END AS cosine
    FROM (SELECT id FROM near UNION SELECT id FROM worded) AS candidate
    JOIN matching_document AS document USING (id)
    LEFT JOIN unnest(%(languages)s::text[], %(averages)s::float8[]) AS norm (language, average)
        ON norm.language = document.language
    LEFT JOIN LATERAL (
        SELECT sum(
            weight * cardinality(positions) * (%(k1)s + 1)
                / (cardinality(positions) + %(k1)s * (1 - %(b)s + %(b)s * document.length / norm.average))
        ) AS score, array_agg(lexeme) AS lexemes
        FROM unnest(document.words) AS held JOIN term USING (lexeme)
        WHERE term.language = document.language
    ) AS by_word ON true
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY bm25 DESC, id) AS by_words,
        row_number() OVER (ORDER BY cosine DESC NULLS LAST, id) AS by_meaning
    FROM scored
)
SELECT kind, object_id, part, language, (
        SELECT max(seen_on) FROM matching_document AS any_of
        WHERE any_of.kind = ranked.kind AND any_of.object_id = ranked.object_id
    ), bm25, cosine, coalesce(lexemes, '{}')
FROM ranked WHERE (by_words <= %(kept)s AND bm25 > 0) OR (by_meaning <= %(kept)s AND cosine IS NOT NULL)
"""

_NEAR: Final = """
SELECT kind, object_id, part, language, 1 - (folded <-> %(folded)s) AS likeness
FROM matching_document
WHERE folded %% %(folded)s AND kind = ANY (%(kinds)s) AND (%(with_secret)s OR NOT is_secret)
ORDER BY folded <-> %(folded)s, kind, object_id LIMIT %(limit)s
"""


def match(
    text: str,
    *,
    language: str | None = None,
    kinds: Sequence[str] = KINDS,
    with_secret: bool = False,
    is_secret: bool = False,
    limit: int = 10,
    leave_out: Collection[tuple[str, int]] = frozenset(),
) -> Matches:
    """What says the same, best first, each thing once. At most three SQL queries.

    `language` is guessed when it is None, and unknown when it is empty; `is_secret` says that the text itself is;
    `leave_out` names things by kind and number.
    """
    clean = words.clean(text)
    if not clean:
        return Matches([], is_semantic=False, language="")
    if language is None:
        language = spoken.guess(clean)
    asked = _asked(clean)
    model, vectors = _vectors(clean, language, is_secret=is_secret)
    rows = _rows(asked, model, vectors, kinds, with_secret=with_secret, leave_out=leave_out)
    is_long = words.is_long(clean)
    found = _ordered(rows, asked, language, LONG_TEXT if is_long else SHORT_TEXT)
    bar = LIKELY_LONG if is_long else LIKELY
    if words.count(clean) < words.SHORT:
        bar = 2.0
    return Matches([_match(thing, best, asked, bar) for thing, best in found[:limit]], bool(vectors), language)


def near(text: str, *, kinds: Sequence[str] = KINDS, with_secret: bool = False, limit: int = 5) -> list[Match]:
    """What is written nearly the same, with slips of the thumb; one SQL query."""
    folded = fold(words.clean(text))[:FOLDED_CHARACTERS]
    if not folded:
        return []
    given: dict[str, Any] = {"folded": folded, "kinds": list(kinds), "with_secret": with_secret, "limit": limit * 5}
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, given)
        rows = cursor.fetchall()
    best: dict[tuple[str, int], Match] = {}
    for kind, object_id, part, code, likeness in rows:
        best.setdefault(
            (kind, object_id), Match(kind, object_id, part, code, likeness, "near", None, (), is_likely=False)
        )
    return list(best.values())[:limit]


def marked(matches: Collection[Match]) -> dict[Match, list[tuple[str, bool]]]:
    """Of each, the wording that was found, in pieces: those that are `True` are words of the text, in whatever form.

    Of a long one, what stands around the first of them. Two SQL queries.
    """
    texts = Document.objects.wordings([(m.kind, m.object_id, m.part, m.language) for m in matches])
    words_of = {match: _WORD.findall(texts.get(_key(match), "")) for match in matches}
    asked = {(config_of(match.language), word) for match in matches for word in (*words_of[match], *match.terms)}
    lexemes = _lexemes(sorted(asked)) if asked else {}
    found = {}
    for match in matches:
        config = config_of(match.language)
        shared = {lexeme for word in match.terms for lexeme in lexemes[config, word]}
        held = {word for word in words_of[match] if shared & lexemes[config, word]}
        found[match] = list(_pieces(_around(texts.get(_key(match), ""), held), held))
    return found


def _key(match: Match) -> tuple[str, int, str, str]:
    return match.kind, match.object_id, match.part, match.language


def _lexemes(asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    given = {
        "configs": [config for config, _word in asked],
        "words": [word for _config, word in asked],
        "folded": [words.spaced(word) for _config, word in asked],
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEXEMES, given)
        return {(config, word): set(found) for config, word, found in cursor.fetchall()}


def _around(text: str, held: Collection[str]) -> str:
    """At most so many words of a text, from a little before the first that is held."""
    found = list(_WORD.finditer(text))
    if len(found) <= EXCERPT:
        return text
    first = next((place for place, word in enumerate(found) if word[0] in held), 0)
    start = max(min(first - EXCERPT // 4, len(found) - EXCERPT), 0)
    end = start + EXCERPT
    before, after = "… " if start else "", " …" if end < len(found) else ""
    return before + text[found[start].start() : found[end - 1].end()] + after


def _pieces(text: str, held: Collection[str]) -> Iterator[tuple[str, bool]]:
    end = 0
    for word in _WORD.finditer(text):
        if word[0] in held:
            yield text[end : word.start()], False
            yield word[0], True
            end = word.end()
    yield text[end:], False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked for by words."""

    terms: list[_Term]
    averages: dict[str, float]
    """The average length of the documents of each language."""
    most: dict[str, float]
    """What a document of average length with every word once would score."""


def _asked(clean: str) -> _Asked:
    counts = Counter(_WORD.findall(clean))
    asked = sorted(counts, key=len, reverse=True)[:_WORDS]
    codes = ["", *languages.CATALOG]
    given: dict[str, Any] = {
        "languages": codes,
        "configs": [config_of(code) for code in codes],
        "words": asked,
        "folded": [words.spaced(word) for word in asked],
        "times": [counts[word] for word in asked],
        "nearest": _NEAREST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, given)
        rows = [row for row in cursor.fetchall() if row[0] is not None]
    by_language: defaultdict[str, list[_Term]] = defaultdict(list)
    averages: dict[str, float] = {}
    for code, documents, length, lexeme, word, times, holding, _setting in rows:
        averages[code] = max(float(length) / float(documents), 1.0)
        rarity = idf(float(documents), float(holding or 0))
        by_language[code].append(_Term(code, lexeme, word, rarity * (1 + math.log(times)), int(holding or 0)))
    kept = [sorted(found, key=lambda t: (-t.weight, t.lexeme))[:_TERMS] for found in by_language.values()]
    most = {terms[0].language: sum(term.weight for term in terms) for terms in kept}
    return _Asked([term for terms in kept for term in terms if term.documents], averages, most)


def idf(documents: float, holding: float) -> float:
    """How much a word says that so many of all documents hold."""
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5))


def _vectors(clean: str, language: str, *, is_secret: bool) -> tuple[str, list[Vector]]:
    """The name of the model, and the centered vectors of the text and its pieces: none when there is no model."""
    embedder = embedding.configured()
    if embedder is None or not clean or not embedding.may_see(embedder, clean, is_secret=is_secret):
        return "", []
    with connection.cursor() as cursor:
        cursor.execute(_CENTERS, {"model": embedder.name, "language": language})
        own, common = cursor.fetchone()
    if common is None:
        return "", []  # Nothing has been embedded yet.
    center = [float(number) for number in (own or common).strip("[]").split(",")]
    try:
        vectors = embedder.embed(words.pieces(clean), "query", language)
    except EmbeddingError as error:
        log.warning("embedding_failed", error=str(error))
        return "", []
    return embedder.name, [embedding.centered(vector, center) for vector in vectors]


def _rows(
    asked: _Asked,
    model: str,
    vectors: Sequence[Vector],
    kinds: Sequence[str],
    *,
    with_secret: bool,
    leave_out: Collection[tuple[str, int]],
) -> list[_Row]:
    terms, averages = asked.terms, asked.averages
    queries = _queries(terms)
    given: dict[str, Any] = {
        "vectors": [f"[{','.join(map(str, vector))}]" for vector in vectors],
        "term_languages": [term.language for term in terms],
        "lexemes": [term.lexeme for term in terms],
        "weights": [term.weight for term in terms],
        "model": model,
        "kinds": list(kinds),
        "with_secret": with_secret,
        "leave_out": [f"{kind}:{object_id}" for kind, object_id in leave_out],
        "nearest": _NEAREST,
        "languages": list(queries),
        "queries": [query for query, _share in queries.values()],
        "shares": [share for _query, share in queries.values()],
        "averages": [averages[code] for code in queries],
        "whole": WHOLE if len(vectors) > 1 else 1,
        "k1": K1,
        "b": B,
        "kept": _KEPT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SCORES, given)
        return [_Row(*row) for row in cursor.fetchall()]


def _queries(terms: Iterable[_Term]) -> dict[str, tuple[str, int]]:
    """For each language the words of which one must stand in a document that is read, and how many are read.

    The rarest words come first: what holds only common ones would not come far, and would cost most.
    """
    chosen: defaultdict[str, list[str]] = defaultdict(list)
    room: defaultdict[str, int] = defaultdict(lambda: _READ)
    for term in sorted(terms, key=lambda term: (term.documents, term.lexeme)):
        if term.documents <= room[term.language] or not chosen[term.language]:
            chosen[term.language].append(term.lexeme)
            room[term.language] -= term.documents
    return {code: (" | ".join(map(_quoted, lexemes)), _READ) for code, lexemes in chosen.items()}


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


_Thing = tuple[str, int]


def _ordered(rows: Sequence[_Row], asked: _Asked, language: str, weighing: Weighing) -> list[tuple[_Thing, "_Best"]]:
    """Each thing once, best first."""
    own = _kin(language)
    shares = [row.bm25 / (asked.most.get(row.language) or 1) for row in rows]
    most = max((share for row, share in zip(rows, shares, strict=True) if row.language in own), default=0)
    things: defaultdict[_Thing, list[tuple[float, float, _Row]]] = defaultdict(list)
    for row, share in zip(rows, shares, strict=True):
        by_words = weighing.weight * share / max(most, weighing.floor) if row.language in own else OTHER_WEIGHT * share
        things[row.kind, row.object_id].append((by_words, share, row))
    found = [(thing, _best(told)) for thing, told in things.items()]
    return sorted(found, key=lambda one: (-one[1].score, one[0]))


@dataclass(frozen=True, slots=True)
class _Best:
    row: _Row
    """Of the text that says it best."""
    score: float
    share: float
    cosine: float | None
    """The highest of all its texts."""


def _best(told: Sequence[tuple[float, float, _Row]]) -> _Best:
    """Of one thing: what its words count and which share they are, and the row. Words and meaning may be those of
    different texts, as when a title says the one and a sighting the other."""
    share = max(one[1] for one in told)
    cosines = sorted((row.cosine for _words, _share, row in told if row.cosine is not None), reverse=True)
    by_meaning = cosines[0] if cosines else GUESSED * share
    second = max(cosines[1], 0) if len(cosines) > 1 else 0.0
    _words, _share, row = min(
        told,
        key=lambda one: (
            -one[0] - (GUESSED * one[1] if one[2].cosine is None else one[2].cosine),
            one[2].part,
            one[2].language,
        ),
    )
    score = max(one[0] for one in told) + by_meaning + REST * second
    return _Best(row, score, share, cosines[0] if cosines else None)


def _match(thing: _Thing, best: _Best, asked: _Asked, bar: float) -> Match:
    is_old = best.row.seen_on is not None and best.row.seen_on <= localdate() - OLD
    return Match(
        *thing,
        best.row.part,
        best.row.language,
        best.score,
        _method(best),
        best.cosine,
        _shared(best.row, asked.terms),
        is_likely=best.cosine is not None and best.cosine >= bar and not is_old,
    )


def _method(best: _Best) -> Method:
    is_alike = best.cosine is not None and best.cosine >= LIKELY / 2
    if best.share >= SHARED or not is_alike:
        return "both" if is_alike else ("words" if best.share else "meaning")
    return "meaning"


def _kin(code: str) -> frozenset[str]:
    """A language and those that readers of one read as the other, as Dari and Persian."""
    kin = {code} if code else set()
    for known in languages.CATALOG.values():
        near = set(known.fallbacks) - {languages.SOURCE}
        if known.code == code:
            kin |= near
        elif code in near:
            kin.add(known.code)
    return frozenset(kin)


def _shared(row: _Row, terms: Sequence[_Term]) -> tuple[str, ...]:
    held = set(row.lexemes)
    shared = [term for term in terms if term.language == row.language and term.lexeme in held]
    return tuple(dict.fromkeys(term.word for term in sorted(shared, key=lambda term: term.documents)))
