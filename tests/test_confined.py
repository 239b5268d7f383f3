"""A program of ours that opens what somebody sent learns nothing, breaks nothing and comes to an end."""

import os
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError

from portal import confined
from portal.confined import Program

WHY = {
    "busy": "Many files are being read just now.",
    "broke": "It could not be read.",
    "too_long": "It is longer than %(most)d bytes.",
}


@pytest.fixture
def program(tmp_path):
    """Of this source, within these limits."""

    def written(source: str, *, memory: int = 256 * 1024**2, seconds: int = 5) -> Program:
        file = tmp_path / "program.py"
        file.write_text("from portal.confined.inside import RefusedError\n" + source, "utf-8")
        module = SimpleNamespace(__name__="program", __file__=str(file), MOST_MEMORY=memory, MOST_SECONDS=seconds)
        return Program(module, WHY, died="broke", most=9)

    return written


def refused(program: Program, content: bytes = b"sent", *words: str) -> str:
    with pytest.raises(ValidationError) as found:
        program.run(content, *words)
    return found.value.code


TURNED = """
def answer(content, *words):
    if len(content) > 9:
        raise RefusedError("too_long")
    return {"words": words}, content[::-1]
"""


def test_it_says_something_of_what_was_sent_and_makes_something_of_it(program):
    turned = program(TURNED)
    assert turned.run(b"\x00\n\xff", "PNG", "-x") == ({"words": ["PNG", "-x"]}, b"\xff\n\x00")
    assert turned.run(b"") == ({"words": []}, b"")


def test_what_it_refuses_is_refused_in_a_sentence_with_its_figures(program):
    with pytest.raises(ValidationError) as found:
        program(TURNED).run(b"0123456789")
    assert (found.value.code, found.value.messages) == ("too_long", ["It is longer than 9 bytes."])


@pytest.mark.parametrize("fate", ["import os; os.abort()", "raise SystemExit(3)", "1 / 0"])
def test_a_program_that_dies_takes_nobody_with_it(program, fate):
    assert refused(program(f"def answer(content):\n    {fate}\n    return {{}}, b''")) == "broke"


def test_a_program_that_takes_for_ever_is_given_up(program):
    assert refused(program("def answer(content):\n    while True: pass", seconds=1)) == "broke"


def test_a_program_that_waits_for_ever_is_given_up(program, monkeypatch):
    # Who sleeps takes no time of a processor.
    monkeypatch.setattr(confined, "MORE_SECONDS", 0)
    assert refused(program("import time\ndef answer(content):\n    time.sleep(60)", seconds=1)) == "broke"


TRIES = """
import os, pathlib, subprocess, sys

def tried(deed):
    try:
        deed()
    except Exception as error:
        return type(error).__name__
    return "done"

def answer(content):
    here = pathlib.Path(__file__)
    return {
        "environment": sorted(os.environ),
        "finds_what_lies_beside_it": str(here.parent) in sys.path,
        "site": sorted(name for name in sys.modules if name.split(".")[0] in {"portal", "rumors", "events", "django"}),
        "write": tried(lambda: here.with_name("written").write_text("x")),
        "start": tried(lambda: subprocess.run(["/bin/true"], check=True)),
        "take": tried(lambda: bytearray(1024**3)),
    }, b""
"""


def test_it_is_told_no_secret_and_can_neither_write_nor_take_all_memory(program):
    assert "SECRET_KEY" in os.environ
    about, _made = program(TRIES).run(b"")
    assert not [name for name in about["environment"] if not name.startswith(("LC_", "LANG"))]
    assert not about["finds_what_lies_beside_it"]
    assert about["site"] == ["portal.confined.inside"]
    assert (about["write"], about["take"]) == ("OSError", "MemoryError")
    # A limit on processes binds nobody who is root, as in a container of somebody who knows no better.
    assert about["start"] == ("done" if os.geteuid() == 0 else "BlockingIOError")


def test_what_it_is_started_in_changes_nothing(program, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('not the one of Python')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert program(TURNED).run(b"ab")[1] == b"ba"


def test_who_waits_too_long_is_told_so_and_the_next_one_gets_through(program, monkeypatch):
    monkeypatch.setattr(confined, "WAIT_SECONDS", 0.01)
    turned = program(TURNED)
    with turned._one_at_a_time:
        assert refused(turned) == "busy"
    assert turned.run(b"ab")[1] == b"ba"


def test_one_that_cannot_be_started_is_tried_again_later(program, monkeypatch):
    monkeypatch.setattr(confined.sys, "executable", "/nowhere/python")
    assert refused(program(TURNED)) == "busy"
