"""What the mails about rumors say. A mail is written when it leaves, and says only what its reader may know then."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import npgettext, pgettext, pgettext_lazy

from portal import contacts, languages
from portal.accounts.models import User
from portal.mail.models import Delivery
from portal.mail.rules import Message
from portal.public import absolute, in_language
from rumors.alarms import rules as alarms
from rumors.models import Rebuttal, Rumor, RumorQuerySet, Sighting
from rumors.notices.models import Choice, How, Letter, LetterKind, Notice, NoticeKind
from rumors.responses.models import Response
from rumors.vocabulary import Status

MORNING: Final = time(7, 30)
"""On the clock in Stockholm, in summer and in winter: before the first meeting."""
SOON: Final = timedelta(days=2)
LINES: Final = 30
"""Of each part of a mail; the rest is a number."""

TOLD: Final = {
    "add_evidence": pgettext_lazy("staff", "new evidence"),
    "approve": pgettext_lazy("staff", "what is to be done is approved"),
    "assess": pgettext_lazy("staff", "reach or impact estimated"),
    "assign": pgettext_lazy("staff", "somebody else takes care of it, or nobody"),
    "comment": pgettext_lazy("staff", "a new comment"),
    "confirm": pgettext_lazy("staff", "who is behind it is confirmed"),
    "describe": pgettext_lazy("staff", "described by ABCDE"),
    "drop": pgettext_lazy("staff", "something is not to be done after all"),
    "edit": pgettext_lazy("staff", "changed"),
    "finish": pgettext_lazy("staff", "something that was to be done is done"),
    "handle": pgettext_lazy("staff", "a threat is handled"),
    "link": pgettext_lazy("staff", "a fact is linked as an answer"),
    "merge": pgettext_lazy("staff", "found to repeat another rumor"),
    "move": pgettext_lazy("staff", "new status"),
    "plan": pgettext_lazy("staff", "something is to be done about it"),
    "rate": pgettext_lazy("staff", "a verdict is given"),
    "remove_evidence": pgettext_lazy("staff", "evidence taken away"),
    "relate": pgettext_lazy("staff", "compared with another rumor"),
    "sight": pgettext_lazy("staff", "seen again"),
    "undo": pgettext_lazy("staff", "no longer held for a repetition"),
}
"""What of the audit log is told, by its verb, in words that hold nothing of what was written."""


# Who is told, and when -------------------------------------------------------------------------------------------


def may_be_told(person: User) -> bool:
    """Somebody who works here, at an address that exists."""
    return person.has_perm("rumors.view") and not person.email.endswith(".invalid")


def may_know(person: User, notice: Notice) -> bool:
    """Nothing secret, and nothing of a threat, for who may not read that."""
    is_secret = notice.is_threat or (notice.rumor is not None and notice.rumor.is_secret)
    return not is_secret or person.has_perm("rumors.secret")


def choice(person: User) -> How:
    found = Choice.objects.filter(user=person).first()
    return How(found.how) if found else How.DAILY


def is_necessary(notice: Notice) -> bool:
    """What is theirs to do, and what to answer; who only watches is not the one to look again."""
    is_watched = notice.kind == NoticeKind.REVIEW and notice.rumor and notice.rumor.assignee_id != notice.person_id
    return not (notice.is_shared or notice.kind == NoticeKind.CHANGE or is_watched)


def is_told_at_once(notice: Notice, *, is_daily: bool) -> bool:
    """A threat is, whatever its reader chose."""
    return notice.kind == NoticeKind.THREAT or not (is_daily or notice.is_shared)


def last_morning(now: datetime) -> datetime:
    """The last 7:30 in Stockholm that has passed."""
    today = _morning(now, days=0)
    return today if today.astimezone(UTC) <= now else _morning(now, days=-1)


def next_morning(now: datetime) -> datetime:
    today = _morning(now, days=0)
    return today if today.astimezone(UTC) > now else _morning(now, days=1)


def morning_of(day: date) -> datetime:
    return datetime.combine(day, MORNING, timezone.get_default_timezone())


def _morning(now: datetime, *, days: int) -> datetime:
    return morning_of(now.astimezone(timezone.get_default_timezone()).date() + timedelta(days=days))


# What is still so when a mail leaves --------------------------------------------------------------------------------


def _follows(person: User, rumor: Rumor) -> bool:
    return rumor.assignee_id == person.pk or bool(rumor.watchers.filter(pk=person.pk).exists())


def _is_published(rebuttal: Rebuttal) -> bool:
    return bool(Rebuttal.objects.published().filter(pk=rebuttal.pk).exists())


def _waits(rumor: Rumor) -> bool:
    return bool(alarms.to_be_answered(Rumor.objects.open().filter(pk=rumor.pk)).exists())


def is_still_so(notice: Notice, person: User, *, now: datetime) -> bool:
    """For all but alarms, which are looked at together."""
    rumor = notice.rumor
    if rumor is None or not may_know(person, notice):
        return False
    match NoticeKind(notice.kind):
        case NoticeKind.CHANGE:
            is_so = _follows(person, rumor)
        case NoticeKind.ASSIGNED:
            is_so = rumor.assignee_id == person.pk
        case NoticeKind.ANSWER:
            is_so = notice.rebuttal is not None and _is_published(notice.rebuttal)
        case NoticeKind.SOON | NoticeKind.OVERDUE:
            is_theirs = rumor.assignee_id in ({None} if notice.is_shared else {person.pk})
            is_now = rumor.due_at == notice.due_at and (rumor.due_at <= now) == (notice.kind == NoticeKind.OVERDUE)
            is_so = is_theirs and is_now and person.has_perm("rumors.handle") and _waits(rumor)
        case NoticeKind.THREAT:
            is_so = rumor.sightings.unhandled_threats().exists()
        case _:
            is_so = notice.kind == NoticeKind.REVIEW and _is_to_review(notice, rumor, person, now=now)
    return is_so


def _is_to_review(notice: Notice, rumor: Rumor, person: User, *, now: datetime) -> bool:
    is_nobodys = rumor.assignee_id is None and person.has_perm("rumors.handle")
    is_theirs = is_nobodys if notice.is_shared else _follows(person, rumor)
    return is_theirs and notice.due_at in review_days(Rumor.objects.filter(pk=rumor.pk), now=now)[rumor.pk]


def review_days(rumors: RumorQuerySet, *, now: datetime) -> dict[int, set[datetime]]:
    """The mornings, up to now, of the days on which somebody wanted to look at these again: of the rumor itself, and
    of what is planned and not done."""
    today = last_morning(now).date()
    due = rumors.to_review(today).order_by()
    planned = Response.objects.open().filter(rumor__in=due, review_on__lte=today)
    own = due.filter(review_on__lte=today).values_list("pk", "review_on")
    found: defaultdict[int, set[datetime]] = defaultdict(set)
    for pk, day in [*own, *planned.values_list("rumor", "review_on")]:
        if day is not None:
            found[pk].add(morning_of(day))
    return found


def _letter(delivery: Delivery) -> Letter | None:
    """None when its reader has left, or has another address now."""
    found: Letter | None = Letter.objects.filter(pk=delivery.context["letter"]).select_related("person").first()
    is_theirs = found is not None and found.person.email == delivery.recipient and may_be_told(found.person)
    return found if is_theirs else None


# News and digests -------------------------------------------------------------------------------------------------


def round_up(delivery: Delivery) -> Message | None:
    """What happened to the rumors that somebody follows, what is due, and in a digest what is alarming."""
    letter = _letter(delivery)
    if letter is None:
        return None
    now, person = timezone.now(), letter.person
    notices = list(letter.notices.select_related("rumor").order_by("rumor", "pk"))
    still = [notice for notice in notices if is_still_so(notice, person, now=now)]
    due = [notice for notice in still if notice.due_at]
    news = [notice for notice in still if notice.kind in {NoticeKind.CHANGE, NoticeKind.ASSIGNED}]
    late = {notice.rumor_id for notice in due if notice.kind != NoticeKind.REVIEW}
    alarming = _alarming(notices, person, late=late, now=now)
    threats = [notice for notice in still if notice.kind == NoticeKind.THREAT]
    parts = [*_threats(threats), *_news(news), *_due(due), *_alarms(alarming)]
    if not parts:
        return None
    number = len({notice.rumor_id for notice in still}) + len(alarming)
    return _message(_subject(letter, still, number), parts)


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with what stands under it, as far as it fits, and how many more there are."""

    title: str
    lines: Sequence[Line]
    more: str = ""

    @classmethod
    def of(cls, title: str, lines: Sequence[Line], *, page: str) -> "Part":
        more, said = len(lines) - LINES, ""
        if more > 0:
            said = npgettext("staff", "And %(number)s more: %(url)s", "And %(number)s more: %(url)s", more)
            said = said % {"number": more, "url": absolute(reverse(page))}
        return cls(title, lines[:LINES], said)


