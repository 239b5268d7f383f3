"""The secrecy guard: what blocks, what warns, what passes, and that no value ever leaves it."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from itertools import accumulate, pairwise, zip_longest

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import assume, example, given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.se import personnummer

from portal import guard
from portal.guard import Finding, Kind, describe, find, validate

DASHES = [c for c in map(chr, range(0x20000)) if unicodedata.category(c) == "Pd"] + ["\u2212", "\u207b", "\u2043", "~"]
SPACES = [c for c in map(chr, range(0x10000)) if unicodedata.category(c) == "Zs"] + ["\t"]
SIGNS = ["+", "/", ".", "\uff0b", "\uff0f", "\u2044", "\u00b7", "_"]
SCRIPTS = [chr(p) for p in range(0x20000) if unicodedata.decimal(chr(p), -1) == 0]  # the zero of every script
HIDDEN = [
    "",
    "",
    "",
    "\u200b",
    "\u200c",
    "\u200d",
    "\u200e",
    "\u200f",
    "\u202a\u202c",
    "\u2066",
    "\u2069",
    "\ufeff",
    "\u00ad",
]
HIDDEN += ["\u061c", "\u0640", "\ufe0f\u20e3", "\x00", "\x07"]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def checked(digits: str) -> str:
    return digits + luhn.calc_check_digit(digits[-9:])


@st.composite
def numbers(draw: st.DrawFn, *, coordination: bool | None = None, year: st.SearchStrategy[int] | None = None) -> str:
    """Twelve digits: a valid personal identity or coordination number."""
    born = draw(st.dates(date(1900, 1, 1), date(2025, 12, 31)))
    if year is not None:
        born = born.replace(year=draw(year), day=min(born.day, 28))
    is_coordination = draw(st.booleans()) if coordination is None else coordination
    serial = draw(st.integers(0, 999))
    return checked(f"{born:%Y%m}{born.day + 60 * is_coordination:02}{serial:03}")


@st.composite
def spelled(draw: st.DrawFn, number: str) -> str:
    """The number as somebody may write it."""
    yy, mm, dd, last = number[2:4], number[4:6], number[6:8], number[8:]
    year = draw(st.sampled_from([yy, number[:4]]))
    joint, other = (draw(st.sampled_from([*DASHES, *SPACES, *SIGNS])) for _ in range(2))
    padded = draw(st.sampled_from([other, other * 2, f" {other} ", f"  {other}  ", f"   {other}    ", " " * 5]))
    bold = draw(st.sampled_from(["**", "`", "*"]))
    sixes = number[:6], number[6:]
    more = [] if all(1 <= int(six[2:4]) <= 12 for six in sixes) else [padded.join(sixes)]  # else they are two dates
    if yy[0] != "0":  # else they are grouped as phone numbers are
        more += [f"{yy}{mm[0]}{joint}{mm[1]}{dd}{joint}{last}", f"{yy}{joint}{mm}{dd}{padded}{last}"]
    written = draw(
        st.sampled_from(
            [
                *more,
                f"{number[:4]}{joint}{mm}{dd}{padded}{last}",
                f"{year}{mm}{dd},{last}",
                f"{year}{mm}{dd}:{last}",
                f"{bold}{year}{mm}{dd}{bold}-{last}",
                year + mm + dd + last,
                year + mm + dd + padded + last,
                joint.join([year, mm, dd]) + padded + last,
                joint.join([year, mm, dd]) + last,
                joint.join([*year, *mm, *dd, *last]),
                joint.join([number[:2], yy, mm, dd]) + padded + last,
                f"{number[:2]}{joint}{yy}{mm}{dd}{padded}{last}",
                year + mm + dd + padded + joint.join([last[:3], last[3]]),
                f"{year}{mm}{dd}-\n{last}",
                f"{year}{mm}{dd}-\r\n{last}",
            ]
        )
    )
    zero = ord(draw(st.sampled_from(SCRIPTS)))
    hidden = draw(st.lists(st.sampled_from(HIDDEN), max_size=len(written) - 1))
    written = "".join(map("".join, zip_longest(written, hidden, fillvalue="")))
    return written.translate({ord("0") + digit: zero + digit for digit in range(10)})


AROUND = st.sampled_from(
    ["", " ", "\n", "(", ")", "pnr", "barnets pnr: ", "ålder ", "رقم ", "A", "é", "², ", ", ", "; tel"]
)


@given(st.data(), numbers(), AROUND, AROUND)
def test_every_spelling_of_every_number_is_caught(data: st.DataObject, number: str, before: str, after: str) -> None:
    written = data.draw(spelled(number))
    text = before + written + after
    blocking = [finding for finding in find(text) if finding.blocks]
    assert blocking, ascii(text)
    first = next(place for place, char in enumerate(written) if char.isdecimal())
    assert (blocking[0].start, blocking[0].end) == (len(before) + first, len(before) + len(written))
    is_coordination = int(number[6:8]) > 60
    assert blocking[0].kind == (Kind.COORDINATION_NUMBER if is_coordination else Kind.PERSONAL_NUMBER)
    with pytest.raises(ValidationError):
        validate(text)


@given(numbers(coordination=False))
def test_python_stdnum_agrees_on_personal_numbers(number: str) -> None:
    assert personnummer.is_valid(number)
    assert find(number)[0].blocks


@given(numbers(coordination=True))
def test_python_stdnum_knows_no_coordination_numbers(number: str) -> None:
    assert not personnummer.is_valid(number)  # if this ever fails, the guard may lean on it


@given(numbers(), st.integers(1, 9))
def test_a_wrong_check_digit_does_not_block(number: str, wrong: int) -> None:
    text = number[:11] + str((int(number[11]) + wrong) % 10)
    assert not [finding for finding in find(f"{text[:8]}-{text[8:]}") if finding.blocks]


@given(
    st.lists(st.integers(0, 99_999_999), min_size=2, max_size=6), st.sampled_from([", ", "; ", "\n", " kr, ", "   "])
)
def test_amounts_never_block(amounts: list[int], between: str) -> None:
    for thousands in (" ", ".", "\u00a0"):
        text = between.join(f"{amount:,}".replace(",", thousands) for amount in amounts)
        assert not [finding for finding in find(text) if finding.blocks]


@pytest.mark.parametrize("born", ["191500", "190013", "190100", "185001", "209912"])
def test_a_date_that_never_was_does_not_block(born: str) -> None:
    for day in ("00", "32", "59", "92", "31" if born == "209912" else "45"):
        assert not find(checked(f"{born}{day}123"))


@pytest.mark.parametrize("start", ["19150088239", "19150060239", "19151260239"])
def test_coordination_numbers_of_people_whose_birthday_nobody_knows_block(start: str) -> None:
    assert [finding.kind for finding in find(checked(start))] == [Kind.COORDINATION_NUMBER]


MASKED = ["850101-XXXX", "850101XXXX", "19850101-****", "850101-12xx", "85010112xx", "1985010112XX", "850101+xxxx"]
MASKED += ["850101 - ••••", "850101–####", "1985-01-01-xxxx", "85.01.01-XXXX", "٨٥٠١٠١-XXXX", "850101-**36"]
MASKED += ["850161-XXXX", "19850101-????", "19850101-____", "barn19850101-xxxx.", "850101-××××"]
MASKED += ["850101-NNNN", "850101-....", "19850101-12..", "850101  -  nnnn", "**850101**-XXXX", "850101NNNN"]
MASKED += ["850101-\u0425\u034f\u0425\u200d\u0445\u0445"]  # Cyrillic


@pytest.mark.parametrize("text", MASKED)
def test_numbers_with_a_masked_ending_block(text: str) -> None:
    assert [finding.blocks for finding in find(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "851301-XXXX",
        "20261332-****",
        "2024-11-21 ****",
        "20241121 ____",
        "850101-XX",
        "1850101-XXXX",
        "20241121 - ........",
        "20241121 ...",
        "241121-8.30",
        "241121-123.",
        "Var det 20241121????",
    ],
)
def test_what_only_looks_masked_passes(text: str) -> None:
    assert find(text) == []


@given(numbers(), st.data())
def test_however_an_ending_is_masked_the_number_blocks(number: str, data: st.DataObject) -> None:
    born = data.draw(st.sampled_from([number[2:8], number[:8], f"{number[:4]}-{number[4:6]}-{number[6:8]}"]))
    joint = data.draw(st.sampled_from(["-", "+", "–", "--", " - ", "  -  "] if len(born) < 10 else ["-", "+"]))
    mask = data.draw(st.sampled_from("xXnN*#?_•●.×Х"))
    shown = data.draw(st.integers(0, 2))
    zero = ord(data.draw(st.sampled_from(SCRIPTS)))
    written = f"{born}{joint}{number[8 : 8 + shown]}{mask * (4 - shown)}"
    written = written.translate({ord("0") + digit: zero + digit for digit in range(10)})
    around = data.draw(AROUND)
    assert [(f.blocks, f.start) for f in find(f"{around}{written}") if f.blocks] == [(True, len(around))], ascii(
        written
    )


@st.composite
def dates(draw: st.DrawFn) -> str:
    def one() -> date:
        return draw(st.dates(date(1950, 1, 1), date(2035, 12, 31)))

    written = draw(
        st.sampled_from(["%Y-%m-%d", "%y-%m-%d", "%Y%m%d", "%y%m%d", "%d.%m.%Y", "%d/%m %Y", "%d-%m-%y", "%Y/%m/%d"])
    )
    between = draw(st.sampled_from(["–", " - ", " – ", "\n", ", ", " och ", " till "]))
    hour = f"{draw(st.integers(0, 23)):02}{draw(st.sampled_from(':.'))}{draw(st.integers(0, 59)):02}"
    apart = draw(st.sampled_from([" ", ", ", "     ", " - ", "  -  "]))
    hours = draw(st.sampled_from(["", apart + hour, " kl. 08.30–10.00", ", 1030", "T10:30:00"]))
    first, second = one().strftime(written), one().strftime(written)
    return draw(
        st.sampled_from([first, first + hours, first + between + second, first + hours + "\n" + second + hours])
    )


@given(st.lists(dates(), min_size=1, max_size=4))
@example(["19-05-12 – 19-06-30"])
def test_dates_never_block(parts: list[str]) -> None:
    assert not [finding for finding in find("; ".join(parts)) if finding.blocks]


MOBILE_YEARS = st.integers(2001, 2009)


@given(numbers(year=MOBILE_YEARS))
def test_ten_digits_that_can_be_dialed_block_until_the_writer_confirms(number: str) -> None:
    text = f"ring {number[2:]} nu"
    assert find(text) == [Finding(find(text)[0].kind, 5, 15, 1, blocks=True, may_be_phone=True)]
    assert find(text, phones_confirmed=True) == [Finding(Kind.PHONE, 5, 15, 1, blocks=False, may_be_phone=True)]
    validate(text, phones_confirmed=True)
    with pytest.raises(ValidationError) as refused:
        validate(text)
    assert refused.value.code == "personal_number"
    assert refused.value.params == {"line": 1, "may_be_phone": True}
    assert "070-123 45 67" in refused.value.messages[0]


@given(numbers(year=MOBILE_YEARS))
def test_confirming_phones_frees_nothing_else(number: str) -> None:
    for text in (number, f"{number[2:8]}-{number[8:]}", f"{number[2:8]} {number[8:]}", f"{number[2:8]}-XXXX"):
        assert [finding.blocks for finding in find(text, phones_confirmed=True)] == [True]


@given(st.data(), numbers(year=MOBILE_YEARS))
def test_a_number_grouped_as_phones_are_only_warns(data: st.DataObject, number: str) -> None:
    n = number[2:]
    groups = [(3, 3, 2, 2), (3, 3, 4), (3, 7), (4, 2, 2, 2), (4, 6), (2, 3, 3, 2), (2, 4, 4), (2, 8)]
    cuts = [0, *accumulate(data.draw(st.sampled_from(groups)))]
    first, *rest = [n[start:end] for start, end in pairwise(cuts)]
    home = [f"{first}{joint}{' '.join(rest)}" for joint in ("-", " ", "/", " - ")] + [f"({first}) {' '.join(rest)}"]
    abroad = [f"{code}{first[1:]} {' '.join(rest)}" for code in ("+46 ", "+46 (0)", "+46", "0046 ", "0046")]
    abroad += [f"+{number}", f"+{number[:2]} {n}", f"+{number[:2]} {n[:2]} {n[2:6]} {n[6:]}", f"00{number[:2]} {n}"]
    grouped = data.draw(st.sampled_from(home + abroad))
    assume(not n.startswith(("020", "077")))  # never anybody's own
    findings = find(f"Ring {grouped}.")
    assert [(finding.kind, finding.blocks) for finding in findings] == [(Kind.PHONE, False)]
    validate(grouped)


@given(numbers())
def test_no_value_leaves_the_guard(number: str) -> None:
    text = f"rad ett\n{number[2:8]}-{number[8:]}, 070-123 45 67, anna@example.se\ndnr 2026-98765, Storgatan 77"
    findings = find(text)
    assert len(findings) == 5
    with pytest.raises(ValidationError) as refused:
        validate(text)
    said = repr(findings) + str(findings) + " ".join(describe(findings))
    said += repr(refused.value) + str(refused.value) + repr(refused.value.params) + repr(vars(refused.value))
    for value in (number[2:8], number[8:], "070", "45 67", "anna", "example", "98765", "Storgatan", "77"):
        assert value not in said.replace("070-123 45 67, anna", "")


def test_findings_are_said_in_words_with_their_line() -> None:
    text = "Hej\r\nanna@example.se\n\n19850101-1236 och 19850101-1236\n8501611234 ring 070-123 45 67"
    text = text.replace("8501611234", checked("850161123"))
    assert describe(find(text)) == [
        "An e-mail address (line 2)",
        "A personal identity number (line 4)",
        "A coordination number (line 5)",
        "A phone number (line 5)",
    ]
    assert describe([]) == []


def test_a_certain_number_is_refused_before_a_doubtful_one() -> None:
    doubtful = checked("050101123")
    with pytest.raises(ValidationError) as refused:
        validate(f"{doubtful}\n19850101-1236")
    assert refused.value.messages == [
        "The text contains a personal identity number. Take it out: we keep nothing about individual people."
    ]
    assert refused.value.params == {"line": 2, "may_be_phone": False}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("070-123 45 67", [Kind.PHONE]),
        ("٠٧٠-١٢٣ ٤٥ ٦٧", [Kind.PHONE]),
        ("(070) 123 45 67", [Kind.PHONE]),
        ("070.123.45.67", [Kind.PHONE]),
        ("08-12 34 56", [Kind.PHONE]),
        ("08-123 456 78", [Kind.PHONE]),
        ("0300-123 45", [Kind.PHONE]),
        ("0701234567", [Kind.PHONE]),
        ("0701234567²", [Kind.PHONE]),  # a footnote
        ("+46(0)701234567", [Kind.PHONE]),
        ("0046 70 123 45 67", [Kind.PHONE]),
        ("46701234567", [Kind.PHONE]),
        ("+963 11 123 4567", [Kind.PHONE]),
        ("+47 12 34 56 78", [Kind.PHONE]),
        ("05-06 2026 070-1234567", [Kind.PHONE]),
        ("070-123 45 67, 073-765 43 21", [Kind.PHONE, Kind.PHONE]),
        ("anna.b+x@soc.example.se", [Kind.EMAIL]),
        ("anna＠example.se", [Kind.EMAIL]),
        ("anna [at] example.se", [Kind.EMAIL]),
        ("dnr 2026-123", [Kind.CASE_NUMBER]),
        ("Dnr: SN 2026/00123", [Kind.CASE_NUMBER]),
        ("ärende 2026-123", [Kind.CASE_NUMBER]),
        ("a\u0308rende 2026-123", [Kind.CASE_NUMBER]),
        ("ärendenummer 12", [Kind.CASE_NUMBER]),
        ("mål nr T 123-26", [Kind.CASE_NUMBER]),
        ("mål 1234-26", [Kind.CASE_NUMBER]),
        ("T 1234-26", [Kind.CASE_NUMBER]),
        ("case no. 123", [Kind.CASE_NUMBER]),
        ("dnr 070-123 45 67", [Kind.CASE_NUMBER, ...]),
        ("Storgatan 5", [Kind.STREET_ADDRESS]),
        ("Stora Nygatan 12 B", [Kind.STREET_ADDRESS]),
        ("Karl Johans gata 5", [Kind.STREET_ADDRESS]),
        ("sveavägen 12", [Kind.STREET_ADDRESS]),
    ],
)
def test_what_may_be_public_only_warns(text: str, kinds: list[Kind]) -> None:
    found = find(f"({text}).")
    assert [finding.kind for finding in found][: len(kinds)] == [kind for kind in kinds if kind is not ...]
    assert not any(finding.blocks for finding in found)
    validate(text)


@pytest.mark.parametrize(
    "text",
    [
        "112, 114 14, 116 111, 1177, 113 13 and 020-50 50 50",
        "+46 20 50 50 50, 0771-11 22 33",
        "2024-2026, 2026-11-21, 21/11 2026, 05/06 2026, 01-02-2026, 05-06-07, 21.11.26",
        "kl. 08.30–10.00, 0830-1000, 8.30, 2026-11-21 08.30-10.00",
        "SFS 2025:400, SoL (2001:453), LVU 1-4 §§, 13 kap. 1 §, OSL 26:1, art. 2021-8-7516",
        "27 300 barn, 1 234 567 kr, 10 000 000, 73 %, 1,8 mot 3,6 år",
        "https://www.tiktok.com/@user/video/7123456789012345678",
        "4000850101123600",
        "556036-0793, bankgiro 5050-1055",
        "Agenda 2030 mål 16, mål 2024-2026, ett ärende om året, in case 10-15 come",
        "på vägen 5, Sveavägen 2026, handlingsplan 2026, plats 12, klass 5 B",
        "@socialtjansten, a@b, 3@4",
        "Socialtjänsten får inte ta ditt barn utan beslut.",
        "",
        "\x00\ud800\U000e0001",
    ],
)
def test_what_everybody_may_know_passes(text: str) -> None:
    assert find(text) == []


@given(numbers(), st.sampled_from("0123456789"))
def test_digits_within_longer_digits_pass(number: str, more: str) -> None:
    card = "4000" + number
    for text in (number + more, more + number, card, number + "0000", " ".join(re.findall("....", card))):
        assert not [finding for finding in find(text) if finding.blocks]


@given(numbers())
def test_the_strongest_finding_wins(number: str) -> None:
    for text in (f"dnr {number[2:8]}-{number[8:]}", f"{number}@example.se"):
        assert [finding.blocks for finding in find(text)] == [True]


@given(st.text(st.characters(exclude_categories=()) | st.sampled_from("0123456789+-. @()x*/\n"), max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    findings = find(text)
    ends = [0]
    for finding in findings:
        assert ends[-1] <= finding.start < finding.end <= len(text)
        assert finding.line == text[: finding.start].count("\n") + 1
        ends.append(finding.end)
    assert len(describe(findings)) <= len(findings)


def repeats(parsed: object) -> Iterator[tuple[str, int]]:
    """Every repetition in a parsed pattern, with its upper bound."""
    for operator, argument in parsed:  # type: ignore[attr-defined]
        if str(operator).endswith("_REPEAT"):
            yield str(operator), argument[1]
            yield from repeats(argument[2])
        elif str(operator) == "BRANCH":
            for branch in argument[1]:
                yield from repeats(branch)
        elif str(operator) in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
            yield from repeats(argument[-1])


def test_no_pattern_can_run_away() -> None:
    """Unbounded repetition never gives back what it took, so no text makes the guard slow."""
    patterns = {name: value for name, value in vars(guard).items() if isinstance(value, re.Pattern)}
    assert len(patterns) >= 8
    for name, pattern in patterns.items():
        for operator, most in repeats(re._parser.parse(pattern.pattern, pattern.flags)):  # type: ignore[attr-defined]
            assert operator == "POSSESSIVE_REPEAT" or most <= 30, name


@pytest.mark.parametrize(
    "text",
    [
        "Är muslim",
        "muslimska kvinnor",
        "han är KRISTEN",
        "Imam i Norr",
        "prästen",
        "judarna",
        "syrisk-ortodox",
        "kurd",
        "kurderna",
        "somalier",
        "en arab",
        "etnisk bakgrund",
        "kurdiskt ursprung",
        "mus\u00adlim",
    ],
)
def test_a_word_for_a_faith_or_an_origin_is_found_where_it_is_about_a_person(text):
    (finding,) = find(text, is_about_person=True)
    assert (finding.kind, finding.blocks) == (Kind.FAITH_OR_ORIGIN, False)
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Tolkar kurdiska, somaliska, arabiska, turkiska och syriska",
        "Bor i Kristinehamn, född Kristensson",
        "Sa ja ursprungligen per telefon",
        "Ordförande. Kontakt för familjer.",
        "Judith Arabesk",
        "same day, in the same room",
        "Pastorat",
    ],
)
def test_a_language_a_name_and_what_only_looks_alike_is_no_faith_and_no_origin(text):
    assert find(text, is_about_person=True) == []


def test_a_word_for_a_faith_says_where_it_stands_and_nothing_more():
    (finding,) = find("Ordförande\nmuslim", is_about_person=True)
    assert (finding.line, describe([finding])) == (2, ["A word for a faith or an origin (line 2)"])
