"""What has become worse, computed from what stands in the register; nothing is stored but who has seen it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple

from django.db.models import Count, Min, OuterRef, Q, Subquery, TextChoices
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import npgettext, pgettext, pgettext_lazy

from portal import contacts, languages
from portal.accounts.models import User
from portal.facts.models import Fact
from portal.revisions.models import Standing
from rumors.alarms.models import Seen
from rumors.assessments.models import ReachEstimate
from rumors.models import Rebuttal, Rumor, RumorQuerySet, Sighting
from rumors.responses.models import Response
from rumors.vocabulary import Reach, Status

RECENT: Final = timedelta(days=14)
"""What is news: staff go through the register every week, and who was away for one must not miss anything."""
SPREADING: Final = 2
"""One sighting is somebody who heard something; a second in the same language within two weeks is a spread."""
DORMANT: Final = timedelta(days=90)
"""A quarter without a sighting: nobody expects it any more, and what was answered then may be forgotten."""
LATE: Final = (timedelta(days=7), timedelta(days=30), timedelta(days=90))
"""After each of these a rumor that nobody answers is worse than before."""
WAITING: Final = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""The same for the oldest threat: staff may be in danger, so it goes by days."""
SHOWN: Final = 50
"""Of each kind, the worst; more than that nobody reads on one page."""
NAMED: Final = 2
"""Facts that one alarm names."""

REACH: Final = {level: rank for rank, level in enumerate(Reach.values)}


class Kind(TextChoices):
    """The most urgent one first."""

    THREATS = "threats", pgettext_lazy("staff", "Threats to be handled")
    SPREADING = "spreading", pgettext_lazy("staff", "Spreading where our fact does not reach")
    REACH = "reach", pgettext_lazy("staff", "Reaching further than before")
    RETURNED = "returned", pgettext_lazy("staff", "Back after a long silence")
    UNANSWERED = "unanswered", pgettext_lazy("staff", "Still unanswered after its day")


class Finding(NamedTuple):
    """An alarm before anybody has looked up its rumor."""

    kind: Kind
    key: str
    level: int
    """A higher one is worse; what it counts is the kind's own."""
    since: datetime
    say: Callable[[], str]
    rumor_id: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: Kind
    key: str
    level: int
    since: datetime
    reason: str
    rumor: Rumor | None = None
    """None for threats, of which only the number is told."""

    @property
    def rumor_pk(self) -> int | None:
        return self.rumor.pk if self.rumor else None

    @property
    def url(self) -> str:
        return self.rumor.get_absolute_url() if self.rumor else reverse("threats")


@dataclass(frozen=True, slots=True)
class Board:
    """What there is for one person."""

    alarms: list[Alarm] = field(default_factory=list)
    seen: list[Alarm] = field(default_factory=list)
    """Still so, but put aside by this person."""
    seen_count: int = 0
    """Of these, also of those that are not shown."""
    fresh: list[Finding] = field(default_factory=list)
    """All that are not put aside."""
    counts: dict[Kind, int] = field(default_factory=dict)
    """Of those not put aside, also of those that are not shown."""
    levels: dict[str, int] = field(default_factory=dict)
    """Of everything that is so now, by key."""

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def groups(self) -> list["Group"]:
        by_kind = {kind: list(alarms) for kind, alarms in groupby(self.alarms, key=lambda alarm: alarm.kind)}
        return [Group(kind, _by_rumor(alarms), self.counts[kind] - len(alarms)) for kind, alarms in by_kind.items()]

    @property
    def seen_by_rumor(self) -> list[list[Alarm]]:
        return _by_rumor(self.seen)

    @property
    def seen_more(self) -> int:
        return self.seen_count - len(self.seen)


class Group(NamedTuple):
    """The alarms of one kind by rumor, and how many more there are."""

    kind: Kind
    of_rumors: list[list[Alarm]]
    more: int

    @property
    def filters(self) -> str:
        """For the address: with which filters the list of rumors holds them all, and as few others as can be."""
        if self.kind == Kind.UNANSWERED:
            return "overdue=yes&unanswered=yes"
        if self.kind == Kind.SPREADING:
            return f"first={_first_day(timezone.now())}"
        if self.kind == Kind.RETURNED:
            return f"first={timezone.localdate() - DORMANT}"
        return ""


