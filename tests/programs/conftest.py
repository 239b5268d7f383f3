from datetime import time, timedelta

import pytest

from events import actions as events
from events.programs import actions
from events.programs.models import Speaker
from tests import factories
from tests.events.conftest import form, make_event, public, staff
from tests.pictures.conftest import sent
from tests.pictures.images import file_of, photograph

__all__ = ["form", "make_event", "public", "staff"]


def clock(text: str) -> time:
    return time.fromisoformat(text)


def line(when: str, title: str = "", *speakers: dict, **more) -> dict:
    """A row as `actions.write` wants it; `when` is "08:30-09:00"."""
    starts, ends = map(clock, when.split("-"))
    titles = {"sv": title} if title else {}
    row = {"day": 1, "starts": starts, "ends": ends, "is_break": not title, "titles": titles, "speakers": speakers}
    return row | more


def person(name: str, title: str = "", organization: str = "", **more) -> dict:
    return {"name": name, "title": title, "organization": organization} | more


def rows_of(event) -> list[dict]:
    """The program as it stands, as rows that can be changed and written again."""
    return [
        {
            "id": item.pk,
            "day": item.day,
            "starts": item.starts,
            "ends": item.ends,
            "is_break": item.is_break,
            "titles": {"sv": item.title_sv or ""},
            "abstracts": {"sv": item.abstract_sv or ""},
            "speakers": [
                person(*each.speaker.terms, is_moderator=each.is_moderator)
                for each in item.appearances.select_related("speaker")
            ],
        }
        for item in event.program.all()
    ]


def write(event, *rows, **more) -> None:
    actions.write(event, rows, by=factories.user(), **more)


def rewrite(event, changed, **more):
    """Publish the program after `changed` has altered its rows in place."""
    rows = rows_of(event)
    changed(rows)
    actions.write(event, rows, by=factories.user())
    return actions.publish(event, by=factories.user(), **more)


def put_off(event, **by):
    """The same event, so much later."""
    starts_at, ends_at = (at + timedelta(**by) for at in (event.starts_at, event.ends_at))
    return events.edit(event, starts_at=starts_at, ends_at=ends_at, by=factories.user())


def named(name: str) -> Speaker:
    return Speaker.objects.get(name=name)


@pytest.fixture
def photo():
    """What a browser sends."""
    return lambda: sent(file_of(photograph(size=(300, 400)), "JPEG"))
