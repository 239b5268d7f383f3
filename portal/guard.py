"""The secrecy guard: finds personal numbers, and what else may point at a person, in free text.

A personal identity number or a coordination number blocks: nobody writes one by accident and nothing here needs
one. Phone numbers, e-mail addresses, case numbers and street addresses only warn, for they may be public. In
what is written about a person, so do the most common words for a faith or an origin.

The guard helps the absent-minded; it is no match for somebody who wants to get a number through. A Finding never
holds the text it found, so it may be logged, shown and counted.

How it works: every character is mapped to one ASCII character of the same meaning (a digit of any script, a dash of
any kind, a space of any width) and invisible ones are left out, so all rules read one plain "skeleton" of the text.
Every rule is linear: bounded or possessive patterns, and a fixed amount of work per group of digits.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise, zip_longest
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import pgettext, pgettext_lazy
from stdnum import luhn

EXCUSE_LENGTH: Final = 200


class Kind(StrEnum):
    """What was found; the strongest first."""

    PERSONAL_NUMBER = "personal_number"
    COORDINATION_NUMBER = "coordination_number"
    EMAIL = "email"
    CASE_NUMBER = "case_number"
    PHONE = "phone"
    STREET_ADDRESS = "street_address"
    FAITH_OR_ORIGIN = "faith_or_origin"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    start: int  # in the text given, as end
    end: int
    line: int  # from 1
    blocks: bool
    may_be_phone: bool = False  # ten digits that are a valid number and could be dialed as well


_FOUND = {
    Kind.PERSONAL_NUMBER: pgettext_lazy("staff", "A personal identity number (line %(line)d)"),
    Kind.COORDINATION_NUMBER: pgettext_lazy("staff", "A coordination number (line %(line)d)"),
    Kind.EMAIL: pgettext_lazy("staff", "An e-mail address (line %(line)d)"),
    Kind.CASE_NUMBER: pgettext_lazy("staff", "A case number (line %(line)d)"),
    Kind.PHONE: pgettext_lazy("staff", "A phone number (line %(line)d)"),
    Kind.STREET_ADDRESS: pgettext_lazy("staff", "A street address (line %(line)d)"),
    Kind.FAITH_OR_ORIGIN: pgettext_lazy("staff", "A word for a faith or an origin (line %(line)d)"),
}
KINDS: Final = {
    Kind.PERSONAL_NUMBER: pgettext_lazy("staff", "Personal identity number"),
    Kind.COORDINATION_NUMBER: pgettext_lazy("staff", "Coordination number"),
    Kind.EMAIL: pgettext_lazy("staff", "E-mail address"),
    Kind.CASE_NUMBER: pgettext_lazy("staff", "Case number"),
    Kind.PHONE: pgettext_lazy("staff", "Phone number"),
    Kind.STREET_ADDRESS: pgettext_lazy("staff", "Street address"),
    Kind.FAITH_OR_ORIGIN: pgettext_lazy("staff", "Faith or origin"),
}
_FOUND_MAY_BE_PHONE = pgettext_lazy(
    "staff", "A personal identity number, or a phone number written without spaces (line %(line)d)"
)
_REFUSED = {
    Kind.PERSONAL_NUMBER: pgettext_lazy(
        "guard",
        "The text contains a personal identity number. Take it out: we keep nothing about individual people.",
    ),
    Kind.COORDINATION_NUMBER: pgettext_lazy(
        "guard",
        "The text contains a coordination number. Take it out: we keep nothing about individual people.",
    ),
}
_REFUSED_MAY_BE_PHONE = pgettext_lazy(
    "guard",
    "The text contains ten digits that are a valid personal identity number. Take them out: we keep nothing "
    "about individual people. If they are a phone number, write it in groups, like 070-123 45 67.",
)


def find(text: str, *, phones_confirmed: bool = False, is_about_person: bool = False) -> list[Finding]:
    """What the text holds, in its order, without overlaps.

    With `phones_confirmed` the writer has said that the ten-digit numbers that could be dialed are phone numbers.
    With `is_about_person` words for a faith or an origin are found, too.
    """
    skeleton, positions = _skeleton(text)
    found = [*_numbers(skeleton), *_masked(skeleton), *_patterns(skeleton)]
    if is_about_person:
        found += [_Span(*match.span(), Kind.FAITH_OR_ORIGIN) for match in _FAITH_OR_ORIGIN.finditer(skeleton)]
    if phones_confirmed:
        found = [_Span(s.start, s.end, Kind.PHONE, may_be_phone=True) if s.may_be_phone else s for s in found]
    findings, line, read = [], 1, 0
    for span in _without_overlaps(found, len(skeleton)):
        start, end = positions[span.start], positions[span.end - 1] + 1
        line, read = line + text.count("\n", read, start), start
        findings.append(Finding(span.kind, start, end, line, span.kind in _BLOCKING, span.may_be_phone))
    return findings


def describe(findings: Iterable[Finding]) -> list[str]:
    """One sentence for each finding: what and where, never the value."""
    sentences = [
        str(_FOUND_MAY_BE_PHONE if finding.blocks and finding.may_be_phone else _FOUND[finding.kind])
        % {"line": finding.line}
        for finding in findings
    ]
    return list(dict.fromkeys(sentences))


def validate(text: str, *, phones_confirmed: bool = False) -> None:
    """Refuse a text that must not be saved. For form and model fields; warnings pass.

    The error's `params` say the line, and whether the number may be a phone number, so that a form can ask.
    """
    blocking = [finding for finding in find(text, phones_confirmed=phones_confirmed) if finding.blocks]
    if not blocking:
        return
    # A certain number is named before one that may be dialed: the way on offered must be a way on.
    worst = min(blocking, key=lambda finding: finding.may_be_phone)
    message = _REFUSED_MAY_BE_PHONE if worst.may_be_phone else _REFUSED[worst.kind]
    params = {"line": worst.line, "may_be_phone": worst.may_be_phone}
    raise ValidationError(message, code="personal_number", params=params)


MASK: Final = "[…]"


def masked(text: str, findings: Iterable[Finding]) -> str:
    """The text without what was found in it."""
    for finding in sorted(findings, key=lambda found: found.start, reverse=True):
        text = f"{text[: finding.start]}{MASK}{text[finding.end :]}"
    return text


class Ground(TextChoices):
    """Why something may stand that could point at a person."""

    PUBLIC = "public", pgettext_lazy("staff", "A public number or address")
    ORGANIZATION = "organization", pgettext_lazy("staff", "An authority's or an organization's")
    NO_CLIENT = "no_client", pgettext_lazy("staff", "It is not about a client")


@dataclass(frozen=True, slots=True)
class Excuse:
    """What a writer said when the guard asked: the kinds of what it had found, and why they may stand."""

    kinds: tuple[Kind, ...]
    ground: Ground
    words: str = ""


_told: ContextVar[list[Excuse] | None] = ContextVar("told", default=None)


@contextmanager
def listening() -> Iterator[None]:
    """What a form is told in here goes to every row of the audit log that is written in here: no action can forget
    to pass it on. Around each view of staff."""
    token = _told.set([])
    try:
        yield
    finally:
        _told.reset(token)


@contextmanager
def excused(given: Excuse | None) -> Iterator[None]:
    """What was said earlier goes to the rows of the audit log that are written in here: for what is done later than
    it was asked for."""
    token = _told.set([given] if given else [])
    try:
        yield
    finally:
        _told.reset(token)


def excuse() -> Excuse | None:
    """The one that was given last; None outside of a view of staff."""
    told = _told.get()
    return told[-1] if told else None


class GuardedForm(forms.Form):
    """Free text goes through the guard: personal numbers are refused, and for what else may point at a person a reason
    has to be given, in fields that are there only then. Only the kind and the line of a finding are told, never its
    value. The reason is kept in the audit log, with what the action writes there."""

    guarded: ClassVar[tuple[str, ...]] = ()
    open_to_all: ClassVar[tuple[str, ...]] = ()
    """Fields that are there to name public numbers and addresses: only what blocks is looked for."""
    about_person: ClassVar[tuple[str, ...]] = ()
    """Guarded fields that say something about a person, whose faith and origin are nobody's business."""
    district: ClassVar[str] = ""
    """A guarded field that must not even hold an address."""

    REASON: Final = "guard_reason"
    WORDS: Final = "guard_words"
    PHONE: Final = "guard_phone"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_phone = bool(self._said(self.PHONE))
        warned: dict[str, list[Finding]] = {}
        for name in (*self.guarded, *self.open_to_all):
            text = _written(data.get(name))
            try:
                validate(text, phones_confirmed=is_phone)
            except ValidationError as error:
                self.add_error(name, error)
                if error.params and error.params["may_be_phone"]:
                    self._offer_phone()
                continue
            findings = find(text, phones_confirmed=is_phone, is_about_person=name in self.about_person)
            if any(found.may_be_phone for found in findings):
                self._offer_phone()
            if name == self.district and any(found.kind == Kind.STREET_ADDRESS for found in findings):
                self.add_error(name, pgettext("staff", "Name the district, never an address."))
            elif findings and name in self.guarded:
                warned[name] = findings
        if warned:
            self._ask(warned)
        return data

    def _said(self, name: str) -> str:
        return str(self.data.get(self.add_prefix(name)) or "").strip()

    def _offer_phone(self) -> None:
        """The way on for digits that are both."""
        self.fields[self.PHONE] = forms.BooleanField(
            label=pgettext_lazy("staff", "This is a phone number"), required=False
        )

    def _ask(self, warned: dict[str, list[Finding]]) -> None:
        self.fields[self.REASON] = forms.ChoiceField(
            label=pgettext_lazy("staff", "Why may it stand there?"), choices=[("", "–"), *Ground.choices]
        )
        self.fields[self.WORDS] = forms.CharField(
            label=pgettext_lazy("staff", "In your own words"),
            help_text=pgettext_lazy("staff", "Kept in the audit log, without the number or address itself."),
            max_length=EXCUSE_LENGTH,
            required=False,
        )
        reason, words = self._said(self.REASON), self._said(self.WORDS)
        if reason not in Ground:
            for name, findings in warned.items():
                self.add_error(name, [pgettext("staff", "Look again: %s.") % found for found in describe(findings)])
            self.add_error(self.REASON, pgettext("staff", "Take it out, or say why it may stand there."))
        elif find(words, is_about_person=bool(self.about_person)) or len(words) > EXCUSE_LENGTH:
            self.add_error(
                self.WORDS,
                pgettext("staff", "Say it in at most %(most)d characters, without numbers and addresses.")
                % {"most": EXCUSE_LENGTH},
            )
        elif (told := _told.get()) is not None:
            kinds = sorted({found.kind for findings in warned.values() for found in findings})
            told.append(Excuse(tuple(kinds), Ground(reason), words))


