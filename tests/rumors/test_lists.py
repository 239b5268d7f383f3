"""The list: filters in the address, filters under a name, pages by place."""

import html
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import guard
from portal.accounts.models import Role
from rumors import actions
from rumors.lists import actions as lists
from rumors.lists import rules
from rumors.lists.models import SavedFilter
from rumors.models import Rumor
from rumors.pairs import actions as pairs
from rumors.responses import actions as responses
from rumors.vocabulary import Sensitivity, Status
from tests.accounts.people import person, sign_in
from tests.rumors.conftest import log, published

pytestmark = pytest.mark.django_db


def listed(client, **filters):
    return {rumor.pk for rumor in client.get("/staff/rumors/", filters).context["page"]}


def test_words_are_found_in_the_claim_in_what_was_heard_and_as_a_number(as_editor, reporter):
    one = log(claim="Det sägs att läraren anmäler alla", original="Ma jiro maxkamad")
    other = log(claim="Det sägs något annat")
    actions.sight(other, channel="phone", seen_on=timezone.localdate(), by=reporter, original="خطف الأطفال")
    assert listed(as_editor, words="LÄRAREN") == {one.pk}
    assert listed(as_editor, words="maxkamad") == {one.pk}
    assert listed(as_editor, words="الاطفال") == {other.pk}  # without the hamza, as people type it
    assert listed(as_editor, words=other.public_id.lower()) == {other.pk}
    assert listed(as_editor, words="finns inte") == set()


def test_a_word_of_a_threat_finds_nothing_but_for_the_security_role(as_editor, reporter, security):
    rumor = log(claim="Det sägs att kontoret ska bort")
    actions.sight(
        rumor, channel="phone", seen_on=timezone.localdate(), by=reporter, original="Vi bränner huset", is_threat=True
    )
    assert listed(as_editor, words="bränner") == set()
    assert listed(sign_in(security), words="bränner") == {rumor.pk}
    assert listed(as_editor, words="kontoret") == {rumor.pk}


def test_the_filters_about_a_sighting_are_about_one_and_the_same(as_editor, reporter):
    today = timezone.localdate()
    both = log(channel="tiktok", area="Väster", seen_on=today)
    apart = log(channel="tiktok", area="Öster", seen_on=today - timedelta(days=40))
    actions.sight(apart, channel="web", seen_on=today, by=reporter, area="Väster")
    assert listed(as_editor, channel="tiktok", area="väster") == {both.pk}
    assert listed(as_editor, channel="tiktok", first=str(today - timedelta(days=7))) == {both.pk}
    assert listed(as_editor, channel="tiktok", last=str(today - timedelta(days=7))) == {apart.pk}
    assert listed(as_editor, first=str(today - timedelta(days=7)), last=str(today)) == {both.pk, apart.pk}


def test_who_takes_care_of_it_may_be_me_nobody_or_somebody(editor, as_editor):
    mine, theirs, nobodys = log(), log(), log()
    colleague = person(Role.EDITOR)
    actions.assign(mine, to=editor, by=editor)
    actions.assign(theirs, to=colleague, by=editor)
    assert listed(as_editor, assignee="me") == {mine.pk}
    assert listed(as_editor, assignee="nobody") == {nobodys.pk}
    assert listed(as_editor, assignee=str(colleague.pk)) == {theirs.pk}
    assert listed(sign_in(colleague), assignee="me") == {theirs.pk}


def test_secret_ones_can_be_asked_for_by_those_who_may_read_them_only(as_editor, security):
    secret, _open = log(sensitivity=Sensitivity.SECRET), log()
    assert listed(sign_in(security), sensitivity="secret") == {secret.pk}
    response = as_editor.get("/staff/rumors/?sensitivity=secret")
    assert "sensitivity" in response.context["form"].errors
    assert secret.pk not in {rumor.pk for rumor in response.context["page"]}
    assert response.context["page"].total == 1
    assert 'value="secret"' not in response.content.decode()


def test_a_filter_that_is_wrong_says_so_and_the_others_stay(as_editor):
    high, _medium = log(priority="high"), log()
    response = as_editor.get("/staff/rumors/?priority=high&first=2026-99-99")
    assert {rumor.pk for rumor in response.context["page"]} == {high.pk}
    assert "first" in response.context["form"].errors
    assert response.context["form"].errors["first"][0] in response.content.decode()


