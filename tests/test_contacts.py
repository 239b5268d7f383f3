"""The mirror of the numbers to call: one file, which whatever befalls it never takes a crisis number off a page."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal import contacts

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = {contact.key: contact.number for contact in contacts.DEFAULTS}
CHANGED = {key: f"0980-319 {number}" for number, key in enumerate(contacts.KEYS, 900)}


@pytest.fixture
def file(settings) -> Path:
    path = Path(settings.CONTACTS_FILE)
    path.parent.mkdir(parents=True)
    return path


def shown() -> dict[str, str]:
    return {key: contact.number for key, contact in contacts.numbers().items()}


def write(numbers: dict[str, str]) -> None:
    contacts.write(contacts.Contact(key, number) for key, number in numbers.items())


def test_without_a_file_the_public_numbers_stand():
    assert shown() == DEFAULTS
    assert (DEFAULTS["emergency"], DEFAULTS["bris"], DEFAULTS["police"]) == ("112", "116 111", "114 14")


def test_what_was_written_is_read_in_the_order_of_the_numbers():
    write(dict(reversed(CHANGED.items())))
    assert list(shown().items()) == list(CHANGED.items())


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(file):
    for number in ("116 112", "116 113"):
        write(CHANGED | {"bris": number})
        os.utime(file, ns=(1, 1))
        assert shown()["bris"] == number


def test_a_file_cut_off_anywhere_shows_whole_numbers_for_all_keys(file):
    whole = json.dumps(CHANGED, ensure_ascii=False).encode()
    for length in range(len(whole)):
        torn = file.with_name(f"torn-{length}")
        torn.write_bytes(whole[:length])
        os.utime(torn, ns=(length, length))
        torn.replace(file)
        assert shown() == DEFAULTS, whole[:length]
    file.with_name("whole").write_bytes(whole)
    file.with_name("whole").replace(file)
    assert shown() == CHANGED


FOREIGN = [
    b"",
    b"[]",
    b'"116 112"',
    b"null",
    b"5",
    b"NaN",
    b'[["bris", "116 112"]]',
    b'{"bris": null}',
    b'{"bris": 116112}',
    b'{"bris": ["116 112"]}',
    b'{"bris": {"number": "116 112"}}',
    b'{"bris": ""}',
    b'{"bris": "  \\n"}',
    b'{"Bris": "116 112"}',
    b'{"lifeline": "116 112"}',
    b'{"bris": "\xff\xfe"}',
    b'\xef\xbb\xbf{"bris": "116 112"}',
    b"\x00" * 512,
    b"[" * 200_000,
    b"<html>",
]


@pytest.mark.parametrize("content", FOREIGN, ids=lambda content: repr(content[:24]))
def test_a_file_of_something_else_changes_no_number_and_adds_none(file, content):
    file.write_bytes(content)
    assert shown() == DEFAULTS


def test_a_number_that_is_missing_or_broken_costs_no_other_one(file):
    file.write_text(json.dumps({"bris": 5, "police": "114 15", "oncall": None, "social": "0980-1"}))
    assert shown() == DEFAULTS | {"police": "114 15", "social": "0980-1"}


def test_a_folder_in_the_place_of_the_file_changes_no_number(file):
    file.mkdir()
    assert shown() == DEFAULTS


def test_a_number_becomes_what_a_phone_dials():
    numbers = {"kvinnofrid": "020-50 50 50", "bris": "+46 (0)116 111"}
    assert [contacts.Contact(key, number).uri for key, number in numbers.items()] == ["tel:020505050", "tel:+460116111"]


def test_a_text_shows_the_number_of_its_key_and_nothing_where_there_is_none():
    write({"bris": "116 112"})
    assert (
        contacts.expand("Ring {{phone:bris}} eller {{ phone:bris }}{{phone:nobody}}.") == "Ring 116 112 eller 116 112."
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ring {{phone:bris}} eller {{ phone:police }}. {a} } {", ""),
        ("Ring {{phone:nobody}}.", "{{phone:nobody}}"),
        ("Ring {{phone:Bris}}.", "{{phone:Bris}}"),
        ("Ring {{phone:}}.", "{{phone:}}"),
        ("Ring {{bris}}.", "{{bris}}"),
        ("Ring {{phone:bris} nu", "{{phone:bris}"),
        ("Ring {{phone:bris", "{{phone:bris"),
        ("Ring phone:bris}} nu", "}}"),
        ("Ring {{{phone:bris}}}", ""),
        ("{{" + "x" * 99, "{{" + "x" * 40),
    ],
)
def test_braces_that_hold_no_number_to_call_are_named(text, found):
    assert contacts.mistaken(text) == found


def test_everybody_may_read_the_file_whatever_the_writer_keeps_for_itself(file):
    before = os.umask(0o077)
    try:
        write(CHANGED)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(file):
    file.mkdir()
    (file / "something").touch()
    with pytest.raises(IsADirectoryError):
        write(CHANGED)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert shown() == DEFAULTS


def test_a_folder_that_cannot_be_written_to_leaves_the_numbers_that_stand(file, settings):
    write(CHANGED)
    settings.CONTACTS_FILE = Path("/proc/contacts.json")
    with pytest.raises((FileNotFoundError, PermissionError)):
        write(DEFAULTS)
    settings.CONTACTS_FILE = file
    assert shown() == CHANGED


WRITER = """
import sys
from django.conf import settings
settings.configure(CONTACTS_FILE=sys.argv[1])
from portal import contacts
numbers = [contacts.Contact(key, sys.argv[2] * 3000) for key in contacts.KEYS]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(400):
    contacts.write(numbers)
"""


def test_two_who_write_at_once_never_let_a_reader_see_a_mixture_or_less(file):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file), digit], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        for digit in "12"
    ]
    write(dict.fromkeys(contacts.KEYS, "1" * 3000))
    for writer in writers:
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(frozenset(shown().values()))
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert seen == {frozenset({"1" * 3000}), frozenset({"2" * 3000})}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_error_pages_show_the_numbers_in_the_file_without_asking_a_database(client):
    """No mark for the database: pytest-django refuses every query of this test."""
    write(DEFAULTS | {"bris": "116 112"})
    html = client.get("/sv/no/such/page/").content.decode()
    assert 'href="tel:116112"' in html
    assert "116 111" not in html