def _written(value: Any) -> str:
    """The text of a field; of one that holds several, each on a line of its own."""
    if isinstance(value, list | tuple):
        return "\n".join(_written(part) for part in value)
    if isinstance(value, dict):
        return _written(list(value.values()))
    return "" if value is None else str(value)


# The skeleton ---------------------------------------------------------------------------------------------------

_INVISIBLE = "\0"
_LOOKALIKES = {
    "\u0640": _INVISIBLE,  # tatweel
    **dict.fromkeys("\u2010\u2012\u207b\u208b\u2212\u02d7\u2043\u2500\u30fc~", "-"),  # beside every Pd
    **dict.fromkeys("\u207a\u208a\ufb29\ufe62\uff0b\u2795", "+"),
    **dict.fromkeys("\\\u2044\u2215\u060d\uff0f", "/"),
    **dict.fromkeys("\u00b7\u2024\u2027\u2219\u22c5\u3002\ufe52\uff0e\u06d4\u066b", "."),
    **dict.fromkeys("\t\u2800\u3164", " "),
    **dict.fromkeys("\n\r\v\f\x85\u2028\u2029", "\n"),
    **dict.fromkeys("\u00d7\u2715\u2716\u2717\u0445\u0425\uff58\uff38", "x"),
    **dict.fromkeys("\u2217\u204e\u066d\u2022\u25cf\u25cb\u25a0\u25aa\u2588\uff0a", "*"),
    **dict.fromkeys("\uff1f\u061f", "?"),
    **dict(zip("\uff03\uff3f\uff20\ufe6b\uff08\uff09\uff1a", "#_@@():", strict=True)),
}
_INVISIBLE_KINDS = ("Cf", "Cs", "Cc", "Mn", "Me")  # joiners, bidi marks, controls, accents, keycaps
_BY_CATEGORY = {"Pd": "-", "Zs": " ", **dict.fromkeys(_INVISIBLE_KINDS, _INVISIBLE)}


