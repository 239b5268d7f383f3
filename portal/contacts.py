"""Numbers to call: the crisis lines and the municipality's own.

Staff edit them in the database (`portal.pages`); a mirror of them in one small file is what every page reads, error
pages too, which must work when the database does not. Without the file the numbers below stand: they are public.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Final

from django.conf import settings

TOKEN: Final = re.compile(r"\{\{ *phone:([^{}<>\n]*)\}\}")
"""`{{phone:bris}}` stands for a number, filled in when somebody reads the text: a new one shows at once."""
_BRACES: Final = re.compile(r"\{\{[^{}]{0,40}\}{0,2}|\}\}")


@dataclass(frozen=True, slots=True)
class Contact:
    key: str
    number: str
    """As people write it: `116 111`."""

    @property
    def uri(self) -> str:
        digits = re.sub(r"[^\d+]", "", self.number)
        return f"tel:{digits}"


DEFAULTS: Final = (
    Contact("emergency", "112"),
    Contact("bris", "116 111"),
    Contact("police", "114 14"),
    Contact("kvinnofrid", "020-50 50 50"),
    # From the series kept free for fiction: a municipality sets its own.
    Contact("social", "0980-319 200"),
    Contact("oncall", "0980-319 210"),
)
KEYS: Final = tuple(contact.key for contact in DEFAULTS)


def numbers() -> dict[str, Contact]:
    """All contacts by key, in their order."""
    path = Path(settings.CONTACTS_FILE)
    try:
        found = path.stat()
    except OSError:
        return {contact.key: contact for contact in DEFAULTS}
    # The file, too: the clock of a file system stands still for milliseconds, in which there may be two of them.
    return _read(path, found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, _file: int) -> dict[str, Contact]:
    found = {contact.key: contact for contact in DEFAULTS}
    try:
        for key, number in json.loads(path.read_text("utf-8")).items():
            if key in found and isinstance(number, str) and number.strip():
                found[key] = Contact(key, number)
    except (OSError, ValueError, AttributeError, RecursionError):
        # A torn or foreign file must not take the crisis numbers off the page.
        pass
    return found


def write(contacts: Iterable[Contact]) -> None:
    """Replace the mirror in one step, so that no reader ever sees half of it."""
    path = Path(settings.CONTACTS_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {row["key"]: row["number"] for row in map(asdict, contacts)}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".contacts-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        # A disk that is full stays so for hours, and the clock tries every few minutes.
        Path(name).unlink(missing_ok=True)


def expand(text: str, show: Callable[[Contact], str] = attrgetter("number")) -> str:
    """Every token becomes its number, as `show` has it. One that has none, and cannot be saved, is left out."""
    if "{{" not in text:
        return text
    known = numbers()
    return TOKEN.sub(lambda match: show(known[key]) if (key := match[1].strip()) in known else "", text)


def mistaken(text: str) -> str:
    """What stands in double braces and is no number to call; empty when all is well."""
    found = _BRACES.search(TOKEN.sub(lambda match: "" if match[1].strip() in KEYS else match[0], text))
    return found[0] if found else ""
