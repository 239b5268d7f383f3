"""The coverage report as a file. No person is in it."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.invitations.rules import Coverage
from portal.sheets import ExcelSheet

_COLUMNS: Final = {
    pgettext_lazy("staff", "Name"): 36,
    pgettext_lazy("staff", "Kind"): 24,
    pgettext_lazy("staff", "District"): 18,
    pgettext_lazy("staff", "How it is reached"): 28,
    pgettext_lazy("staff", "Invited, times"): 12,
    pgettext_lazy("staff", "Came, times"): 12,
    pgettext_lazy("staff", "Came last"): 14,
}
"""What they are called, and how wide they are."""


def workbook(rows: Iterable[Coverage]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, name = Path(folder) / "coverage.xlsx", pgettext("staff", "Who is reached")
        with ExcelSheet(path, name=name, widths=list(_COLUMNS.values())) as sheet:
            sheet.write([str(label) for label in _COLUMNS])
            for row in rows:
                actor = row.actor
                last = timezone.localdate(row.came_last_at) if row.came_last_at else None
                kind, reach = str(actor.get_kind_display()), str(row.reach.label)
                sheet.write([actor.name, kind, actor.area, reach, row.invited, row.came, last])
        return path.read_bytes()