class _Letters(dict[int, str]):
    """For str.translate: one character for each code point, worked out when first met."""

    def __missing__(self, point: int) -> str:
        char = self._plain(chr(point))
        if len(self) < 10_000:  # nobody can fill the memory by sending all of Unicode
            self[point] = char
        return char

    @staticmethod
    def _plain(char: str) -> str:
        category = unicodedata.category(char)
        if category == "Nd":
            return str(unicodedata.decimal(char))
        if category[0] == "L":
            plain = unicodedata.normalize("NFKC", char)
            return _LOOKALIKES.get(char, plain if len(plain) == 1 else char)
        return _LOOKALIKES.get(char) or _BY_CATEGORY.get(category, char)


_LETTERS = _Letters()


def _skeleton(text: str) -> tuple[str, Sequence[int]]:
    """The text in plain characters, and for each of them its position in the text."""
    plain = text.translate(_LETTERS)
    if _INVISIBLE not in plain:
        return plain, range(len(plain))
    return plain.replace(_INVISIBLE, ""), [place for place, char in enumerate(plain) if char != _INVISIBLE]


@dataclass(frozen=True, slots=True)
class _Span:
    """A finding in the skeleton."""

    start: int
    end: int
    kind: Kind
    may_be_phone: bool = False


_BLOCKING = frozenset({Kind.PERSONAL_NUMBER, Kind.COORDINATION_NUMBER})
_STRENGTH = {kind: rank for rank, kind in enumerate(Kind)} | {Kind.COORDINATION_NUMBER: 0}


