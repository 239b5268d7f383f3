"""The figures of the register: how much is heard of what, how long answers take, and what came after a response.

Nothing of secret rumors and no threat is in any of them, whoever asks.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Lower, Trim, TruncWeek
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import pgettext

from portal import charts, languages
from portal.audit.models import AuditEvent
from portal.facts.models import Topic
from rumors.models import Rebuttal, Rumor, RumorQuerySet, Sighting
from rumors.responses.models import UNANSWERED, Response
from rumors.vocabulary import Channel, Priority

FEW: Final = 5
"""A district with fewer sightings is not named: so few may point at a family."""
AROUND: Final = timedelta(weeks=4)
"""So long before and after a response is counted."""
ENOUGH: Final = 5
"""Fewer sightings around a response say nothing at all."""
OLDEST: Final = 10
MOST_AROUND: Final = 50
"""Rumors whose before and after stands in the table."""
MEANT: Final = Coalesce("rumor__same_as", "rumor")
"""Of a sighting or an answer: the rumor itself, or the one that it was found to repeat."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a figure is about."""

    first: date
    last: date
    topic: Topic | None = None
    language: str = ""

    @property
    def weeks(self) -> list[date]:
        return charts.weeks(self.first, self.last)

    def rumors(self) -> RumorQuerySet:
        found: RumorQuerySet = Rumor.objects.countable().matching(topic=self.topic, language=self.language)
        return found

    def sightings(self) -> "QuerySet[Sighting]":
        found: QuerySet[Sighting] = Sighting.objects.countable().filter(seen_on__range=(self.first, self.last))
        if self.language:
            found = found.filter(language=self.language)
        if self.topic:
            found = found.filter(Q(rumor__same_as__topic=self.topic) | Q(rumor__same_as=None, rumor__topic=self.topic))
        return found


# Sightings -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spread:
    """Sightings per week, all together and by what they are."""

    total: charts.Weeks
    by_channel: charts.Weeks
    by_language: charts.Weeks
    by_topic: charts.Weeks

    @property
    def number(self) -> int:
        return sum(series.total for series in self.total.series)


def spread(choice: Choice, topics: Mapping[int, str], *, today: date) -> Spread:
    """One query. `topics` are names by id."""
    topic = Coalesce("rumor__same_as__topic", "rumor__topic")
    rows = (
        choice.sightings()
        .order_by()
        .values(week=TruncWeek("seen_on"), where=F("channel"), tongue=F("language"), about=topic)
        .annotate(number=Count("pk"))
    )
    channels, nameless = dict(Channel.choices), pgettext("staff", "Without a topic")
    unknown = pgettext("staff", "Language not known")
    total: dict[str, Counter[date]] = {"": Counter()}
    found: tuple[defaultdict[str, Counter[date]], ...] = tuple(defaultdict(Counter) for _ in range(3))
    for row in rows:
        names = (
            str(channels.get(row["where"], row["where"])),
            str(languages.get(row["tongue"]).in_both_scripts) if row["tongue"] else unknown,
            topics.get(row["about"], nameless),
        )
        for name, counts in zip(("", *names), (total, *found), strict=True):
            counts[name][row["week"]] += row["number"]
    others = pgettext("staff", "All others together")
    return Spread(*(charts.per_week(choice.weeks, counts, others=others, today=today) for counts in (total, *found)))


@dataclass(frozen=True, slots=True)
class Areas:
    """Districts with `FEW` sightings or more; `rest` are all others together with those that name none."""

    named: tuple[tuple[str, int], ...]
    rest: int


def suppressed(counts: Mapping[str, int], *, nameless: int) -> Areas:
    """What may be told of the sightings in each district.

    Those with few stand in one number with all sightings of which nobody said the district, so that no subtraction
    leads to one of them. Would that number itself be small, the smallest district that may be named joins them.
    """
    named = sorted(((name, number) for name, number in counts.items() if number >= FEW), key=lambda row: (-row[1], row))
    rest = nameless + sum(number for number in counts.values() if number < FEW)
    if named and 0 < rest < FEW:
        rest += named.pop()[1]
    return Areas(tuple(named), rest)