def _by_rumor(alarms: Iterable[Alarm]) -> list[list[Alarm]]:
    found: dict[int | None, list[Alarm]] = {}
    for alarm in alarms:
        found.setdefault(alarm.rumor_pk, []).append(alarm)
    return list(found.values())


def standing(user: User, *, now: datetime) -> Board:
    """The alarms for one person: nothing secret, and no threats, for those who may not read that."""
    heard = _heard(user, now)
    found = [*_threats(user, now), *_spreading(heard, now), *_returned(heard, now)]
    found += [*_reach(user, now), *_unanswered(user, now)]
    known = Seen.objects.by_key(user)
    fresh: dict[Kind, list[Finding]] = {kind: [] for kind in Kind}
    aside: list[Finding] = []
    # The worst first, so that what is not shown is what may wait.
    for finding in sorted(found, key=lambda finding: (-finding.level, -finding.since.timestamp())):
        (aside if _is_known(finding, known.get(finding.key)) else fresh[finding.kind]).append(finding)
    shown = [finding for findings in fresh.values() for finding in findings[:SHOWN]]
    put_aside = {finding.key for finding in aside}
    alarms = named([*shown, *aside[:SHOWN]], user)
    return Board(
        alarms=[alarm for alarm in alarms if alarm.key not in put_aside],
        seen=[alarm for alarm in alarms if alarm.key in put_aside],
        seen_count=len(aside),
        fresh=[finding for findings in fresh.values() for finding in findings],
        counts={kind: len(findings) for kind, findings in fresh.items() if findings},
        levels={finding.key: finding.level for finding in found},
    )


def named(findings: Sequence[Finding], user: User) -> list[Alarm]:
    """With their rumors, and in words. One query."""
    rumors = Rumor.objects.visible_to(user).in_bulk({finding.rumor_id for finding in findings} - {None})
    return list(_alarms(findings, rumors))


def _is_known(finding: Finding, seen: Seen | None) -> bool:
    """Seen since it began, and not worse than it was then."""
    return seen is not None and seen.level >= finding.level and seen.at >= finding.since


def _alarms(findings: Iterable[Finding], rumors: dict[int, Rumor]) -> Iterator[Alarm]:
    for finding in findings:
        rumor = rumors.get(finding.rumor_id) if finding.rumor_id else None
        if rumor is not None or finding.rumor_id is None:
            yield Alarm(finding.kind, finding.key, finding.level, finding.since, finding.say(), rumor)


def _steps(age: timedelta, steps: Iterable[timedelta]) -> int:
    return sum(age >= step for step in steps)


def _day(value: date | datetime) -> str:
    return date_format(timezone.localtime(value) if isinstance(value, datetime) else value, "DATE_FORMAT")


# Which there are --------------------------------------------------------------------------------------------------


class Heard(NamedTuple):
    """A sighting, as far as it is counted."""

    root: int
    """The rumor that it stands for: its own, or the one that that repeats."""
    language: str
    seen_on: date
    logged_at: datetime
    before: date | None
    """When that rumor was last seen before."""


def _heard(user: User, now: datetime) -> list[Heard]:
    """Of the last two weeks, by the day or by when it was written down. Threats are not counted."""
    visible = Rumor.objects.visible_to(user).exclude(status=Status.OUT_OF_SCOPE)
    counted = Sighting.objects.filter(is_threat=False, rumor__in=visible)
    counted = counted.exclude(rumor__same_as__status=Status.OUT_OF_SCOPE)
    lately = counted.filter(Q(seen_on__gte=_first_day(now)) | Q(logged_at__gte=now - RECENT))
    # Two subqueries: no index helps with a rumor's own sightings and those of what repeats it at once.
    earlier = Sighting.objects.filter(is_threat=False, seen_on__lt=OuterRef("seen_on")).order_by("-seen_on")
    own = earlier.filter(rumor=OuterRef("root")).values("seen_on")[:1]
    repeated = earlier.filter(rumor__same_as=OuterRef("root")).values("seen_on")[:1]
    rows = lately.annotate(
        root=Coalesce("rumor__same_as_id", "rumor_id"), before=Greatest(Subquery(own), Subquery(repeated))
    )
    fields = rows.order_by("logged_at", "pk").values_list("root", "language", "seen_on", "logged_at", "before")
    return [Heard(*row) for row in fields]


def _first_day(now: datetime) -> date:
    return timezone.localdate(now) - RECENT + timedelta(days=1)