def _message(subject: str, parts: list[Part]) -> Message:
    choose = pgettext("staff", "Choose how you get these mails:")
    url = absolute(reverse("rumor_notices"))
    text = [
        block
        for part in parts
        for block in (part.title, *(f"{line.name}: {line.words}\n{line.url}" for line in part.lines), part.more)
        if block
    ]
    html = render_to_string("emails/notices/round_up.html", {"parts": parts, "choose": choose, "choose_url": url})
    return Message(subject=subject, text="\n\n".join([*text, f"{choose}\n{url}"]), html=html)


def _subject(letter: Letter, still: list[Notice], number: int) -> str:
    if letter.kind == LetterKind.DIGEST:
        said = npgettext(
            "staff", "Rumors today: %(number)s thing to look at", "Rumors today: %(number)s things to look at", number
        )
        return said % {"number": number}
    if threats := {notice.rumor_id for notice in still if notice.kind == NoticeKind.THREAT}:
        return npgettext("staff", "Threats in %(number)s rumor", "Threats in %(number)s rumors", len(threats)) % {
            "number": len(threats)
        }
    if number == 1 and still[0].rumor is not None:
        return f"{still[0].rumor}: {_happened(still)}"
    return npgettext("staff", "News of %(number)s rumor", "News of %(number)s rumors", number) % {"number": number}


