"""A text as a file: Markdown, under what is not prose as TOML between two lines of +++. Named after its language."""

import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

MARK: Final = "+++"
MOST_BYTES: Final = 256 * 1024
"""Three times the longest text that the editor takes, in the script that needs the most bytes."""
_AT_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)\Z")


@dataclass(frozen=True, slots=True)
class File:
    """One text in one language."""

    place: str
    """As people find it: `facts/lvu/sv.md`."""
    key: str
    language: str
    meta: dict[str, Any]
    body: str
    body_line: int
    """Where the body begins in the file."""
    lines: Mapping[str, int]
    """Where each key stands."""

    def line(self, key: str) -> int:
        return self.body_line if key == "body" else self.lines.get(key, 1)


class UnreadableError(ValueError):
    """Says in one sentence what is wrong with a file, and in which line."""

    def __init__(self, place: str, line: int, sentence: str) -> None:
        super().__init__(f"{place}:{line}: {sentence}")
        self.place, self.line, self.sentence = place, line, sentence


def read(path: Path, place: str) -> File:
    """Raises UnreadableError. Follows no link and waits for no pipe: the folder may be anybody's."""
    return parse(decoded(path, place), place)


def decoded(path: Path, place: str) -> str:
    """The text of a file, its lines ended by \\n alone and without a byte order mark."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        is_link = path.is_symlink()
        why = "This is a link. Put the file itself here." if is_link else f"It cannot be read: {error.strerror}."
        raise UnreadableError(place, 1, why) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableError(place, 1, "This is no file.")
    with os.fdopen(handle, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UnreadableError(place, 1, f"It is larger than {MOST_BYTES // 1024} KB: no text of ours is.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(place, line, "It is not UTF-8. Save it again in that encoding.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, place: str) -> File:
    lines = text.split("\n")
    if lines[0].rstrip() != MARK:
        yaml = " Between lines of --- would be YAML, which is not read." if lines[0].rstrip() == "---" else ""
        raise UnreadableError(place, 1, f"The first line has to be {MARK}, and TOML follows it.{yaml}")
    ends = [number for number, line in enumerate(lines) if number and line.rstrip() == MARK]
    if not ends:
        raise UnreadableError(place, 1, f"The second line of {MARK}, after the TOML, is missing.")
    head, rest = lines[1 : ends[0]], lines[ends[0] + 1 :]
    meta = toml("\n".join(head), place, first_line=2)
    body = "\n".join(rest)
    blank = len(body[: len(body) - len(body.lstrip())].split("\n")) - 1
    return File(
        place=place,
        key=place.split("/")[-2] if "/" in place else "",
        language=place.rpartition("/")[2].removesuffix(".md"),
        meta=meta,
        body=body.strip(),
        body_line=ends[0] + 2 + blank,
        lines={line.split("=")[0].strip(): number for number, line in enumerate(head, 2) if "=" in line},
    )


def toml(text: str, place: str, *, first_line: int = 1) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _AT_LINE.search(str(error))
        line = first_line + (int(at[1]) - 1 if at else text.count("\n"))
        what = _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)")
        raise UnreadableError(place, line, f"This is not TOML: {what}.") from None


def written(meta: Mapping[str, Any], body: str) -> str:
    """The file that `parse` reads as these."""
    return "\n".join([MARK, *(line(key, value) for key, value in meta.items()), MARK, "", body, ""])


def line(key: str, value: Any) -> str:
    return f"{key} = {_value(value)}"


def _value(value: Any) -> str:
    """As TOML has it; its strings are those of JSON, but for DEL."""
    if isinstance(value, list):
        rows = ("{ " + ", ".join(f"{key} = {_value(item)}" for key, item in row.items()) + " }" for row in value)
        return "[\n" + "".join(f"  {row},\n" for row in rows) + "]"
    if isinstance(value, date):
        value = value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