def _spreading(heard: Iterable[Heard], now: datetime) -> Iterator[Finding]:
    """At least two sightings in one language in two weeks, and a linked fact that its speakers do not get."""
    spread: dict[tuple[int, str], list[datetime]] = {}
    first_day = _first_day(now)
    for each in heard:
        if each.language and each.seen_on >= first_day:
            spread.setdefault((each.root, each.language), []).append(each.logged_at)
    spread = {where: times for where, times in spread.items() if len(times) >= SPREADING}
    facts = _Facts({root for root, _language in spread})
    for (root, language), times in spread.items():
        lacking = facts.lacking(root, language)
        if lacking:
            # Twice as many is worse, and so is a text that is not there beside one that is out of date.
            level = 2 * len(times).bit_length() + any(lack != _OUTDATED for _title, lack in lacking)
            say = partial(_say_spreading, language, len(times), lacking)
            yield Finding(Kind.SPREADING, f"{Kind.SPREADING}:{root}:{language}", level, min(times), say, root)


_MISSING, _OUTDATED, _WITHDRAWN = "missing", "outdated", "withdrawn"


class _Facts:
    """The facts that answer rumors, and what readers get of them in which language."""

    def __init__(self, roots: set[int]) -> None:
        links = Rebuttal.objects.annotate(root=Coalesce("rumor__same_as_id", "rumor_id")).filter(root__in=roots)
        self.of_rumor: dict[int, set[int]] = {}
        for root, fact in links.order_by().values_list("root", "fact"):
            self.of_rumor.setdefault(root, set()).add(fact)
        facts = set().union(*self.of_rumor.values())
        texts = Standing.objects.of_model(Fact).filter(object_id__in=facts)
        self.texts: dict[tuple[int, str], Standing] = {(text.object_id, text.language): text for text in texts}
        column = languages.suffixed("title", languages.SOURCE)
        titles = Fact.objects.filter(pk__in=facts).values_list("pk", column, "slug")
        self.titles = {pk: contacts.expand(title or slug) for pk, title, slug in titles}

    def lacking(self, root: int, language: str) -> list[tuple[str, str]]:
        """Title and what is wrong."""
        checked = [(fact, self._lack(fact, language)) for fact in sorted(self.of_rumor.get(root, ()))]
        return [(self.titles[fact], lack) for fact, lack in checked if lack]

    def _lack(self, fact: int, language: str) -> str:
        for code in (languages.SOURCE, language):  # without its Swedish text a fact is gone in every language
            text = self.texts.get((fact, code))
            if text is None or text.published_at is None:
                return _WITHDRAWN if text and text.withdrawn_at else _MISSING
        assert text is not None
        return _OUTDATED if text.is_outdated or text.is_held else ""


def _say_spreading(language: str, number: int, lacking: list[tuple[str, str]]) -> str:
    seen = npgettext(
        "staff",
        "%(language)s: seen %(number)s time in the last %(days)s days.",
        "%(language)s: seen %(number)s times in the last %(days)s days.",
        number,
    )
    parts = [seen % {"language": languages.get(language).in_both_scripts, "number": number, "days": RECENT.days}]
    words = {
        _MISSING: pgettext("staff", "The fact “%(fact)s” is not there in that language."),
        _OUTDATED: pgettext("staff", "The fact “%(fact)s” is out of date in that language."),
        _WITHDRAWN: pgettext("staff", "The fact “%(fact)s” has been withdrawn in that language."),
    }
    parts += [words[lack] % {"fact": title} for title, lack in lacking[:NAMED]]
    more = len(lacking) - NAMED
    if more > 0:
        said = npgettext("staff", "And %(number)s more fact.", "And %(number)s more facts.", more)
        parts.append(said % {"number": more})
    return " ".join(parts)


def _reach(user: User, now: datetime) -> Iterator[Finding]:
    """The latest estimate is higher than the level before it, and that level was first named in the last two weeks.

    The same level on another basis is no change, and hides none.
    """
    lately = ReachEstimate.objects.filter(estimated_at__gte=now - RECENT).values("rumor")
    alive = Rumor.objects.visible_to(user).exclude(status__in=[Status.OUT_OF_SCOPE, Status.DUPLICATE])
    rows = ReachEstimate.objects.filter(rumor__in=alive.filter(pk__in=lately)).order_by("rumor", "pk")
    for rumor, estimates in groupby(rows.values_list("rumor", "level", "estimated_at"), key=lambda row: row[0]):
        runs = [(level, next(run)[2]) for level, run in groupby(estimates, key=lambda row: row[1])]
        if len(runs) > 1:
            (before, _), (level, since) = runs[-2:]
            if REACH[level] > REACH[before] and since >= now - RECENT:
                say = partial(_say_reach, before, level, since)
                yield Finding(Kind.REACH, f"{Kind.REACH}:{rumor}", REACH[level], since, say, rumor)


