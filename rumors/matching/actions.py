"""What the register and the library say of their texts, and what the clock keeps of it."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from portal.fold import fold
from rumors.matching import embedding, words
from rumors.matching.embedding import Embedder, EmbeddingError, Vector
from rumors.matching.models import FOLDED_CHARACTERS, Center, Document, config_of

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=10)
"""After it a text that a worker took and never settled is due again."""
_BATCH: Final = 16
LEAD_WORDS: Final = 40

# What is told again as it was is left as it is, vector and all.
_INDEX: Final = """
INSERT INTO matching_document (
    kind, object_id, part, language, text, folded, is_secret, seen_on, hash, by_words, by_meaning,
    words, length, embedded_with
)
SELECT %(kind)s, %(object_id)s, %(part)s, %(language)s, %(text)s, %(folded)s, %(is_secret)s, %(seen_on)s, %(hash)s,
    %(by_words)s, %(by_meaning)s, made.words,
    (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(made.words)), ''
FROM (SELECT to_tsvector(%(config)s::regconfig, %(words)s) AS words) AS made
ON CONFLICT (kind, object_id, part, language) DO UPDATE SET
    text = excluded.text, folded = excluded.folded, is_secret = excluded.is_secret, seen_on = excluded.seen_on,
    hash = excluded.hash, by_words = excluded.by_words, by_meaning = excluded.by_meaning,
    words = excluded.words, length = excluded.length,
    vector = CASE WHEN matching_document.hash = excluded.hash AND excluded.by_meaning AND NOT excluded.is_secret
        THEN matching_document.vector END,
    embedded_with = CASE WHEN matching_document.hash = excluded.hash AND excluded.by_meaning
            AND matching_document.is_secret = excluded.is_secret
        THEN matching_document.embedded_with ELSE '' END,
    embed_after = NULL
WHERE (matching_document.hash, matching_document.is_secret, matching_document.seen_on, matching_document.by_words,
        matching_document.by_meaning)
    IS DISTINCT FROM (excluded.hash, excluded.is_secret, excluded.seen_on, excluded.by_words, excluded.by_meaning)
"""

_WITHDRAWN: Final = """
DELETE FROM matching_document AS document WHERE kind = 'fact' AND NOT EXISTS (
    SELECT FROM search_indexrow AS published WHERE published.kind = 'fact'
        AND published.object_id = document.object_id AND published.language = document.language
)
"""

_NEW: Final = """
SELECT object_id, language, title, text FROM search_indexrow AS published WHERE kind = 'fact' AND NOT EXISTS (
    SELECT FROM matching_document AS document WHERE document.kind = 'fact' AND document.part = 'whole'
        AND document.object_id = published.object_id AND document.language = published.language
        AND document.hash = encode(sha256(convert_to(published.title || E'\\n' || published.text, 'UTF8')), 'hex')
) ORDER BY object_id, language LIMIT %s
"""

_ADD_UP: Final = """
WITH gone AS (
    DELETE FROM matching_tally WHERE id IN (
        SELECT id FROM matching_tally
        WHERE (language, word) IN (
            SELECT language, word FROM matching_tally GROUP BY language, word HAVING count(*) > 1
        )
        FOR UPDATE SKIP LOCKED
    )
    RETURNING language, word, documents, length
)
INSERT INTO matching_tally (language, word, documents, length)
SELECT language, word, sum(documents), sum(length) FROM gone
GROUP BY language, word HAVING sum(documents) <> 0 OR sum(length) <> 0
"""


def index(
    *,
    kind: str,
    object_id: int,
    part: str,
    language: str,
    text: str,
    is_secret: bool = False,
    seen_on: date | None = None,
    by_words: bool = True,
    by_meaning: bool = True,
) -> None:
    """Make a text findable in place of what stood there: by words from now on, by meaning when the clock has been.

    An empty text is found by nothing, and so is not kept.
    """
    text = words.storable(text)
    if not text.strip():
        Document.objects.filter(kind=kind, object_id=object_id, part=part, language=language).delete()
        return
    config = config_of(language)
    clean = words.clean(text) or text[: words.CHARACTERS]
    told = clean if config != "simple" else words.spaced(clean)
    with connection.cursor() as cursor:
        cursor.execute(
            _INDEX,
            {
                "kind": kind,
                "object_id": object_id,
                "part": part,
                "language": language,
                "text": text,
                "folded": fold(clean)[:FOLDED_CHARACTERS],
                "is_secret": is_secret,
                "seen_on": seen_on,
                "hash": hashlib.sha256(text.encode()).hexdigest(),
                "by_words": by_words,
                "by_meaning": by_meaning,
                "config": config,
                "words": told if by_words else "",
            },
        )


def remove(*, kind: str, object_id: int, part: str | None = None) -> None:
    """Make a thing unfindable, or one of its parts in every language."""
    documents = Document.objects.filter(kind=kind, object_id=object_id)
    if part is not None:
        documents = documents.filter(part=part)
    documents.delete()


def move(*, kind: str, from_id: int, to_id: int, parts: Collection[str] | None = None) -> None:
    """What a thing says, or these parts of it, is found as another one from now on, and by its meaning at once.

    Neither part may be there already.
    """
    moving = Document.objects.filter(kind=kind, object_id=from_id)
    (moving if parts is None else moving.filter(part__in=parts)).update(object_id=to_id)


def seen(*, kind: str, object_id: int, on: date | None) -> None:
    """When a thing was last seen, whichever of its texts it was."""
    Document.objects.filter(kind=kind, object_id=object_id).exclude(seen_on=on).update(seen_on=on)


@transaction.atomic
def follow_library(*, limit: int) -> int:
    """What the library has published meanwhile is found, at most so many texts; what it has withdrawn is not. Returns
    how many texts were new."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAWN)
        cursor.execute(_NEW, [limit])
        new = cursor.fetchall()
    for object_id, language, title, text in new:
        fact = {"kind": "fact", "object_id": object_id, "language": language}
        index(**fact, part="title", text=title)
        # What a text is about stands at its beginning; the rest has words that a claim may share.
        index(**fact, part="lead", text=" ".join(text.split()[:LEAD_WORDS]), by_words=False)
        index(**fact, part="whole", text=f"{title}\n{text}", by_meaning=False)
    return len(new)


