"""What the publish and withdraw actions of every module say to the search, and what readers looked for in vain."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone

from portal import contacts, languages
from portal.fold import fold
from portal.search.models import WORD_LENGTHS, IndexRow, MissedSearch, indexed_words, quoted
from portal.search.rules import loggable
from portal.tally import actions as tally
from portal.tally import transport
from portal.tally.transport import Count

# A tsvector ends at a megabyte; what stands behind this many characters is not searched.
_CHARACTERS: Final = 100_000

_INDEX: Final = """
WITH learned AS (
    INSERT INTO search_word (language, word)
    SELECT %(language)s, new.word FROM unnest(%(vocabulary)s::text[]) AS new (word)
    WHERE NOT EXISTS (SELECT FROM search_word AS known WHERE known.language = %(language)s AND known.word = new.word)
)
INSERT INTO search_indexrow (kind, object_id, language, audience, title, text, url, vector, words, updated_at)
VALUES (
    %(kind)s, %(object_id)s, %(language)s, %(audience)s, %(title)s, %(text)s, %(url)s,
    setweight(to_tsvector(%(config)s::regconfig, %(title_words)s), 'A')
        || setweight(to_tsvector(%(config)s::regconfig, %(text_words)s), 'B'),
    %(words)s::tsvector, %(now)s
)
ON CONFLICT (kind, object_id, language) DO UPDATE SET
    audience = excluded.audience, title = excluded.title, text = excluded.text, url = excluded.url,
    vector = excluded.vector, words = excluded.words, updated_at = excluded.updated_at
"""

_MISSED: Final = "missed"

_KEEP_MISSED: Final = """
INSERT INTO search_missedsearch (language, term, day, count)
SELECT new.language, new.term, new.day, new.times
FROM unnest(%s::text[], %s::text[], %s::date[], %s::integer[]) AS new (language, term, day, times)
LEFT JOIN (SELECT day, count(*) AS terms FROM search_missedsearch GROUP BY day) AS kept ON kept.day = new.day
LEFT JOIN search_missedsearch AS known
    ON known.language = new.language AND known.term = new.term AND known.day = new.day
WHERE known.id IS NOT NULL OR coalesce(kept.terms, 0) < %s
ON CONFLICT (language, term, day) DO UPDATE SET count = search_missedsearch.count + excluded.count
"""


def index(*, kind: str, object_id: int, language: str, audience: str = "", title: str, text: str, url: str) -> None:
    """Make a published text findable in place of what stood there. `text` is plain, `url` the path in that language.

    Numbers to call are found as they are now, and kept as tokens, so that hits show them as they are then.
    """
    title_words, text_words = contacts.expand(title), contacts.expand(text)[:_CHARACTERS]
    in_title, in_text = indexed_words(fold(title_words)), indexed_words(fold(text_words))
    with connection.cursor() as cursor:
        cursor.execute(
            _INDEX,
            {
                "kind": kind,
                "object_id": object_id,
                "language": language,
                "audience": audience,
                "title": title,
                "text": text,
                "title_words": title_words,
                "text_words": text_words,
                "url": url,
                "config": languages.get(language).search_config,
                "words": " ".join([f"{quoted(w)}:1A" for w in in_title] + [f"{quoted(w)}:2B" for w in in_text]),
                "vocabulary": [word for word in in_title | in_text if len(word) in WORD_LENGTHS],
                "now": timezone.now(),
            },
        )


def remove(*, kind: str, object_id: int, language: str | None = None) -> None:
    """Make an object unfindable, in one language or in all."""
    rows = IndexRow.objects.filter(kind=kind, object_id=object_id)
    if language is not None:
        rows = rows.filter(language=language)
    rows.delete()


def miss(*, query: str, language: str) -> None:
    """Remember that a search found nothing, without whose it was, and nothing that may be personal; writes no row."""
    term = loggable(query)
    if term:
        transport.add(_MISSED, language, term)


def flush() -> None:
    """Keep what was missed since the last time."""
    tally.flush(_MISSED, keep_missed)


def keep_missed(counts: Sequence[Count]) -> None:
    codes, terms = zip(*(count.what for count in counts), strict=True)
    days, times = [count.day for count in counts], [count.times for count in counts]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_MISSED, [list(codes), list(terms), days, times, MissedSearch.MOST_A_DAY])


def purge(*, now: datetime) -> int:
    count, _per_model = MissedSearch.objects.expired(timezone.localtime(now).date()).delete()
    return count
