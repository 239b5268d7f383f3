"""A library of ten thousand facts in every active language, and what people type into its search."""

import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from io import StringIO
from itertools import accumulate
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import languages
from portal.fold import fold
from portal.pages import starter
from portal.search import actions
from portal.search.models import IndexRow, quoted

FACTS = 10_000
TEXTS = 100
"""Written as the site does it; every fact is one of them, with a word of its own."""
WORDS = 60
VOCABULARY = 10_000
ASKED = ("sv", "ar", "ti")
RUNS = 40


class Vocabulary:
    """Words of the example texts, the most frequent first, and longer ones made of two of them."""

    def __init__(self, code: str) -> None:
        counts: Counter[str] = Counter()
        for kind in ("facts", "rumors", "events"):
            for versions in starter.texts(kind):
                if code in versions:
                    body = re.sub(r"\{\{.*?\}\}|\(.*?\)", " ", versions[code].body.lower())
                    counts.update(re.findall(r"[^\W\d_]{2,20}", body))
        self.random = random.Random(code)
        is_latin = languages.get(code).script == "latin"
        self.known = [word for word, _ in counts.most_common() if is_latin or not word.isascii()]
        # In the order in which they were made: what is asked below must not change from run to run.
        made = dict.fromkeys(self.compound() for _ in range(VOCABULARY + FACTS + 2000))
        made = [word for word in made if word not in counts]
        self.rare = made[:FACTS]
        self.words = [*self.known, *made[FACTS : FACTS + VOCABULARY]]
        # As in real texts: the second word half as often as the first, the third a third.
        self.weights = list(accumulate(1 / (place + 3) for place in range(len(self.words))))

    def compound(self) -> str:
        return "".join(self.random.choices(self.known, k=2)) + self.random.choice(self.known)[:3]

    def text(self, count: int) -> str:
        return " ".join(self.random.choices(self.words, cum_weights=self.weights, k=count))

    def queries(self) -> dict[str, str]:
        long = [word for word in self.known if len(word) >= 5]
        rare = next(word for word in self.rare[FACTS // 2 :] if 9 <= len(word) <= 14)
        return {
            "common word": long[0],
            "three common words": " ".join(long[1:4]),
            "filler word": self.known[0],
            "rare word": rare,
            "misspelled word": rare[:3] + rare[4:],
            "part of a compound": long[len(long) // 2],
            "no hit": rare[::-1] + "q" if rare.isascii() else rare[::-1],
        }


_MULTIPLY = """
WITH base AS MATERIALIZED (SELECT * FROM search_indexrow WHERE kind = 'text' AND language = %s)
INSERT INTO search_indexrow (kind, object_id, language, audience, title, text, url, vector, words, updated_at)
SELECT 'made', own.number, base.language, base.audience, base.title, base.text || ' ' || own.word,
    '/' || base.language || '/facts/' || own.number || '/',
    base.vector || setweight(to_tsvector(%s::regconfig, own.word), 'B'),
    base.words || (own.folded || ':2B')::tsvector, now()
FROM bench_word AS own JOIN base ON base.object_id = own.number %% %s
"""


def build() -> dict[str, Vocabulary]:
    vocabularies = {known.code: Vocabulary(known.code) for known in languages.ACTIVE}
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute("ALTER TABLE search_indexrow SET UNLOGGED; ALTER TABLE search_word SET UNLOGGED")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename IN ('search_indexrow', 'search_word') AND indexdef LIKE '%USING gin%'"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("CREATE TEMP TABLE bench_word (number int, word text, folded text)")
        for code, vocabulary in vocabularies.items():
            for number in range(TEXTS):
                actions.index(
                    kind="text",
                    object_id=number,
                    language=code,
                    audience="parents" if number % 4 else "embassies",
                    title=vocabulary.text(6),
                    text=vocabulary.text(WORDS),
                    url="/",
                )
            folded = [fold(word) for word in vocabulary.rare]
            lines = (
                f"{number}\t{word}\t{quoted(plain)}\n"
                for number, (word, plain) in enumerate(zip(vocabulary.rare, folded, strict=True))
            )
            cursor.execute("TRUNCATE bench_word")
            cursor.copy_expert("COPY bench_word FROM STDIN", StringIO("".join(lines)))
            lines = (f"{code}\t{plain}\n" for plain in folded if 4 <= len(plain) <= 40)
            cursor.copy_expert("COPY search_word (language, word) FROM STDIN", StringIO("".join(lines)))
            cursor.execute(_MULTIPLY, [code, languages.get(code).search_config, TEXTS])
        cursor.execute("DELETE FROM search_indexrow WHERE kind = 'text'; DROP TABLE bench_word")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE search_indexrow")
        cursor.execute("VACUUM ANALYZE search_word")
    return vocabularies


def timed(call: Callable[[], object], runs: int = RUNS) -> list[float]:
    """Milliseconds each."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return took


def p50_p95(took: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(took, n=20, method="inclusive")
    return cuts[9], cuts[18]


def ask(query: str, code: str) -> tuple[list[float], float, int, int]:
    """How long it took, how much CPU here and in PostgreSQL, in how many SQL queries, and how many hits there were."""
    with CaptureQueriesContext(connection) as queries:
        hits = IndexRow.objects.matching(query, code)
    before = _cpu_seconds()
    took = timed(lambda: IndexRow.objects.matching(query, code))
    return took, (_cpu_seconds() - before) / len(took) * 1000, len(queries), len(hits)


def _cpu_seconds() -> float:
    """What is left of the times when the machine does something else besides; to a hundredth."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
