"""How a report is counted, read and held against another one. Secret rumors and threats are in no number, and no
person is."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

import rules
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth, TruncWeek

from events.models import Event
from events.registrations.models import Registration
from portal import charts, fonts, languages
from portal.accounts.models import Role
from portal.accounts.rules import has_role
from portal.audit.models import AuditEvent
from portal.facts.models import Fact
from portal.facts.readings.models import Opinion, ReadingCount
from portal.questions.models import Outcome, Question
from portal.reports import vocabulary
from portal.reports.models import Numbers, Report
from portal.revisions.models import Edition
from rumors.assessments.models import ReachEstimate
from rumors.dashboard.rules import areas, day_start, days_to_answer, first_answers, quartiles
from rumors.models import ENDED, Rebuttal, Rumor, Sighting
from rumors.responses.models import Response
from rumors.vocabulary import Status

rules.add_perm("reports.view", has_role(Role.MANAGER, Role.AUDITOR, Role.EDITOR))
rules.add_perm("reports.make", has_role(Role.MANAGER, Role.EDITOR))
rules.add_perm("audit.view", has_role(Role.AUDITOR))

WEEKLY: Final = timedelta(days=371)
"""A longer period is told by month."""
MOST_READ: Final = 10


@dataclass(frozen=True, slots=True)
class Period:
    """The days, and the moment up to which anything is known."""

    first: date
    last: date
    as_of: datetime

    @property
    def start(self) -> datetime:
        return day_start(self.first)

    @property
    def end(self) -> datetime:
        """The first moment that is not in it any more, or that nobody knows yet."""
        return min(day_start(self.last + timedelta(days=1)), self.as_of)

    @property
    def days(self) -> tuple[date, date]:
        return self.first, self.last

    def moments(self, field: str) -> Q:
        return Q(**{f"{field}__gte": self.start, f"{field}__lt": self.end})


def count(period: Period, scope: str) -> Numbers:
    """Every table of the sections that a report of this scope has."""
    known = standings(period)
    counted: dict[str, Callable[[Period], Numbers]] = {
        "rumors": partial(_rumors, known=known),
        "sightings": _sightings,
        "answers": partial(_answers, known=known),
        "responses": _responses,
        "questions": _questions,
        "facts": _facts,
        "events": _events,
        "reach": _reach,
    }
    numbers: Numbers = {}
    for section in vocabulary.sections(scope):
        numbers |= {f"{section.key}.{name}": rows for name, rows in counted[section.key](period).items()}
    return numbers


def _rows(counts: Iterable[tuple[Any, int]]) -> list[list[Any]]:
    """The largest first; what there is none of is left out."""
    found = [[code or "", number] for code, number in counts if number]
    return sorted(found, key=lambda row: (-row[1], row[0]))


def _grouped(found: "QuerySet[Any]", by: Any) -> list[list[Any]]:
    return _rows(found.order_by().values(code=by).annotate(number=Count("pk")).values_list("code", "number"))


# Rumors --------------------------------------------------------------------------------------------------------

_KEPT: Final = ("status", "verdict", "priority", "claim_type")


@dataclass(slots=True)
class Standing:
    """A rumor as it stood at the end of the period, and its status at the beginning."""

    pk: int
    logged_at: datetime
    topic: str
    values: dict[str, str]
    status_before: str = ""

    @property
    def is_open(self) -> bool:
        return self.values["status"] not in ENDED


def standings(period: Period) -> list[Standing]:
    """Of all rumors that were open at any time in the period. What became of them later is taken back, change by
    change, by the audit log. Two queries."""
    touched = Q(ended_at__isnull=True) | Q(ended_at__gte=period.start) | Q(logged_at__gte=period.start)
    rows = Rumor.objects.countable().filter(touched, logged_at__lt=period.end)
    topic = _name_of("topic")
    found = {
        str(row["pk"]): Standing(
            row["pk"], row["logged_at"], row[topic] or "", {name: row[name] for name in _KEPT}, row["status"]
        )
        for row in rows.order_by("pk").values("pk", "logged_at", topic, *_KEPT)
    }
    events = AuditEvent.objects.filter(
        kind=Rumor._meta.label_lower, at__gte=period.start, changes__has_any_keys=list(_KEPT)
    ).order_by("-pk")
    end = period.end
    for object_id, at, changes in events.values_list("object_id", "at", "changes"):
        if object_id in found:
            _take_back(found[object_id], at, changes, end)
    return list(found.values())


def _take_back(standing: Standing, at: datetime, changes: Mapping[str, list[Any]], end: datetime) -> None:
    before = {name: changes[name][0] or "" for name in _KEPT if name in changes}
    if at >= end:
        standing.values |= before
    standing.status_before = before.get("status", standing.status_before)


def _name_of(topic: str) -> str:
    """The Swedish name of a topic, by which a report keeps it."""
    return f"{topic}__{languages.suffixed('name', languages.SOURCE)}"


def _rumors(period: Period, *, known: list[Standing]) -> Numbers:
    start = period.start
    logged = [each for each in known if each.logged_at >= start]
    own = [each for each in logged if each.values["status"] != Status.DUPLICATE]
    closed = [
        each
        for each in known
        if each.values["status"] == Status.CLOSED and (each.status_before != Status.CLOSED or each.logged_at >= start)
    ]
    latest = ReachEstimate.objects.filter(rumor__in=[each.pk for each in own], estimated_at__lt=period.end)
    reach = dict(latest.order_by("rumor", "-pk").distinct("rumor").values_list("rumor", "level"))
    return {
        "summary": [
            ["logged", len(logged)],
            ["repeating", len(logged) - len(own)],
            ["closed", len(closed)],
            ["open", sum(each.is_open for each in known)],
        ],
        **{f"by_{name}": _rows(Counter(each.values[name] for each in own).items()) for name in _KEPT},
        "by_topic": _rows(Counter(each.topic for each in own).items()),
        "by_reach": _rows(Counter(reach.get(each.pk, "") for each in own).items()),
    }


# Sightings, answers, responses ---------------------------------------------------------------------------------


def _sightings(period: Period) -> Numbers:
    found = Sighting.objects.countable().filter(seen_on__range=period.days, logged_at__lte=period.as_of)
    meant = found.aggregate(sightings=Count("pk"), sighted=Count(Coalesce("rumor__same_as", "rumor"), distinct=True))
    told = areas(found)
    by_area = [[area, number] for area, number in told.named]
    return {
        "summary": [[key, meant[key]] for key in ("sightings", "sighted")],
        **_over_time(period, found),
        "by_channel": _grouped(found, F("channel")),
        "by_language": _grouped(found, F("language")),
        "by_topic": _grouped(found, Coalesce(_name_of("rumor__same_as__topic"), _name_of("rumor__topic"))),
        "by_area": [*by_area, ["", told.rest]] if told.rest else by_area,
    }


def _over_time(period: Period, found: "QuerySet[Sighting]") -> Numbers:
    """By week, or by month when that would be too many; those without a sighting are there with a zero."""
    is_weekly = period.last - period.first <= WEEKLY
    step: Any = TruncWeek("seen_on") if is_weekly else TruncMonth("seen_on")
    rows = dict(found.order_by().values_list(step).annotate(number=Count("pk")))
    if is_weekly:
        return {
            "by_week": [
                [vocabulary.week_code(week), rows.get(week, 0)] for week in charts.weeks(period.first, period.last)
            ]
        }
    return {"by_month": [[vocabulary.month_code(month), rows.get(month, 0)] for month in _months(period)]}


def _months(period: Period) -> list[date]:
    numbers = range(period.first.year * 12 + period.first.month - 1, period.last.year * 12 + period.last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def _answers(period: Period, *, known: list[Standing]) -> Numbers:
    start, end = period.start, period.end
    ever = {pk: at for pk, at in first_answers().items() if at < end}
    answered = {pk: at for pk, at in ever.items() if at >= start}
    took = quartiles(days_to_answer(answered))
    waiting = [each for each in known if each.is_open and each.pk not in ever]
    countable = Rebuttal.objects.filter(rumor__in=Rumor.objects.countable())
    return {
        "summary": [
            ["answered", len(answered)],
            ["median_days", took.median if took else None],
            ["lower_days", took.lower if took else None],
            ["upper_days", took.upper if took else None],
            ["unanswered", len(waiting)],
        ],
        "by_language": _first_published(Rebuttal, period, among=countable),
    }


def _first_published(
    model: type[Rebuttal] | type[Fact], period: Period, *, among: "QuerySet[Any] | None" = None
) -> list[list[Any]]:
    """How many texts of each language came out for the first time in the period, as the audit log has it."""
    told = AuditEvent.objects.filter(kind=model._meta.label_lower, verb="published", at__lt=period.end)
    firsts = told.order_by().values("object_id", "language").annotate(first_at=Min("at"))
    in_time = firsts.filter(first_at__gte=period.start).values_list("object_id", "language")
    kept = None if among is None else {str(pk) for pk in among.values_list("pk", flat=True)}
    return _rows(Counter(code for pk, code in in_time if kept is None or pk in kept).items())


def _responses(period: Period) -> Numbers:
    found = Response.objects.filter(rumor__in=Rumor.objects.countable())
    return {
        "done": _grouped(found.filter(period.moments("done_at")), F("action")),
        "planned": _grouped(found.filter(period.moments("planned_at")), F("action")),
    }


# The other modules ---------------------------------------------------------------------------------------------


def _questions(period: Period) -> Numbers:
    found = Question.objects.countable().filter(period.moments("asked_at"))
    missing = found.filter(outcome=Outcome.MISSING_FACT)
    return {
        "summary": [
            ["questions", found.count()],
            ["showed_missing", missing.count()],
            ["missing_facts", len(missing.missing_facts())],
        ],
        "by_outcome": _grouped(found, F("outcome")),
        "by_door": _grouped(found, F("door")),
        "by_language": _grouped(found, F("language")),
    }


def _facts(period: Period) -> Numbers:
    new = _first_published(Fact, period)
    editions = Edition.objects.given().filter(content_type__app_label="facts", content_type__model="fact")
    return {
        "summary": [
            ["facts", Fact.objects.published().count()],
            ["new_facts", sum(number for code, number in new if code == languages.SOURCE)],
            ["new_translations", sum(number for code, number in new if code != languages.SOURCE)],
        ],
        "new_by_language": new,
        "by_language": _grouped(editions, F("language")),
    }


def _events(period: Period) -> Numbers:
    end = day_start(period.last + timedelta(days=1))
    found = Event.objects.published().filter(starts_at__gte=period.start, starts_at__lt=end)
    held = found.filter(ends_at__lte=period.as_of)
    # Seats are forgotten after the event; that somebody took one is not.
    # Before ADR 0017 they stood in another app.
    kinds = [Registration._meta.label_lower, "events.registration"]
    seats = AuditEvent.objects.filter(period.moments("at"), kind__in=kinds)
    return {
        "summary": [
            ["held", held.count()],
            ["planned", found.filter(ends_at__gt=period.as_of).count()],
            ["registered", seats.filter(verb="register").count()],
            ["canceled", seats.filter(verb="cancel").count()],
        ],
        "by_kind": _grouped(held, F("kind")),
    }


def _reach(period: Period) -> Numbers:
    found = ReadingCount.objects.filter(day__range=period.days)
    total = found.aggregate(readings=Coalesce(Sum("count"), 0), facts_read=Count("fact_id", distinct=True))
    by_language = found.order_by().values_list("language").annotate(number=Sum("count"))
    most = list(found.order_by().values_list("fact_id").annotate(n=Sum("count")).order_by("-n", "fact_id")[:MOST_READ])
    title = languages.suffixed("title", languages.SOURCE)
    titles = dict(Fact.objects.filter(pk__in=[pk for pk, _number in most]).values_list("pk", title))
    opinions = Opinion.objects.filter(given_on__range=period.days)
    return {
        "summary": [
            *([key, total[key]] for key in ("readings", "facts_read")),
            ["helped", opinions.filter(is_helpful=True).count()],
            ["did_not_help", opinions.filter(is_helpful=False).count()],
        ],
        "by_language": _rows(by_language),
        "by_fact": [[titles.get(pk) or "", number] for pk, number in most],
    }


# To be read ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    number: float | None
    width: int
    """Of its bar."""

    @property
    def printable(self) -> str:
        """What our fonts can write of the name: a sign that they cannot would be an empty box."""
        missing = fonts.unprintable(self.name)
        return "".join(sign for sign in self.name if sign not in missing).strip(" –") if missing else self.name


@dataclass(frozen=True, slots=True)
class Shown:
    """A table in words."""

    table: vocabulary.Table
    rows: tuple[Row, ...]

    weeks: charts.Weeks | None = None
    """Where they are told by week."""

    @property
    def is_summary(self) -> bool:
        return self.table.key.endswith(".summary")


def in_words(report: Report) -> list[tuple[vocabulary.Section, list[Shown]]]:
    """The sections of a report with their tables; one that was not counted then is left out."""
    return [
        (section, [_shown(table, report.numbers[table.key]) for table in section.tables if table.key in report.numbers])
        for section in vocabulary.sections(report.scope)
    ]


def _shown(table: vocabulary.Table, rows: list[list[Any]]) -> Shown:
    most = max((number or 0 for _code, number in rows), default=0) or 1
    told = tuple(Row(table.word(code), number, round((number or 0) * charts.WIDTH / most)) for code, number in rows)
    if table.key != vocabulary.BY_WEEK:
        return Shown(table, told)
    numbers = {vocabulary.monday_of(code): number for code, number in rows}
    return Shown(table, told, charts.per_week(list(numbers), {"": numbers}))


@dataclass(frozen=True, slots=True)
class Change:
    """A number that is another one in a later report."""

    place: str
    name: str
    then: float | None
    now: float | None


def changes(older: Report, newer: Report) -> list[Change]:
    """Districts are left out: what has come to one of them may be one or two."""
    found = []
    for section in vocabulary.sections(newer.scope):
        for table in section.tables:
            if not table.is_compared:
                continue
            then, now = (_by_code(report.numbers.get(table.key, [])) for report in (older, newer))
            for code in (now | then) if then != now else ():
                if then.get(code, 0) != now.get(code, 0):
                    place = f"{section.title}: {table.title}"
                    found.append(Change(place, table.word(code), then.get(code, 0), now.get(code, 0)))
    return found


def _by_code(rows: list[list[Any]]) -> dict[str, float | None]:
    return {str(row[0]): row[1] for row in rows}
