"""What has become worse: each kind at its thresholds, for whom, until it is put aside, and back when it is worse."""

import re
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone, translation

from portal.accounts.models import Role
from portal.revisions import actions as revisions
from rumors import actions as rumors
from rumors.alarms import actions, rules
from rumors.alarms.models import Seen
from rumors.alarms.rules import Kind, standing
from rumors.assessments import actions as assessments
from rumors.assessments.models import ReachEstimate
from rumors.lists.forms import RumorFilterForm
from rumors.models import Rumor, Sighting
from rumors.pairs import actions as pairs
from rumors.responses import actions as responses
from rumors.vocabulary import Reach, Sensitivity, Status
from tests import factories
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import answer, log, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return person(Role.EDITOR)


@pytest.fixture
def security():
    return person(Role.SECURITY)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def seen(rumor, *, ago: int = 0, logged_ago: int | None = None, language: str = "so", **values) -> Sighting:
    """Heard `ago` days ago and written down then, too."""
    made = rumors.sight(
        rumor,
        channel="sfi",
        seen_on=timezone.localdate() - days(ago),
        language=language,
        by=values.pop("by", None) or rumor.logged_by,
        **values,
    )
    at = timezone.now() - days(ago if logged_ago is None else logged_ago)
    Sighting.objects.filter(pk=made.pk).update(logged_at=at)
    return made


def only(board, kind):
    found = [alarm for alarm in board.alarms if alarm.kind == kind]
    assert len(found) <= 1
    return found[0] if found else None


def now_for(user, kind):
    return only(standing(user, now=timezone.now()), kind)


# Spreading --------------------------------------------------------------------------------------------------------


def test_spreading_in_a_language_without_the_fact(editor):
    rumor = log(original_language="so")
    answer(rumor, fact=factories.published_fact("ar"))
    assert now_for(editor, Kind.SPREADING) is None  # one sighting is no spread
    seen(rumor, ago=13)
    alarm = now_for(editor, Kind.SPREADING)
    assert alarm.rumor == rumor
    assert alarm.reason == (
        "Soomaali – somaliska: 2 iakttagelser de senaste 14 dagarna. Faktatexten ”Fråga sv?” finns inte på det språket."
    )


@pytest.mark.parametrize("ago", [13, 14])
def test_two_weeks_are_two_weeks(editor, ago):
    rumor = log(original_language="so")
    answer(rumor)
    seen(rumor, ago=ago)
    assert (now_for(editor, Kind.SPREADING) is not None) == (ago == 13)


def test_no_alarm_where_the_fact_is_there_and_none_where_no_fact_is_linked(editor):
    linked, bare = log(original_language="so"), log(original_language="so")
    answer(linked, fact=factories.published_fact("so"))
    for rumor in (linked, bare):
        seen(rumor)
    assert now_for(editor, Kind.SPREADING) is None


def test_outdated_is_less_bad_than_withdrawn(editor):
    rumor, fact = log(original_language="so"), factories.published_fact("so")
    answer(rumor, fact=fact)
    seen(rumor)
    factories.publish(fact, title="Annan?", summary="Nytt svar.", body="Ny text.", significance="major")
    outdated = now_for(editor, Kind.SPREADING)
    assert "är inaktuell på det språket" in outdated.reason
    revisions.withdraw(fact, language="so", by=factories.user(), reason="fel", because="mistake")
    withdrawn = now_for(editor, Kind.SPREADING)
    assert "har dragits tillbaka på det språket" in withdrawn.reason
    assert withdrawn.level > outdated.level


def test_a_fact_without_its_swedish_text_is_gone_in_every_language(editor):
    rumor, fact = log(original_language="so"), factories.published_fact("so")
    answer(rumor, fact=fact)
    seen(rumor)
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="fel", because="mistake")
    assert "har dragits tillbaka" in now_for(editor, Kind.SPREADING).reason


def test_what_repeats_a_rumor_counts_with_it_and_its_answers_too(editor):
    rumor, repeating = log(original_language="so"), log(original_language="so")
    answer(repeating)
    assert now_for(editor, Kind.SPREADING) is None
    pairs.merge(repeating, into=rumor, by=editor)
    assert now_for(editor, Kind.SPREADING).rumor == rumor


def test_threats_and_what_is_none_of_our_business_do_not_count(editor, security):
    threat, ours = log(original_language="so"), log(original_language="so")
    for rumor in (threat, ours):
        answer(rumor, slug=f"sant-{rumor.pk}")
    seen(threat, is_threat=True)
    seen(ours)
    rumors.move(ours, status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=editor)
    assert now_for(security, Kind.SPREADING) is None


