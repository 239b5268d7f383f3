"""What managers see at a glance."""

import re
from datetime import date, timedelta
from uuid import uuid4

import html5lib
import pytest
import time_machine
from django.utils import timezone

from portal.accounts.models import Role
from portal.revisions import actions as revisions
from rumors import actions
from rumors.dashboard import rules
from rumors.models import Sighting
from rumors.pairs import actions as pairs
from tests import factories
from tests.accounts.people import person, sign_in
from tests.dashboard.conftest import acted, days_ago, heard, logged, noon
from tests.rumors.conftest import published

pytestmark = pytest.mark.django_db
PAGE = "/staff/rumors/dashboard/"


@pytest.fixture
def as_manager(db):
    return sign_in(person(Role.MANAGER))


def shown(client, query: str = ""):
    response = client.get(PAGE + query)
    parser = html5lib.HTMLParser()
    parser.parse(response.content.decode())
    assert parser.errors == []
    ids = re.findall(r'\sid="([^"]+)"', response.content.decode())
    assert len(ids) == len(set(ids))
    labels = re.findall(r'aria-labelledby="([^"]+)"', response.content.decode())
    assert {name for label in labels for name in label.split()} <= set(ids)
    return response


def totals(chart) -> dict[str, int]:
    return {series.name: series.total for series in chart.series}


def test_an_empty_site_says_so(as_manager):
    page = " ".join(shown(as_manager).content.decode().split())
    assert page.count("Ingenting hördes under den här tiden.") == 5
    assert "Inget rykte fick sitt första bemötande" in page
    assert "Inget: inget rykte är öppet." in page
    assert "<rect" not in page.partition("Bemötanden</h2>")[0]


def test_sightings_are_counted_by_what_they_are(as_manager):
    topic = factories.topic()
    rumor = logged(3, topic=topic, channel="tiktok", original_language="ar")
    heard(rumor, 2, 10, 10, language="so")
    heard(logged(1), 0, 200)
    context = shown(as_manager).context
    spread = context["spread"]
    assert spread.number == 6
    assert totals(spread.by_channel) == {"Hembesök": 5, "TikTok": 1}
    assert totals(spread.by_language) == {"Soomaali – somaliska": 3, "Svenska": 2, "العربية – arabiska": 1}
    assert totals(spread.by_topic) == {"Vård": 4, "Utan ämne": 2}
    weeks = spread.total.series[0].numbers
    assert len(weeks) == 13
    assert sum(weeks) == 6


def test_a_week_begins_on_monday_in_sweden_and_the_page_tells_its_number(as_manager):
    # Half past eleven in the evening in Sweden, on a Sunday.
    with time_machine.travel("2026-03-29T21:30:00Z", tick=False):
        rumor = logged(0)
        heard(rumor, 6, 7)
    with time_machine.travel("2026-04-02T12:00:00Z", tick=False):
        chart = shown(sign_in(person(Role.MANAGER))).context["spread"].total
        page = sign_in(person(Role.MANAGER)).get(PAGE).content.decode()
    by_week = dict(zip(chart.weeks, chart.series[0].numbers, strict=True))
    assert by_week[date(2026, 3, 23)] == 2
    assert by_week[date(2026, 3, 16)] == 1
    assert by_week[date(2026, 3, 30)] == 0
    assert chart.unfinished == date(2026, 3, 30)
    assert "vecka 13, 2026" in " ".join(page.split())


def test_a_period_is_whole_weeks_and_filters_go_for_figures(as_manager):
    topic = factories.topic()
    rumor = logged(40, topic=topic, original_language="ar")
    heard(rumor, 39, language="so")
    heard(logged(20), 20)
    first, last = days_ago(41), days_ago(38)
    context = shown(as_manager, f"?first={first}&last={last}").context
    assert context["spread"].number == 2
    assert (context["choice"].first.isoweekday(), context["choice"].last.isoweekday()) == (1, 7)
    assert shown(as_manager, f"?topic={topic.pk}").context["spread"].number == 2
    somali = shown(as_manager, f"?topic={topic.pk}&language=so")
    assert somali.context["spread"].number == 1
    assert [each["query"] for each in somali.context["active"]] == [
        f"first={somali.context['form'].usual[0]}&last={timezone.localdate()}&language=so",
        f"first={somali.context['form'].usual[0]}&last={timezone.localdate()}&topic={topic.pk}",
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?first=2026-02-30", "giltigt datum"),
        ("?first=9999-12-31", "Välj en dag som har varit."),
        ("?first=0001-01-01", "Välj en dag som har varit."),
        ("?last=2999-01-01&first=2026-01-01", "Välj en dag som har varit."),
        ("?first=2025-05-05&last=2025-05-04", "Perioden måste sluta efter att den börjar."),
        ("?first=2020-01-01&last=2024-01-01", "Välj högst 53 veckor."),
        ("?topic=nope&language=klingon", "Välj ett giltigt alternativ"),
    ],
)
def test_what_cannot_be_is_said_and_the_usual_period_shown(as_manager, query, said):
    response = shown(as_manager, query)
    assert said in response.content.decode()
    assert len(response.context["choice"].weeks) == 13