def _happened(notices: Iterable[Notice]) -> str:
    """What happened to one rumor, each thing once."""
    said = Counter(_words(notice) for notice in notices)
    return ", ".join(words if number == 1 else f"{words} ({number})" for words, number in said.items())


def _words(notice: Notice) -> str:
    match NoticeKind(notice.kind):
        case NoticeKind.ASSIGNED:
            words = pgettext("staff", "you take care of it now")
        case NoticeKind.SOON:
            words = pgettext("staff", "due on %(day)s") % {"day": _moment(notice.due_at)}
        case NoticeKind.OVERDUE:
            words = pgettext("staff", "was due on %(day)s") % {"day": _moment(notice.due_at)}
        case NoticeKind.THREAT:
            words = pgettext("staff", "a threat waits for you")
        case NoticeKind.REVIEW:
            assert notice.due_at is not None
            day = date_format(timezone.localtime(notice.due_at), "j F")
            words = pgettext("staff", "to be looked at again on %(day)s") % {"day": day}
        case _:
            words = str(TOLD.get(notice.verb, TOLD["edit"]))
            if notice.verb == "move" and notice.status in Status.values:
                words += f": {Status(notice.status).label}"
    return words


def _moment(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "j F H:i") if at else ""


def _threats(notices: list[Notice]) -> list[Part]:
    if not notices:
        return []
    page = absolute(reverse("threats"))
    rumors = dict.fromkeys(notice.rumor for notice in notices)
    lines = [Line(str(rumor), f"{capfirst(_words(notices[0]))}.", page) for rumor in rumors]
    return [Part.of(pgettext("staff", "If somebody is in danger, call 112 first."), lines, page="threats")]


def _news(notices: list[Notice]) -> list[Part]:
    if not notices:
        return []
    by_rumor = [list(group) for _pk, group in groupby(notices, key=lambda notice: notice.rumor_id)]
    lines = [_line(group[0].rumor, _happened(group)) for group in by_rumor]
    title = pgettext("staff", "This has happened to rumors that you follow or take care of:")
    return [Part.of(title, lines, page="staff_rumors")]


def _due(notices: list[Notice]) -> list[Part]:
    titles = {
        (NoticeKind.OVERDUE, False): pgettext("staff", "Yours, and overdue:"),
        (NoticeKind.SOON, False): pgettext("staff", "Yours, and due soon:"),
        (NoticeKind.REVIEW, False): pgettext("staff", "To be looked at again:"),
        (NoticeKind.OVERDUE, True): pgettext("staff", "Overdue, and nobody takes care of it:"),
        (NoticeKind.SOON, True): pgettext("staff", "Due soon, and nobody takes care of it:"),
        (NoticeKind.REVIEW, True): pgettext("staff", "To be looked at again, and nobody takes care of it:"),
    }
    first = sorted(notices, key=lambda notice: (notice.due_at, notice.pk))
    parts = []
    for (kind, is_shared), title in titles.items():
        group = [notice for notice in first if (notice.kind, notice.is_shared) == (kind, is_shared)]
        if group:
            parts.append(Part.of(title, [_line(n.rumor, _words(n)) for n in group], page="staff_rumors"))
    return parts


