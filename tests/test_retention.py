"""`docs/retention.md` says of every table how long its rows are kept, and says what the code does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "retention.md").read_text()
ROWS = {
    label: kept
    for _what, tables, kept in re.findall(r"^\| ([^|]+) \| ([^|]*`[^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    for label in re.findall(r"`([a-z_]+\.\w+)`", tables)
}
OURS = {model._meta.label: model for model in apps.get_models() if (ROOT / model.__module__.split(".")[0]).is_dir()}


def times(model) -> dict[str, timedelta]:
    found = {name: getattr(model, name) for name in dir(model) if "KEEP" in name}
    return {name: time for name, time in found.items() if isinstance(time, timedelta)}


def test_every_table_is_on_the_page_and_no_other():
    assert ROWS.keys() == OURS.keys()


@pytest.mark.parametrize("label", [label for label, model in OURS.items() if times(model)])
def test_the_page_says_the_days_that_the_code_goes_by(label):
    said = {int(days) for days in re.findall(r"(\d+) days", ROWS[label])}
    assert {time.days for time in times(OURS[label]).values()} <= said
