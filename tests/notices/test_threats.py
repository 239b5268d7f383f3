"""That a threat waits: told at once, to those who handle threats, and to nobody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.accounts.models import Role
from rumors import actions as rumors
from rumors.models import Sighting
from rumors.notices import actions
from rumors.notices.models import How
from tests.accounts.people import person, sign_in
from tests.notices.conftest import at_once, tick, to
from tests.rumors.conftest import log

pytestmark = pytest.mark.django_db
STARTED = pytest.mark.usefixtures("started")


@pytest.fixture
def security():
    return person(Role.SECURITY)


def sight(rumor, *, by, **values) -> Sighting:
    return rumors.sight(
        rumor, channel="facebook", seen_on=timezone.localdate(), language="sv", by=by, **{"is_threat": True} | values
    )


@STARTED
@pytest.mark.parametrize("how", How)
def test_whoever_handles_threats_hears_at_once_whatever_they_chose(security, editor, watcher, how):
    actions.choose(how=how, by=security)
    rumor = log()
    rumor.watchers.add(watcher)
    sight(rumor, by=editor, original="Kontoret ska brännas ner")
    for _twice in range(2):
        tick()
    [mail] = to(security)
    assert mail.startswith("Hot i 1 rykte\n")
    assert "Om någon är i fara, ring 112 först." in mail
    assert f"{rumor}: Ett hot väntar på dig." in mail
    assert "/staff/rumors/threats/" in mail
    assert "brännas" not in mail
    assert to(editor) == to(watcher) == []


def test_another_threat_is_other_news_and_goes_when_the_first_has_left(security, editor, days):
    rumor, other = log(), log()
    sight(rumor, by=editor)
    days.pass_by(minutes=1)
    sight(rumor, by=editor)
    sight(other, by=editor)
    for _twice in range(2):
        days.pass_by(minutes=1)
    first, second = days.heard(security)
    assert f"{rumor}: Ett hot" in first
    assert second.startswith("Hot i 2 rykten\n")
    assert second.count(f"{rumor}: Ett hot") == 1
    assert f"{other}: Ett hot" in second


@STARTED
def test_who_wrote_it_down_knows_it(security):
    other = person(Role.SECURITY)
    sight(log(), by=security)
    tick()
    assert to(security) == []
    assert len(to(other)) == 1


@STARTED
def test_what_is_handled_before_the_mail_leaves_is_not_told(security, editor):
    threat = sight(log(), by=editor)
    tick()
    rumors.handle(threat, note="Anmält.", by=person(Role.SECURITY))
    assert to(security) == [""]


@STARTED
def test_a_threat_in_a_new_rumor_and_only_what_is_one(security, editor):
    rumors.log(
        claim="Det sägs att någon ska skadas", channel="web", seen_on=timezone.localdate(), is_threat=True, by=editor
    )
    sight(log(), by=editor, is_threat=False)
    tick()
    [mail] = to(security)
    assert mail.startswith("Hot i 1 rykte\n")


@STARTED
def test_what_is_older_than_the_clock_or_a_week_is_for_the_page_of_threats(security, editor):
    threat = sight(log(), by=editor)
    Sighting.objects.filter(pk=threat.pk).update(logged_at=timezone.now() - timedelta(days=8))
    tick()
    assert to(security) == []


def test_the_page_of_choices_says_so_to_them_alone(security):
    said = "Att ett hot väntar får du alltid veta genast."
    assert said in sign_in(security).get("/staff/rumors/notices/").content.decode()
    assert said not in sign_in(at_once(person(Role.EDITOR))).get("/staff/rumors/notices/").content.decode()
