"""Who takes care of a rumor hears that its day comes and that it has passed, once each; alarms come in the morning."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.accounts.models import Role
from rumors import actions as rumors
from rumors.alarms import actions as alarms
from rumors.alarms.rules import standing
from rumors.models import Rumor
from rumors.notices import actions
from rumors.notices.models import How, Notice
from rumors.responses import actions as responses
from rumors.vocabulary import Priority, Sensitivity, Status
from tests.accounts.people import person
from tests.notices.conftest import at_once, stockholm, tick, to
from tests.rumors.conftest import log, published

pytestmark = pytest.mark.django_db
LATE = "Dina, och försenade:"
SOON = "Dina, och snart dags:"


@pytest.fixture
def owner(db):
    return at_once(person(Role.EDITOR))


def given(owner, **values) -> Rumor:
    rumor = log(**values)
    rumors.assign(rumor, to=owner, by=owner)
    return rumor


def test_before_and_after_its_day_once_each(days, owner):
    given(owner)
    heard = {}
    for _ in range(20 * 4):
        days.pass_by(hours=6)
        for text in days.heard(owner):
            heard.setdefault(text, timezone.localtime().day)
    # Logged on November 10 at noon, and due after fifteen days.
    assert [(day, SOON in text, LATE in text) for text, day in heard.items() if "larm" not in text] == [
        (23, True, False),
        (25, False, True),
    ]


def test_a_day_that_moves_takes_its_mail_along(days, owner):
    rumor = given(owner)
    days.promise(days=14)
    (soon,) = to(owner)
    assert SOON in soon
    rumors.edit(rumor, priority=Priority.LOW, by=owner)
    assert to(owner) == [""]  # nothing of the old day
    days.pass_by(days=2)
    assert days.heard(owner) == []
    days.pass_by(days=12, hours=1)
    days.pass_by(days=2)
    first, second = (text for text in days.heard(owner) if "larm" not in text)
    assert SOON in first
    assert LATE in second


def test_what_has_ended_before_the_mail_leaves_is_not_called_late(days, owner):
    rumor = given(owner, priority="high")
    days.promise(days=2, minutes=1)
    assert LATE in to(owner, kind="news")[0]
    rumors.move(rumor, status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=owner)
    assert set(to(owner)) == {""}
    days.pass_by(days=1)
    assert days.heard(owner) == []


def test_what_is_answered_or_done_is_not_called_late(days, owner, editor):
    answered, done, waiting = (given(owner, priority="high") for _ in range(3))
    days.promise(days=2, minutes=1)
    published(rumor=answered)
    planned = responses.plan(done, action="direct_contact", by=owner)
    responses.finish(planned, result="Mötet är hållet.", by=owner)
    (text,) = to(owner, kind="news")
    assert [rumor.public_id in text for rumor in (answered, done, waiting)] == [False, False, True]


def test_who_gets_it_when_it_is_late_already_is_told(days, owner, editor):
    rumor = given(editor, priority="high")
    days.pass_by(days=3)
    rumors.assign(rumor, to=owner, by=editor)
    days.pass_by(minutes=1)
    (text,) = (text for text in days.heard(owner) if "larm" not in text)
    assert LATE in text
    assert "Du tar hand om det nu." in text


def test_without_somebody_who_takes_care_all_who_may_are_told_in_their_digest(days, owner, editor):
    brief = person(Role.EDITOR)
    actions.choose(how=How.NECESSARY, by=brief)
    one, two = log(), log()
    days.pass_by(days=12, hours=19, minutes=40)  # 7:40
    days.pass_by(hours=5)  # due in two days
    assert days.heard(editor) + days.heard(owner) == []
    days.promise(hours=19)
    for reader in (editor, owner):
        (text,) = to(reader)
        assert "Snart dags, och ingen tar hand om dem:" in text
        assert one.public_id in text
        assert two.public_id in text
    rumors.assign(one, to=owner, by=editor)
    (text,) = to(editor)
    assert one.public_id not in text
    assert two.public_id in text
    days.pass_by(days=1)
    assert to(brief) == []
    assert not Notice.objects.filter(person=brief).exists()


def test_nothing_of_a_secret_day_to_who_may_not_know(days, editor):
    security = person(Role.SECURITY)
    rumor = log(sensitivity=Sensitivity.SECRET, priority="high")
    for _ in range(4):
        days.pass_by(days=1)
    assert rumor.public_id in "".join(days.heard(security))
    assert days.heard(editor) == []


def test_what_was_late_before_the_clock_ran_is_not_told_one_by_one(editor):
    with time_machine.travel(stockholm(2026, 10, 1, 12, 0), tick=False):
        log()
    with time_machine.travel(stockholm(2026, 11, 10, 12, 0), tick=False):
        tick()
        tick(timedelta(minutes=1))
    assert to(editor) == []


# Days on which to look again ------------------------------------------------------------------------------------------

AGAIN = "Dags att titta igen:"


def reviews(days, user, *, of: int) -> list[tuple[int, str]]:
    """On which day of November what was heard of looking again."""
    heard: dict[str, int] = {}
    for _ in range(of * 4):
        days.pass_by(hours=6)
        for text in days.heard(user):
            heard.setdefault(text, timezone.localtime().day)
    return [(day, text) for text, day in heard.items() if "titta igen" in text]


@pytest.mark.parametrize("is_planned", [False, True])
def test_on_its_day_it_is_said_once_that_a_rumor_is_to_be_looked_at_again(days, owner, is_planned):
    rumor, watcher = given(owner, priority="low"), at_once(person(Role.MANAGER))
    rumor.watchers.add(watcher)
    day = date(2026, 11, 13)
    if is_planned:
        responses.plan(rumor, action="ignore", reason="Få har sett det.", review_on=day, by=person(Role.EDITOR))
    else:
        rumors.edit(rumor, review_on=day, by=person(Role.EDITOR))
    ((heard_on, text),) = reviews(days, owner, of=7)
    assert heard_on == 13
    assert AGAIN in text
    assert f"{rumor.public_id}: Ska ses över igen den 13 november." in text
    assert rumor.claim not in text
    assert any(AGAIN in text for text in days.heard(watcher))


def test_in_the_mail_of_the_day_it_stands_on_its_day(days):
    daily = person(Role.EDITOR)
    rumors.edit(given(daily, priority="low"), review_on=date(2026, 11, 12), by=daily)
    ((heard_on, _text),) = reviews(days, daily, of=5)
    assert heard_on == 12


def test_a_day_that_has_moved_and_a_plan_that_is_done_are_not_told(days, owner):
    moved, done = (given(owner, priority="low") for _ in range(2))
    rumors.edit(moved, review_on=date(2026, 11, 11), by=owner)
    plan = responses.plan(done, action="monitor", reason="Vänta.", review_on=date(2026, 11, 11), by=owner)
    days.promise(days=1)
    assert sum(AGAIN in text for text in to(owner)) == 1
    rumors.edit(moved, review_on=date(2026, 11, 20), by=owner)
    responses.finish(plan, result="Sett över.", by=owner)
    assert set(to(owner)) == {""}
    ((heard_on, text),) = reviews(days, owner, of=12)
    assert heard_on == 20
    assert done.public_id not in text


def test_when_nobody_follows_it_all_who_may_handle_it_are_told_and_of_a_secret_one_only_who_may_know(days, editor):
    security, brief, reader = person(Role.SECURITY), person(Role.EDITOR), person(Role.MANAGER)
    actions.choose(how=How.NECESSARY, by=brief)
    open_one, secret = log(priority="low"), log(priority="low", sensitivity=Sensitivity.SECRET)
    for rumor in (open_one, secret):
        Rumor.objects.filter(pk=rumor.pk).update(review_on=date(2026, 11, 11))
    for _ in range(3):
        days.pass_by(hours=10)
    heard = {user: "".join(days.heard(user)) for user in (editor, security, brief, reader)}
    assert "Dags att titta igen, och ingen tar hand om dem:" in heard[editor]
    assert [rumor.public_id in heard[editor] for rumor in (open_one, secret)] == [True, False]
    assert [rumor.public_id in heard[security] for rumor in (open_one, secret)] == [True, True]
    assert heard[brief] == heard[reader] == ""
    assert not Notice.objects.filter(person=brief).exists()
    with CaptureQueriesContext(connection) as queries:
        days.promise(minutes=1)
    assert not [query for query in queries if query["sql"].startswith("INSERT") and "notice" in query["sql"]]


def test_who_wants_only_what_is_necessary_hears_of_their_own(days):
    brief = person(Role.EDITOR)
    actions.choose(how=How.NECESSARY, by=brief)
    own, watched = given(brief, priority="low"), log(priority="low")
    watched.watchers.add(brief)
    Rumor.objects.update(review_on=date(2026, 11, 11))
    days.pass_by(days=1)
    text = "".join(days.heard(brief))
    assert [rumor.public_id in text.partition(AGAIN)[2] for rumor in (own, watched)] == [True, False]


def test_days_to_look_again_before_the_clock_ran_are_not_told(editor):
    with time_machine.travel(stockholm(2026, 11, 10, 12, 0), tick=False):
        rumor = given(at_once(editor))
        Rumor.objects.filter(pk=rumor.pk).update(review_on=date(2026, 11, 9))
        tick()
        tick(timedelta(minutes=1))
    assert not Notice.objects.filter(kind="review").exists()


# Alarms -----------------------------------------------------------------------------------------------------------


def test_alarms_come_once_a_day_when_they_are_new_or_worse(days, owner):
    reader = person(Role.MANAGER)
    rumor = given(owner, priority="high")
    numbers = []
    for _ in range(12):
        days.pass_by(days=1)
        told = [text for text in days.heard(owner) if "Nya eller värre larm" in text]
        numbers.append(len(told))
    # Late from the second day on, and worse after a week.
    assert numbers == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]
    assert days.heard(reader) == []
    text = told[-1]
    assert f"{rumor.public_id}: Inte bemött i tid. Det skulle ha bemötts senast 12 november 2026." in text
    assert f"/staff/rumors/{rumor.pk}/" in text
    assert rumor.claim not in text


def test_alarms_that_no_page_has_room_for_are_mailed_as_well(days, owner, monkeypatch):
    monkeypatch.setattr("rumors.alarms.rules.SHOWN", 1)
    late = [given(person(Role.EDITOR), priority="high") for _ in range(3)]
    days.pass_by(days=3)
    (text,) = (text for text in days.heard(owner) if "Nya eller värre larm" in text)
    assert all(rumor.public_id in text for rumor in late)


def test_an_alarm_that_was_put_aside_or_is_over_is_left_out_of_a_mail_that_has_not_left(days, owner, editor):
    one, two = (given(owner, priority="high") for _ in range(2))
    days.pass_by(days=2)
    days.promise(days=1)
    (text,) = to(editor)
    assert one.public_id in text
    assert two.public_id in text
    (key,) = (alarm.key for alarm in standing(editor, now=timezone.now()).alarms if alarm.rumor == one)
    alarms.see(key=key, level=3, by=editor)
    (text,) = to(editor)
    assert one.public_id not in text
    assert two.public_id in text
    rumors.move(two, status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=owner)
    assert to(editor) == [""]


def test_a_rumor_that_is_told_as_late_is_no_alarm_in_the_same_mail(days, editor):
    given(editor, priority="high")
    days.pass_by(days=1)
    days.pass_by(days=2)
    last = days.heard(editor)[-1]
    assert LATE in last
    assert "larm" not in last


def test_a_threat_is_an_alarm_for_the_security_role_alone(days, editor):
    security = person(Role.SECURITY)
    rumor = log()
    rumors.sight(rumor, channel="phone", seen_on=timezone.localdate(), by=rumor.logged_by, is_threat=True)
    days.pass_by(minutes=1)
    days.pass_by(days=1)
    at_once, text = days.heard(security)
    assert "Ett hot väntar på dig." in at_once
    assert "Hot att hantera: 1 hot väntar" in text
    assert "/staff/rumors/threats/" in text
    assert days.heard(editor) == []


def test_nothing_is_sent_when_there_is_nothing(days, editor, inbox):
    for _ in range(5):
        days.pass_by(days=1)
    assert inbox == []
