"""Texts as they are compared: without what says nothing, in pieces that say one thing each."""

import re
from itertools import pairwise
from typing import Final

from portal.fold import fold

CHARACTERS: Final = 20_000
"""What stands behind them in a text is not compared."""
SHORT: Final = 8
"""Texts of fewer words say too little to be called the same."""
LONG: Final = 60
"""Texts of more words are also compared piece by piece: a forwarded message says one thing among many."""
PIECE: Final = 16
PIECES: Final = 8

_LINK: Final = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|se|ly|co|me|tv|gl|be)/\S*", re.I
)
_MENTION: Final = re.compile(r"(?<!\w)@\w+(?:\.\w+)*:?")
_RETWEET: Final = re.compile(r"^\s*RT\b:?\s*")
_HASHTAG: Final = re.compile(r"[#\uff03](\w+)")
_HUMP: Final = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|_")
# Pictures, arrows, boxes, stars and what joins and colors them.
_PICTURE: Final = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\ufe0f\u20e3"
    "\U0001f000-\U0001faff\U000e0000-\U000e007f]+"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DECORATION: Final = re.compile(r"([*_~=.!?…-])\1{1,}|[*_~|]+")
_QUOTES: Final = re.compile('["“”„‟«»‹›]+')
_SIGNS: Final = str.maketrans({**dict.fromkeys("’‘‚‛ʼ`´", "'"), **dict.fromkeys("‐‑‒–—―", "-")})
_SENTENCE: Final = re.compile(r"(?<=[.!?…؟۔።፧])\s+|\n+")
_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def storable(text: str) -> str:
    """As PostgreSQL and the model take it: without NUL, other controls and halves of characters."""
    return _CONTROL.sub(" ", text)


def unquoted(text: str) -> str:
    """As the model reads it: whoever quotes a claim says the same, and each language has marks of its own."""
    return " ".join(_QUOTES.sub(" ", storable(text)).translate(_SIGNS).split())


def clean(text: str) -> str:
    """What a text says, in one line for each of its lines: no links, no names of accounts, no pictures; hashtags are
    words, and what is said twice is said once."""
    text = _CONTROL.sub(" ", text[:CHARACTERS])
    text = _MENTION.sub(" ", _RETWEET.sub("", _LINK.sub(" ", text)))
    text = _HASHTAG.sub(lambda tag: _HUMP.sub(" ", tag[1]), text)
    text = _DECORATION.sub(lambda run: run[1] or " ", _PICTURE.sub(" ", text))
    seen: set[str] = set()
    kept = []
    for sentence in _SENTENCE.split(text):
        sentence = " ".join(sentence.split())  # noqa: PLW2901 - the same sentence
        key = fold(sentence)
        if sentence and key not in seen:
            seen.add(key)
            kept.append(sentence)
    return "\n".join(kept)


def count(text: str) -> int:
    """How many words a text has, as people count them."""
    return sum(1 for chunk in text.split() if _WORD.search(chunk))


def is_long(text: str) -> bool:
    return count(text) > LONG


def pieces(text: str) -> list[str]:
    """The whole of a cleaned text and, of a long one, its parts of about 20 words: at most 9 texts in all."""
    whole = " ".join(text.split())
    if not is_long(whole):
        return [whole]
    parts: list[list[str]] = [[]]
    for sentence in text.split("\n"):
        for word in sentence.split():
            if len(parts[-1]) >= 3 * PIECE:
                parts.append([])
            parts[-1].append(word)
        if len(parts[-1]) >= PIECE:
            parts.append([])
    found = [" ".join(part) for part in parts if len(part) >= 5]
    return [" ".join(whole.split()[:250]), *found[:PIECES]]


def spaced(text: str) -> str:
    """Folded, for languages whose words PostgreSQL cannot stem; what is written without spaces falls into pairs."""
    return _UNSPACED.sub(lambda run: f" {_pairs(run[0])} ", fold(text))


def _pairs(run: str) -> str:
    return " ".join(a + b for a, b in pairwise(run)) or run