# Under a name --------------------------------------------------------------------------------------------------


def test_filters_are_saved_under_a_name_and_opened_and_deleted_by_their_owner(editor, as_editor):
    late = log()
    Rumor.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(days=1))
    log()
    page = as_editor.get("/staff/rumors/?overdue=yes&words=").content.decode()
    assert 'href="/staff/rumors/filters/save/?overdue=yes&amp;"' in page
    as_editor.post("/staff/rumors/filters/save/", {"name": "Sena", "query": "overdue=yes&nonsense=1"})
    saved = SavedFilter.objects.get()
    assert (saved.owner, saved.query) == (editor, "overdue=yes")
    assert f'href="{saved.get_absolute_url()}"' in as_editor.get("/staff/rumors/").content.decode()
    assert {rumor.pk for rumor in as_editor.get(saved.get_absolute_url()).context["page"]} == {late.pk}

    as_editor.post("/staff/rumors/filters/save/", {"name": "sena", "query": "priority=high"})
    assert SavedFilter.objects.get().query == "priority=high"

    stranger = sign_in(person(Role.EDITOR))
    assert saved.get_absolute_url() not in stranger.get("/staff/rumors/").content.decode()
    stranger.post(f"/staff/rumors/filters/{saved.pk}/delete/")
    assert SavedFilter.objects.count() == 1
    for _twice in range(2):
        as_editor.post(f"/staff/rumors/filters/{saved.pk}/delete/")
    assert not SavedFilter.objects.exists()


def test_nothing_is_saved_without_a_filter_and_not_without_end(editor, as_editor):
    assert as_editor.get("/staff/rumors/filters/save/?words=")["Location"] == "/staff/rumors/"
    for number in range(SavedFilter.MOST):
        lists.save(name=f"Filter {number}", query="overdue=yes", by=editor)
    response = as_editor.post("/staff/rumors/filters/save/", {"name": "Ett till", "query": "overdue=yes"})
    assert response.context["form"].errors.keys() == {"name"}
    assert "Ett till" in response.content.decode()
    assert SavedFilter.objects.count() == SavedFilter.MOST
    lists.save(name="filter 3", query="status=new", by=editor)
    assert SavedFilter.objects.get(name="filter 3").query == "status=new"
    with pytest.raises(IntegrityError, match="person_saves_one_filter_under_a_name"), transaction.atomic():
        SavedFilter.objects.create(owner=editor, name="FILTER 3", query="status=new")


NUMBER = next(f"19850101-{n:04}" for n in range(1000, 9999) if guard.find(f"19850101-{n:04}"))


@pytest.mark.parametrize("name", ["words", "area"])
def test_no_personal_number_is_kept_as_a_filter_and_nothing_typed_is_lost(editor, as_editor, name):
    query = urlencode({"priority": "high", name: NUMBER})
    listed = as_editor.get(f"/staff/rumors/?{query}")
    assert "personnummer" in str(listed.context["form"].errors[name])
    assert f'value="{NUMBER}"' in listed.content.decode()
    assert "filters/save/?priority=high&amp;" in listed.content.decode()
    answer = as_editor.post("/staff/rumors/filters/save/", {"name": "Mitt", "query": query})
    assert answer.status_code == 422
    assert "personnummer" in answer.context["form"].non_field_errors()[0]
    assert 'value="Mitt"' in answer.content.decode()
    assert f"/staff/rumors/?{query}" in html.unescape(answer.content.decode())
    assert as_editor.get(f"/staff/rumors/filters/save/?{query}")["Location"] == f"/staff/rumors/?{query}"
    assert not SavedFilter.objects.exists()
    # What only warns is kept: public numbers are looked for, too.
    lists_of_one = {"name": "Växeln", "query": "words=070-123+45+67"}
    assert as_editor.post("/staff/rumors/filters/save/", lists_of_one).status_code == 302


def test_an_unanswered_one_is_open_as_well(as_editor, editor):
    waiting, ended = log(), log()
    actions.move(ended, status=Status.OUT_OF_SCOPE, reason="Annan kommun.", by=editor)
    assert listed(as_editor, unanswered="yes") == {waiting.pk}


