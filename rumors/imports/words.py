"""What people call our fields and codes in lists of their own, and how they write days and numbers."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

from django.utils import translation
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.fold import fold
from rumors.vocabulary import (
    Audience,
    Channel,
    ClaimType,
    HeardHow,
    Precision,
    Priority,
    Sensitivity,
    Spreader,
)

LABELS: Final = {
    "rumor": pgettext_lazy("staff", "Number of the rumor"),
    "claim": pgettext_lazy("staff", "The claim"),
    "seen_on": pgettext_lazy("staff", "When"),
    "channel": pgettext_lazy("staff", "Where"),
    "original_language": pgettext_lazy("staff", "Language"),
    "original": pgettext_lazy("staff", "The words as they were said"),
    "area": pgettext_lazy("staff", "District"),
    "url": pgettext_lazy("staff", "Link"),
    "is_threat": pgettext_lazy("staff", "It holds a threat"),
    "heard_how": pgettext_lazy("staff", "How it was heard"),
    "claim_type": pgettext_lazy("staff", "Kind of claim"),
    "topic": pgettext_lazy("staff", "Topic"),
    "priority": pgettext_lazy("staff", "Priority"),
    "sensitivity": pgettext_lazy("staff", "Who may read it"),
    "precision": pgettext_lazy("staff", "How exactly the day is known"),
    "archive_url": pgettext_lazy("staff", "Link to an archived copy"),
    "country": pgettext_lazy("staff", "Country"),
    "audience": pgettext_lazy("staff", "Who is addressed"),
    "spreader": pgettext_lazy("staff", "What kind of sender"),
    "reached": pgettext_lazy("staff", "About how many it has reached"),
}
"""Our fields in the order in which one thinks of them."""
FOLDED: Final = tuple(LABELS)[9:]
"""What most lists do not have."""
CHOICES: Final[Mapping[str, Any]] = {
    "channel": Channel,
    "heard_how": HeardHow,
    "claim_type": ClaimType,
    "priority": Priority,
    "sensitivity": Sensitivity,
    "precision": Precision,
    "audience": Audience,
    "spreader": Spreader,
}
FIXABLE: Final = ("seen_on", "channel", "original_language", "area", *CHOICES.keys() - {"channel"}, "topic")
"""What may be said once for all rows."""

_SAID: Final = {
    "rumor": "nummer, nr, rykte nr, ryktesnummer, ryktets nummer, r-nummer, id, number, rumor, rumour, rumor number",
    "claim": "påstående, påståendet, rykte, ryktet, vad som sägs, text, budskap, claim, rumor text, message, what",
    "seen_on": "datum, dag, när, tid, tidpunkt, sågs, hördes, date, day, when, seen, seen on, time",
    "channel": "kanal, var, plats, källa, forum, plattform, channel, where, place, source, platform",
    "original_language": "språk, språket, talat språk, language, lang, spoken language",
    "original": "ord, ordagrant, citat, originaltext, ursprunglig text, orden, så sades det, quote, original, words",
    "area": "område, stadsdel, kommundel, distrikt, area, district, neighborhood",
    "url": "länk, webbadress, url, adress till inlägget, link, web address",
    "is_threat": "hot, innehåller hot, threat, is threat",
    "heard_how": "hur, hur hörde du det, hur det hördes, heard how, how",
    "claim_type": "typ, slag, typ av påstående, slags påstående, type, kind, claim type",
    "topic": "ämne, tema, topic, theme, subject",
    "priority": "prioritet, prio, priority",
    "sensitivity": "sekretess, vem får läsa, känslighet, sensitivity, secrecy",
    "precision": "precision, hur säkert datum, date precision",
    "archive_url": "arkiv, arkivlänk, arkiverad kopia, archive, archive link, archive url",
    "country": "land, country",
    "audience": "målgrupp, mottagare, audience, target group",
    "spreader": "avsändare, typ av avsändare, spridare, sender, spreader",
    "reached": "räckvidd, antal, visningar, antal nådda, spridning, reach, reached, views, count",
}
_SWEDISH: Final = {
    "sv": "svenska", "en": "engelska", "ar": "arabiska", "so": "somaliska", "fa": "persiska, farsi", "prs": "dari",
    "ti": "tigrinja, tigrinska, tigrinya", "kmr": "kurmanji, nordkurdiska", "ckb": "sorani, sydkurdiska",
    "tr": "turkiska", "pl": "polska", "uk": "ukrainska", "ru": "ryska", "fi": "finska", "bs": "bosniska",
    "hr": "kroatiska", "sr": "serbiska", "es": "spanska", "fr": "franska", "ro": "rumänska", "ps": "pashto",
    "ur": "urdu", "sq": "albanska", "am": "amhariska", "th": "thailändska, thai",
    "zh-hans": "kinesiska, förenklad kinesiska, mandarin", "fit": "meänkieli", "se": "nordsamiska, samiska",
    "smj": "lulesamiska", "sma": "sydsamiska", "rom": "romani, romska", "yi": "jiddisch",
}  # fmt: skip


def key(text: str) -> str:
    """As words are compared: without case, marks, punctuation and the spaces between them."""
    return re.sub(r"[\W_]+", "", fold(text))


@cache
def _fields() -> dict[str, str]:
    found: dict[str, str] = {}
    for code in languages.STAFF:
        with translation.override(code):
            for name, label in LABELS.items():
                found.setdefault(key(str(label)), name)
    for name, words in _SAID.items():
        for word in (name, *words.split(",")):
            found.setdefault(key(word), name)
    return found


def guessed(header: Iterable[str], habit: Mapping[str, str]) -> dict[str, int]:
    """Which column each of our fields is in, by what the column is called; the first of that name is taken."""
    found: dict[str, int] = {}
    for place, title in enumerate(header):
        called = key(title)
        name = habit.get(called) or _fields().get(called)
        if name in LABELS and called:
            found.setdefault(name, place)
    return found


def habit(header: list[str], columns: Mapping[str, int]) -> dict[str, str]:
    """What `guessed` wants to know the next time."""
    called = {name: key(header[place]) for name, place in columns.items()}
    return {title: name for name, title in called.items() if title}


_EITHER: Final = re.compile(r" (?:eller|or) |[/()]")

# Values ----------------------------------------------------------------------------------------------------------


@cache
def _codes(name: str) -> dict[str, str]:
    if name == "original_language":
        return {
            key(word): code
            for code, known in languages.CATALOG.items()
            for word in (code, known.tag, known.autonym, known.english, *_SWEDISH[code].split(","))
        }
    found = {key(value): str(value) for value in CHOICES[name].values}
    parts: dict[str, set[str]] = {}
    for code in languages.STAFF:
        with translation.override(code):
            for choice in CHOICES[name]:
                found[key(str(choice.label))] = str(choice.value)
                for part in _EITHER.split(str(choice.label)):
                    parts.setdefault(key(part), set()).add(str(choice.value))
    # People write school where a label says school or preschool; what is part of two labels says neither.
    return {part: values.pop() for part, values in parts.items() if len(values) == 1} | found


def understood(name: str, text: str) -> str:
    """The text of a cell as the form of a rumor wants it; what is not understood comes back as it is, for the form to
    refuse."""
    text = text.strip()
    if name in CHOICES or name == "original_language":
        return _codes(name).get(key(text), text)
    if name == "seen_on":
        day = _day(text)
        return day.isoformat() if day else text
    if name == "reached":
        return re.sub(r"(?<=\d)[\s\u00a0\u202f.](?=\d{3}\b)", "", text)
    if name == "is_threat":
        return _yes_or_no(text)
    return text


_YES: Final = frozenset(["ja", "j", "yes", "y", "true", "sant", "1", "x", "on"])
_NO: Final = frozenset(["nej", "n", "no", "false", "falskt", "0", "off"])


def _yes_or_no(text: str) -> str:
    word = key(text)
    return "on" if word in _YES else "" if word in _NO or not word else text


_MONTHS: Final = ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]
_DAYS: Final = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:[T ].*)?", re.ASCII),
    re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII),
    re.compile(r"(?P<d>\d{1,2})[-/.]\s?(?P<m>\d{1,2})[-/.\s]\s?(?P<y>\d{4})(?: .*)?", re.ASCII),
    re.compile(
        r"(?:den )?(?P<d>\d{1,2})\.?(?::?[ae])? (?P<w>[^\W\d_]{3,9})\.?,? (?P<y>\d{4})", re.ASCII | re.IGNORECASE
    ),
)
_EXCEL_BEGINS: Final = date(1899, 12, 30)


def _day(text: str) -> date | None:
    """2026-11-03, 3.11.2026, 3/11 2026, 3 nov 2026, or the number that Excel keeps for it."""
    for pattern in _DAYS:
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            month = int(parts["m"]) if "m" in parts else _month(parts["w"])
            try:
                return date(int(parts["y"]), month, int(parts["d"]))
            except ValueError:
                return None
    if re.fullmatch(r"[34567]\d{4}(?:\.\d+)?", text, re.ASCII):
        return _EXCEL_BEGINS + timedelta(days=int(float(text)))
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _month(word: str) -> int:
    """Swedish and English, by their first three letters."""
    start = fold(word)[:3].replace("may", "maj").replace("oct", "okt")
    return _MONTHS.index(start) + 1 if start in _MONTHS else 0