def areas(sightings: "QuerySet[Sighting]") -> Areas:
    """One query. The same name in other letters is the same district."""
    rows = (
        sightings.order_by()
        .values(key=Lower(Trim("area")))
        .annotate(name=Min(Trim("area")), number=Count("pk"))
        .values_list("key", "name", "number")
    )
    found = {key: (name, number) for key, name, number in rows}
    _name, nameless = found.pop("", ("", 0))
    return suppressed(dict(found.values()), nameless=nameless)


# Answers -------------------------------------------------------------------------------------------------------


def first_answers() -> dict[int, datetime]:
    """When each rumor, with those that repeat it, got its first answer: the first time that the Swedish text of one
    of its answers was published, as the audit log has it. That it was withdrawn later changes nothing. One query."""
    told = AuditEvent.objects.filter(
        kind=Rebuttal._meta.label_lower,
        verb="published",
        language=languages.SOURCE,
        object_id=Cast(OuterRef("pk"), CharField()),
    )
    rows = (
        Rebuttal.objects.filter(rumor__in=Rumor.objects.countable())
        .annotate(meant=MEANT, first_at=Subquery(told.order_by("at").values("at")[:1]))
        .filter(first_at__isnull=False)
        .order_by()
        .values("meant")
        .annotate(earliest=Min("first_at"))
    )
    return dict(rows.values_list("meant", "earliest"))


def first_seen(rumors: Collection[int]) -> dict[int, date]:
    """The day of the first sighting of each, with those of what repeats it. One query."""
    rows = (
        Sighting.objects.countable()
        .annotate(meant=MEANT)
        .filter(meant__in=rumors)
        .order_by()
        .values("meant")
        .annotate(day=Min("seen_on"))
    )
    return dict(rows.values_list("meant", "day"))


def days_to_answer(answered: Mapping[int, datetime]) -> list[int]:
    """From the first sighting to the first answer, the shortest first. One query."""
    seen = first_seen(list(answered)) if answered else {}
    return sorted(max((localtime(at).date() - seen[pk]).days, 0) for pk, at in answered.items() if pk in seen)


@dataclass(frozen=True, slots=True)
class Quartiles:
    lower: float
    median: float
    upper: float


def quartiles(numbers: Sequence[int]) -> Quartiles | None:
    """The half, and the fastest and slowest quarter; None without numbers."""
    if not numbers:
        return None
    if len(numbers) == 1:
        return Quartiles(*(float(numbers[0]),) * 3)
    return Quartiles(*(round(each, 1) for each in statistics.quantiles(numbers, n=4, method="inclusive")))


_SPANS: Final = (2, 7, 15, 30)
"""Days within which an answer came; the first and the third are what high and medium priority ask for."""


def by_span(days: Iterable[int]) -> list[tuple[str, int]]:
    """How many took how long, in words."""
    counts = Counter(next((span for span in _SPANS if day <= span), 0) for day in days)
    starts = (0, *(span + 1 for span in _SPANS))
    words = pgettext("staff", "%(first)s–%(last)s days")
    rows = [(words % {"first": first, "last": last}, counts[last]) for first, last in zip(starts, _SPANS, strict=False)]
    return [*rows, (pgettext("staff", "More than %(days)s days") % {"days": _SPANS[-1]}, counts[0])]


@dataclass(frozen=True, slots=True)
class Answers:
    """How long it took to answer what was answered first in the period."""

    number: int
    took: Quartiles | None
    spans: tuple[charts.Line, ...]