def embed_due(*, limit: int, now: datetime) -> int:
    """Keep the promise of vectors for at most `limit` texts; returns for how many. Any number of workers may."""
    embedder = embedding.configured()
    if embedder is None:
        return 0
    kept = 0
    try:
        while limit > 0 and (taken := _claim(embedder, min(limit, _BATCH), now=now)):
            centers = center(embedder)
            kept += _embed(embedder, taken, centers)
            limit -= len(taken)
    except EmbeddingError as error:
        # What is in hand is due again after the lease.
        log.warning("embedding_failed", error=str(error))
    return kept


@transaction.atomic
def _claim(embedder: Embedder, most: int, *, now: datetime) -> list[Document]:
    due = Document.objects.due(embedder.name, now).select_for_update(skip_locked=True, of=("self",))[:most]
    taken: list[Document] = list(due.only("pk", "text", "language", "is_secret", "hash"))
    until = max(now, timezone.now()) + LEASE
    Document.objects.filter(pk__in=[document.pk for document in taken]).update(embed_after=until)
    for document in taken:
        document.embed_after = until
    return taken


def center(embedder: Embedder) -> dict[str, Vector]:
    """The mean of each language, with that of all under the empty code; made when the model is new."""
    stored = Center.objects.filter(model=embedder.name)
    centers: dict[str, Vector] = dict(stored.values_list("language", "vector"))
    for language, sentences in embedding.calibration().items():
        if language not in centers:
            shipped = embedding.shipped(embedder.name).get(language)
            centers[language] = shipped or embedding.mean(embedder.embed(sentences, "query", language))
            Center.objects.bulk_create(
                [Center(model=embedder.name, language=language, vector=centers[language])], ignore_conflicts=True
            )
    return centers | {"": embedding.mean(list(centers.values()))}


def _embed(embedder: Embedder, taken: Sequence[Document], centers: dict[str, Vector]) -> int:
    by_language: defaultdict[str, list[Document]] = defaultdict(list)
    refused: list[Document] = []
    for document in taken:
        is_seen = embedding.may_see(embedder, document.text, is_secret=document.is_secret)
        (by_language[document.language] if is_seen else refused).append(document)
    kept = sum(_settle(embedder, document, None) for document in refused)
    for language, documents in by_language.items():
        texts = [" ".join((words.clean(document.text) or document.text).split()) for document in documents]
        vectors = embedder.embed(texts, "passage", language)
        middle = centers.get(language) or centers[""]
        for document, vector in zip(documents, vectors, strict=True):
            kept += _settle(embedder, document, embedding.centered(vector, middle))
    return kept


def _settle(embedder: Embedder, document: Document, vector: Vector | None) -> int:
    """Keep a vector, unless the text has changed or the document is another worker's by now."""
    ours = Q(pk=document.pk, hash=document.hash, is_secret=document.is_secret, embed_after=document.embed_after)
    kept: int = Document.objects.filter(ours).update(vector=vector, embedded_with=embedder.name, embed_after=None)
    return kept


def add_up() -> None:
    """Make one row of all that were written for a word. Any number of workers may."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_UP)
