"""The register of actors as a file. No person is in it."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from django.utils.translation import pgettext, pgettext_lazy

from events.actors.models import Actor
from portal import guard, languages
from portal.sheets import ExcelSheet, Value

_COLUMNS: Final = {
    pgettext_lazy("staff", "Name"): 36,
    pgettext_lazy("staff", "Kind"): 24,
    pgettext_lazy("staff", "District"): 18,
    pgettext_lazy("staff", "Topics"): 30,
    pgettext_lazy("staff", "Languages"): 30,
    pgettext_lazy("staff", "Bridge builders or interpreters of its own"): 18,
    pgettext_lazy("staff", "What it needs"): 50,
    pgettext_lazy("staff", "E-mail address of a function"): 30,
    pgettext_lazy("staff", "Phone number of a function"): 20,
    pgettext_lazy("staff", "Website"): 30,
    pgettext_lazy("staff", "We work with it"): 12,
    pgettext_lazy("staff", "Look at it again"): 14,
}
"""What they are called, and how wide they are."""


def workbook(actors: Iterable[Actor]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, name = Path(folder) / "actors.xlsx", pgettext("staff", "Actors")
        with ExcelSheet(path, name=name, widths=list(_COLUMNS.values())) as sheet:
            sheet.write([str(label) for label in _COLUMNS])
            for actor in actors:
                sheet.write(_row(actor))
        return path.read_bytes()


def _row(actor: Actor) -> list[Value]:
    return [
        _looked_at(actor.name),
        str(actor.get_kind_display()),
        _looked_at(actor.area),
        ", ".join(map(str, actor.topics.all())),
        ", ".join(str(languages.get(code).in_both_scripts) for code in actor.languages),
        _yes_or_no(actor.has_bridge_builders),
        _looked_at(actor.needs),
        actor.email,
        actor.phone,
        actor.website,
        _yes_or_no(actor.is_active),
        actor.review_on,
    ]


def _looked_at(text: str) -> str:
    """Without numbers and addresses that somebody had a reason to write among words."""
    return guard.masked(text, guard.find(text))


def _yes_or_no(value: bool) -> str:
    return pgettext("staff", "yes") if value else pgettext("staff", "no")
