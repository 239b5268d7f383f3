"""The clock looks after the links of published texts, and editors see what has to be mended."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import markup
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts import tasks
from portal.facts.links import actions
from portal.facts.links.models import CheckedLink, Problem, State
from portal.facts.links.rules import Outcome
from portal.facts.models import Fact
from tests import factories
from tests.accounts.people import person, sign_in
from tests.links.conftest import OK, status

LIST = "/staff/facts/links/"
LAW = "https://law.example/sfs"
OTHER = "https://report.example/2020"


def citing(*urls, body="", **fields):
    """A published fact with these sources."""
    made = factories.fact(sources=[{"title": "En lag", "url": url} for url in urls], **fields)
    factories.publish(made, title=f"Fråga {made.pk}?", summary="Svar.", body=body or "Text.")
    return made


def kept(url=LAW, outcome=None, at=None):
    """A link with what came out, once or, what failed, on two days."""
    at = at or timezone.now()
    actions.want(urls=[*CheckedLink.objects.values_list("url", flat=True), url])
    days = (1, 0) if outcome and outcome.problem else (0,)
    for day in days:
        link = CheckedLink.objects.get(url=url)
        actions.settle(link, outcome or Outcome(200), now=at - timedelta(days=day))
    return CheckedLink.objects.get(url=url)


# What is looked after -----------------------------------------------------------------------------------------------


def test_the_links_of_a_text_are_those_of_its_page():
    text = """[a](https://law.example/a) <https://law.example/b> [c][ref] **[d](http://law.example/år "titel")**
[e](/sv/facts/x/) [f](mailto:x@example.org) [g](tel:112) ![h](https://law.example/h) `https://law.example/i`
https://law.example/j [a igen](https://law.example/a)

[ref]: https://law.example/c?x=1&y=2
"""
    found = ["a", "b", "c?x=1&y=2", "%C3%A5r", "h"]
    wanted = [f"http{'' if 'C3' in path else 's'}://law.example/{path}" for path in found]
    assert list(markup.links(text)) == wanted
    html = markup.render(text)
    assert all(address.replace("&", "&amp;") in html for address in wanted)


@pytest.mark.django_db
def test_every_link_of_published_texts_and_sources_is_wanted_and_no_other():
    one = citing("https://law.example/1", body="Se [lagen](https://law.example/2).")
    two = citing("https://law.example/1")
    law = factories.fact(sources=[{"title": "LVU", "sfs": "1990:52"}])
    factories.publish(law, title="Lag?", summary="Ja.", body="Text.")
    factories.publish(two, "en", title="Law?", summary="Yes.", body="See [it](https://law.example/english).")
    factories.fact(sources=[{"title": "Utkast", "url": "https://law.example/draft"}])
    assert Fact.objects.published().cited() == {
        "https://law.example/1": [one, two],
        "https://law.example/2": [one],
        law.sources.get().link: [law],
    }


@pytest.mark.django_db
def test_what_nobody_cites_any_more_is_forgotten_and_what_is_known_is_left_alone():
    actions.want(urls=["https://law.example/1", "https://law.example/2"])
    link = kept("https://law.example/2")
    actions.want(urls=["https://law.example/2", "https://law.example/3", f"https://law.example/{'x' * 1000}"])
    assert {found.url: found.state for found in CheckedLink.objects.all()} == {
        "https://law.example/2": State.WORKS,
        "https://law.example/3": State.WAITING,
    }
    assert CheckedLink.objects.get(url=link.url).pk == link.pk


# The clock ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_clock_finds_the_links_of_published_facts_and_does_not_open_what_is_ours(site):
    fact = citing(f"http://127.0.0.1:{site.port}/", "http://127.0.0.1/", "http://localhost/x", "http://[::1]/")
    tasks.check_links()
    found = {link.url: link.last_error for link in CheckedLink.objects.all()}
    assert found == {
        f"http://127.0.0.1:{site.port}/": Problem.ADDRESS,
        "http://127.0.0.1/": Problem.PRIVATE,
        "http://localhost/x": Problem.PRIVATE,
        "http://[::1]/": Problem.PRIVATE,
    }
    assert site.connections == 0
    Fact.objects.filter(pk=fact.pk).update(title_sv="")
    tasks.check_links()
    assert not CheckedLink.objects.exists()


@pytest.mark.django_db
def test_a_link_is_asked_for_once_a_week_and_daily_while_it_fails(site, fetcher):
    site.answers |= {"/good": OK, "/moved": status(301, "Location: /good")}
    good, moved, dead = (site.url(path) for path in ("/good", "/moved", "/dead"))
    actions.want(urls=[good, moved, dead])
    start = timezone.now().replace(hour=12) + timedelta(days=1)
    asked = []
    for day in range(9):
        with time_machine.travel(start + timedelta(days=day), tick=False):
            asked.append(actions.check(fetcher=fetcher()))
    first, next_days = {"works": 1, "moved": 1, "failing": 1}, [{"broken": 1}] * 6
    assert asked == [first, *next_days, {"works": 1, "moved": 1, "broken": 1}, {"broken": 1}]
    link = CheckedLink.objects.broken().get()
    assert (link.url, link.failing_since, link.status_code, link.failures) == (dead, start, 404, 9)
    assert CheckedLink.objects.moved().get().moved_to == good


@pytest.mark.django_db
def test_while_nobody_answers_it_is_our_own_way_out_that_is_down():
    actions.want(urls=[LAW, OTHER])
    noon = timezone.now().replace(hour=12)

    def check(day, **outcomes):
        for url, outcome in zip((LAW, OTHER), outcomes.values(), strict=True):
            actions.settle(CheckedLink.objects.get(url=url), outcome, now=noon + timedelta(days=day))
        return [CheckedLink.objects.get(url=url).state for url in (LAW, OTHER)]

    silence, gone = Outcome(problem=Problem.NO_HOST), Outcome(404, Problem.NOT_FOUND)
    assert check(0, law=Outcome(200), other=Outcome(200)) == [State.WORKS, State.WORKS]
    for day in (1, 2, 3):
        assert check(day, law=silence, other=silence) == [State.FAILING, State.FAILING]
    assert check(4, law=Outcome(200), other=silence) == [State.WORKS, State.BROKEN]
    assert check(5, law=gone, other=silence) == [State.FAILING, State.BROKEN]
    assert check(6, law=gone, other=Outcome(200)) == [State.BROKEN, State.WORKS]


@pytest.mark.django_db
def test_a_tick_asks_for_few_links_and_ends_in_time(site, fetcher):
    site.answers |= {f"/{number}": OK for number in range(5)}
    actions.want(urls=[site.url(f"/{number}") for number in range(5)])
    assert actions.check(fetcher=fetcher(), most=3).total() == 3
    assert actions.check(fetcher=fetcher(), seconds=0).total() == 0
    assert actions.check(fetcher=fetcher()).total() == 2


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_never_ask_for_one_link_twice(site, fetcher):
    paths = [f"/{number}" for number in range(24)]
    site.answers |= dict.fromkeys(paths, OK)
    actions.want(urls=[site.url(path) for path in paths])
    start = threading.Barrier(4)

    def work():
        start.wait(10)
        actions.check(fetcher=fetcher())
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert site.counted() == dict.fromkeys([f"HEAD {path}" for path in paths], 1)
    assert CheckedLink.objects.filter(state=State.WORKS).count() == 24


@pytest.mark.django_db
def test_what_a_worker_left_behind_is_due_again_and_its_late_result_is_not_kept():
    actions.want(urls=[LAW])
    now = timezone.now()
    first = actions.claim(now=now)
    assert actions.claim(now=now) is None
    second = actions.claim(now=now + actions.LEASE)
    assert second == first
    assert actions.settle(second, Outcome(200), now=now) == State.WORKS
    assert actions.settle(first, Outcome(404, Problem.NOT_FOUND), now=now) == "lost"
    assert CheckedLink.objects.get().state == State.WORKS


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"state": "broken", "last_error": "tls"}, "link_that_fails_says_since_when"),
        ({"state": "works", "failures": 1}, "link_that_fails_says_since_when"),
        ({"state": "moved"}, "link_that_moved_says_where_to"),
        ({"state": "works", "moved_to": LAW}, "link_that_moved_says_where_to"),
        ({"state": "blocked"}, "link_without_a_page_says_why"),
        ({"state": "works", "checked_at": None}, "link_with_a_result_was_checked"),
    ],
)
def test_the_database_keeps_a_result_whole(values, sentence):
    link = kept()
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        CheckedLink.objects.filter(pk=link.pk).update(**values)


# Staff --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def as_editor(db):
    return sign_in(person(Role.EDITOR))


def test_editors_see_what_is_broken_since_when_why_and_where_it_stands(as_editor):
    fact = citing(LAW)
    citing("https://law.example/fine")
    kept("https://law.example/fine")
    kept(LAW, Outcome(404, Problem.NOT_FOUND), at=timezone.now())
    page = as_editor.get(LIST)
    assert [(link.url, facts) for link, facts in page.context["rows"]] == [(LAW, [fact])]
    text = page.content.decode()
    yesterday = timezone.localdate() - timedelta(days=1)
    assert f'datetime="{yesterday}"' in text
    assert str(Problem.NOT_FOUND.label) in text
    assert f'href="/staff/facts/{fact.pk}/"' in text


def test_broken_comes_first_then_moved_then_what_only_a_person_can_look_at(as_editor):
    kept("https://law.example/a", Outcome(403, Problem.TURNED_AWAY))
    kept("https://law.example/b", Outcome(problem=Problem.PRIVATE))
    kept("https://law.example/c", Outcome(200, None, "https://law.example/new"))
    kept("https://law.example/d", Outcome(problem=Problem.TLS))
    rows = as_editor.get(LIST).context["rows"]
    assert [link.state for link, _facts in rows] == ["broken", "moved", "blocked", "unknown"]


def test_without_anything_to_mend_the_page_says_so(as_editor):
    kept()
    assert as_editor.get(LIST).context["rows"] == []
    assert 'class="answer"' in as_editor.get(LIST).content.decode()


def test_an_address_is_shown_as_text_and_cannot_run(as_editor):
    kept('https://law.example/"><script>alert(1)</script>', Outcome(problem=Problem.TLS))
    assert "<script>alert" not in as_editor.get(LIST).content.decode()


def test_the_page_costs_the_same_with_more_of_it(as_editor):
    counts = []
    as_editor.get(LIST)
    for number in range(2):
        for each in range(1 + number * 5):
            url = f"https://law.example/{number}-{each}"
            citing(url)
            kept(url, Outcome(problem=Problem.TLS))
        with CaptureQueriesContext(connection) as queries:
            as_editor.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_check_again_now_makes_it_due_and_is_written_down(as_editor):
    link = kept(LAW, Outcome(404, Problem.NOT_FOUND))
    assert link not in CheckedLink.objects.due(timezone.now())
    page = as_editor.get(LIST)
    assert f'action="/staff/facts/links/{link.pk}/again/"' in page.content.decode()
    answer = as_editor.post(f"/staff/facts/links/{link.pk}/again/")
    assert answer["Location"] == LIST
    assert list(CheckedLink.objects.due(timezone.now())) == [link]
    assert AuditEvent.objects.get(verb="check_again").object_id == str(link.pk)


def test_to_look_is_not_to_check(as_editor):
    link = kept(LAW, Outcome(404, Problem.NOT_FOUND))
    as_editor.get(f"/staff/facts/links/{link.pk}/again/")
    assert not CheckedLink.objects.due(timezone.now()).exists()
    as_reporter = sign_in(person(Role.REPORTER))
    assert "/again/" not in as_reporter.get(LIST).content.decode()
    as_reporter.post(f"/staff/facts/links/{link.pk}/again/")
    assert not CheckedLink.objects.due(timezone.now()).exists()


def test_a_link_that_went_away_meanwhile_is_not_there(as_editor):
    assert as_editor.post("/staff/facts/links/999/again/").status_code == 404
    with pytest.raises(ObjectDoesNotExist):
        CheckedLink.objects.get(pk=999)
