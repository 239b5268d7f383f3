"""The clock of the register: it turns what happened into notices, and notices into promises of mail."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.mail import actions as mail
from portal.mail.models import Delivery, State
from portal.revisions.models import Edition, Revision, Significance
from portal.revisions.models import State as TextState
from rumors.alarms import rules as alarms
from rumors.models import Rebuttal, Rumor, Sighting
from rumors.notices import rules
from rumors.notices.models import Bookmark, Choice, How, Letter, LetterKind, Notice, NoticeKind, Told
from rumors.rules import handlers

AT_ONCE_IS_OVER: Final = timedelta(hours=1)
"""A mail that could not leave for so long is given up, and what it told goes with all that came after it."""
ANSWER_IS_OLD: Final = timedelta(days=7)
LOOK_BACK: Final = timedelta(days=7)
"""How long after its day a rumor is still told as overdue to who has not been told: the clock may have stood still."""
AN_INSTANT: Final = timedelta(seconds=10)
"""A sighting and its line in the log are written together."""


def announce() -> None:
    # Colleagues cannot work without them, and choose on a page of their own: nothing to unsubscribe from by a link.
    mail.register("rumor_news", rules.round_up, label=pgettext_lazy("staff", "News of rumors, at once"))
    mail.register("rumor_digest", rules.round_up, label=pgettext_lazy("staff", "News of rumors, once a day"))
    mail.register("rumor_answer", rules.answer, label=pgettext_lazy("staff", "There is an answer to a rumor"))


def choose(*, how: str, by: User) -> None:
    Choice.objects.update_or_create(user=by, defaults={"how": how})


@transaction.atomic
def keep(*, now: datetime) -> int:
    """One tick: read on, look at days and answers, promise mails; returns how many.

    All of it or, when the process ends in the middle, nothing: the next tick finds everything as it was. While one
    is at it, others leave it to that one.
    """
    morning = rules.last_morning(now)
    at_start = {"started_at": now, "read_to": now, "alarms_on": morning.date()}
    Bookmark.objects.get_or_create(pk=1, defaults=at_start)
    place: Bookmark | None = Bookmark.objects.select_for_update(skip_locked=True, of=("self",)).first()
    if place is None:
        return 0
    _settle(now)
    found = [
        *_threats(place, now),
        *_days(place, now),
        *_reviews(place, now),
        *_happened(place, now),
        *_answers(place, now),
    ]
    if place.alarms_on < morning.date():
        found += _alarms(morning, now)
        place.alarms_on = morning.date()
    place.save()
    _tell(found)
    return _promise(morning, now)


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget what was told long ago; returns how many rows went."""
    old = now - Notice.KEEP
    told, _ = Notice.objects.filter(at__lt=old).delete()
    sent, _ = Letter.objects.filter(settled_at__lt=old, notices__isnull=True).delete()
    return int(told + sent)


# What became of earlier letters -----------------------------------------------------------------------------------


def _settle(now: datetime) -> None:
    """What a letter told that never left waits again; what was sent, or may have been, is never told twice."""
    under_way = {letter.key: letter for letter in Letter.objects.under_way()}
    mail.expire(now=now)
    for key, state in Delivery.objects.filter(key__in=under_way, ended_at__isnull=False).values_list("key", "state"):
        letter = under_way[key]
        # An answer that was withdrawn before its mail left may be published again.
        if state == State.EXPIRED or (state == State.CANCELED and letter.kind == LetterKind.ANSWER):
            letter.notices.update(letter=None)
        letter.settled_at = now
        letter.save(update_fields=["settled_at"])


# What happened ----------------------------------------------------------------------------------------------------


def _happened(place: Bookmark, now: datetime) -> list[Notice]:
    """What the audit log has on rumors since the clock last read in it.

    Rows do not become visible in the order of their numbers or times: a transaction may be open for long. So the next
    tick begins again at the start of the oldest one that was writing when this one looked, less a margin for clocks
    that differ, and leaves out what has been read.
    """
    settled_to = min(now, _oldest_writer() or now)
    news = AuditEvent.objects.filter(
        kind=Rumor._meta.label_lower,
        verb__in=rules.TOLD,
        at__gte=max(place.started_at, place.read_to - Bookmark.MARGIN),
    )
    events = list(news.exclude(pk__in=place.read).order_by("pk"))
    place.read_to = max(place.read_to, settled_to)
    read = AuditEvent.objects.filter(pk__in=[*place.read, *(event.pk for event in events)])
    place.read = list(read.filter(at__gte=place.read_to - Bookmark.MARGIN).values_list("pk", flat=True))
    return _of_events(events)