def _alarming(notices: list[Notice], person: User, *, late: set[int | None], now: datetime) -> list[alarms.Alarm]:
    """Those of the letter that are still so and not put aside; what is told as overdue anyway is no alarm beside it."""
    told = {notice.alarm for notice in notices if notice.kind == NoticeKind.ALARM}
    if not told or not person.has_perm("rumors.handle"):
        return []
    found = [finding for finding in alarms.standing(person, now=now).fresh if finding.key in told]
    return alarms.named(
        [each for each in found if each.kind != alarms.Kind.UNANSWERED or each.rumor_id not in late], person
    )


def _alarms(found: list[alarms.Alarm]) -> list[Part]:
    if not found:
        return []
    title = pgettext("staff", "New or worse alarms:")
    lines = [Line(str(alarm.rumor or alarm.kind.label), _of_alarm(alarm), absolute(alarm.url)) for alarm in found]
    everything = pgettext("staff", "All alarms: %(url)s") % {"url": absolute(reverse("alarms"))}
    return [Part(title, lines[:LINES], everything)]


def _of_alarm(alarm: alarms.Alarm) -> str:
    return f"{alarm.kind.label}. {alarm.reason}" if alarm.rumor else alarm.reason


def _line(rumor: Rumor | None, words: str) -> Line:
    assert rumor is not None
    return Line(str(rumor), f"{capfirst(words)}.", absolute(rumor.get_absolute_url()))


# What to answer ---------------------------------------------------------------------------------------------------


def answer(delivery: Delivery) -> Message | None:
    """To somebody who logged what there is an answer to now: its public text, and what to print."""
    letter = _letter(delivery)
    if letter is None:
        return None
    notice: Notice | None = letter.notices.select_related("rumor", "rebuttal__fact").first()
    if notice is None or not is_still_so(notice, letter.person, now=timezone.now()):
        return None
    rumor, rebuttal = notice.rumor, notice.rebuttal
    assert rumor is not None
    assert rebuttal is not None
    title, text = (
        contacts.expand(getattr(rebuttal, languages.suffixed(name, languages.SOURCE))) for name in ("title", "answer")
    )
    page = absolute(in_language(rebuttal.get_absolute_url(), languages.SOURCE))
    parts = [
        pgettext("staff", "There is an answer now to what you wrote down (%(rumor)s). You can say:") % {"rumor": rumor},
        title,
        text,
        pgettext("staff", "The page to show:") + "\n" + page,
        *_handouts(rebuttal, _heard_in(letter.person, rumor)),
    ]
    return Message(
        subject=pgettext("staff", "What you can answer: %(title)s") % {"title": title}, text="\n\n".join(parts)
    )


def family(rebuttal: Rebuttal) -> Rumor:
    """The rumor that an answer is to, or the one that that rumor repeats."""
    found: Rumor = rebuttal.rumor.same_as or rebuttal.rumor
    return found


def _heard_in(person: User, rumor: Rumor) -> list[str]:
    """The languages in which they heard it."""
    heard = Sighting.objects.with_repeats(rumor).visible_to(person).filter(logged_by=person)
    codes = set(heard.values_list("language", flat=True))
    return [code for code in languages.CATALOG if code in codes]


def _handouts(rebuttal: Rebuttal, codes: list[str]) -> list[str]:
    """The sheet in Swedish, and beside Swedish in each of these languages in which the fact is published."""
    fact = rebuttal.fact
    published = [code for code in [languages.SOURCE, *codes] if getattr(fact, languages.suffixed("title", code))]
    if languages.SOURCE not in published:
        return []
    sheet = absolute(in_language(reverse("handout", args=[fact.slug]), languages.SOURCE))
    lines = [pgettext("staff", "To print, in Swedish:") + "\n" + sheet]
    for code in published:
        if code != languages.SOURCE and languages.get(code) in languages.ACTIVE:
            said = pgettext("staff", "To print, in Swedish and %(language)s:")
            lines.append(said % {"language": languages.get(code).in_both_scripts} + f"\n{sheet}?with={code}")
    return lines