# Reach ------------------------------------------------------------------------------------------------------------


def estimate(rumor, level, *, ago=0, basis="Skärmdump"):
    assessments.assess(rumor, by=rumor.logged_by, reach=level, basis=basis, impacts={})
    ReachEstimate.objects.filter(pk=rumor.reaches.first().pk).update(estimated_at=timezone.now() - days(ago))


def test_reach_that_went_up(editor):
    rumor = log()
    estimate(rumor, Reach.TRENDING, ago=30)
    assert now_for(editor, Kind.REACH) is None  # the first estimate is no change
    estimate(rumor, Reach.MINOR_STORY, ago=13)
    alarm = now_for(editor, Kind.REACH)
    assert alarm.rumor == rumor
    assert alarm.reason.startswith("Räckvidden var ”Trendar”. Sedan ")
    estimate(rumor, Reach.MINOR_STORY, basis="En tidning till")
    assert now_for(editor, Kind.REACH) == alarm  # the same level hides nothing
    estimate(rumor, Reach.FILTER_BUBBLE)
    assert now_for(editor, Kind.REACH) is None


def test_reach_that_went_up_long_ago(editor):
    rumor = log()
    estimate(rumor, Reach.TRENDING, ago=30)
    estimate(rumor, Reach.MINOR_STORY, ago=15)
    assert now_for(editor, Kind.REACH) is None


# Back -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [89, 90])
def test_back_after_a_quarter(editor, gap):
    rumor = log(seen_on=timezone.localdate() - days(gap + 3))
    Sighting.objects.update(logged_at=timezone.now() - days(gap + 3))
    first = seen(rumor, ago=3)
    seen(rumor, ago=1)
    alarm = now_for(editor, Kind.RETURNED)
    assert (alarm is not None) == (gap == 90)
    if alarm:
        first.refresh_from_db()
        assert alarm.since == first.logged_at
        assert alarm.reason.startswith("2 iakttagelser sedan ")


def test_what_is_written_down_late_is_no_return(editor):
    rumor = log(seen_on=timezone.localdate() - days(400))
    seen(rumor, ago=200, logged_ago=0)
    assert now_for(editor, Kind.RETURNED) is None


def test_a_rumor_that_was_seen_as_another_one_was_not_gone(editor):
    rumor = log(seen_on=timezone.localdate() - days(200))
    between = log(seen_on=timezone.localdate() - days(80))
    Sighting.objects.update(logged_at=timezone.now() - days(80))
    pairs.merge(between, into=rumor, by=editor)
    seen(rumor)
    assert now_for(editor, Kind.RETURNED) is None


# Unanswered -------------------------------------------------------------------------------------------------------


def late(**values) -> Rumor:
    rumor = log(**values)
    Rumor.objects.filter(pk=rumor.pk).update(due_at=timezone.now() - days(1))
    return rumor


def test_unanswered_past_its_day_until_something_is_done(editor):
    rumor = late()
    assert now_for(editor, Kind.UNANSWERED).rumor == rumor
    planned = responses.plan(rumor, action="direct_contact", by=editor)
    assert now_for(editor, Kind.UNANSWERED)
    responses.finish(planned, result="Mötet är hållet.", by=editor)
    assert now_for(editor, Kind.UNANSWERED) is None


def test_an_answer_and_a_deed_of_what_repeats_it_count(editor):
    answered, done = late(), late()
    for rumor in (answered, done):
        repeating = log()
        pairs.merge(repeating, into=rumor, by=editor)
        if rumor == answered:
            published(rumor=repeating)
        else:
            made = responses.plan(rumor, action="direct_contact", by=editor)
            responses.finish(made, result="Klart.", by=editor)
            type(made).objects.filter(pk=made.pk).update(rumor=repeating)
    assert now_for(editor, Kind.UNANSWERED) is None


def test_what_has_ended_is_not_late(editor):
    rumors.move(late(), status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=editor)
    assert now_for(editor, Kind.UNANSWERED) is None


# Secrets ----------------------------------------------------------------------------------------------------------