def _oldest_writer() -> datetime | None:
    """When the oldest transaction that is writing right now began. One that has not written yet will write its rows
    later than now. All processes of the site share one role of the database, which sees its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT min(xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
        )
        found: datetime | None = cursor.fetchone()[0]
        return found


def _of_events(events: list[AuditEvent]) -> list[Notice]:
    pks = {int(event.object_id) for event in events}
    rumors = Rumor.objects.select_related("assignee").prefetch_related("watchers").in_bulk(pks)
    people: dict[int, User] = {}  # one object each: it remembers its roles
    notices = []
    for event in events:
        rumor = rumors.get(int(event.object_id))
        if rumor is None:
            continue
        is_threat = _is_of_threat(event)
        for person in _following(rumor):
            pk = person.pk
            if pk == event.by_id:
                continue
            is_for_them = event.verb == "assign" and rumor.assignee_id == pk
            notice = Notice(
                person=people.setdefault(pk, person),
                kind=NoticeKind.ASSIGNED if is_for_them else NoticeKind.CHANGE,
                key=f"event:{event.pk}:{pk}",
                rumor=rumor,
                verb=event.verb,
                status=event.changes.get("status", ["", ""])[1] if event.verb == "move" else "",
                is_threat=is_threat,
                at=event.at,
            )
            notices.append(notice)
    return notices


def _is_of_threat(event: AuditEvent) -> bool:
    """The log does not say which sighting it was: the one that the same person wrote in the same instant."""
    if event.verb != "sight":
        return event.verb == "handle"
    earlier = Sighting.objects.filter(rumor=int(event.object_id), logged_by=event.by_id, logged_at__lte=event.at)
    found = earlier.filter(logged_at__gte=event.at - AN_INSTANT).order_by("-logged_at", "-pk").first()
    return found is not None and found.is_threat


def _tell(notices: Iterable[Notice]) -> None:
    """Those whose reader may know; each key once, for good.

    A row that names a rumor holds it as long as this transaction: late, and in the order in which a merge takes two.
    """
    known = [notice for notice in notices if rules.may_be_told(notice.person) and rules.may_know(notice.person, notice)]
    in_order = sorted(known, key=lambda notice: (notice.rumor_id or 0, notice.key))
    Notice.objects.bulk_create(in_order, ignore_conflicts=True, batch_size=500)


# Threats ----------------------------------------------------------------------------------------------------------


def _threats(place: Bookmark, now: datetime) -> list[Notice]:
    """That a threat waits, to everybody who may read it but the one who wrote it down."""
    since = max(place.started_at, now - LOOK_BACK)
    waiting = list(Sighting.objects.unhandled_threats().filter(logged_at__gte=since).select_related("rumor"))
    readers = [person for person in handlers() if person.has_perm("rumors.secret")] if waiting else []
    return _untold(
        [
            Notice(
                person=person,
                kind=NoticeKind.THREAT,
                key=f"threat:{threat.pk}:{person.pk}",
                rumor=threat.rumor,
                is_threat=True,
                at=threat.logged_at,
            )
            for threat in waiting
            for person in readers
            if person.pk != threat.logged_by_id
        ]
    )


# Days that come and go ----------------------------------------------------------------------------------------------


def _days(place: Bookmark, now: datetime) -> list[Notice]:
    """That a rumor is due within two days, and that its day has passed, to who takes care of it; when nobody does, to
    all who may. What was overdue before the clock ever ran is for the list of alarms."""
    since = max(place.started_at, now - LOOK_BACK)
    due = Rumor.objects.open().filter(due_at__gt=since, due_at__lte=now + rules.SOON)
    waiting = alarms.to_be_answered(due).select_related("assignee")
    everybody = list(handlers().exclude(pk__in=Choice.objects.filter(how=How.NECESSARY).values("user")))
    notices = [
        _of_day(rumor, person, place.read_to, now)
        for rumor in waiting
        for person in ([rumor.assignee] if rumor.assignee else everybody)
    ]
    return [notice for notice in _untold(notices) if notice.person.has_perm("rumors.handle")]


def _untold(notices: list[Notice]) -> list[Notice]:
    told = set(Notice.objects.filter(key__in=[notice.key for notice in notices]).values_list("key", flat=True))
    return [notice for notice in notices if notice.key not in told]


def _of_day(rumor: Rumor, person: User, before: datetime, now: datetime) -> Notice:
    kind = NoticeKind.OVERDUE if rumor.due_at <= now else NoticeKind.SOON
    began_at = rumor.due_at if kind == NoticeKind.OVERDUE else rumor.due_at - rules.SOON
    return Notice(
        person=person,
        kind=kind,
        key=f"{kind}:{rumor.pk}:{rumor.due_at.timestamp():.0f}:{person.pk}",
        rumor=rumor,
        due_at=rumor.due_at,
        is_shared=rumor.assignee is None,
        # Moved into the past by hand it is news of now, and not of a morning that is over.
        at=max(began_at, before),
    )


def _reviews(place: Bookmark, now: datetime) -> list[Notice]:
    """That a rumor is to be looked at again, in the morning of that day, to who takes care of it or follows it; when
    nobody does, to all who may handle it."""
    since = max(place.started_at, now - LOOK_BACK)
    days = {
        (pk, morning)
        for pk, mornings in rules.review_days(Rumor.objects.all(), now=now).items()
        for morning in mornings
        if morning > since
    }
    rumors = Rumor.objects.select_related("assignee").prefetch_related("watchers").in_bulk({pk for pk, _ in days})
    everybody = list(handlers()) if days else []
    brief = set(Choice.objects.filter(how=How.NECESSARY).values_list("user", flat=True)) if days else set()
    notices = [
        Notice(
            person=person,
            kind=NoticeKind.REVIEW,
            key=f"{NoticeKind.REVIEW}:{pk}:{morning.date()}:{person.pk}",
            rumor=rumors[pk],
            due_at=morning,
            is_shared=not following,
            at=max(morning, place.read_to),
        )
        for pk, morning in days
        for following in [_following(rumors[pk])]
        for person in following or everybody
    ]
    return _untold([notice for notice in notices if notice.person_id not in brief or rules.is_necessary(notice)])


def _following(rumor: Rumor) -> list[User]:
    """Who takes care of it, and who watches it."""
    return list(
        {person.pk: person for person in [*rumor.watchers.all(), rumor.assignee] if person is not None}.values()
    )


# Answers ----------------------------------------------------------------------------------------------------------


def _answers(place: Bookmark, now: datetime) -> list[Notice]:
    """Once for each answer, and again after an important change: everybody who had logged what it answers by then."""
    notices: list[Notice] = []
    editions = Told.objects.all().unchecked()
    rebuttals = Rebuttal.objects.select_related("rumor__same_as").in_bulk([edition.object_id for edition in editions])
    for edition in editions:
        rebuttal, revision = rebuttals[edition.object_id], edition.revision
        assert revision is not None
        told = Told.objects.filter(rebuttal=rebuttal).first()
        if told is None:
            told = Told(rebuttal=rebuttal, revision=revision)
            is_news = edition.published_at is not None and edition.published_at > place.started_at
        else:
            is_news = _has_changed(edition, since=told.revision_id)
        told.checked = revision
        if is_news:
            told.revision = revision
            notices += _of_answer(rebuttal, edition, now)
        told.save()
    return notices


def _has_changed(edition: Edition, *, since: int) -> bool:
    """Something important, from the text that was told of to the one that is published now."""
    published = Revision.objects.filter(
        content_type_id=edition.content_type_id,
        object_id=edition.object_id,
        language=languages.SOURCE,
        state=TextState.PUBLISHED,
        significance=Significance.MAJOR,
    )
    return bool(published.filter(pk__gt=since, pk__lte=edition.revision_id).exists())


def _of_answer(rebuttal: Rebuttal, edition: Edition, now: datetime) -> list[Notice]:
    rumor = rules.family(rebuttal)
    logged = Sighting.objects.with_repeats(rumor).order_by()
    people = User.objects.in_bulk(logged.values_list("logged_by", flat=True))
    heard = set(logged.filter(is_threat=False).values_list("logged_by", flat=True))
    return [
        Notice(
            person=person,
            kind=NoticeKind.ANSWER,
            key=f"answer:{rebuttal.pk}:{edition.revision_id}:{pk}",
            rumor=rumor,
            rebuttal=rebuttal,
            at=now,
        )
        for pk, person in people.items()
        if pk in heard or person.has_perm("rumors.secret")
    ]


# Alarms -----------------------------------------------------------------------------------------------------------


def _alarms(morning: datetime, now: datetime) -> list[Notice]:
    """Once a day, to each who may do something about them: those that are new or worse since they were last told."""
    notices: list[Notice] = []
    for person in handlers():
        if not rules.may_be_told(person) or rules.choice(person) == How.NECESSARY:
            continue
        # What began later is for the next morning.
        found = [alarm for alarm in alarms.standing(person, now=now).fresh if alarm.since <= morning]
        told = Notice.objects.filter(person=person, kind=NoticeKind.ALARM, alarm__in=[alarm.key for alarm in found])
        known: dict[str, list[tuple[int, datetime]]] = {}
        for key, level, at in told.values_list("alarm", "level", "at"):
            known.setdefault(key, []).append((level, at))
        news = [
            alarm
            for alarm in found
            if not any(level >= alarm.level and at >= alarm.since for level, at in known.get(alarm.key, []))
        ]
        notices += [_of_alarm(alarm, person, morning) for alarm in alarms.named(news, person)]
    return notices


def _of_alarm(alarm: alarms.Alarm, person: User, morning: datetime) -> Notice:
    return Notice(
        person=person,
        kind=NoticeKind.ALARM,
        key=f"alarm:{alarm.key}:{alarm.level}:{morning.date()}:{person.pk}",
        rumor=alarm.rumor,
        alarm=alarm.key,
        level=alarm.level,
        is_shared=True,
        at=morning,
    )


# Promises ---------------------------------------------------------------------------------------------------------


def _promise(morning: datetime, now: datetime) -> int:
    """Put what waits into letters: one for each answer, one for all that goes at once, one for the day."""
    waiting: dict[int, list[Notice]] = {}
    for notice in Notice.objects.waiting().select_related("person", "rumor", "rebuttal"):
        waiting.setdefault(notice.person_id, []).append(notice)
    under_way = set(Letter.objects.under_way().filter(kind=LetterKind.NEWS).values_list("person", flat=True))
    have_digest = set(Letter.objects.filter(day=morning.date()).values_list("person", flat=True))
    planned = 0
    for pk, notices in waiting.items():
        person = notices[0].person
        wanted = _wanted(person, notices)
        answers = [notice for notice in wanted if notice.kind == NoticeKind.ANSWER]
        for notice in answers:
            if rules.is_still_so(notice, person, now=now):
                planned += _write(person, LetterKind.ANSWER, [notice], now)
        is_daily = rules.choice(person) == How.DAILY
        others = [notice for notice in wanted if notice.kind != NoticeKind.ANSWER]
        at_once = [notice for notice in others if rules.is_told_at_once(notice, is_daily=is_daily)]
        digest = [notice for notice in others if notice not in at_once and notice.at <= morning]
        if digest and pk not in have_digest:
            planned += _write(person, LetterKind.DIGEST, digest, now)
        # One at a time: while mail cannot leave, what happens is gathered for the next one.
        if at_once and pk not in under_way:
            planned += _write(person, LetterKind.NEWS, at_once, now)
    return planned


def _wanted(person: User, notices: list[Notice]) -> list[Notice]:
    """What is left when the rest is forgotten: who has gone, what has become secret, what they chose not to hear."""
    if rules.may_be_told(person):
        is_brief = rules.choice(person) == How.NECESSARY
        wanted = [
            notice
            for notice in notices
            if (notice.kind == NoticeKind.ALARM or rules.may_know(person, notice))
            and not (is_brief and not rules.is_necessary(notice))
        ]
    else:
        wanted = []
    kept = {notice.pk for notice in wanted}
    Notice.objects.filter(pk__in=[notice.pk for notice in notices if notice.pk not in kept]).delete()
    return wanted


def _write(person: User, kind: LetterKind, notices: list[Notice], now: datetime) -> int:
    expires_at = {
        LetterKind.NEWS: now + AT_ONCE_IS_OVER,
        LetterKind.DIGEST: rules.next_morning(now),
        LetterKind.ANSWER: now + ANSWER_IS_OLD,
    }[kind]
    day = rules.last_morning(now).date() if kind == LetterKind.DIGEST else None
    letter = Letter.objects.create(person=person, kind=kind, day=day, made_at=now)
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(letter=letter)
    mail.plan(
        kind=letter.mail_kind,
        key=letter.key,
        to=person.email,
        language=person.language,
        due_at=now,
        expires_at=expires_at,
        context={"letter": letter.pk},
    )
    return 1