def _without_overlaps(spans: Iterable[_Span], length: int) -> list[_Span]:
    """The strongest first, then the longest; what touches one that stands is dropped."""
    taken, kept = bytearray(length), []
    for span in sorted(spans, key=lambda s: (_STRENGTH[s.kind], s.start - s.end, s.start, not s.may_be_phone)):
        if 1 not in taken[span.start : span.end]:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


# Numbers --------------------------------------------------------------------------------------------------------


_WIDEST = 8
"""Characters between two groups of digits that may still be one number."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Groups of digits and what joins them: 1985-01-01 1236 is the groups 1985 01 01 1236 and the joints "-- "."""

    starts: Sequence[int]
    groups: Sequence[str]
    joints: str  # one of " -+/._(,:" for each gap; "(" is either parenthesis
    gaps: Sequence[int]  # how wide each is

    @property
    def digits(self) -> str:
        return "".join(self.groups)

    @property
    def written(self) -> str:
        return "".join(map("".join, zip_longest(self.groups, self.joints, fillvalue="")))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.groups))

    def part(self, first: int, last: int) -> "_Run":
        joints, gaps = self.joints[first : last - 1], self.gaps[first : last - 1]
        return _Run(self.starts[first:last], self.groups[first:last], joints, gaps)

    def split(self, joints: str = "", *, above: int = _WIDEST) -> Iterator["_Run"]:
        """What remains of several groups between these joints and gaps wider than this."""
        gaps = enumerate(zip(self.joints, self.gaps, strict=True), 1)
        cuts = [place for place, (joint, width) in gaps if joint in joints or width > above]
        pairs = pairwise([0, *cuts, len(self.groups)])
        return (self.part(first, last) for first, last in pairs if last - first > 1)

    def span(self, kind: Kind, *, may_be_phone: bool = False) -> _Span:
        return _Span(self.starts[0], self.starts[-1] + len(self.groups[-1]), kind, may_be_phone)