def test_what_is_to_be_looked_at_again_is_a_filter(as_editor, editor):
    today = timezone.localdate()
    own, planned, done, coming, merged, _plain = (log() for _ in range(6))
    for rumor, day in ((own, today), (merged, today), (coming, today + timedelta(days=1))):
        actions.edit(rumor, review_on=day, by=editor)
    for rumor in (planned, done):
        plan = responses.plan(rumor, action="monitor", reason="Få har hört det.", review_on=today, by=editor)
    responses.finish(plan, result="Sett över.", by=editor)
    pairs.merge(merged, into=own, by=editor)
    assert listed(as_editor, review="yes") == {own.pk, planned.pk}
    assert "Dags att titta igen: Ja" in as_editor.get("/staff/rumors/?review=yes").content.decode()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert listed(sign_in(editor), review="yes") == {own.pk, planned.pk, coming.pk}


# Pages by place ------------------------------------------------------------------------------------------------


def walked(client, step):
    """The rows of all pages in that direction, from the first or the last one."""
    pages, query = [], ""
    while True:
        page = client.get(f"/staff/rumors/?{query}").context["page"]
        pages.append([rumor.pk for rumor in page])
        query = getattr(page, step)
        if not query:
            return pages, page


def test_the_pages_hold_every_rumor_once_and_lead_back_the_same_way(as_editor, monkeypatch):
    monkeypatch.setattr(rules, "PAGE", 3)
    made = [log(priority=priority).pk for priority in ("low", "high", "medium", "high", "low", "medium", "high")]
    now = timezone.now()
    Rumor.objects.filter(pk__in=made[:2]).update(status=Status.OUT_OF_SCOPE, ended_at=now)
    Rumor.objects.filter(pk__in=made[2:5]).update(due_at=now)  # equal: the number decides
    pages, last = walked(as_editor, "next")
    in_order = list(Rumor.objects.most_urgent_first().values_list("pk", flat=True))
    assert [pk for page in pages for pk in page] == in_order
    assert [len(page) for page in pages] == [3, 3, 1]
    back, query = [pages[-1]], last.previous
    while query:
        page = as_editor.get(f"/staff/rumors/?{query}").context["page"]
        back.insert(0, [rumor.pk for rumor in page])
        query = page.previous
    assert back == pages


def test_what_is_logged_between_two_pages_moves_no_row(as_editor, monkeypatch):
    monkeypatch.setattr(rules, "PAGE", 2)
    for _number in range(5):
        log(priority="low")
    first = as_editor.get("/staff/rumors/").context["page"]
    log(priority="high")
    second = as_editor.get(f"/staff/rumors/?{first.next}").context["page"]
    assert not {rumor.pk for rumor in first} & {rumor.pk for rumor in second}
    assert len(second.rows) == 2


@pytest.mark.parametrize(
    "place", ["x", "1", "1.", ".1", "9" * 18 + ".1", "-" + "9" * 18 + ".1", "1.1.1", "٣.١", "1.1\n"]
)
def test_a_place_that_is_none_is_the_beginning(as_editor, place):
    rumor = log()
    for direction in ("after", "before"):
        response = as_editor.get("/staff/rumors/", {direction: place})
        assert [row.pk for row in response.context["page"]] == [rumor.pk]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-(10**17), 10**17), st.integers(0, 10**17), st.sampled_from(["after", "before"]))
def test_any_place_gives_a_page(as_editor, microseconds, pk, direction):
    response = as_editor.get("/staff/rumors/", {direction: f"{microseconds}.{pk}"})
    assert response.context["page"].rows == []


def test_the_list_takes_as_many_queries_with_one_row_as_with_fifty(as_editor, django_assert_num_queries):
    log()
    as_editor.get("/staff/rumors/")
    with django_assert_num_queries(QUERIES):
        as_editor.get("/staff/rumors/?priority=medium&channel=home_visit&unanswered=yes")
    for number in range(51):
        log(claim=f"Det sägs att nummer {number} stämmer")
    with django_assert_num_queries(QUERIES):
        page = as_editor.get("/staff/rumors/?priority=medium&channel=home_visit&unanswered=yes").context["page"]
    assert len(page.rows) == 50


QUERIES = 7
"""Two to know who asks; five of its own: rows, handlers, topics, districts, saved filters."""


def test_an_answered_rumor_is_marked(as_editor):
    published(rumor=log())
    page = as_editor.get("/staff/rumors/").context["page"]
    assert [rumor.is_answered for rumor in page] == [True]
