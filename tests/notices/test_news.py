"""News of what somebody follows: at once, once a day or hardly ever, and never of what they may not know."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from rumors import actions as rumors
from rumors.models import Rumor, Sighting
from rumors.notices import actions, rules
from rumors.notices.models import Bookmark, Choice, How, Letter, Notice
from rumors.vocabulary import Sensitivity, Status
from tests.accounts.people import person, sign_in
from tests.notices.conftest import at_once, tick, to
from tests.rumors.conftest import CLAIM, log

pytestmark = pytest.mark.django_db


def follow(rumor, *people):
    for each in people:
        rumors.watch(rumor, by=each)
    return rumor


def sight(rumor, by, **values):
    return rumors.sight(rumor, channel="sfi", seen_on=timezone.localdate(), by=by, **values)


# At once ----------------------------------------------------------------------------------------------------------


def test_a_watcher_hears_of_it_and_who_did_it_does_not(started, watcher, editor, inbox):
    rumor = follow(log(), watcher, at_once(editor))
    rumors.move(rumor, status=Status.SCREENED, by=editor)
    tick()
    mail.deliver()
    (letter,) = inbox
    assert letter["To"] == watcher.email
    assert letter["Subject"] == f"{rumor.public_id}: ny status: Sorterat"
    text = letter.get_body(("plain",)).get_content()
    assert f"/staff/rumors/{rumor.pk}/" in text
    assert "/staff/rumors/notices/" in text
    assert "unsubscribe" not in text
    assert CLAIM not in text
    tick()
    mail.deliver()
    assert len(inbox) == 1


def test_nothing_that_was_written_is_in_a_mail(started, watcher, editor):
    rumor = follow(log(original="Orden själva"), watcher)
    rumors.rate(rumor, verdict="false", basis="Grunden", by=editor)
    rumors.move(rumor, status=Status.OUT_OF_SCOPE, reason="Skälet", by=editor)
    sight(rumor, editor, original="Hört igen")
    tick()
    (text,) = to(watcher)
    assert "Nytt om" not in text  # one rumor is named in the subject
    for part in (CLAIM, "Orden", "Grunden", "Skälet", "Hört", editor.name):
        assert part not in text


def test_what_was_done_many_times_is_said_once(started, watcher, editor):
    rumor, other = follow(log(), watcher), follow(log(), watcher)
    for _ in range(3):
        sight(rumor, editor)
    rumors.move(other, status=Status.SCREENED, by=editor)
    tick()
    (text,) = to(watcher)
    assert text.startswith("Nytt om 2 rykten\n")
    assert f"{rumor.public_id}: En ny iakttagelse (3)." in text
    assert f"{other.public_id}: Ny status: Sorterat." in text


def test_who_takes_care_of_it_is_told(started, editor):
    """Also who wants to hear of nothing but what is necessary."""
    rumor, other = log(), person(Role.EDITOR)
    actions.choose(how=How.NECESSARY, by=other)
    rumors.assign(rumor, to=other, by=editor)
    tick()
    (text,) = to(other)
    assert text.startswith(f"{rumor.public_id}: du tar hand om det nu\n")
    sight(rumor, editor)
    tick(timedelta(minutes=5))
    assert len(to(other)) == 1


def test_who_gave_it_away_before_the_mail_left_is_not_told_that_it_is_theirs(started, editor):
    rumor, other = log(), at_once(person(Role.EDITOR))
    rumors.assign(rumor, to=other, by=editor)
    tick()
    assert to(other) != [""]
    rumors.assign(rumor, to=None, by=editor)
    assert to(other) == [""]


def test_who_follows_no_more_gets_nothing(started, watcher, editor):
    rumor = follow(log(), watcher)
    sight(rumor, editor)
    tick()
    rumors.watch(rumor, by=watcher)
    assert to(watcher) == [""]


def test_who_has_gone_gets_nothing(started, editor):
    left, without_role, nowhere = (at_once(person(Role.REPORTER)) for _ in range(3))
    rumor = follow(log(), left, without_role, nowhere)
    type(nowhere).objects.filter(pk=nowhere.pk).update(email="nobody@example.invalid")
    sight(rumor, editor)
    tick()
    assert Delivery.objects.count() == 2
    left.is_active = False
    left.save()
    without_role.groups.clear()
    assert to(left) + to(without_role) == ["", ""]
    sight(rumor, editor)
    tick(timedelta(minutes=1))
    assert not Notice.objects.waiting().exists()
    assert Delivery.objects.count() == 2


def test_nothing_goes_to_an_address_that_was_changed_since(started, watcher, editor):
    sight(follow(log(), watcher), editor)
    tick()
    type(watcher).objects.filter(pk=watcher.pk).update(email="new@example.org")
    assert to(watcher) == [""]


def test_before_the_clock_ever_ran_nothing_is_told(watcher, editor):
    sight(follow(log(), watcher), editor)
    assert [tick(), tick(timedelta(minutes=1))] == [0, 0]


# Secrets ----------------------------------------------------------------------------------------------------------


def test_nothing_of_a_secret_rumor_to_who_may_not_read_it(started, watcher, editor):
    security = at_once(person(Role.SECURITY))
    rumor = follow(log(), watcher, security)
    sight(rumor, editor)
    tick()
    assert to(watcher) != [""]
    rumors.edit(rumor, sensitivity=Sensitivity.SECRET, by=editor)
    # What had been promised is looked at once more when it leaves.
    assert to(watcher) == [""]
    sight(rumor, editor)
    Letter.objects.update(settled_at=timezone.now())
    tick(timedelta(minutes=1))
    assert to(watcher) == [""]
    assert len([text for text in to(security) if rumor.public_id in text]) == 2
    assert CLAIM not in "".join(to(security))


@pytest.mark.parametrize("how", [How.AT_ONCE, How.DAILY])
def test_nothing_of_a_threat_to_who_may_not_know_of_it(days, editor, how):
    reader, security = person(Role.MANAGER), person(Role.SECURITY)
    for each in (reader, security):
        actions.choose(how=how, by=each)
    rumor = follow(log(), reader, security)
    threat = sight(rumor, editor, is_threat=True)
    rumors.handle(threat, note="Anmält.", by=person(Role.SECURITY))
    days.pass_by(minutes=1)
    days.pass_by(days=1)
    assert days.heard(reader) == []
    (text,) = days.heard(security)
    assert "n ny iakttagelse, ett hot är hanterat" in text
    assert "Anmält" not in text
    sight(rumor, editor)  # no threat
    days.pass_by(days=1)
    assert [rumor.public_id in text for text in days.heard(reader)] == [True]


# Once a day -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "last", "coming"),
    [
        ((2026, 3, 28, 12, 0), (2026, 3, 28, 6, 30), (2026, 3, 29, 5, 30)),  # the night to summer time
        ((2026, 3, 29, 5, 29), (2026, 3, 28, 6, 30), (2026, 3, 29, 5, 30)),
        ((2026, 3, 29, 5, 30), (2026, 3, 29, 5, 30), (2026, 3, 30, 5, 30)),
        ((2026, 10, 24, 12, 0), (2026, 10, 24, 5, 30), (2026, 10, 25, 6, 30)),  # and back
        ((2026, 10, 25, 6, 29), (2026, 10, 24, 5, 30), (2026, 10, 25, 6, 30)),
        ((2026, 10, 25, 6, 30), (2026, 10, 25, 6, 30), (2026, 10, 26, 6, 30)),
        ((2026, 12, 31, 23, 30), (2026, 12, 31, 6, 30), (2027, 1, 1, 6, 30)),
    ],
)
def test_half_past_seven_is_what_the_clock_on_the_wall_shows(now, last, coming):
    moment = datetime(*now, tzinfo=UTC)
    assert rules.last_morning(moment).astimezone(UTC) == datetime(*last, tzinfo=UTC)
    assert rules.next_morning(moment).astimezone(UTC) == datetime(*coming, tzinfo=UTC)
    for found in (rules.last_morning(moment), rules.next_morning(moment)):
        assert (found.hour, found.minute) == (7, 30)


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 10, 24), date(2026, 11, 10)], ids=str)
def test_one_mail_in_the_morning_over_a_change_of_clock_too(day, days, editor):
    """A tick an hour for two days, and one a minute from 7:25 to 7:35 on the wall."""
    reader, zone, arrived = person(Role.MANAGER), timezone.get_default_timezone(), []
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    Bookmark.objects.all().delete()
    days.clock.move_to(noon)
    tick()
    rumor = follow(log(), reader)
    for _ in range(2):
        sight(rumor, editor)
    hours = [noon.astimezone(UTC) + timedelta(hours=hour) for hour in range(48)]
    mornings = [datetime.combine(day + timedelta(days=number), time(7, 25), zone).astimezone(UTC) for number in (1, 2)]
    minutes = [morning + timedelta(minutes=minute) for morning in mornings for minute in range(11)]
    for moment in sorted({*hours, *minutes}):
        days.clock.move_to(moment)
        days.pass_by()
        if len(days.heard(reader)) > len(arrived):
            arrived.append(timezone.localtime().strftime("%d %H:%M"))
    assert arrived == [f"{day + timedelta(days=1):%d} 07:30"]
    (text,) = days.heard(reader)
    assert text.startswith("Rykten i dag: 1 sak att titta på\n")
    assert "En ny iakttagelse (2)." in text


def test_what_happens_after_the_morning_waits_for_the_next_one(days, editor):
    reader = person(Role.MANAGER)
    rumor = follow(log(), reader)
    sight(rumor, editor)
    days.pass_by(hours=19, minutes=31)
    days.clock.shift(timedelta(hours=2))
    rumors.move(rumor, status=Status.SCREENED, by=editor)
    days.pass_by()
    assert len(days.heard(reader)) == 1
    days.pass_by(hours=22)
    first, second = days.heard(reader)
    assert "En ny iakttagelse." in first
    assert "Ny status: Sorterat." in second


def test_after_three_days_of_standstill_one_mail_and_not_a_hundred(days, editor, watcher):
    reader = person(Role.MANAGER)
    rumor = follow(log(), reader, watcher)
    for _ in range(70):
        days.clock.shift(timedelta(hours=1))
        sight(rumor, editor)
    for _ in range(3):
        days.pass_by(minutes=1)
    (digest,), (news,) = days.heard(reader), days.heard(watcher)
    assert "En ny iakttagelse (70)." in news
    # It is ten o'clock on Friday: what came after half past seven is for Saturday.
    assert "En ny iakttagelse (67)." in digest
    days.pass_by(days=1)
    assert "En ny iakttagelse (3)." in days.heard(reader)[1]


def test_while_no_mail_can_leave_news_is_gathered(started, watcher, editor, settings, inbox):
    """The clock runs for three days, and the mail server does not answer."""
    up, settings.EMAIL_URL = settings.EMAIL_URL, "smtp://127.0.0.1:1?timeout=1"
    reader = person(Role.MANAGER)
    rumor = follow(log(), watcher, reader)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        for hour in range(72):
            clock.move_to(start + timedelta(hours=hour))
            sight(rumor, editor)
            tick()
            mail.deliver()
        assert inbox == []
        settings.EMAIL_URL = up
        clock.move_to(start + timedelta(hours=73))
        tick()
        Delivery.objects.filter(state="retry").update(retry_at=timezone.now())
        mail.deliver()
    told = {}
    for letter in inbox:
        told.setdefault(letter["To"], []).append(letter.get_body(("plain",)).get_content())
    assert "En ny iakttagelse (72)." in told[watcher.email][0]
    assert {to: len(letters) for to, letters in told.items()} == {watcher.email: 1, reader.email: 1}


# The page ---------------------------------------------------------------------------------------------------------


def test_everybody_chooses_for_themselves(editor):
    client, page = sign_in(editor), "/staff/rumors/notices/"
    assert client.get(page).context["form"].initial["how"] == How.DAILY
    client.post(page, {"how": "at_once"})
    client.post(page, {"how": "necessary"})
    assert Choice.objects.get().how == How.NECESSARY
    refused = client.post(page, {"how": "never"})
    assert (refused.status_code, Choice.objects.get().how) == (422, How.NECESSARY)


def test_the_page_shows_what_somebody_follows_and_nothing_secret(editor):
    reader = person(Role.MANAGER)
    mine, secret = follow(log(claim="Det ena."), reader), follow(log(claim="Det andra."), reader)
    rumors.edit(secret, sensitivity=Sensitivity.SECRET, by=editor)
    page = sign_in(reader).get("/staff/rumors/notices/").content.decode()
    assert mine.claim in page
    assert secret.public_id not in page
    assert secret.claim not in page


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_costs_the_same_for_one_and_for_three(editor, django_assert_num_queries, number):
    """Four to know who asks and what they may; their choice, what they follow and how many that are."""
    for _ in range(number):
        follow(log(), editor)
    client = sign_in(editor)
    client.get("/staff/rumors/notices/")
    with django_assert_num_queries(5):
        response = client.get("/staff/rumors/notices/")
    assert len(response.context["page"]) == number


def test_what_is_followed_beyond_one_page_stands_on_the_next(editor, monkeypatch):
    monkeypatch.setattr("rumors.notices.views.FOLLOWED", 2)
    followed = [follow(log(), editor) for _ in range(3)]
    client = sign_in(editor)
    pages = [client.get(f"/staff/rumors/notices/?page={number}") for number in (1, 2)]
    assert 'href="?page=2"' in pages[0].content.decode()
    assert {rumor.pk for page in pages for rumor in page.context["page"]} == {rumor.pk for rumor in followed}


def test_what_was_told_long_ago_is_forgotten(started, watcher, editor):
    sight(follow(log(), watcher), editor)
    tick()
    Letter.objects.update(settled_at=timezone.now())
    assert actions.purge(now=timezone.now() + timedelta(days=89)) == 0
    assert actions.purge(now=timezone.now() + timedelta(days=91)) == 2
    assert not Notice.objects.exists()
    assert Sighting.objects.count() == 2
    assert Rumor.objects.count() == 1


def test_words_are_known_for_every_verb_that_the_register_writes():
    """Some tell nobody anything, or are about an answer; every other verb about a rumor is told."""
    import re
    from pathlib import Path

    root = Path(actions.__file__).resolve().parents[1]
    written = set()
    for path in root.rglob("*.py"):
        text = path.read_text()
        written |= set(
            re.findall(
                r'audit\.record\(\s*"(\w+)", (?:held|rumor|locked|found\.rumor|made\.rumor|target|found)\b', text
            )
        )
        written |= set(re.findall(r'\bwrite\(\w+, "(\w+)"', text))
    assert written >= {"move", "sight", "rate"}
    assert written - set(rules.TOLD) == {"log", "read", "purge", "confirm_answer", "take_back_comment"}