def test_secret_rumors_and_threats_are_in_no_figure_not_even_for_the_security_role():
    for role in (Role.MANAGER, Role.SECURITY):
        secret = logged(3, claim="HEMLIGT om någon", sensitivity="secret", area="Hemlig by")
        heard(secret, *[3] * 6, area="Hemlig by")
        acted(secret, 1)
        open_one = logged(3)
        heard(open_one, 2, is_threat=True, area="Hotad by")
        client = sign_in(person(role))
        response = shown(client)
        assert response.context["spread"].number == 1
        assert response.context["open"].number == 1
        assert response.context["waiting_count"] == 1
        assert "HEMLIGT" not in response.content.decode()
        assert " by<" not in response.content.decode()
        Sighting.objects.all().delete()
        open_one.responses.all().delete()
        open_one.delete()


def test_districts_with_few_are_not_named_whatever_is_filtered(as_manager):
    topic = factories.topic()
    rumor = logged(3, area="Öster", topic=topic)
    heard(rumor, *[3] * 6, area=" öster", language="so")
    heard(rumor, 3, 3, area="Kulla", language="so")
    heard(rumor, *[3] * 4)
    heard(rumor, *[3] * 6, area="Å" * 60)
    response = shown(as_manager)
    assert dict(response.context["areas"].named) == {response.context["areas"].named[0][0]: 7, "Å" * 60: 6}
    assert response.context["areas"].named[0][0].strip().lower() == "öster"
    assert response.context["areas"].rest == 6
    assert "Kulla" not in response.content.decode()
    filtered = shown(as_manager, f"?language=so&topic={topic.pk}")
    assert filtered.context["areas"] == response.context["areas"]
    assert "filter skulle leda till de små talen" in " ".join(filtered.content.decode().split())


def test_open_rumors_stand_by_priority_with_what_is_overdue(as_manager):
    logged(5, priority="high")
    logged(0, priority="high")
    logged(20, priority="low")
    found = shown(as_manager).context["open"]
    assert [(line.name, line.number, line.part) for line in found.by_priority] == [
        ("Hög", 2, 1),
        ("Medel", 0, 0),
        ("Låg", 1, 0),
    ]
    assert (found.number, found.overdue) == (3, 1)


def answered(rumor, day: int, slug: str):
    with time_machine.travel(noon(days_ago(day)), tick=False):
        return published(rumor=rumor, slug=slug)


def test_an_answer_counts_from_the_first_sighting_and_survives_its_withdrawal(as_manager):
    for number, (seen, at) in enumerate([(12, 10), (20, 10), (40, 10), (50, 30)]):
        answered(logged(seen), at, f"svar-{number}")
    late = logged(9)
    rebuttal = answered(late, 5, "svar-sist")
    heard(late, 15)
    revisions.withdraw(rebuttal, language="sv", by=person(Role.APPROVER), reason="Fel")
    response = shown(as_manager)
    took = response.context["answers"].took
    assert response.context["answers"].number == 5
    assert (took.lower, took.median, took.upper) == (10, 10, 20)
    assert [line.number for line in response.context["answers"].spans] == [1, 0, 2, 2, 0]
    # Readers have no answer to it any more.
    assert [row.rumor for row in response.context["waiting"]] == [late]
    assert response.context["waiting"][0].days == 15
    one_week = shown(as_manager, f"?first={days_ago(5)}&last={days_ago(5)}")
    assert one_week.context["answers"].number == 1


def test_what_repeats_a_rumor_is_counted_with_it(as_manager):
    first, again = logged(30), logged(12)
    pairs.merge(again, into=first, by=person(Role.EDITOR))
    heard(first, *[20] * 5)
    answered(first, 2, "svar")
    acted(first, 35)
    context = shown(as_manager).context
    assert context["spread"].number == 7
    assert context["open"].number == 1
    assert context["answers"].took.median == 28
    shown_effects = context["effects"].shown
    assert [(row.rumor, row.bars.before, row.bars.after) for row in shown_effects] == [(first, 0, 7)]


