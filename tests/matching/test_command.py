"""`match` measures on any set of claims and leaves the register as it was."""

import json
import shlex
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.local.place import CHECKOUT
from rumors.matching import rules
from rumors.matching.models import Document, Tally
from tests.matching.test_words import index

DOCUMENTS = [
    {"id": "a", "title": "Barnen tas", "text": "Socialtjänsten tar barn utan anledning", "lang": "sv"},
    {"id": 7, "text": "Priset på bröd har stigit", "lang": "sv-SE"},
]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_meaning")]


def run(**options):
    call_command("match", stderr=StringIO(), **options)


@pytest.fixture
def files(tmp_path):
    def write(name, rows):
        path = tmp_path / name
        path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
        return path

    return {
        "load": write("docs.jsonl", DOCUMENTS),
        "input": write("in.jsonl", [{"id": "q", "text": "tar de barn utan anledning?", "lang": "sv"}]),
        "output": tmp_path / "out.jsonl",
        "write": write,
    }


def schemas():
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'matching%%'")
        return [row[0] for row in cursor.fetchall()]


def state():
    return list(Document.objects.order_by("pk").values()), list(Tally.objects.order_by("pk").values())


def answers(files):
    return [json.loads(line) for line in files["output"].read_text("utf-8").splitlines()]


def test_the_line_in_the_documentation_works_on_a_machine_where_nothing_runs(files):
    guide = (CHECKOUT / "docs" / "matching.md").read_text("utf-8")
    [line] = [line for line in guide.splitlines() if " match --load" in line]
    for name, option in {"DOCS.jsonl": "load", "TEXTS.jsonl": "input", "RANKED.jsonl": "output"}.items():
        line = line.replace(name, shlex.quote(str(files[option])))
    line = line.replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(shlex.split(line), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [answer] = answers(files)
    assert answer["documents"][0]["id"] == "a"


def test_the_documents_that_say_the_same_are_listed_and_the_register_is_left_alone(files):
    index(1, "tar de barn utan anledning?")
    before = state()
    run(load=files["load"], input=files["input"], output=files["output"])
    [answer] = answers(files)
    assert answer["id"] == "q"
    assert [(row["id"], row["method"]) for row in answer["documents"]] == [("a", "words")]
    assert state() == before
    assert schemas() == []
    assert [hit.kind for hit in rules.match("barn utan anledning", language="sv")] == ["rumor"]


def test_what_is_loaded_alone_is_kept_until_it_is_dropped(files):
    run(load=files["load"])
    assert schemas() == ["matching_scratch"]
    run(input=files["input"], output=files["output"])
    assert answers(files)[0]["documents"][0]["id"] == "a"
    run(drop=True)
    assert schemas() == []
    with pytest.raises(CommandError, match="Nothing has been loaded"):
        run(input=files["input"], output=files["output"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "no JSON"),
        ("[1]", "no object"),
        ('{"text": "x"}', "id is missing"),
        ('{"id": true, "text": "x"}', "id is missing"),
        ('{"id": "b"}', "text is missing"),
        ('{"id": "b", "text": 5}', "text is missing"),
        ('{"id": "b", "text": "x", "lang": 5}', "lang is no text"),
        ('{"id": "a", "text": "x"}', "has been there before"),
    ],
)
def test_a_broken_line_is_named_and_changes_nothing(files, line, says):
    index(1, "barn")
    before = state()
    broken = files["write"]("broken.jsonl", [DOCUMENTS[0], "", line])
    with pytest.raises(CommandError, match=rf"broken\.jsonl, line 3: .*{says}"):
        run(load=broken, input=files["input"], output=files["output"])
    with pytest.raises(CommandError, match=r"broken\.jsonl, line 3"):
        run(load=files["load"], input=broken, output=files["output"])
    assert (state(), schemas(), files["output"].exists()) == (before, [], False)


def test_what_goes_together_must_be_given_together(files):
    with pytest.raises(CommandError, match="go together"):
        run(input=files["input"])
    with pytest.raises(CommandError, match="Give --load"):
        run()
    with pytest.raises(CommandError, match="cannot be read"):
        run(load=files["output"])