def _say_reach(before: str, level: str, since: datetime) -> str:
    return pgettext("staff", "It was “%(before)s”. Since %(day)s it is “%(after)s”.") % {
        "before": Reach(before).label,
        "after": Reach(level).label,
        "day": _day(since),
    }


def _returned(heard: Iterable[Heard], now: datetime) -> Iterator[Finding]:
    """A sighting was logged in the last two weeks, and before it nothing was seen for a quarter."""
    # What was seen longer ago than a quarter, and is written down only now, tells of no return.
    oldest = timezone.localdate(now) - DORMANT
    lately = [each for each in heard if each.logged_at >= now - RECENT and each.seen_on > oldest]
    numbers = Counter(each.root for each in lately)
    first: dict[int, Heard] = {}
    for each in lately:
        if each.before and each.seen_on - each.before >= DORMANT:
            first.setdefault(each.root, each)
    for root, each in first.items():
        assert each.before is not None
        say = partial(_say_returned, numbers[root], each.seen_on, each.before)
        level = numbers[root].bit_length()
        yield Finding(Kind.RETURNED, f"{Kind.RETURNED}:{root}", level, each.logged_at, say, root)


def _say_returned(number: int, seen_on: date, before: date) -> str:
    said = npgettext(
        "staff",
        "Seen %(number)s time since %(day)s. Before that nobody had seen it since %(before)s.",
        "Seen %(number)s times since %(day)s. Before that nobody had seen it since %(before)s.",
        number,
    )
    return said % {"number": number, "day": _day(seen_on), "before": _day(before)}


def _unanswered(user: User, now: datetime) -> Iterator[Finding]:
    """Open and past its day, with no published answer and nothing done about it, of its own or of what repeats it."""
    late = to_be_answered(Rumor.objects.visible_to(user).overdue(now)).order_by()
    for rumor, due_at in late.values_list("pk", "due_at"):
        say = partial(_say_unanswered, due_at)
        yield Finding(Kind.UNANSWERED, f"{Kind.UNANSWERED}:{rumor}", _steps(now - due_at, LATE), due_at, say, rumor)


def to_be_answered(rumors: RumorQuerySet) -> RumorQuerySet:
    """Without a published answer, and with nothing done about them."""
    done = Response.objects.filter(done_at__isnull=False)
    repeating = done.filter(rumor__same_as__isnull=False)
    waiting = rumors.unanswered().exclude(pk__in=done.values("rumor"))
    return waiting.exclude(pk__in=repeating.values("rumor__same_as"))


def _say_unanswered(due_at: datetime) -> str:
    said = pgettext(
        "staff", "It was to be answered by %(day)s. No answer is published, and nothing is noted as done about it."
    )
    return said % {"day": _day(due_at)}


def _threats(user: User, now: datetime) -> Iterator[Finding]:
    """For the security role alone: how many, and since when the oldest waits."""
    if not user.has_perm("rumors.secret"):
        return
    figures = Sighting.objects.unhandled_threats().aggregate(number=Count("pk"), oldest=Min("logged_at"))
    number, oldest = figures["number"], figures["oldest"]
    if number:
        level = (len(WAITING) + 1) * number.bit_length() + _steps(now - oldest, WAITING)
        yield Finding(Kind.THREATS, Kind.THREATS, level, oldest, partial(_say_threats, number, oldest, now))


def _say_threats(number: int, oldest: datetime, now: datetime) -> str:
    days = (now - oldest).days
    if not days:
        said = npgettext(
            "staff", "%(number)s threat waits, since today.", "%(number)s threats wait, the oldest since today.", number
        )
        return said % {"number": number}
    said = npgettext(
        "staff", "%(number)s threat waits, for %(age)s.", "%(number)s threats wait, the oldest for %(age)s.", number
    )
    age = npgettext("staff", "%(days)s day", "%(days)s days", days) % {"days": days}
    return said % {"number": number, "age": age}
