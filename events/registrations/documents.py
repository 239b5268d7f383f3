"""Who has registered for an event as a file, for as long as the portal keeps them itself."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from django.utils.translation import pgettext, pgettext_lazy

from events.registrations.models import Registration
from portal import languages
from portal.sheets import ExcelSheet

_COLUMNS: Final = {
    pgettext_lazy("staff", "Name"): 30,
    pgettext_lazy("staff", "Seats"): 8,
    pgettext_lazy("staff", "E-mail address"): 34,
    pgettext_lazy("staff", "Language"): 24,
    pgettext_lazy("staff", "Needs"): 50,
    pgettext_lazy("staff", "State"): 24,
}
"""What they are called, and how wide they are."""


def workbook(registrations: Iterable[Registration]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, name = Path(folder) / "registrations.xlsx", pgettext("staff", "Registrations")
        with ExcelSheet(path, name=name, widths=list(_COLUMNS.values())) as sheet:
            sheet.write([str(label) for label in _COLUMNS])
            for registration in registrations:
                sheet.write(
                    [
                        registration.name,
                        registration.party_size,
                        registration.email,
                        str(languages.get(registration.language).in_both_scripts),
                        "; ".join(need.words for need in registration.needs.all()),
                        str(registration.get_state_display()),
                    ]
                )
        return path.read_bytes()
