"""What parsers of calendars let pass and calendar programs do not: the rules of RFC 5545, 5546 and 6047."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from zoneinfo import ZoneInfo

from icalendar import Calendar

ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "STATUS", "URL", "ORGANIZER"}
"""Of those that our entries have; RFC 5545 asks for the first three, our calendars for the others."""
AT_MOST_ONCE = {"DESCRIPTION", "LOCATION"}
TEXTS = {"SUMMARY", "DESCRIPTION", "LOCATION", "UID", "STATUS", "PRODID", "NAME", "X-WR-CALNAME"}
STATUSES = {
    "PUBLISH": {"TENTATIVE", "CONFIRMED", "CANCELLED"},
    "REQUEST": {"TENTATIVE", "CONFIRMED"},
    "CANCEL": {"CANCELLED"},
}
_LINE = re.compile(r'([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Z0-9-]+)=("[^"]*"|[^";:,]*)')
_TEXT = re.compile(r"(?:[^\\;,]|\\[\\;,nN])*", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LAST_SUNDAY = re.compile(r"FREQ=YEARLY;BYDAY=-1SU;BYMONTH=(3|10)")
_MAILTO = re.compile(r"mailto:[A-Za-z0-9!$'*+,._~%-]+@[A-Za-z0-9.-]+")


@dataclass
class Line:
    name: str
    parameters: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        return _ESCAPE.sub(lambda escape: {"n": "\n", "N": "\n"}.get(escape[1], escape[1]), self.value)

    @property
    def moment(self) -> datetime:
        """What a reader without our programs takes it for. Fails for a time that is not there, or there twice."""
        assert not self.parameters.keys() - {"TZID"}, self
        if self.value.endswith("Z"):
            assert not self.parameters, self
            return datetime.strptime(self.value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert "TZID" in self.parameters, f"{self} is another time in every country"
        local = datetime.strptime(self.value, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(self.parameters["TZID"]))
        moment = local.astimezone(UTC)
        assert moment.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None), (
            f"{self} is not there"
        )
        assert local.replace(fold=1).astimezone(UTC) == moment, f"{self} is there twice"
        return moment


@dataclass
class Part:
    name: str
    lines: list[Line] = field(default_factory=list)
    parts: list["Part"] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.name == name]

    def one(self, name: str) -> Line:
        found = self.all(name)
        assert len(found) == 1, f"{len(found)} {name} in {self.name}"
        return found[0]

    def walk(self) -> Iterator["Part"]:
        yield self
        for part in self.parts:
            yield from part.walk()


def checked(content: bytes, *, method: str = "PUBLISH") -> Calendar:
    """The file, parsed by icalendar, after every rule of ours, and libical, have let it pass."""
    whole = _parsed(_unfolded(content))
    assert whole.name == "VCALENDAR"
    assert (whole.one("METHOD").value, whole.one("VERSION").value) == (method, "2.0")
    assert whole.one("PRODID").value
    for part in whole.walk():
        _check_texts(part)
    _check_zones(whole)
    entries = [part for part in whole.parts if part.name == "VEVENT"]
    assert {part.name for part in whole.parts} <= {"VEVENT", "VTIMEZONE"}
    assert max(Counter(entry.one("UID").value for entry in entries).values(), default=1) == 1
    for entry in entries:
        _check_entry(entry, method)
    assert libical_says(content) == []
    return Calendar.from_ical(content)


def entries(content: bytes) -> list[Part]:
    return [part for part in _parsed(_unfolded(content)).parts if part.name == "VEVENT"]


# The file --------------------------------------------------------------------------------------------------------


def _unfolded(content: bytes) -> list[str]:
    assert content.endswith(b"\r\n")
    assert b"\r" not in content.replace(b"\r\n", b""), "a CR alone"
    assert b"\n" not in content.replace(b"\r\n", b""), "a LF alone"
    lines: list[str] = []
    for octets in content.removesuffix(b"\r\n").split(b"\r\n"):
        assert 0 < len(octets) <= 75, octets
        piece = octets.decode()  # fails when a letter is cut in two
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", piece), f"a control character in {piece!r}"
        if piece.startswith((" ", "\t")):
            assert len(octets) > 1, "a fold without anything in it"
            lines[-1] += piece[1:]
        else:
            lines.append(piece)
    return lines


def _parsed(lines: list[str]) -> Part:
    open_parts: list[Part] = []
    whole = None
    for line in lines:
        match = _LINE.fullmatch(line)
        assert match, f"no line of a calendar: {line!r}"
        name, parameters, value = match.groups()
        found = Line(name, {key: given.strip('"') for key, given in _PARAMETER.findall(parameters)}, value)
        if name == "BEGIN":
            part = Part(value)
            if open_parts:
                open_parts[-1].parts.append(part)
            else:
                assert whole is None, "two calendars in a file"
                whole = part
            open_parts.append(part)
        elif name == "END":
            assert open_parts.pop().name == value
        else:
            open_parts[-1].lines.append(found)
    assert whole, "no calendar in the file"
    assert not open_parts
    return whole


def _check_texts(part: Part) -> None:
    for line in part.lines:
        assert line.name not in TEXTS or _TEXT.fullmatch(line.value), f"{line} is escaped too little or too much"


def _check_zones(whole: Part) -> None:
    zones = [part for part in whole.parts if part.name == "VTIMEZONE"]
    defined = [zone.one("TZID").value for zone in zones]
    assert len(defined) == len(set(defined)), "a zone is there twice"
    used = {line.parameters["TZID"] for part in whole.walk() for line in part.lines if "TZID" in line.parameters}
    assert used == set(defined)
    for zone in zones:
        assert [part.name for part in zone.parts] == ["DAYLIGHT", "STANDARD"]
        for part in zone.parts:
            for year in range(2000, 2102):
                _check_onset(part, year, ZoneInfo(zone.one("TZID").value))


def _check_onset(part: Part, year: int, zone: ZoneInfo) -> None:
    """Summer or winter time of a year begins when it does, as a reader takes it who knows no zones."""
    before, after = (_offset(part.one(name).value) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    rule = _LAST_SUNDAY.fullmatch(part.one("RRULE").value)
    assert rule, part
    first = datetime.strptime(part.one("DTSTART").value, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local by definition
    assert (first.month, first.isoweekday(), first.day > 24, first.year <= year) == (int(rule[1]), 7, True, True)
    last_day = first.replace(year=year, day=31)
    onset = (last_day - timedelta(days=last_day.isoweekday() % 7) - before).replace(tzinfo=UTC)
    assert (onset - timedelta(seconds=1)).astimezone(zone).utcoffset() == before
    assert onset.astimezone(zone).utcoffset() == after


def _offset(value: str) -> timedelta:
    return timedelta(hours=int(value[:3]), minutes=int(value[0] + value[3:]))


# The entry -------------------------------------------------------------------------------------------------------


def _check_entry(entry: Part, method: str) -> None:
    names = {line.name for line in entry.lines}
    for name in ONCE | (AT_MOST_ONCE & names):
        entry.one(name)
    assert names <= ONCE | AT_MOST_ONCE | {"ATTENDEE"}, names
    assert not entry.parts
    assert re.fullmatch(r"\d{8}T\d{6}Z", entry.one("DTSTAMP").value), "DTSTAMP is in UTC"
    assert re.fullmatch(r"\d+", entry.one("SEQUENCE").value)
    assert entry.one("DTSTART").moment < entry.one("DTEND").moment
    assert entry.one("SUMMARY").text.strip()
    assert re.match(r"https?://[^\s\\]+$", entry.one("URL").value)
    # Which status goes with which method, and who takes part: RFC 5546, 3.2.1, 3.2.2 and 3.2.5.
    assert entry.one("STATUS").value in STATUSES[method]
    attendees = entry.all("ATTENDEE")
    assert len(attendees) == (0 if method == "PUBLISH" else 1)
    for line in [entry.one("ORGANIZER"), *attendees]:
        assert _MAILTO.fullmatch(line.value), line


# libical ---------------------------------------------------------------------------------------------------------


@cache
def _libical() -> ctypes.CDLL:
    library = ctypes.CDLL("libical.so.3")  # Debian: apt-get install libical3
    library.icalparser_parse_string.restype = ctypes.c_void_p
    library.icalparser_parse_string.argtypes = [ctypes.c_char_p]
    library.icalrestriction_check.argtypes = [ctypes.c_void_p]
    library.icalcomponent_count_errors.argtypes = [ctypes.c_void_p]
    library.icalcomponent_as_ical_string.restype = ctypes.c_char_p
    library.icalcomponent_as_ical_string.argtypes = [ctypes.c_void_p]
    library.icalcomponent_free.argtypes = [ctypes.c_void_p]
    library.icalerror_set_errors_are_fatal(0)
    return library


def libical_says(content: bytes) -> list[str]:
    """What libical, which Evolution, KDE and Thunderbird are built on, finds wrong: in reading, then by its table of
    restrictions."""
    library = _libical()
    read = library.icalparser_parse_string(content)
    assert read, "libical reads no calendar in it"
    try:
        is_allowed = library.icalrestriction_check(read)
        told = library.icalcomponent_as_ical_string(read).decode().replace("\r\n ", "")
        errors = [line for line in told.split("\r\n") if line.startswith("X-LIC-ERROR")]
        assert library.icalcomponent_count_errors(read) == len(errors)
        return errors or ([] if is_allowed else ["refused without a word"])
    finally:
        library.icalcomponent_free(read)


# The letter ------------------------------------------------------------------------------------------------------


def calendar_of(letter: EmailMessage) -> tuple[str, bytes]:
    """Method and file of a letter, which holds it twice (RFC 6047): to act on, and to open.

    mixed [alternative [plain, HTML, calendar], file]: programs take the last alternative that they know.
    """
    assert letter.get_content_type() == "multipart/mixed"
    alternative, attached = letter.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    parts = list(alternative.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/calendar"]
    acted_on = parts[2]
    assert acted_on.get_param("charset") == "utf-8"
    assert not acted_on.is_attachment()
    assert attached.get_content_type() == "application/ics"
    assert (attached.get_content_disposition(), attached.get_filename()) == ("attachment", "calendar.ics")
    for part in (acted_on, attached):
        assert part["Content-Transfer-Encoding"] in {"base64", "quoted-printable", "7bit"}
    content = attached.get_payload(decode=True)
    assert acted_on.get_payload(decode=True) == content
    method = acted_on.get_param("method")
    checked(content, method=method)
    return method, content
