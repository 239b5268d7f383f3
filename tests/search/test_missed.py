"""What was searched for in vain: kept without anything about who searched, and shown when it was typed twice."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import localdate, now
from hypothesis import example, given
from hypothesis import strategies as st

from portal.accounts.models import Role
from portal.pages.actions import purge
from portal.questions import actions as questions
from portal.questions.models import Door, Question
from portal.search import actions
from portal.search.models import MissedSearch
from portal.search.rules import loggable
from portal.tally.transport import Count
from tests import factories
from tests.accounts.people import person, sign_in

pytestmark = pytest.mark.django_db


def search(**parameters: str) -> None:
    language = parameters.pop("language", "sv")
    assert Client().get(f"/{language}/search/", parameters).status_code == 200


def kept() -> list[tuple[str, str, int]]:
    actions.flush()
    return sorted(MissedSearch.objects.values_list("language", "term", "count"))


def missed(term: str, *, times: int = 2, language: str = "sv", ago: int = 0) -> None:
    day = localdate() - timedelta(days=ago)
    MissedSearch.objects.create(language=language, term=term, day=day, count=times)


@pytest.mark.parametrize(
    ("query", "term"),
    [
        ("  Vem  HÄMTAR\tbarnet? ", "vem hämtar barnet?"),
        ("ＬＶＵ", "lvu"),
        ("می‌توانم", "می‌توانم"),
        ("ኣገልግሎት", "ኣገልግሎት"),
        ("å" * 200, "å" * 80),
        ("ett två tre fyra fem sex sju åtta", "ett två tre fyra fem sex sju åtta"),
    ],
)
def test_a_term_is_kept_in_one_spelling_and_short(query, term):
    assert loggable(query) == term


@pytest.mark.parametrize(
    "query",
    [
        "",
        " \t ",
        "20121105-1235",
        "lagen 4 §",
        "٠٧٠١٢٣",
        "፩፪",
        "१२",
        "m²",
        "½",
        "①",
        "五",
        "anna@example.org",
        "anna＠example",
        "min granne sa att de tog hennes barn igår",
    ],
)
def test_what_may_be_about_a_person_is_not_kept(query):
    assert loggable(query) == ""
    actions.miss(query=query, language="sv")
    assert kept() == []


@given(st.text(max_size=200))
@example("ﷺ" * 100)
@example("İ" * 100)
@example("a\ud800\0b")
def test_no_number_no_address_and_no_story_is_ever_kept(query):
    term = loggable(query)
    assert not any(sign.isnumeric() for sign in term)
    assert "@" not in term
    assert len(term) <= 80
    assert len(term.split()) <= 8
    assert term == " ".join(term.split())
    if term:
        actions.keep_missed([Count(localdate(), ["sv", term], 1)])
        assert MissedSearch.objects.filter(term=term).exists()
        MissedSearch.objects.all().delete()


def test_only_the_first_page_of_a_search_that_finds_nothing_is_kept_and_no_childs():
    factories.published_fact()
    search(q="svar")
    search(q="Skolplikt")
    search(q="skolplikt", language="ar")
    search(q="skolplikt", page="2")
    search(q="skolplikt", audience="children")
    search(q="skolplikt", audience="parents")
    search(q="")
    search(q="skolplikt", audience="nonsense")
    assert kept() == [("ar", "skolplikt", 1), ("sv", "skolplikt", 2)]


def test_a_search_writes_no_row(django_assert_num_queries):
    with django_assert_num_queries(2):
        search(q="skolplikt")
    assert cache._cache.get_client().exists(cache.make_key("tally:missed"))


def test_without_valkey_the_search_answers(settings):
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
    search(q="skolplikt")


def test_noise_fills_a_day_and_not_the_disk(monkeypatch):
    monkeypatch.setattr(MissedSearch, "MOST_A_DAY", 3)
    today = localdate()
    actions.keep_missed([Count(today, ["sv", term], 1) for term in "abc"])
    actions.keep_missed([Count(today, ["sv", term], 1) for term in "cd"])
    actions.keep_missed([Count(today + timedelta(days=1), ["sv", "d"], 1)])
    assert sorted(MissedSearch.objects.values_list("term", "count")) == [("a", 1), ("b", 1), ("c", 2), ("d", 1)]


def test_staff_see_what_was_typed_twice_at_least_of_late_the_most_wanted_first():
    missed("en gång", times=1)
    missed("två dagar", times=1)
    missed("två dagar", times=1, ago=29)
    missed("ofta", times=7)
    missed("ofta", times=3, language="ar")
    missed("förr", times=9, ago=30)
    rows = [(row["language"], row["term"], row["times"]) for row in MissedSearch.objects.often(30)]
    assert rows == [("sv", "ofta", 7), ("ar", "ofta", 3), ("sv", "två dagar", 2)]


def test_nobody_finds_out_by_asking_what_was_searched_for_only_once():
    missed("en gång", times=1)
    client = sign_in(person(Role.EDITOR, language="en"))
    answer = client.post("/staff/questions/missed/", {"term": "en gång", "language": "sv"}, follow=True)
    assert "Nobody has searched for that of late." in answer.content.decode()
    assert not Question.objects.exists()


def test_a_missed_search_becomes_a_question_once_and_leaves_the_list():
    missed("skol<plikt")
    client = sign_in(person(Role.EDITOR))
    form = {"language": "sv", "term": "skol<plikt"}
    assert "skol&lt;plikt" in client.get("/staff/questions/").content.decode()
    for _ in range(2):
        assert client.post("/staff/questions/missed/", form)["Location"] == "/staff/questions/"
    question = Question.objects.get()
    assert (question.text, question.language, question.door) == ("skol<plikt", "sv", Door.SEARCH)
    page = client.get("/staff/questions/").content.decode()
    assert f"/staff/questions/{question.pk}/" in page
    assert "/staff/questions/missed/" not in page


def test_what_nobody_searched_for_cannot_be_put_into_readers_mouths():
    missed("skolplikt")
    client = sign_in(person(Role.EDITOR))
    for form in ({}, {"language": "ar", "term": "skolplikt"}, {"language": "sv", "term": "annat"}):
        answer = client.post("/staff/questions/missed/", form, follow=True)
        assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert not Question.objects.exists()


def test_who_may_not_settle_questions_is_offered_no_button():
    missed("skolplikt")
    page = sign_in(person(Role.AUDITOR)).get("/staff/questions/").content.decode()
    assert "skolplikt" in page
    assert "/staff/questions/missed/" not in page


def test_a_question_that_was_told_does_not_hide_a_search():
    questions.ask(text="skolplikt", language="sv", door=Door.FORM)
    missed("skolplikt")
    assert "/staff/questions/missed/" in sign_in(person(Role.EDITOR)).get("/staff/questions/").content.decode()


def test_missed_searches_are_purged_after_180_days():
    for ago in (180, 181):
        missed("skolplikt", ago=ago)
    assert purge(now=now()).counts["searches"] == 1
    assert [row.day for row in MissedSearch.objects.all()] == [localdate() - timedelta(days=180)]
