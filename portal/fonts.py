"""The fonts that travel with the portal, and what they can write."""

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from fontTools.ttLib import TTFont

FOLDER: Final = Path(settings.BASE_DIR) / "portal" / "static" / "fonts"
LATIN: Final = "NotoSans"
"""Latin, Cyrillic and Greek."""
BY_SCRIPT: Final = {
    "arabic": "NotoSansArabic",
    "ethiopic": "NotoSansEthiopic",
    "hebrew": "NotoSansHebrew",
    "thai": "NotoSansThai",
}


@cache
def characters(font: str) -> frozenset[int]:
    """What a font can write in both of its weights."""
    found = []
    for weight in ("Regular", "Bold"):
        with TTFont(FOLDER / f"{font}-{weight}.ttf", lazy=True) as file:
            found.append(frozenset(file.getBestCmap()))
    return found[0] & found[1]


@cache
def _all_characters() -> frozenset[int]:
    return frozenset[int]().union(*map(characters, (LATIN, *BY_SCRIPT.values())))


def unprintable(text: str) -> str:
    """The characters that none of our fonts has; they would come out as empty boxes, without an error."""
    known = _all_characters()
    # Controls, joiners and direction marks are never drawn.
    return "".join(sorted(c for c in set(text) if ord(c) not in known and unicodedata.category(c) not in {"Cc", "Cf"}))
