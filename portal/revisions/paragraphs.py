"""Texts as paragraphs: what changed between two versions, what of a translation still stands, how long a text is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest
from typing import Final, Literal

from portal import markup

_BREAK: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
_WORD: Final = re.compile(r"\w+(?:['’\-]\w+)*")
_SENTENCE_END: Final = re.compile(r"[.!?:](?=\s|$)|\n")
_LONG_WORD: Final = 7
"""Letters from which the readability index LIX calls a word long."""
_ALIKE: Final = 0.3
"""From how much of their words in common two paragraphs are one that was changed, and not one gone and one new."""


def split(text: str) -> list[str]:
    return [part for part in _BREAK.split(text.strip()) if part]


def join(parts: Sequence[str]) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a paragraph, and whether a newer version added or removed them."""

    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One paragraph of two versions of a text; the older or the newer one is empty where there is none."""

    kind: Literal["same", "changed", "added", "removed"]
    old: str
    new: str

    @property
    def parts(self) -> list[Part]:
        return _parts(self.old, self.new)


@lru_cache(maxsize=512)
def _parts(old: str, new: str) -> list[Part]:
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    found = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            found.append(Part("same", "".join(before[i1:i2])))
            continue
        if i1 < i2:
            found.append(Part("removed", "".join(before[i1:i2])))
        if j1 < j2:
            found.append(Part("added", "".join(after[j1:j2])))
    return found


def compare(old: str, new: str) -> list[Change]:
    """Paragraph by paragraph, in the order of the newer version."""
    before, after = split(old), split(new)
    found = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [Change("same", part, part) for part in before[i1:i2]]
        else:
            found += _paired(before[i1:i2], after[j1:j2])
    return found


def _paired(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """The pairing that keeps the order and has most words in common."""
    likeness = [[_likeness(old, new) for new in after] for old in before]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in range(len(before) - 1, -1, -1):
        for j in range(len(after) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + likeness[i][j])
    found = []
    i = j = 0
    while i < len(before) and j < len(after):
        if likeness[i][j] and best[i][j] == best[i + 1][j + 1] + likeness[i][j]:
            found.append(Change("changed", before[i], after[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            found.append(Change("removed", before[i], ""))
            i += 1
        else:
            found.append(Change("added", "", after[j]))
            j += 1
    found += [Change("removed", old, "") for old in before[i:]]
    return found + [Change("added", "", new) for new in after[j:]]


def _likeness(old: str, new: str) -> float:
    one, other = set(_WORD.findall(old.casefold())), set(_WORD.findall(new.casefold()))
    share = len(one & other) / (len(one | other) or 1)
    return share if share >= _ALIKE else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One paragraph to translate, beside what there is of it already."""

    change: Change
    """Of the Swedish text, since the version that the translation renders. Its newer side is empty where a paragraph
    is gone from the Swedish text."""
    translation: str

    @property
    def is_to_do(self) -> bool:
        return self.change.kind != "same" or not self.translation

    @property
    def source(self) -> str:
        return self.change.new or self.change.old

    @property
    def lines(self) -> int:
        """How high a box the translation will want."""
        return 1 + sum(1 + len(line) // 40 for line in (self.translation or self.source).split("\n"))


def rows(base: str | None, now: str, translation: str) -> list[Row]:
    """The Swedish text as it is now, each paragraph with the translation that it had in the version `base`.

    Paragraphs of a translation are told by their order. Where it has more or fewer than the text it renders, the last
    may stand beside the wrong ones, and the translator moves them.
    """
    changes = compare(base, now) if base is not None else [Change("added", "", part) for part in split(now)]
    translated = split(translation)
    olds = sum(change.kind != "added" for change in changes)
    if len(translated) > max(olds, 1):
        translated[max(olds, 1) - 1 :] = [join(translated[max(olds, 1) - 1 :])]
    remaining = iter(translated)
    found = [Row(change, "" if change.kind == "added" else next(remaining, "")) for change in changes]
    rest = join(list(remaining))
    if rest:
        # Nothing of it had a place: there is no older version, or the text had no paragraphs.
        found = [Row(found[0].change, rest), *found[1:]] if found else [Row(Change("removed", "", ""), rest)]
    return found


def count_words(text: str) -> int:
    return len(_WORD.findall(markup.plain(text)))


@lru_cache(maxsize=4096)
def words_to_translate(base: str | None, now: str) -> int:
    """How many words of the Swedish text stand in paragraphs that `base` does not have."""
    known = set(split(base)) if base is not None else set()
    return sum(count_words(part) for part in split(now) if part not in known)


def lix(text: str) -> int | None:
    """Readability index of a Swedish text (Björnsson 1968): below 30 very easy, above 50 hard. None for a few words."""
    plain = "\n".join(markup.plain(part) for part in split(text))
    words = _WORD.findall(plain)
    if len(words) < 20:
        return None
    sentences = sum(bool(_WORD.search(part)) for part in _SENTENCE_END.split(plain))
    long = sum(len(word) >= _LONG_WORD for word in words)
    return round(len(words) / max(sentences, 1) + 100 * long / len(words))


def pairs(rows: Sequence[Row], texts: Sequence[str]) -> list[Row]:
    """The rows with what somebody has typed into them."""
    blank = Change("added", "", "")
    return [Row(row.change if row else blank, text or "") for row, text in zip_longest(rows, texts) if row or text]
