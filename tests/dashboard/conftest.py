"""Rumors heard, answered and acted upon at known times."""

from datetime import date, datetime, time, timedelta

import time_machine
from django.utils import timezone

from portal.accounts.models import Role
from rumors import actions
from rumors.models import Rumor, Sighting
from rumors.responses import actions as responses
from rumors.responses.models import Response
from tests.accounts.people import person
from tests.rumors.conftest import log


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), timezone.get_default_timezone())


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def heard(rumor: Rumor, *days: int, **seen) -> list[Sighting]:
    """Sightings so many days ago."""
    by = person(Role.REPORTER)
    values = {"channel": "home_visit", "language": "sv"} | seen
    return [actions.sight(rumor, seen_on=days_ago(day), by=by, **values) for day in days]


def logged(day: int, **values) -> Rumor:
    """Logged, and first heard of, so many days ago."""
    with time_machine.travel(noon(days_ago(day)), tick=False):
        return log(seen_on=timezone.localdate(), **values)


def acted(rumor: Rumor, day: int, action: str = "reply_public") -> Response:
    """Something that was done about it so many days ago."""
    with time_machine.travel(noon(days_ago(day)), tick=False):
        by = person(Role.EDITOR)
        planned = responses.plan(rumor, action=action, by=by)
        return responses.finish(planned, result="Klart", by=by)