def test_before_and_after_shows_ripe_responses_with_enough_sightings_and_claims_no_cause(as_manager):
    many = logged(60)
    heard(many, 59, 58, 45, 40, 39, 30)
    acted(many, 40)
    few = logged(60)
    acted(few, 40)
    new = logged(60)
    heard(new, *[20] * 9)
    acted(new, 20)
    watched = logged(60)
    heard(watched, *[50] * 9)
    with time_machine.travel(noon(days_ago(40)), tick=False):
        from rumors.responses import actions as responses

        by = person(Role.EDITOR)
        plan = responses.plan(watched, action="monitor", reason="Vänta", review_on=days_ago(0), by=by)
        responses.finish(plan, result="Inget", by=by)
    response = shown(as_manager)
    effects = response.context["effects"]
    # The day of the response, the fortieth, is on neither side.
    assert [(row.rumor, row.bars.before, row.bars.after) for row in effects.shown] == [(many, 4, 2)]
    assert (effects.too_new, effects.too_few) == (1, 1)
    assert "visar inte orsak och verkan" in " ".join(response.content.decode().split())


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_what_waits_is_counted_also_when_nothing_of_it_is_counted_as_a_sighting(as_manager):
    rumor = logged(3)
    rumor.sightings.update(is_threat=True)
    page = text_of(shown(as_manager))
    assert "1 rykte nu, utan någon iakttagelse som räknas här." in page
    assert "Inget: varje öppet rykte" not in page
    assert 'href="/staff/rumors/?unanswered=yes"' in page


def test_that_all_is_answered_is_said_of_what_is_asked_for(as_manager):
    published(rumor=logged(3))
    assert "Inget: varje öppet rykte har ett bemötande." in text_of(shown(as_manager))
    assert "Inget: varje öppet rykte av det slaget har ett bemötande." in text_of(shown(as_manager, "?language=so"))


def test_the_link_to_all_unanswered_shows_those_that_were_counted(as_manager, monkeypatch):
    topic = factories.topic()
    wanted = [logged(3, topic=topic, original_language="so") for _ in range(2)]
    closed = logged(3, topic=topic, original_language="so")
    actions.move(closed, status="out_of_scope", reason="Annan kommun.", by=person(Role.EDITOR))
    logged(3, topic=topic)
    logged(3, original_language="so")
    monkeypatch.setattr(rules, "OLDEST", 1)
    response = shown(as_manager, f"?topic={topic.pk}&language=so")
    assert response.context["waiting_count"] == 2
    (query,) = re.findall(r'href="/staff/rumors/\?(unanswered[^"]+)"', response.content.decode())
    listed = as_manager.get("/staff/rumors/?" + query.replace("&amp;", "&"))
    assert {rumor.pk for rumor in listed.context["page"]} == {rumor.pk for rumor in wanted}


def test_a_long_table_of_befores_and_afters_says_what_it_leaves_out(as_manager, monkeypatch):
    monkeypatch.setattr(rules, "MOST_AROUND", 1)
    more, fewer = logged(60), logged(60)
    heard(more, *[45] * 7)
    heard(fewer, *[45] * 6)
    for rumor in (fewer, more):
        acted(rumor, 40)
    response = shown(as_manager)
    assert [row.rumor for row in response.context["effects"].shown] == [more]
    assert response.context["effects"].too_few == 0
    assert "1 rykte till, med färre iakttagelser än dessa, visas inte." in text_of(response)


@pytest.mark.parametrize("number", [1, 3])
def test_the_dashboard_costs_the_same_for_one_and_for_three(as_manager, django_assert_num_queries, number):
    for place in range(number):
        rumor = logged(60, topic=factories.topic(f"topic-{place}"), area=f"Del {place}")
        heard(rumor, *[45] * 6, area=f"Del {place}")
        acted(rumor, 40)
        answered(rumor, 30, f"svar-{place}")
        logged(3)
    as_manager.get(PAGE)
    with django_assert_num_queries(14):
        response = as_manager.get(PAGE)
    assert response.context["spread"].number == 8 * number
    assert len(response.context["effects"].shown) == number


def test_half_and_quarters():
    assert rules.quartiles([]) is None
    assert rules.quartiles([7]) == rules.Quartiles(7, 7, 7)
    assert rules.quartiles([1, 2, 3, 4]) == rules.Quartiles(1.8, 2.5, 3.2)


def test_a_claim_cannot_break_the_page(as_manager):
    heard(logged(60, claim="<script>alert(1)</script> & mer", area="<b>Öster</b>"), *[50] * 6, area="<b>Öster</b>")
    page = as_manager.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert "&lt;b&gt;Öster" in page


def test_figures_are_for_every_role_and_nobody_else():
    actions.log(claim="Ett rykte", channel="web", seen_on=days_ago(1), by=person(Role.REPORTER), form_id=uuid4())
    assert shown(sign_in(person(Role.TRANSLATOR))).context["spread"].number == 1
    assert sign_in(person()).get(PAGE).status_code == 403
    assert timedelta(weeks=4) == rules.AROUND
