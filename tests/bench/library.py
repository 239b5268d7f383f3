"""Five hundred facts in eighteen languages, as those see them who translate; and a fact on paper."""

import json
import time
from datetime import date
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import languages
from portal.accounts.models import User
from portal.facts import documents, matrix
from portal.facts.models import Fact, Matter, Topic
from portal.revisions.models import text_hash
from portal.revisions.rules import translated_fields
from tests.bench.search import p50_p95, timed

FACTS = 500

# Every fact has two Swedish texts; a third of the translations renders the first, a third the second, the rest is
# missing. By hand: through the actions it would take half an hour.
_REVISIONS = """
INSERT INTO revisions_revision (content_type_id, object_id, language, fields, digest, author_id, created_at,
    significance, change_note, based_on_id, pivot, method, is_example, state, reason)
SELECT %(kind)s, fact.id, %(language)s, %(fields)s::jsonb, %(digest)s, %(author)s, now(), %(significance)s, '',
    (SELECT %(base)s FROM revisions_revision AS swedish WHERE swedish.object_id = fact.id AND swedish.language = 'sv'
        AND swedish.content_type_id = %(kind)s), '', 'human', true, 'published', ''
FROM facts_fact AS fact WHERE fact.slug LIKE 'bench-%%' AND fact.id %% 3 = ANY (%(thirds)s)
"""
_EDITIONS = """
INSERT INTO revisions_edition (content_type_id, object_id, language, revision_id, published_at, withdrawn_reason)
SELECT content_type_id, object_id, language, max(id), now(), '' FROM revisions_revision
WHERE content_type_id = %s AND object_id IN (SELECT id FROM facts_fact WHERE slug LIKE 'bench-%%')
GROUP BY content_type_id, object_id, language
"""


def build() -> None:
    by, topic = User.objects.first(), Topic.objects.first()
    today = date.today()  # noqa: DTZ011 - any day will do
    body = "\n\n".join(
        f"## Rubrik {n}\n\n" + "Ett stycke om hur det går till och vem som beslutar. " * 5 for n in range(6)
    )
    first = {"title": "Vad händer nu?", "summary": "Vi pratar med dig först.", "body": body}
    second = first | {"body": body.replace("Rubrik 3", "Rubrik tre")}
    matters = Matter.objects.bulk_create(
        Matter(reviewed_on=today, review_due=date(today.year + 1, 6, 1), owner=by) for _ in range(FACTS)
    )
    live = {languages.suffixed(name, languages.SOURCE): second[name] for name in translated_fields(Fact)}
    Fact.objects.bulk_create(
        Fact(matter=matter, audience="parents", topic=topic, slug=f"bench-{n}", created_by=by, **live)
        for n, matter in enumerate(matters)
    )
    about: dict[str, Any] = {"kind": ContentType.objects.get_for_model(Fact).pk, "author": by.pk}
    with connection.cursor() as cursor:
        for text in (first, second):
            _write(cursor, about, languages.SOURCE, text, significance="content", base="NULL::bigint", thirds=[0, 1, 2])
        for language in languages.ACTIVE:
            if language.code != languages.SOURCE:
                _write(cursor, about, language.code, first, base="min(swedish.id)", thirds=[0])
                _write(cursor, about, language.code, second, base="max(swedish.id)", thirds=[1])
        cursor.execute(_EDITIONS, [about["kind"]])
        cursor.execute("ANALYZE")


def _write(
    cursor: Any, about: dict[str, Any], language: str, text: dict[str, str], *, base: str, thirds: list[int],
    significance: str = "",
) -> None:  # fmt: skip
    values = {
        **about,
        "language": language,
        "fields": json.dumps(text),
        "digest": text_hash(text),
        "significance": significance,
        "thirds": thirds,
    }
    cursor.execute(_REVISIONS.replace("%(base)s", base), values)


def matrix_figures() -> tuple[int, float, float]:
    """SQL queries, and milliseconds at the median and at the 95th percentile, for all rows of all languages."""
    others = [known for known in languages.ACTIVE if known.code != languages.SOURCE]

    def rows() -> list[matrix.Row]:
        return matrix.rows(Fact.objects.published().select_related("topic").read_in(languages.SOURCE), others)

    with CaptureQueriesContext(connection) as queries:
        found = rows()
    assert len(found) >= FACTS
    states = {text.state for row in found for text in row.texts}
    assert {matrix.Cell.OUTDATED, matrix.Cell.MISSING, matrix.Cell.UP_TO_DATE} <= states
    return len(queries), *p50_p95(timed(rows, 20))


def handout_seconds(codes: tuple[str, ...]) -> float:
    """Of CPU, for a handout that is nowhere kept; the best of three."""
    fact = Fact.objects.published().read_in(*codes).get(slug="ta-mitt-barn")
    took = []
    for _ in range(3):
        cache.clear()
        began = time.process_time()
        documents.handout([documents.sheet(fact, codes)])
        took.append(time.process_time() - began)
    return min(took)
