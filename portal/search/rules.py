import unicodedata
from typing import Final

_CHARACTERS: Final = 80
_WORDS: Final = 8


def loggable(query: str) -> str:
    """What may be kept of words that found nothing; empty when that is nothing.

    Numbers of any script may be somebody's, an address is, and who types more than a few words tells a story.
    """
    text = unicodedata.normalize("NFKC", query).lower()
    if "@" in text or any(sign.isnumeric() for sign in text):
        return ""
    words = "".join(" " if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in text).split()
    return " ".join(words)[:_CHARACTERS].strip() if len(words) <= _WORDS else ""