_DIGITS = re.compile("[0-9]++")


def _runs(skeleton: str) -> Iterator[_Run]:
    starts: list[int] = []
    groups: list[str] = []
    joints: list[str] = []
    gaps: list[int] = []
    end = 0
    for match in _DIGITS.finditer(skeleton):
        gap = match.start() - end
        joint = _joint(skeleton[end : match.start()]) if groups and gap <= _WIDEST else ""
        if groups and not joint:
            yield _Run(starts, groups, "".join(joints), gaps)
            starts, groups, joints, gaps = [], [], [], []
        elif joint:
            joints.append(joint)
            gaps.append(gap)
        starts.append(match.start())
        groups.append(match[0])
        end = match.end()
    if groups:
        yield _Run(starts, groups, "".join(joints), gaps)


def _joint(gap: str) -> str:
    """The one character a gap between two groups of digits stands for; empty if they do not belong together."""
    signs = set(gap) - {" ", "\n"}
    if "\n" in gap and signs != {"-"}:
        return ""  # lines are apart, except where a number was broken at its dash
    signs -= {"*", "`"} | ({"_"} if signs & {"-", "+"} else set())  # **bold**-1236
    if gap in {",", ":"}:
        return gap  # with a space it is a list, or a time
    if signs <= {"(", ")", "-"} and signs & {"(", ")"}:
        return "("
    if len(signs) > 1:
        return ""
    sign = signs.pop() if signs else " "
    return sign if sign in " -+/._" else ""


def _numbers(skeleton: str) -> Iterator[_Span]:
    abroad: set[int] = set()  # where groups of digits start that stand behind a + or a country code
    for start, end, has_country in _phones(skeleton):
        yield _Span(start, end, Kind.PHONE)
        if has_country:
            abroad.update(group.start() for group in _DIGITS.finditer(skeleton, start + 1, end))
    for run in _runs(skeleton):
        for number in _candidates(run):
            is_dialed = number.starts[0] in abroad and number.joints not in {"-", "+"}
            kind = None if is_dialed else _identity(number.digits)
            if kind:
                yield number.span(kind, may_be_phone=_may_be_phone(number))


def _candidates(run: _Run) -> Iterator[_Run]:
    """The parts of a run that are written as a personal number may be."""
    for place, group in enumerate(run.groups):
        if len(group) in {10, 12}:
            yield run.part(place, place + 1)
        elif len(group) in {6, 8} and len("".join(run.groups[place + 1 : place + 2])) == 4:
            yield run.part(place, place + 2)
    for part in run.split("(,:"):
        # What stands around a number is farther from it than its parts are from each other.
        for whole in (part, *part.split(" "), *part.split(above=1), *part.split(above=4)):
            if sum(whole.shape) in {10, 12} and _is_spelled_out(whole):
                yield whole


