"""What the matcher finds, and how long it takes, as the matcher of any site would."""

import json
import os
import random
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.pages import starter
from rumors.matching import actions, embedding, rules
from rumors.matching.models import Document

PARALLEL = "PARALLEL_SENTENCES"
"""The variable that names a file of sentences in several languages, one JSON object a line with a text per code. The
one that the limits were measured on, of news under a license of its own, is test data and no part of the project."""
BESIDE = Path("../shared/data/parallel_sentences.jsonl")
"""Where we keep it."""
PARAPHRASES = Path(__file__).resolve().parent / "paraphrases.tsv"
SIGHTINGS = 3
ASKED = 60


class Question(NamedTuple):
    text: str
    language: str
    answer: int


class Figures(NamedTuple):
    map5: float
    first: float
    recall5: float
    precise: float
    """Of those called likely, how many were right."""
    likely: float
    """How many of all were called likely."""


def keep_promises() -> None:
    while actions.embed_due(limit=2000, now=timezone.now()):
        pass
    actions.add_up()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE matching_document")
        cursor.execute("ANALYZE matching_tally")


def ask(questions: Iterable[Question], kind: str) -> Figures:
    precisions, first, recalled, likely = [], [], [], []
    for question in questions:
        found = list(rules.match(question.text, language=question.language, kinds=(kind,), limit=5))
        ids = [hit.object_id for hit in found]
        place = ids.index(question.answer) + 1 if question.answer in ids else 0
        precisions.append(1 / place if place else 0)
        first.append(place == 1)
        recalled.append(place > 0)
        if found and found[0].is_likely:
            likely.append(place == 1)
    share = len(likely) / len(first)
    return Figures(
        statistics.mean(precisions),
        statistics.mean(first),
        statistics.mean(recalled),
        statistics.mean(likely) if likely else 1.0,
        share,
    )


def parallel() -> dict[str, list[Question]] | None:
    """Sentences in other languages, and the number of the Swedish one, which is indexed here; None without the file."""
    path = Path(os.environ.get(PARALLEL) or BESIDE)
    if not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for number, row in enumerate(rows):
        actions.index(kind="parallel", object_id=number, part="claim", language="sv", text=row["sv"])
    return {
        code: [Question(row[code], code, number) for number, row in enumerate(rows)]
        for code in ("so", "fa", "tr", "en")
    }


def example_facts() -> dict[str, list[Question]]:
    """Titles and summaries of the example texts in Arabic and Tigrinya; the Swedish ones are indexed here."""
    questions: dict[str, list[Question]] = {"ar": [], "ti": []}
    number = 0
    for kind in ("facts", "rumors"):
        for versions in starter.texts(kind):
            number += 1
            for field in ("title", "summary", "claim"):
                swedish = str(versions["sv"].meta.get(field, ""))
                if not swedish:
                    continue
                actions.index(kind="example", object_id=number, part=field, language="sv", text=swedish)
                for code, asked in questions.items():
                    if code in versions and versions[code].meta.get(field):
                        asked.append(Question(str(versions[code].meta[field]), code, number))
    return questions


def paraphrases() -> tuple[list[Question], list[Question]]:
    """What the matcher was tuned on, and the third of the rumors that it never was; the rumors are indexed here."""
    tuned: list[Question] = []
    unseen: list[Question] = []
    for number, block in enumerate(PARAPHRASES.read_text("utf-8").strip().split("\n\n")):
        claim, *others = [line.split("\t", 1) for line in block.splitlines()]
        actions.index(kind="told", object_id=number, part="claim", language=claim[0], text=claim[1])
        (unseen if number % 3 == 2 else tuned).extend(Question(text, code, number) for code, text in others)
    return tuned, unseen


_FILL = """
INSERT INTO matching_document (
    kind, object_id, part, language, text, folded, is_secret, hash, by_words, by_meaning, words, length, vector,
    embedded_with
)
SELECT 'many', number / %(each)s + 1, 'sighting:' || number, 'sv', made.text, lower(made.text), false, '', true, true,
    made.words, (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(made.words)), made.vector, %(model)s
FROM generate_series(%(first)s::int, %(last)s::int) AS number
CROSS JOIN LATERAL (
    SELECT text, to_tsvector('swedish', text) AS words, vector FROM (
        SELECT string_agg(
                (%(words)s::text[])[1 + floor(%(count)s * power(random(), 3))::int], ' ' ORDER BY place
            ) AS text
        FROM generate_series(1, 14 + number %% 5) AS place
    ) AS written
    CROSS JOIN (
        SELECT l2_normalize((base.vector::vector + noise.vector)::halfvec(384)) AS vector
        FROM (SELECT (%(vectors)s::text[])[1 + (number / %(each)s) %% %(bases)s]::vector AS vector) AS base
        CROSS JOIN (
            SELECT array_agg((random() - 0.5) * 0.12 + place * 0 + number * 0)::real[]::vector AS vector
            FROM generate_series(1, 384) AS place
        ) AS noise
    ) AS embedded
) AS made
"""


def fill(rumors: int) -> None:
    """So many rumors with three sightings each. Their vectors are those of real sentences, moved at random: to embed
    them all would take hours."""
    embedder = embedding.configured()
    assert embedder is not None
    stored = Document.objects.filter(kind__in=["told", "example", "parallel"], vector__isnull=False)
    vectors = [f"[{','.join(map(str, vector))}]" for vector in stored.values_list("vector", flat=True)[:300]]
    text = " ".join(line for lines in embedding.calibration().values() for line in lines).split()
    words = sorted(set(text)) + [f"{a}{b}" for a, b in zip(text, reversed(text), strict=True)]
    random.Random(1).shuffle(words)
    each = SIGHTINGS + 1
    done = Document.objects.filter(kind="many").count()
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("DROP INDEX IF EXISTS document_by_meaning, document_by_trigram, document_by_word")
        for first in range(done, rumors * each, 20_000):
            cursor.execute(
                _FILL,
                {
                    "first": first,
                    "last": min(first + 20_000, rumors * each) - 1,
                    "each": each,
                    "words": words,
                    "count": len(words),
                    "vectors": vectors,
                    "bases": len(vectors),
                    "model": embedder.name,
                },
            )
        cursor.execute(
            "CREATE INDEX document_by_word ON matching_document USING gin (language, words) WITH (fastupdate = off)"
        )
        cursor.execute(
            "CREATE INDEX document_by_meaning ON matching_document USING hnsw (vector halfvec_cosine_ops) "
            "WITH (m = 16, ef_construction = 64)"
        )
    actions.add_up()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE matching_document")
        cursor.execute("VACUUM ANALYZE matching_tally")


def timed(questions: list[Question]) -> tuple[float, float, float, int]:
    """The median and the 95th percentile of one match, that of what is no work of the model, in milliseconds; and how
    many SQL queries."""
    took, sql, most = [], [], 0
    for question in questions:
        began = time.perf_counter()
        rules.match(question.text, kinds=("many", "told"))
        took.append((time.perf_counter() - began) * 1000)
        # Once more: the model remembers what it has just read.
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            rules.match(question.text, kinds=("many", "told"))
        sql.append((time.perf_counter() - began) * 1000)
        most = max(most, len(queries))
    cuts = statistics.quantiles(took, n=20, method="inclusive")
    return cuts[9], cuts[18], statistics.quantiles(sql, n=20, method="inclusive")[18], most


def size() -> float:
    """What the tables of the matcher take, in MB."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('matching_document') + pg_total_relation_size('matching_tally')")
        return float(cursor.fetchone()[0]) / 1e6