def everything(rumor):
    """Every kind of alarm about one rumor."""
    answer(rumor, slug=f"sant-{rumor.pk}")
    estimate(rumor, Reach.TRENDING, ago=3)
    estimate(rumor, Reach.HEADLINE_STORY)
    for ago in (0, 1):
        seen(rumor, ago=ago)
    Rumor.objects.filter(pk=rumor.pk).update(due_at=timezone.now() - days(1))


def test_nothing_of_a_secret_rumor_for_who_may_not_read_it(editor, security):
    rumor = log(seen_on=timezone.localdate() - days(200))
    everything(rumor)
    assert {alarm.kind for alarm in standing(editor, now=timezone.now()).alarms} == set(Kind) - {Kind.THREATS}
    Rumor.objects.filter(pk=rumor.pk).update(sensitivity=Sensitivity.SECRET)
    for reader in (editor, person(Role.MANAGER), person(Role.REPORTER)):
        board = standing(reader, now=timezone.now())
        assert (board.alarms, board.count, board.levels) == ([], 0, {})
        assert rumor.public_id not in sign_in(reader).get("/staff/rumors/alarms/").content.decode()
    board = standing(security, now=timezone.now())
    assert board.count == 4
    page = sign_in(security).get("/staff/rumors/alarms/").content.decode()
    assert rumor.public_id in page
    assert rumor.claim not in page


def test_threats_are_a_number_for_the_security_role_alone(editor, security):
    rumor = log()
    for ago in (0, 4):
        seen(rumor, ago=ago, is_threat=True)
    assert now_for(editor, Kind.THREATS) is None
    alarm = now_for(security, Kind.THREATS)
    assert (alarm.reason, alarm.rumor) == ("2 hot väntar, det äldsta sedan 4 dagar.", None)
    sighting = Sighting.objects.filter(is_threat=True).first()
    rumors.handle(sighting, note="Anmält.", by=security)
    assert now_for(security, Kind.THREATS).reason == "1 hot väntar, sedan 4 dagar."


# Put aside --------------------------------------------------------------------------------------------------------


def test_an_alarm_that_was_seen_comes_back_when_it_is_worse_and_for_nobody_else(editor):
    rumor = log(original_language="so")
    answer(rumor)
    seen(rumor)
    client, page = sign_in(editor), "/staff/rumors/alarms/"
    alarm = now_for(editor, Kind.SPREADING)
    client.post(f"{page}seen/", {"key": alarm.key, "level": alarm.level})
    shown = client.get(page)
    assert (shown.context["board"].alarms, [a.key for a in shown.context["board"].seen]) == ([], [alarm.key])
    assert now_for(person(Role.EDITOR), Kind.SPREADING)
    seen(rumor)  # three instead of two
    assert now_for(editor, Kind.SPREADING) is None
    seen(rumor)  # twice as many
    assert now_for(editor, Kind.SPREADING)
    client.post(f"{page}seen/", {"key": alarm.key, "level": alarm.level})  # from a page that is old
    assert now_for(editor, Kind.SPREADING)


def test_what_was_put_aside_is_taken_back(editor):
    rumor = late()
    client = sign_in(editor)
    alarm = now_for(editor, Kind.UNANSWERED)
    client.post("/staff/rumors/alarms/seen/", {"key": alarm.key, "level": alarm.level})
    assert now_for(editor, Kind.UNANSWERED) is None
    client.post("/staff/rumors/alarms/unseen/", {"key": "\0"})
    client.post("/staff/rumors/alarms/unseen/", {"key": alarm.key})
    assert now_for(editor, Kind.UNANSWERED).rumor == rumor


def test_a_new_day_that_has_passed_is_a_new_alarm(editor):
    rumor = late()
    actions.see(key=now_for(editor, Kind.UNANSWERED).key, level=3, by=editor)
    Rumor.objects.filter(pk=rumor.pk).update(due_at=timezone.now())
    Seen.objects.update(at=timezone.now() - days(1))
    assert now_for(editor, Kind.UNANSWERED)


def test_nobody_puts_aside_what_is_not_there_or_what_they_may_not_know(editor, security):
    rumor = late(sensitivity=Sensitivity.SECRET)
    client = sign_in(editor)
    for key in (f"unanswered:{rumor.pk}", "threats", "x", ""):
        client.post("/staff/rumors/alarms/seen/", {"key": key, "level": 999})
    client.post("/staff/rumors/alarms/seen/", {"key": f"unanswered:{rumor.pk}", "level": "much"})
    assert not Seen.objects.exists()
    # And not further than it has come.
    sign_in(security).post("/staff/rumors/alarms/seen/", {"key": f"unanswered:{rumor.pk}", "level": 999})
    assert Seen.objects.get().level == 0


