"""How a text is cut into pieces for translation tools and machines, and what a machine must be and must leave alone."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Protocol

from django.core.exceptions import ValidationError

_SPACE: Final = re.compile(r"\s+")


class TranslatorError(ValidationError):
    """The service gave no translation; the message tells staff why, in one sentence."""


class Translator(Protocol):
    """A machine that translates. See "Machine translation" in `docs/translations.md`."""

    name: str
    """As staff know it, and as the audit log keeps it."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """One translation for each of `texts`, in their order; the languages are BCP 47 tags.

        `[1]`, `[2]` in a text stand for what must not change, and have to be in its translation once each. Raises
        TranslatorError when there is no translation, and when the service does not offer the language.
        """
        ...


# Pieces ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a text: a paragraph, or a whole field. `target` is its translation, empty when there is none."""

    id: str
    source: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Assembled:
    fields: dict[str, str]
    missing: list[str]
    unknown: list[str]


def _cut(text: str) -> tuple[list[str], list[str]]:
    """Paragraphs, and the gaps between them: white space with a blank line in it, and what indents the next one."""
    gaps = [match for match in _SPACE.finditer(text) if match[0].count("\n") > 1]
    starts = [0, *(gap.end() for gap in gaps)]
    ends = [*(gap.start() for gap in gaps), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)], [gap[0] for gap in gaps]


def paragraphs(text: str) -> list[str]:
    return _cut(text.strip())[0]


def _ids(name: str, pieces: Sequence[str]) -> list[str]:
    return [name] if len(pieces) == 1 else [f"{name}.{number}" for number, _ in enumerate(pieces, 1)]


def units(
    names: Iterable[str],
    source: Mapping[str, str],
    *,
    before: Mapping[str, str] | None = None,
    translated: Mapping[str, str] | None = None,
) -> list[Unit]:
    """The pieces of a Swedish text. `translated` renders `before`; its pieces are taken over where the Swedish one is
    the same word for word.

    A field that has not changed, and whose translation has other paragraphs, stays whole.
    """
    old, done = before or {}, translated or {}
    found = []
    for name in names:
        text, target = source.get(name, ""), done.get(name, "")
        pieces = paragraphs(text)
        if not text:
            continue
        if text == old.get(name) and target and len(paragraphs(target)) != len(pieces):
            found.append(Unit(name, text, target))
            continue
        known: dict[str, deque[str]] = defaultdict(deque)
        if name not in out_of_step([name], old, done):
            for piece, its_translation in zip(paragraphs(old.get(name, "")), paragraphs(target), strict=True):
                known[piece].append(its_translation)
        found += [
            Unit(its_id, piece, known[piece].popleft() if known[piece] else "")
            for its_id, piece in zip(_ids(name, pieces), pieces, strict=True)
        ]
    return found


def out_of_step(names: Iterable[str], before: Mapping[str, str], translated: Mapping[str, str]) -> list[str]:
    """The fields whose translation has more or fewer paragraphs: nobody can tell which renders which."""
    return [n for n in names if len(paragraphs(before.get(n, ""))) != len(paragraphs(translated.get(n, "")))]


def assemble(names: Iterable[str], source: Mapping[str, str], targets: Mapping[str, str]) -> Assembled:
    """The fields of a translation from its pieces by id, with the gaps of the Swedish text between them."""
    left = dict(targets)
    fields, missing = {}, []
    for name in names:
        pieces, gaps = _cut(source.get(name, "").strip())
        if not source.get(name):
            fields[name] = ""
        elif name in left:
            fields[name] = left.pop(name).strip()
        else:
            ids = _ids(name, pieces)
            missing += [its_id for its_id in ids if its_id not in left]
            rendered = [left.pop(its_id, "").strip() for its_id in ids]
            fields[name] = "".join(part for pair in zip_longest(rendered, gaps, fillvalue="") for part in pair)
    return Assembled(fields, missing, list(left))


# What a machine is sent ------------------------------------------------------------------------------------------

# What begins a line of a list, a heading or a quotation, and what breaks a line by force.
_SEAM: Final = re.compile(
    r"(^[ \t]*(?:(?:#{1,6}|[-*+]|\d{1,9}[.)]|>)[ \t]+)+|(?:(?<![ \t])[ \t]{2,}+|\\)\n)", re.MULTILINE
)
# Numbers to call, links, addresses, numbers and sections.
_FIXED: Final = re.compile(
    r"\{\{[^{}\n]*\}\}|(?<=\]\()[^()\s]+|https?://[^\s)>\]]+|(?<![\w.+-])[\w.+-]++@[\w.-]*\w"
    r"|\d+(?:[-–.,:/ \u00a0\u202f]\d+)*(?:[ \u00a0\u202f]?§+)?|§+"
)
_MARK: Final = re.compile(r"[\[［【]\s?(\d{1,4})\s?[\]］】]")
_LETTER: Final = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Masked:
    """A paragraph made ready for a machine: without the marks of Markdown that begin a line, and with `[1]`, `[2]` in
    the place of whatever must not change."""

    parts: list[str]
    """What goes to the machine, and between its parts what stays."""
    sent: list[int]
    """Which of the parts go."""
    kept: list[list[str]]
    """For each part that goes: what its marks stand for."""

    @property
    def texts(self) -> list[str]:
        return [self.parts[place] for place in self.sent]

    def unmasked(self, answers: Sequence[str]) -> str | None:
        """The translated paragraph; None when a mark was lost, doubled or made up, or a link fell apart."""
        whole = list(self.parts)
        for place, kept, answer in zip(self.sent, self.kept, answers, strict=True):
            numbers = [int(number) for number in _MARK.findall(answer)]
            if not answer.strip() or sorted(numbers) != list(range(1, len(kept) + 1)):
                return None
            if answer.count("](") != whole[place].count("]("):
                return None
            # What stands between the marks, and in turn what each of them stands for.
            words = _MARK.split(answer.strip())
            words[1::2] = [kept[number - 1] for number in numbers]
            whole[place] = "".join(words)
        return "".join(whole)


def mask(paragraph: str) -> Masked:
    masked = Masked([], [], [])
    for part in _SEAM.split(paragraph):
        if not _LETTER.search(_FIXED.sub("", part)):
            masked.parts.append(part)
            continue
        # A machine takes every line for a sentence of its own.
        text = part.strip()
        before, after = part[: part.index(text)], part[part.index(text) + len(text) :]
        kept: list[str] = []

        def put(match: re.Match[str], kept: list[str] = kept) -> str:
            kept.append(match[0])
            return f"[{len(kept)}]"

        masked.parts.extend([before, _FIXED.sub(put, " ".join(text.split("\n"))), after])
        masked.sent.append(len(masked.parts) - 2)
        masked.kept.append(kept)
    return masked
