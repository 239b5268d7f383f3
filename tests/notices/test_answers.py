"""When an answer is published, everybody who had logged what it answers is told what to say."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery, State
from portal.revisions import actions as revisions
from rumors import actions as rumors
from rumors.models import Sighting
from rumors.notices import actions
from rumors.notices.models import How, Letter
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import person
from tests.notices.conftest import tick, to
from tests.rumors.conftest import CLAIM, TEXT, answer, log, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("started")]


@pytest.fixture
def reporter(db):
    return person(Role.REPORTER)


def heard(rumor, by, language="so", **values):
    return rumors.sight(rumor, channel="sfi", seen_on=timezone.localdate(), language=language, by=by, **values)


def test_a_caseworker_is_told_what_to_answer_by_a_real_mail(reporter, inbox):
    rumor = log()
    for language in ("so", "ar", "sv"):
        heard(rumor, reporter, language)
    rebuttal = published("so", rumor=rumor, fact=factories.published_fact("so"))
    tick()
    mail.deliver()
    letter = next(letter for letter in inbox if letter["To"] == reporter.email)
    assert letter["Subject"] == f"Det här kan du svara: {TEXT['title']}"
    text = letter.get_body(("plain",)).get_content().replace("\r", "")
    assert TEXT["answer"] in text
    assert f"/sv/rumors/{rebuttal.slug}/" in text
    sheet = f"/sv/facts/{rebuttal.fact.slug}/handout.pdf"
    assert f"{sheet}\n" in text
    assert f"{sheet}?with=so" in text
    assert "with=ar" not in text  # not published in Arabic
    assert rumor.public_id in text
    assert CLAIM not in text
    assert TEXT["claim"] not in text
    tick(timedelta(minutes=1))
    mail.deliver()
    assert [letter["To"] for letter in inbox].count(reporter.email) == 1


def test_however_little_somebody_wants_to_hear_they_hear_this(reporter):
    actions.choose(how=How.NECESSARY, by=reporter)
    rumor = log()
    heard(rumor, reporter)
    published(rumor=rumor)
    tick()
    assert len(to(reporter, kind="answer")) == 1


def test_who_logged_what_repeats_it_is_told_whichever_of_them_was_answered(reporter, editor):
    rumor, repeating, other = log(), log(by=reporter), person(Role.REPORTER)
    heard(rumor, other)
    pairs.merge(repeating, into=rumor, by=editor)
    published(rumor=repeating)
    tick()
    for reader in (reporter, other):
        (text,) = to(reader, kind="answer")
        assert rumor.public_id in text


def test_who_heard_it_after_the_answer_was_there_had_it_before_them(reporter):
    rumor = log()
    published(rumor=rumor)
    tick()
    heard(rumor, reporter)
    tick(timedelta(minutes=1))
    assert to(reporter) == []


def test_what_was_published_before_the_clock_ran_is_not_told(reporter):
    rumor = log(by=reporter)
    rebuttal = published(rumor=rumor)
    from portal.revisions.models import Edition

    Edition.objects.of(rebuttal).update(published_at=timezone.now() - timedelta(days=1))
    tick()
    assert to(reporter) == []


# Again, or not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("significance", "mails"), [("typo", 1), ("content", 1), ("major", 2)])
def test_a_new_text_is_told_only_when_the_change_was_important(reporter, significance, mails):
    rumor = log(by=reporter)
    rebuttal = published(rumor=rumor)
    tick()
    factories.publish(rebuttal, **TEXT | {"answer": "En domstol beslutar alltid."}, significance=significance)
    tick(timedelta(minutes=1))
    tick(timedelta(minutes=2))
    assert len(to(reporter, kind="answer")) == mails
    # An important change is not forgotten behind a small one.
    factories.publish(rebuttal, **TEXT | {"answer": "En annan text."}, significance="major")
    factories.publish(rebuttal, **TEXT | {"answer": "En annan text!"}, significance="typo")
    tick(timedelta(minutes=3))
    assert len(to(reporter, kind="answer")) == mails + 1


def withdraw(rebuttal):
    revisions.withdraw(rebuttal, language="sv", by=factories.user(), reason="fel", because="mistake")


def test_what_is_withdrawn_before_the_mail_leaves_is_not_sent_and_once_it_is_back_it_is(reporter, inbox):
    rumor = log(by=reporter)
    rebuttal = published(rumor=rumor)
    tick()
    withdraw(rebuttal)
    mail.deliver()
    assert inbox == []
    tick()
    mail.deliver()
    factories.publish(rebuttal, **TEXT | {"answer": "Rättad text."}, significance="typo")
    for _ in range(2):
        tick()
        mail.deliver()
    assert [letter["Subject"] for letter in inbox] == [f"Det här kan du svara: {TEXT['title']}"]
    assert "Rättad text." in inbox[0].get_body(("plain",)).get_content()


def test_what_is_withdrawn_and_back_between_two_looks_is_told_once(reporter):
    rebuttal = published(rumor=log(by=reporter))
    withdraw(rebuttal)
    factories.publish(rebuttal, **TEXT | {"answer": "Rättad text."}, significance="major")
    tick()
    assert len(to(reporter, kind="answer")) == 1


# Who may not ------------------------------------------------------------------------------------------------------


def test_a_threat_is_no_reason_to_write_but_for_the_security_role(reporter):
    security, rumor = person(Role.SECURITY), log()
    for reader in (reporter, security):
        heard(rumor, reader, is_threat=True)
    published(rumor=rumor)
    tick()
    assert to(reporter) == []
    assert len(to(security, kind="answer")) == 1


def test_who_has_left_or_lost_their_role_gets_nothing(reporter):
    without, rumor = person(Role.REPORTER), log()
    for reader in (reporter, without):
        heard(rumor, reader)
    published(rumor=rumor)
    tick()
    reporter.is_active = False
    reporter.save()
    without.groups.clear()
    assert to(reporter) + to(without) == ["", ""]


def test_an_answer_that_is_not_published_yet_is_not_told(reporter):
    answer(log(by=reporter))
    tick()
    assert to(reporter) == []


def test_a_sheet_is_named_only_while_there_is_one(reporter):
    rebuttal = published(rumor=log(by=reporter))
    tick()
    revisions.withdraw(rebuttal.fact, language="sv", by=factories.user(), reason="fel", because="mistake")
    (text,) = to(reporter, kind="answer")
    assert "handout.pdf" not in text


def test_a_mail_that_could_not_leave_for_a_week_is_promised_anew(reporter):
    published(rumor=log(by=reporter))
    tick()
    tick(timedelta(days=8))
    assert [d.state for d in Delivery.objects.filter(kind="rumor_answer", recipient=reporter.email).order_by("pk")] == [
        State.EXPIRED,
        State.PLANNED,
    ]
    assert Letter.objects.under_way().filter(person=reporter).count() == 1
    assert Sighting.objects.count() == 1