def test_old_marks_are_forgotten(editor):
    actions.see(key="unanswered:1", level=0, by=editor)
    assert actions.purge(now=timezone.now() + days(364)) == 0
    assert actions.purge(now=timezone.now() + days(366)) == 1


# The page ---------------------------------------------------------------------------------------------------------


def test_calm_says_so(editor):
    page = sign_in(editor).get("/staff/rumors/alarms/").content.decode()
    assert "Allt är lugnt" in page


def test_the_worst_stand_first_and_are_never_cut(editor, monkeypatch):
    monkeypatch.setattr(rules, "SHOWN", 2)
    new = [late() for _ in range(2)]
    old = late()
    Rumor.objects.filter(pk=old.pk).update(due_at=timezone.now() - days(40))
    board = standing(editor, now=timezone.now())
    assert [alarm.rumor for alarm in board.alarms] == [old, new[1]]
    assert len(board.fresh) == 3


def test_what_is_not_shown_is_found_in_the_list(editor, monkeypatch):
    monkeypatch.setattr(rules, "SHOWN", 1)
    rumors = {late().pk for _ in range(3)}
    client = sign_in(editor)
    page = client.get("/staff/rumors/alarms/").content.decode()
    (query,) = re.findall(r'href="/staff/rumors/\?([^"]+)"', page)
    listed = client.get("/staff/rumors/?" + query.replace("&amp;", "&"))
    assert {rumor.pk for rumor in listed.context["page"]} == rumors


@pytest.mark.parametrize("kind", Kind)
def test_the_list_knows_the_filters_that_alarms_lead_to(editor, kind):
    query = rules.Group(kind, [], 1).filters
    assert RumorFilterForm(editor, QueryDict(query)).is_valid()


def test_those_put_aside_are_all_counted(editor, monkeypatch):
    monkeypatch.setattr(rules, "SHOWN", 1)
    for _ in range(3):
        late()
    for finding in standing(editor, now=timezone.now()).fresh:
        actions.see(key=finding.key, level=finding.level, by=editor)
    board = standing(editor, now=timezone.now())
    assert (len(board.seen), board.seen_count, board.fresh) == (1, 3, [])
    page = " ".join(sign_in(editor).get("/staff/rumors/alarms/").content.decode().split())
    assert "3 som du har lagt undan" in page
    assert "Och 2 till som är mindre allvarliga." in page


def test_a_threat_waits_for_days_in_english(security):
    seen(log(), ago=3, is_threat=True)
    with translation.override("en"):
        assert now_for(security, Kind.THREATS).reason == "1 threat waits, for 3 days."
        rumors.handle(Sighting.objects.get(is_threat=True), note="Anmält.", by=security)
        seen(log(), is_threat=True)
        assert now_for(security, Kind.THREATS).reason == "1 threat waits, since today."


def test_more_than_fit_are_counted(editor, monkeypatch):
    for _ in range(3):
        late()
    monkeypatch.setattr(rules, "SHOWN", 2)
    board = standing(editor, now=timezone.now())
    assert (len(board.alarms), board.count) == (2, 3)
    assert (
        "Och 1 till som är mindre allvarligt: det visas"
        in sign_in(editor).get("/staff/rumors/alarms/").content.decode()
    )


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("role", "queries"), [(Role.EDITOR, 8), (Role.SECURITY, 9)])
def test_alarms_cost_the_same_for_one_and_for_three(django_assert_num_queries, number, role, queries):
    """One for what was heard, three for the facts of what spreads, one each for reach, for what is late, for what was
    put aside and for the rumors; one more for threats."""
    for _ in range(number):
        rumor = log(seen_on=timezone.localdate() - days(200))
        everything(rumor)
        seen(rumor, is_threat=True)
    reader = person(role)
    reader.has_perm("rumors.secret")
    with django_assert_num_queries(queries):
        board = standing(reader, now=timezone.now())
    assert board.count == 4 * number + (role == Role.SECURITY)


def test_a_summary_stands_wherever_a_template_asks_for_it(editor, rf):
    from django.template import engines

    late()
    request = rf.get("/")
    request.user = editor
    template = engines["django"].from_string("{% load alarms %}{% alarm_summary %}")
    assert "/staff/rumors/alarms/#unanswered" in template.render({}, request)
    request.user = factories.user()
    assert template.render({}, request).strip() == ""
