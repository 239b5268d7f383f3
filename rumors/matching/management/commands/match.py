"""Measures the matcher on any set of claims, in a schema of its own: the register is neither read nor changed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from portal import languages, spoken
from rumors.matching import actions, rules

SCHEMA: Final = "matching_scratch"
KIND: Final = "scratch"
TABLES: Final = ("matching_document", "matching_tally", "matching_center")
DEEP: Final = 20
"""How many documents are listed for each text."""


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    text: str
    title: str
    language: str


class Command(BaseCommand):
    help = "Find, for each text of a file, the documents of another file that say the same (docs/matching.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--load", type=Path, metavar="DOCS.jsonl", help="documents: id, text, and title and lang")
        parser.add_argument("--input", type=Path, metavar="FILE.jsonl", help="texts: id, text, and lang")
        parser.add_argument("--output", type=Path, metavar="FILE.jsonl", help="where the ranked documents are written")
        parser.add_argument("--limit", type=int, default=DEEP, help=f"documents listed for each text ({DEEP})")
        parser.add_argument("--keep", action="store_true", help="keep what was loaded, although --input is given")
        parser.add_argument("--drop", action="store_true", help="drop what was kept")

    def handle(self, *args: Any, **options: Any) -> None:
        load, asked, output = options["load"], options["input"], options["output"]
        if bool(asked) != bool(output):
            raise CommandError("--input and --output go together")
        if not (load or asked or options["drop"]):
            raise CommandError("Give --load, --input with --output, or --drop")
        documents, texts = read(load) if load else [], read(asked) if asked else []
        if not connection.introspection.table_names():
            call_command("migrate", "matching", verbosity=0)  # A server of its own, as `exec --fresh` gives.
        is_kept = options["keep"] or (bool(load) != bool(asked) and not options["drop"])
        with scratch(is_new=bool(load), is_kept=is_kept):
            if load:
                self.load(documents)
            if asked:
                self.answer(texts, output, options["limit"])

    def load(self, documents: list[Line]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for number, line in enumerate(documents, start=1):
                cursor.execute("INSERT INTO scratch_name (object_id, name) VALUES (%s, %s)", [number, line.id])
                for part, text, by_words, by_meaning in parts(line):
                    actions.index(
                        kind=KIND,
                        object_id=number,
                        part=part,
                        language=line.language,
                        text=text,
                        by_words=by_words,
                        by_meaning=by_meaning,
                    )
        done = 0
        while made := actions.embed_due(limit=1000, now=timezone.now()):
            done += made
            self.stderr.write(f"{done} texts embedded")
        actions.add_up()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE matching_document")
            cursor.execute("ANALYZE matching_tally")
        self.stderr.write(f"{len(documents)} documents loaded, {done} texts embedded")

    def answer(self, texts: list[Line], output: Path, limit: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT object_id, name FROM scratch_name")
            names = dict(cursor.fetchall())
        unfinished = output.with_name(output.name + ".unfinished")
        is_semantic = True
        with unfinished.open("w", encoding="utf-8") as file:
            for line in texts:
                found = rules.match(line.text, language=line.language, kinds=(KIND,), limit=limit)
                is_semantic &= found.is_semantic
                ranked = [
                    {"id": names[hit.object_id], "score": round(hit.score, 6), "method": hit.method} for hit in found
                ]
                file.write(json.dumps({"id": line.id, "documents": ranked}, ensure_ascii=False) + "\n")
        unfinished.replace(output)
        self.stderr.write(f"{len(texts)} texts matched" + ("" if is_semantic else "; not all of them by meaning"))


def read(path: Path) -> list[Line]:
    """The lines of a file, all of them good; CommandError names the first that is not."""
    lines: list[Line] = []
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8") as file:
            for number, content in enumerate(file, start=1):
                if not content.strip():
                    continue
                try:
                    line = parse(content)
                except ValueError as error:
                    raise CommandError(f"{path}, line {number}: {error}") from None
                if line.id in seen:
                    raise CommandError(f"{path}, line {number}: the id {line.id} has been there before")
                seen.add(line.id)
                lines.append(line)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
    return lines


def parse(content: str) -> Line:
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON") from None
    if not isinstance(row, dict):
        raise ValueError("this is no object with id and text")
    name, text, title = row.get("id"), row.get("text", ""), row.get("title") or ""
    if isinstance(name, bool) or not isinstance(name, str | int) or str(name) == "":
        raise ValueError("id is missing, or is neither a text nor a whole number")
    if not isinstance(text, str) or not isinstance(title, str) or not (text.strip() or title.strip()):
        raise ValueError("text is missing, or is no text")
    code = row.get("lang")
    if code is not None and not isinstance(code, str):
        raise ValueError("lang is no text")
    return Line(str(name), text, title, known(code) if code else spoken.guess(f"{title} {text}"))


def known(code: str) -> str:
    """A code as the catalog has it; nothing for a language that is not in it."""
    code = code.lower().replace("_", "-")
    return next((name for name in (code, code.partition("-")[0]) if name in languages.CATALOG), "")


def parts(line: Line) -> Iterator[tuple[str, str, bool, bool]]:
    """What is indexed of a document: its name, its text, whether by words, whether by meaning."""
    title, text = line.title.strip(), line.text.strip()
    if not title or not text or title == text:
        yield "text", text or title, True, True
        return
    yield "title", title, False, True
    yield "text", text, False, True
    yield "whole", f"{title}\n{text}", True, False


@contextmanager
def scratch(*, is_new: bool, is_kept: bool) -> Iterator[None]:
    """Lets everything of the matcher read and write tables of the same shape in a schema of its own."""
    with connection.cursor() as cursor:
        if is_new:
            make(cursor)
        cursor.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.scratch_name"])
        if cursor.fetchone()[0] is None:
            raise CommandError("Nothing has been loaded: give --load DOCS.jsonl")
        cursor.execute(f"SET search_path TO {SCHEMA}, public")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET search_path TO DEFAULT")
            if not is_kept:
                cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def make(cursor: Any) -> None:
    with transaction.atomic():
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
        cursor.execute(f"CREATE TABLE {SCHEMA}.scratch_name (object_id bigint PRIMARY KEY, name text NOT NULL)")
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE tgrelid = 'public.matching_document'::regclass AND NOT tgisinternal"
        )
        for (definition,) in cursor.fetchall():
            cursor.execute(definition.replace(" ON public.matching_document ", f" ON {SCHEMA}.matching_document "))