# A date whose parts are joined alike, then the last four, whole or in parts.
_IN_PARTS = re.compile(
    r"""
    (?: [0-9]{4} (?P<a>\D) [0-9]{2} (?P=a) [0-9]{2}
      | [0-9]{2} (?P<b>\D) [0-9]{2} (?P=b) [0-9]{2}
      | (?: [0-9]{2} | [0-9]{4} ) \D [0-9]{4} (?=\D)
      | (?: [0-9]{2} \D? )? [0-9]{6} (?=\D)
      | [0-9]{3} \D [0-9]{3} (?=\D)
    )
    (?: \D? [0-9]{4}
      | \D [0-9]{2} \D [0-9]{2} | \D [0-9]{3} \D [0-9]
      | \D [0-9] (?P<c>\D) [0-9] (?P=c) [0-9] (?P=c) [0-9] )
    | [0-9]{2} (?P<d>\D) [0-9]{2} (?P=d) [0-9]{2} (?P=d) [0-9]{2} \D? [0-9]{4}
    """,
    re.VERBOSE,
)
_TWO_BY_TWO = re.compile("[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}")  # a date, in whatever order
_ENDS_IN_TIME = re.compile(r"(?:[01][0-9]|2[0-3])\.[0-5][0-9]\Z")


def _is_spelled_out(number: _Run) -> bool:
    """Cut between year, month, day and the last four, or between all digits; not as dates, times and phones are."""
    if sum(number.shape) == 10 and _is_grouped_as_phone(number):
        return False
    if number.shape == (6, 6):
        return not all(map(_TWO_BY_TWO.fullmatch, number.groups))
    if len(set(number.joints)) == 1:
        if set(number.shape) == {1}:
            return True
        is_two_dates = number.shape == (2,) * 6 and number.joints[0] != " "
        is_date_and_hour = number.shape == (4, 2, 2, 2) and number.gaps[-1] > number.gaps[0]
        if is_two_dates or is_date_and_hour:
            return False
        if not any(length % 2 for length in number.shape) and (number.shape[-1] >= 4 or number.shape[-2:] == (2, 2)):
            return True
    return bool(_IN_PARTS.fullmatch(number.written)) and not _ends_in_time(number)


def _ends_in_time(number: _Run) -> bool:
    """Like 2026-11-21 10.30: what is a time stands apart."""
    is_apart = len(number.gaps) > 1 and (number.joints[-2] == " " or number.gaps[-2] > 1)
    return is_apart and _ENDS_IN_TIME.search(number.written) is not None


def _is_grouped_as_phone(number: _Run) -> bool:
    """Like 0701-23 45 67 or 08-1234 5678, of which the ear hears a phone number; 07 01 23 45 67 can be either."""
    return (
        _is_dialable(number.digits)
        and number.shape[0] <= 4
        and number.joints[0] in " -/"
        and set(number.joints[1:]) <= {" "}
        and (number.joints[0] != " " or len(set(number.shape)) > 1)
        and number.shape not in {(6, 4), (2, 2, 2, 4), (2, 2, 6)}
    )


def _may_be_phone(number: _Run) -> bool:
    is_plain = set(number.joints) <= {" "} and number.shape != (6, 4)
    return is_plain and len(number.digits) == 10 and _is_dialable(number.digits)


def _is_dialable(digits: str) -> bool:
    return digits[0] == "0" and digits[1] != "0"


def _identity(digits: str) -> Kind | None:
    """The kind of ten or twelve digits, if their date is real and their check digit right."""
    kind = _born(digits[:-4])
    return kind if kind and luhn.is_valid(digits[-10:]) else None


def _born(digits: str) -> Kind | None:
    """The kind of number that starts with these six or eight digits."""
    month, day = int(digits[-4:-2]), int(digits[-2:])
    kind = Kind.PERSONAL_NUMBER
    if day >= 60:  # python-stdnum knows no coordination numbers
        kind = Kind.COORDINATION_NUMBER
        # Month 00 and day 60 are given to people whose month and day of birth nobody knows.
        month, day = month or 1, (day - 60) or 1
    if month > 12 or day > 31:
        return None
    centuries = (digits[:2],) if len(digits) == 8 else ("18", "19", "20")
    return kind if any(_is_past(int(c + digits[-6:-4]), month, day) for c in centuries) else None


def _is_past(year: int, month: int, day: int) -> bool:
    try:
        return year >= 1850 and date(year, month, day) <= datetime.now(tz=UTC).date() + timedelta(days=1)
    except ValueError:
        return False