def answers(choice: Choice) -> Answers:
    """Three queries."""
    wanted = set(choice.rumors().values_list("pk", flat=True))
    answered = {
        pk: at
        for pk, at in first_answers().items()
        if pk in wanted and choice.first <= localtime(at).date() <= choice.last
    }
    days = days_to_answer(answered)
    return Answers(len(answered), quartiles(days), charts.lines(by_span(days)))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rumor without an answer, and for how many days it has been around."""

    rumor: Rumor
    days: int


def waiting(choice: Choice, *, today: date) -> tuple[int, list[Waiting]]:
    """How many open rumors have no answer that can be read now, and the oldest of them. Two queries."""
    found: Any = choice.rumors().open().unanswered()  # with what `as_rows` adds
    oldest = found.as_rows().filter(first_seen_on__isnull=False).order_by("first_seen_on", "pk")[:OLDEST]
    return found.count(), [Waiting(rumor, (today - rumor.first_seen_on).days) for rumor in oldest]


@dataclass(frozen=True, slots=True)
class Open:
    number: int
    overdue: int
    by_priority: tuple[charts.Line, ...]


def still_open(choice: Choice, *, now: datetime) -> Open:
    """Open now, whenever they were logged. One query."""
    late = Count("pk", filter=Q(due_at__lt=now))
    rows = choice.rumors().open().order_by().values("priority").annotate(number=Count("pk"), late=late)
    found = {row["priority"]: (row["number"], row["late"]) for row in rows}
    pairs = [(str(priority.label), *found.get(priority.value, (0, 0))) for priority in Priority]
    drawn = charts.lines([(name, number) for name, number, _late in pairs], [late for _name, _number, late in pairs])
    return Open(sum(line.number for line in drawn), sum(line.part for line in drawn), drawn)


# Before and after ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Around:
    """The sightings of a rumor before and after the first thing that was done about it in the period."""

    rumor: Rumor
    deed: str
    done_on: date
    bars: charts.Pair


@dataclass(frozen=True, slots=True)
class Effects:
    shown: list[Around]
    too_new: int
    """Rumors of which the four weeks after are not over."""
    too_few: int
    """Rumors that were hardly heard of around that day."""
    more: int = 0
    """Rumors with fewer sightings than those that are shown."""


def effects(choice: Choice, *, today: date) -> Effects:
    """Two queries. The day itself counts neither before nor after."""
    deeds = _first_deeds(choice)
    ripe = {pk: response for pk, response in deeds.items() if _done_on(response) + AROUND < today}
    seen = _seen_around(ripe)
    counted = [(response, _before_and_after(seen[pk], _done_on(response))) for pk, response in ripe.items()]
    told = sorted((row for row in counted if sum(row[1]) >= ENOUGH), key=lambda row: (-sum(row[1]), _meant(row[0]).pk))
    more = max(len(told) - MOST_AROUND, 0)
    told = told[:MOST_AROUND]
    drawn = charts.pairs(pair for _response, pair in told)
    return Effects(
        [
            Around(_meant(response), str(response.get_action_display()), _done_on(response), pair)
            for (response, _numbers), pair in zip(told, drawn, strict=True)
        ],
        too_new=len(deeds) - len(ripe),
        too_few=len(counted) - len(told) - more,
        more=more,
    )


def _first_deeds(choice: Choice) -> dict[int, Response]:
    start, end = day_start(choice.first), day_start(choice.last + timedelta(days=1))
    rows = (
        Response.objects.filter(done_at__gte=start, done_at__lt=end, rumor__in=choice.rumors())
        .exclude(action__in=UNANSWERED)
        .select_related("rumor__same_as")
        .order_by("done_at", "pk")
    )
    found: dict[int, Response] = {}
    for response in rows:
        found.setdefault(_meant(response).pk, response)
    return found


def _meant(response: Response) -> Rumor:
    return response.rumor.same_as or response.rumor


def _done_on(response: Response) -> date:
    assert response.done_at is not None
    return localtime(response.done_at).date()


def _seen_around(deeds: Mapping[int, Response]) -> dict[int, Counter[date]]:
    found: dict[int, Counter[date]] = {pk: Counter() for pk in deeds}
    if not deeds:
        return found
    days = [_done_on(response) for response in deeds.values()]
    rows: QuerySet[Any, Any] = (
        Sighting.objects.countable()
        .annotate(meant=MEANT)
        .filter(meant__in=list(deeds), seen_on__range=(min(days) - AROUND, max(days) + AROUND))
        .order_by()
        .values_list("meant", "seen_on")
        .annotate(number=Count("pk"))
    )
    for pk, day, number in rows:
        found[pk][day] += number
    return found


def _before_and_after(seen: Mapping[date, int], day: date) -> tuple[int, int]:
    before = sum(number for when, number in seen.items() if day - AROUND <= when < day)
    after = sum(number for when, number in seen.items() if day < when <= day + AROUND)
    return before, after


def day_start(day: date) -> datetime:
    """The moment in which a day begins in Sweden."""
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
