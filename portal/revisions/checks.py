"""What is wrong with a text, as far as that can be seen without understanding it.

`hard_facts` serves two readers. Within Swedish all of what it finds must stay: who changes a number does not mend the
spelling. Between languages only the value must, however it is written: ٢٧٬٣٠٠ is 27 300, and “Section 3” is 3 §.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote

from django.conf import settings
from django.utils.translation import pgettext_lazy

from portal import contacts, fonts, languages
from portal.fold import DIGITS, fold
from portal.markup import Outline, outline
from portal.revisions.glossary.rules import Phrases, Words

MESSAGES: Final = {
    "link_missing": pgettext_lazy("staff", "Links of the Swedish text are missing: %(found)s."),
    "phone_missing": pgettext_lazy("staff", "Phone numbers of the Swedish text are missing: %(found)s."),
    "section_missing": pgettext_lazy("staff", "Sections of the law in the Swedish text are missing: %(found)s."),
    "number_missing": pgettext_lazy("staff", "Numbers of the Swedish text are missing: %(found)s."),
    "number_in_words": pgettext_lazy(
        "staff", "Numbers of the Swedish text are missing, or written in another way: %(found)s."
    ),
    "link_added": pgettext_lazy("staff", "Links that the Swedish text does not have: %(found)s."),
    "phone_added": pgettext_lazy("staff", "Phone numbers that the Swedish text does not have: %(found)s."),
    "number_added": pgettext_lazy("staff", "Numbers that the Swedish text does not have: %(found)s."),
    "section_signs": pgettext_lazy("staff", "Not as many section signs as in the Swedish text: %(found)s."),
    "headings": pgettext_lazy("staff", "Not the same headings as in the Swedish text: %(found)s."),
    "lists": pgettext_lazy("staff", "Not as many list items as in the Swedish text: %(found)s."),
    "same_as_source": pgettext_lazy("staff", "The same words as in the Swedish text: %(found)s."),
    "term_missing": pgettext_lazy("staff", "Words of the glossary are not used: %(found)s."),
    "term_to_avoid": pgettext_lazy("staff", "Words that the glossary advises against: %(found)s."),
    "markup": pgettext_lazy("staff", "Markup that readers do not get, or see as it is typed: %(found)s."),
    "invisible": pgettext_lazy("staff", "Characters that nobody can see: %(found)s."),
    "kashida": pgettext_lazy("staff", "Stretched letters, which search and screen readers stumble over: %(found)s."),
    "glyphs": pgettext_lazy(
        "staff", "Characters that our fonts lack; paper and picture will be in Swedish: %(found)s."
    ),
}
"""By code. What is missing may be a wrong number to call or a wrong law; all the rest may have a reason."""
BLOCKING: Final = frozenset({"link_missing", "phone_missing", "section_missing", "number_missing"})


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    field: str
    """The name of the translated field; empty when it is about the whole text."""
    found: str
    """A few examples."""

    @property
    def message(self) -> str:
        return str(MESSAGES[self.code]) % {"found": self.found}

    @property
    def is_blocking(self) -> bool:
        return self.code in BLOCKING


def compare(
    source: Mapping[str, str] | None, text: Mapping[str, str], *, language: str, words: Words | None = None
) -> list[Finding]:
    """What is wrong with `text`, the worst first. Without `source`, as for a Swedish text, what it shows by itself.

    A field that is empty in the translation is left out: whether it may be is not asked here.
    """
    outlines = {name: outline(value) for name, value in text.items() if value.strip()}
    found = [*_alone({name: text[name] for name in outlines}, outlines, language)]
    if source is not None:
        originals = {name: outline(source.get(name, "")) for name in outlines}
        found += _facts(originals, outlines)
        found += _shape(originals, outlines)
        found += _repeated(originals, outlines)
        found += _terms(originals, outlines, words) if words else []
    return sorted(found, key=lambda finding: not finding.is_blocking)


def _finding(code: str, name: str, found: Iterable[str]) -> Iterator[Finding]:
    """One of a code for each field, with a few examples, or none."""
    examples = list(dict.fromkeys(found))
    if examples:
        shown = ", ".join(examples[:3]) + (" …" if len(examples) > 3 else "")
        yield Finding(code, name, shown)


# A text alone ----------------------------------------------------------------------------------------------------

# Controls, soft hyphen, joiners, direction marks, blanks that are no spaces, variation selectors, tags, surrogates.
# What a no-break space does is right in many languages.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS: Final = "\u200c\u200d"
_KASHIDA: Final = re.compile("\u0640+")


def _alone(text: Mapping[str, str], outlines: Mapping[str, Outline], code: str) -> Iterator[Finding]:
    language = languages.get(code)
    # Spelling asks for them in Persian, Dari, Pashto, Sorani and Urdu, as it does not in Arabic.
    joiners = _JOINERS if language.script == "arabic" and code != "ar" else ""
    for name, value in text.items():
        yield from _finding("markup", name, outlines[name].lost)
        unseen = [match for match in _INVISIBLE.finditer(value) if match[0] not in joiners]
        yield from _finding("invisible", name, (f"{_named(m[0])} ({_around(value, m)})" for m in unseen))
        yield from _finding("kashida", name, (_around(value, m) for m in _KASHIDA.finditer(value)))
        yield from _finding("glyphs", name, map(_named, fonts.unprintable(_INVISIBLE.sub("", value))))


def _named(character: str) -> str:
    name = unicodedata.name(character, "").lower()
    shown = "" if _INVISIBLE.match(character) else f"{character} "
    return f"{shown}U+{ord(character):04X} {name}".strip()


def _around(text: str, match: re.Match[str]) -> str:
    before, after = text[max(0, match.start() - 10) : match.start()], text[match.end() : match.end() + 10]
    kept = match[0] if match[0][0] == "\u0640" else "|"
    return " ".join(_INVISIBLE.sub("", f"{before}{kept}{after}").split())


# Facts -----------------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    LINK = "link"
    PHONE = "phone"
    SECTION = "section"
    PERCENT = "percent"
    NUMBER = "number"
    SIGN = "sign"
    ITEM = "item"
    """The number of a list item."""


@dataclass(frozen=True, slots=True)
class HardFact:
    kind: Kind
    value: str
    written: str = field(compare=False)


def hard_facts(fields: Mapping[str, Any]) -> Counter[HardFact]:
    """Links, numbers, phone numbers and section signs of a text, with how often each stands there."""
    return Counter(fact for value in fields.values() for fact in _facts_of(outline(str(value))))


# Dashes, spaces and signs that mean the same between digits.
_PLAIN: Final = DIGITS | str.maketrans(
    "\u2010\u2011\u2012\u2013\u2014\u2212\u00a0\u2007\u2009\u202f\u2019\u066c\u066b\u066a\u060c\uff0c\uff0e\uff1a\uff05\u1361",
    "------    ''.%,,.:%:",
)
_ETHIOPIC: Final = re.compile("[\u1369-\u137c]{1,12}")
_HINT: Final = re.compile("[\\d§@{\u1369-\u137c]|://|www\\.")
_EMAIL: Final = re.compile(r"(?<![\w.+-])[a-zA-Z0-9_.+-]++@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+")
_FACT: Final = re.compile(
    r"""
    (?=[0-9+§{hw]) (?:  # most characters begin none of these
    (?P<token> \{\{[^{}]*\}\} )
  | (?P<link> (?:https?://|www\.)[!#-'*-;=?-Z\\^-~\u00c0-\u024f]+ )
  | (?P<phone> (?<![\d.,:/-])(?!\d\d[ -]\d\d[ -]\d{4}(?!\d))(?=\+?\d(?:\D{0,3}\d){6})
               (?: \+\d{1,3}[ ]?(?:\(0\)[ ]?)?\d{1,4} | 0\d{1,3} ) (?:[ ]?-[ ]?|[ ])?
               \d{2,3} (?:[ -]?\d{2,3}){1,3} (?!\d)
             | (?<![\d.,:/-])11[2-9][ ]\d{2,3}(?!\d|[ ]\d{3}) )
  | (?P<number> \d{1,3}(?P<gap>[ '.,])\d{3}(?:(?P=gap)\d{3}){0,4}(?:[.,]\d{1,2})?(?!\d|[.,:]\d)
              | (?<!\d[.,:])\d++[.,:]\d++(?![.,:]\d)
              | \d+ )
  | (?P<sign> §+ ) )
    """,
    re.VERBOSE,
)
_LINK_ENDS: Final = ".,;:!?'*_~"
_SECTION: Final = re.compile(r"\d{1,3}(?:,\d{1,3})*")
_SECTION_AFTER: Final = re.compile(r" ?(?:[a-z] ?)?(?:§|kap\b|kapitlet)")
_SECTION_BEFORE: Final = re.compile(r"(?:(?:^|[^\d\s§]) ?§+ ?|paragraf\w* |kap(?:itel|\.)? )$", re.IGNORECASE)
_SECTION_JOINT: Final = re.compile(r"(?: ?[a-z])? ?(?:-|,|och|eller|till|samt) ?")
_PERCENT_AFTER: Final = re.compile(" ?(?:%|procent)")


def _facts_of(text: Outline) -> Iterator[HardFact]:
    for target in text.links:
        if target.startswith("tel:"):
            yield HardFact(Kind.PHONE, _dialed(target), target)
        else:
            yield HardFact(Kind.LINK, target, unquote(target))
    for mark in text.items:
        if mark.isdigit():
            yield HardFact(Kind.ITEM, mark, mark)
    for words in text.words:
        if _HINT.search(words):
            yield from _facts_in(_plain(words))


def _plain(words: str) -> str:
    """With digits 0-9 and one sign for each that means the same."""
    words = _ETHIOPIC.sub(lambda match: str(_ethiopic(match[0])), _INVISIBLE.sub("", words))
    return words.translate(_PLAIN)


def _ethiopic(numeral: str) -> int:
    """Ones and tens stand before the hundreds and ten thousands that they count: ፲፱፻፺ is 1990."""
    total = hundreds = rest = 0
    for value in (int(unicodedata.numeric(c)) for c in numeral):
        if value == 10_000:
            total, hundreds, rest = (total + hundreds + rest or 1) * value, 0, 0
        elif value == 100:
            hundreds, rest = hundreds + (rest or 1) * value, 0
        else:
            rest += value
    return total + hundreds + rest


def _facts_in(words: str) -> Iterator[HardFact]:
    if "@" in words:
        yield from (HardFact(Kind.LINK, f"mailto:{email}", email) for email in _EMAIL.findall(words))
        words = _EMAIL.sub("", words)
    matches = list(_FACT.finditer(words))
    in_section = _in_sections(words, matches)
    for match in matches:
        kind, written = Kind.NUMBER, match[0]
        before, after = words[max(0, match.start() - 2) : match.start()], words[match.end() : match.end() + 2]
        if match["token"]:
            key = contacts.TOKEN.fullmatch(written)
            yield HardFact(Kind.PHONE, f"{{{{phone:{key[1].strip()}}}}}" if key else written, written)
        elif match["link"]:
            target = written.rstrip(_LINK_ENDS)
            yield HardFact(Kind.LINK, target, target)
        elif match["phone"]:
            yield HardFact(Kind.PHONE, _dialed(written), written)
        elif match["sign"]:
            yield HardFact(Kind.SIGN, written, written)
        elif match.start() in in_section:
            yield from (HardFact(Kind.SECTION, part, f"{part} §") for part in written.split(","))
        else:
            if _PERCENT_AFTER.match(words, match.end()) or before.rstrip().endswith("%"):
                kind = Kind.PERCENT
            elif len(written) < 3 and before[-1:] in {"", "\n"} and after in {". ", ") "}:
                kind = Kind.ITEM  # typed in digits that make no list
            yield HardFact(kind, written.translate(_IN_NUMBERS), written)


_IN_NUMBERS: Final = str.maketrans({" ": None, "'": None, ",": "."})


def _in_sections(words: str, matches: Sequence[re.Match[str]]) -> set[int]:
    """Where the numbers of sections and chapters start: all of those in 1–4, 36 och 39 §§, and in paragraf 6 och 7."""
    numbers = [match for match in matches if match["number"] and _SECTION.fullmatch(match[0])]
    joined = [bool(_SECTION_JOINT.fullmatch(words, one.end(), two.start())) for one, two in pairwise(numbers)]
    starts = [bool(_SECTION_BEFORE.search(words[max(0, m.start() - 16) : m.start()])) for m in numbers]
    ends = [bool(_SECTION_AFTER.match(words, match.end())) for match in numbers]
    for place, is_joined in enumerate(joined):
        starts[place + 1] |= is_joined and starts[place]
    for place in reversed(range(len(joined))):
        ends[place] |= joined[place] and ends[place + 1]
    return {match.start() for match, start, end in zip(numbers, starts, ends, strict=True) if start or end}


def _dialed(number: str) -> str:
    """What is pressed on a Swedish phone."""
    return re.sub(r"^(?:\+|00)46(?:\(?0\)?)?", "0", re.sub(r"[^\d+]", "", number))


_IN_LANGUAGE: Final = re.compile(rf"(?:{'|'.join(languages.CATALOG)})(?=/|$)")


def _same(fact: HardFact) -> str:
    """What stays of a fact in every language."""
    if fact.kind == Kind.LINK:
        target = unquote(fact.value.removeprefix(settings.PUBLIC_URL)).rstrip("/").lower()
        host, slash, path = re.sub(r"^https?://(?:www\.)?|^www\.", "", target).partition("/")
        known = _IN_LANGUAGE.match(path)
        return f"{host}{slash}{path[known.end() :] if known else path}"
    if fact.kind == Kind.PHONE:
        return fact.value
    value = re.sub(r"^0+(?=\d)", "", fact.value)
    value = re.sub(r"^(\d{1,2}):(\d\d)$", r"\1.\2", value)  # a time
    # A point or a comma before three digits parts thousands in one language and decimals in another.
    return re.sub(r"\.(?=\d{3}(?:\D|$))", "", value)


def _is_certain(fact: HardFact) -> bool:
    """Whether it is missing when it cannot be found: small numbers may well be words, those of laws never."""
    is_small = len(fact.value) < 3 and fact.value.isdigit() and int(fact.value) <= 12
    return fact.kind != Kind.NUMBER or not is_small


_COMPARED: Final = frozenset({Kind.LINK, Kind.PHONE, Kind.SECTION, Kind.PERCENT, Kind.NUMBER})
_Pool = dict[str, list[HardFact]]
"""What one field has of each fact and still nobody asked for."""


def _facts(originals: Mapping[str, Outline], outlines: Mapping[str, Outline]) -> Iterator[Finding]:
    wanted = [(name, fact) for name, text in originals.items() for fact in _facts_of(text)]
    here = [(name, fact) for name, text in outlines.items() for fact in _facts_of(text)]
    given: dict[str, _Pool] = {name: {} for name in outlines}
    for name, fact in here:
        if fact.kind in _COMPARED:
            given[name].setdefault(_same(fact), []).append(fact)
    found: dict[tuple[str, str], list[str]] = {}
    for name, fact in _missing(wanted, given):
        code = "number_missing" if fact.kind == Kind.PERCENT else f"{fact.kind}_missing"
        if not _is_certain(fact) or (fact.kind == Kind.NUMBER and _is_in_words(_same(fact), given.values())):
            code = "number_in_words"
        found.setdefault((code, name), []).append(fact.written)
    for name, pool in given.items():
        for fact in (fact for left in pool.values() for fact in left):
            code = f"{fact.kind}_added" if fact.kind in {Kind.LINK, Kind.PHONE} else "number_added"
            found.setdefault((code, name), []).append(fact.written)
    for (code, name), examples in found.items():
        yield from _finding(code, name, examples)
    before, after = (sum(fact.kind == Kind.SIGN for _, fact in facts) for facts in (wanted, here))
    # A text without the sign says it in words throughout: “Section 3”, المادة 3.
    if after not in {0, before}:
        yield from _finding("section_signs", "", [f"{before} → {after}"])


def _missing(wanted: Iterable[tuple[str, HardFact]], given: Mapping[str, _Pool]) -> list[tuple[str, HardFact]]:
    """What is certain takes first, and everything takes from its own field before it takes from another one."""
    left = sorted((pair for pair in wanted if pair[1].kind in _COMPARED), key=lambda pair: not _is_certain(pair[1]))
    left = [(name, fact) for name, fact in left if not _taken([_same(fact)], [given[name]])]
    return [(name, fact) for name, fact in left if not _taken([_same(fact)], given.values())]


def _taken(keys: Sequence[str], given: Iterable[_Pool]) -> bool:
    """Take all of them out of one field, and say whether they were there."""
    for pool in given:
        if all(pool.get(key) for key in keys):
            for key in keys:
                pool[key].pop()
            return True
    return False


def _is_in_words(number: str, given: Iterable[_Pool]) -> bool:
    """Whether a part of it is: 10 thousand, 1/8 in Persian for 1.8, 8 h 30."""
    ways = [[number + zeros] for zeros in ("000", "000000")]
    ways += [[number.removesuffix(zeros)] for zeros in ("000", "000000") if number.endswith(zeros)]
    whole, point, rest = number.partition(".")
    ways += [[whole, rest]] if point and whole != rest else []
    pools = list(given)
    return any(_taken(keys, pools) for keys in ways)


# Shape and words -------------------------------------------------------------------------------------------------


def _shape(originals: Mapping[str, Outline], outlines: Mapping[str, Outline]) -> Iterator[Finding]:
    for name, text in outlines.items():
        original = originals[name]
        yield from _finding("headings", name, _counted(original.headings, text.headings))
        yield from _finding("lists", name, _counted(map(_bullet, original.items), map(_bullet, text.items)))


def _bullet(mark: str) -> str:
    return "1." if mark.isdigit() else "-"


def _counted(before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    old, new = Counter(before), Counter(after)
    return (f"{mark} {old[mark]} → {new[mark]}" for mark in sorted(old | new) if old[mark] != new[mark])


def _repeated(originals: Mapping[str, Outline], outlines: Mapping[str, Outline]) -> Iterator[Finding]:
    for name, text in outlines.items():
        original = originals[name]
        known = dict(zip(_folded(original), original.words, strict=True))
        same = [known[key] for key in _folded(text) if key in known]
        is_whole = len(same) == len(text.words) == len(original.words)
        same = [words for words in same if not _is_name(words) and (is_whole or len(words.split()) >= 4)]
        yield from _finding("same_as_source", name, (f"“{words[:40].strip()}…”" for words in same))


@lru_cache(maxsize=64)
def _folded(text: Outline) -> tuple[str, ...]:
    return tuple(map(fold, text.words))


def _is_name(words: str) -> bool:
    """Names, numbers and addresses are the same everywhere."""
    return not any(word[0].islower() and "/" not in word and "@" not in word for word in words.split())


def _terms(source: Mapping[str, Outline], text: Mapping[str, Outline], words: Words) -> Iterator[Finding]:
    missing: list[str] = []
    avoided: list[str] = []
    for entry in dict.fromkeys(entry for *_, entry in words.swedish.find(_all_words(source))):
        # The longest is found: "administrative court" is no "court", which may be a word to avoid.
        spoken = Phrases([(True, entry.use), (False, entry.avoid)], words.language)
        said = _all_words(text)
        hits = list(spoken.find(said))
        if spoken.can_find and not any(is_right for *_, is_right in hits):
            missing.append(f"{entry.word} → {' / '.join(entry.use[:2])}")
        avoided += [said[start:end] for start, end, is_right in hits if not is_right]
    yield from _finding("term_missing", "", missing)
    yield from _finding("term_to_avoid", "", avoided)


def _all_words(outlines: Mapping[str, Outline]) -> str:
    return "\n".join(line for outline in outlines.values() for line in outline.words)