_MASKED = re.compile(
    r"""
    (?<![0-9])
    (?P<date> [0-9]{8} | [0-9]{6}
            | [0-9]{4} (?P<a>[-/. ]) [0-9]{2} (?P=a) [0-9]{2}
            | [0-9]{2} (?P<b>[-/. ]) [0-9]{2} (?P=b) [0-9]{2} )
    (?P<joint> [ *]{0,5} [-+]{1,2} [ ]{0,3} | [ ]? )
    (?P<end> [0-9xXnN*#?_]{4} | [0-9]{0,2} [.]{2,4} (?![.]) )
    (?![0-9])
    """,
    re.VERBOSE,
)


def _masked(skeleton: str) -> Iterator[_Span]:
    """Numbers with their ending hidden: 850101-XXXX, 19850101-****, 850101-12xx. The date still points at somebody."""
    for match in _MASKED.finditer(skeleton):
        joint, end = match["joint"], match["end"]
        if end.isdigit():
            continue
        if (match["a"] or match["b"]) and joint not in {"-", "+"}:
            continue  # 2026-11-21 **** is a date and something else
        if len(end) != 4:
            continue
        if joint in {"", " "} and not set(end) <= set("0123456789xXnN*"):
            continue  # 20261121 ____ is a line to write on
        kind = _born(match["date"].translate(_NO_JOINTS))
        if kind:
            yield _Span(match.start(), match.end(), kind)


_NO_JOINTS = str.maketrans("", "", " -/.")


_PHONE = re.compile(
    r"""
    (?P<country> (?: [+][ ]? | (?<![0-9])00[ ]? ) [1-9] (?: [ \-/.()]{0,3}+ [0-9] ){6,16}
               | (?<![0-9]) 46[ ]?7 (?: [ ]?[0-9] ){8} )
    | (?<![0-9]) (?<![0-9][-/.])
      (?P<area> 0[1-9][0-9]{0,2} ) (?P<gap> [ ]?[-/.)][ ]? | [ ]? ) [0-9] (?: (?: [ ]{1,2} | (?P=gap) )?[0-9] ){3,12}
    """,
    re.VERBOSE,
)
_PUBLIC = re.compile("(?:(?:00)?460?|0)(?:20|77)")  # free of charge or shared cost: never a person's own number


def _phones(skeleton: str) -> Iterator[tuple[int, int, bool]]:
    """Where phone numbers start and end, and whether they have a country code."""
    place = 0
    while match := _PHONE.search(skeleton, place):
        has_country = match["country"] is not None
        groups = list(_DIGITS.finditer(skeleton, match.start(), match.end()))
        if skeleton[match.end() : match.end() + 1].isdecimal():
            groups.pop()  # the pattern stopped within it
        most = 15 if has_country else 11
        if skeleton.startswith(("+46", "46"), match.start()):
            most = 12  # one more than there are, for the zero in +46 (0)70
        digits = [group[0] for group in groups]
        count = next((n for n in range(len(digits), 0, -1) if 7 <= len("".join(digits[:n])) <= most), 0)
        written = digits[:count]
        if count and (has_country or not _is_date_or_time(written, match["area"], match["gap"])):
            place = groups[count - 1].end()
            if not _PUBLIC.match("".join(written)):
                yield match.start(), place, has_country
        else:
            place = groups[0].end() if groups else match.end()


def _is_date_or_time(groups: Sequence[str], area: str, gap: str) -> bool:
    shape = tuple(map(len, groups))
    return (
        (gap.strip() == "." and len(area) == 2)  # 08.30-10.00
        or (shape[:3] == (2, 2, 4) and groups[2][:2] in {"19", "20"})  # 05/06 2026
        or (shape[:3] == (2, 2, 2) and gap.strip() != "" and _born("".join(groups[:3])) is not None)  # 05-06-07
        or (shape == (4, 4) and all(map(_TIME.fullmatch, groups)))  # 0830-1000
    )


