"""Which strings of the catalogs readers and recipients of mail see; the rest is for staff."""

import re
from pathlib import Path

import polib
from django.utils.translation import to_locale

from portal import languages

ROOT = Path(__file__).resolve().parent.parent
_STAFF = re.compile(
    r"templates/(staff\.html|plain\.html|account/|mfa/|socialaccount/|allauth/|exchange/|links/|revisions/(?!preview)|mail/|reports/"
    r"|components/(language_rows|filters)|[a-z]+/staff/)"
    r"|portal/(accounts|audit|reports)/|portal/revisions/(?!readers/)|portal/mail/(views|forms)"
)
_PUBLIC_CONTEXTS = {"withdrawn", "what changed"}
"""Said to readers by modules that otherwise speak to staff."""


def catalog(code: str) -> polib.POFile:
    return polib.pofile(str(ROOT / "locale" / to_locale(code) / "LC_MESSAGES" / "django.po"))


def is_public(entry: polib.POEntry) -> bool:
    if entry.msgctxt in _PUBLIC_CONTEXTS:
        return True
    return entry.msgctxt != "staff" and any(not _STAFF.match(place) for place, _line in entry.occurrences)


def _is_djangos(entry: polib.POEntry, code: str) -> bool:
    """Names of months and days, where Django has them itself."""
    places = {place for place, _line in entry.occurrences}
    return places == {"portal/languages.py"} and code not in languages.WITHOUT_DJANGO_CATALOG


def missing(code: str, *, staff: bool) -> list[polib.POEntry]:
    """Entries without a whole, certain translation; of those for staff only when `staff`."""
    wanted = [e for e in catalog(code) if (staff or is_public(e)) and not e.obsolete and not _is_djangos(e, code)]
    return [e for e in wanted if not e.translated() or e.fuzzy]