_TIME = re.compile("(?:[01][0-9]|2[0-3])[0-5][0-9]")


# Words ----------------------------------------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]++(?:@|[ ]?[\[(][ ]?(?:at|snabel-?a)[ ]?[\])][ ]?)[\w-]++(?:\.[\w-]++)++",
    re.IGNORECASE,
)
_CASE_NUMBER = re.compile(
    r"""
    (?<!\w)
    (?: (?: d\.?nr | diarie(?:nr|nummer) | [äa]rende(?:nr|nummer) | m[åa]l(?:nr|nummer) | akt(?:nr|nummer)
          | (?: diarie | [äa]rende(?:t)? | m[åa]l(?:et)? | akt(?:en)? | case ) [ ] (?: nr | nummer | no | number ) )
        [ .:#]{0,3} (?:[^\W\d_]{1,6}[ /-]?)? [0-9][0-9/:.-]{0,30}
      | (?: [äa]rende(?:t)? | akt(?:en)? ) [ :]{1,2} (?:[^\W\d_]{1,4}[ -]?)? [0-9]{2,6}[-/][0-9]{2,7}
      | m[åa]l(?:et)? [ :]{1,2} (?:[a-zåäö][ ]?)? [0-9]{1,6}-[0-9]{2}(?![0-9-])
      | case [ :]{1,2} [0-9]{4}[-/][0-9]{1,7}
      | [TBÖÄFMPK] [ ]? [0-9]{3,6}-[0-9]{2}(?![\w-]) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HOUSE = re.compile(r"(?<!\w)(?P<street>[^\W\d_]++)[ ]{1,2}[0-9]{1,3}(?![0-9])(?:[ ]?[A-Za-z](?!\w))?")
_STREET = re.compile(r"\w(?:gatan?|v[äa]g(?:en)?|gr[äa]nd|stigen|allén?|torget|backen|kajen|stråket)\Z")
_STREET_WORDS = {"gata", "väg", "vag", "gränd", "grand", "torg", "allé", "plats", "stig", "backe"}  # after a name

_NAME = re.compile(r"(?<!\w)[A-ZÅÄÖÉ]\w{1,30}[ ]\Z")

# The words that people use most, not every one; languages are none of them, for an interpreter works in them.
_FAITH_OR_ORIGIN = re.compile(
    r"""
    (?<!\w)
    (?: (?: muslim | islam | katoli | ortodox | pingstvän | baptist | judisk | hindu | buddhis | sikh | ahmadi | jesid
          | konvertit | trosupp | religi | etni | härkomst | kurder | somalier | afghan | irakier | iranier | eritrean
          | etiopier | assyrier | palestinier | bosnier | albaner ) \w{0,20}
      | kristen | kristna | kristendom(?:en)? | jude | judar(?:na)? | sunni | shia | ateist(?:er)? | troende
      | imam(?:en)? | rabbin(?:en)? | präst(?:en)? | pastor(?:n)? | ursprung(?:et)? | kurd(?:en)? | arab(?:en|er)?
      | syrian(?:en|er)? | syrier | romer | samer | turk(?:en|ar)? | serb(?:en|er)? | kroat(?:en|er)? )
    (?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def _patterns(skeleton: str) -> Iterator[_Span]:
    yield from (_Span(match.start(), match.end(), Kind.EMAIL) for match in _EMAIL.finditer(skeleton))
    yield from (_Span(match.start(), match.end(), Kind.CASE_NUMBER) for match in _CASE_NUMBER.finditer(skeleton))
    for match in _HOUSE.finditer(skeleton):
        street = match["street"].lower()
        if street in _STREET_WORDS:
            name = _NAME.search(skeleton, max(0, match.start() - 40), match.start())
            if name:  # Karl Johans gata 5
                yield _Span(name.start(), match.end(), Kind.STREET_ADDRESS)
        elif _STREET.search(street):
            yield _Span(match.start(), match.end(), Kind.STREET_ADDRESS)
