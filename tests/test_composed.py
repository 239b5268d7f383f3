"""A query that is composed once answers as the same query would, and what is shared is not shared for long."""

import time

import pytest
from django.db.models import Value
from django.utils import timezone

from events.models import Event
from events.models import page_at as event_at
from events.series import actions as series
from portal import languages
from portal.composed import Composed, ComposedUpdate, Slot, read_once, shared_reads
from portal.facts.models import Fact, page_at
from portal.revisions.models import Provenance
from tests import factories
from tests.events.conftest import make_event
from tests.events.test_pages import program

__all__ = ["make_event"]

pytestmark = pytest.mark.django_db


def test_each_question_gets_its_own_answer():
    facts = [factories.fact(slug=slug) for slug in ("one", "two")]
    by_slug = Composed(Fact.objects.filter(slug=Slot("slug")))
    by_number = Composed(Fact.objects.filter(pk=Value(Slot("pk"))))
    for fact in facts:
        assert by_slug.ask(slug=fact.slug) == by_number.ask(pk=fact.pk) == [fact]
    assert by_slug.ask(slug="three'--%s") == []


def test_an_update_changes_what_its_query_finds_and_tells_how_many():
    first, second = (factories.fact(slug=slug) for slug in ("one", "two"))
    topic = factories.topic("elsewhere")
    move = ComposedUpdate(Fact.objects.filter(pk=Value(Slot("pk")), slug=Slot("was")), "topic", "slug")
    assert move.run(pk=first.pk, was="two", topic=topic.pk, slug="three") == 0
    assert move.run(pk=first.pk, was="one", topic=topic.pk, slug="it's %s") == 1
    assert list(Fact.objects.order_by("pk").values_list("topic_id", "slug")) == [
        (topic.pk, "it's %s"),
        (second.topic_id, "two"),
    ]


@pytest.mark.parametrize("code", [known.code for known in languages.ACTIVE])
def test_the_page_of_a_fact_is_what_the_queryset_says(code):
    first, second = (factories.published_fact("ar", "ti", sources=[{"title": "LVU", "sections": "1 §"}]) for _ in "12")
    for fact in (first, second):
        asked = Fact.objects.published().read_in(code).with_page(code).get(pk=fact.pk)
        kept = page_at(fact.slug, code)
        assert vars(kept) | {"_state": None} == vars(asked) | {"_state": None}
        assert [row["sections"] for row in kept.source_rows] == ["1 §"]
        assert [row["slug"] for row in kept.related_rows] == [(second if fact == first else first).slug]
    assert page_at("elsewhere", code) is None


def plain(thing) -> dict:
    """What it holds, but which database it came from, and what was brought along."""
    return {name: value for name, value in vars(thing).items() if name != "_state"}


@pytest.mark.parametrize("code", [known.code for known in languages.ACTIVE])
def test_the_page_of_an_event_is_what_the_queryset_says(code, make_event):
    circle = series.create(name="Kretsen", about="", circle=[], by=factories.user())
    lines = program({"sv": "Oro", "ar": "قلق"}, {"sv": "Stöd"})
    first, second = (make_event("sv", "ar", "ti", capacity=3, series=circle, program=lines) for _ in "12")
    factories.seat(first, "ana@example.org", "bo@example.org", "cia@example.org")
    for event in (first, second):
        asked = (
            Event.objects.published()
            .read_in(code)
            .with_taken()
            .with_surroundings(code, timezone.now())
            .get(pk=event.pk)
        )
        kept = event_at(event.slug, code)
        assert plain(kept) == plain(asked)
        version = event.program_versions.read_newest(kept, code)
        assert plain(version) == plain(event.program_versions.read_in(code).newest())
        assert version.read(code) == event.program_versions.newest().read(code)
    assert (kept.series_name, len(kept.sister_rows), kept.is_full) == ("Kretsen", 1, False)
    assert event_at(first.slug, code).is_full
    assert event_at("elsewhere", code) is None


def test_what_is_said_of_a_text_is_what_the_queryset_says():
    fact = factories.published_fact("ar", "ti")
    factories.publish(fact, title="Ny fråga?", summary="Nytt svar.", body="Ny text.", change_note="Ny lag")
    kept = Provenance.by_language(fact)
    assert kept == {row.language: row for row in Provenance.objects.of(fact)}
    assert [kept[code].is_outdated for code in ("sv", "ar", "ti")] == [False, True, True]
    assert kept["ar"].change_note == "Ny lag"


@pytest.fixture
def read():
    asked = []

    @read_once
    def read(code, number):
        asked.append((code, number))
        return len(asked)

    read.asked = asked
    return read


def test_what_is_asked_for_twice_is_read_once_each_of_its_own(read):
    with shared_reads():
        assert [read("sv", 1), read("sv", 1), read("ar", 1), read("sv", 2)] == [1, 1, 2, 3]
    assert read.asked == [("sv", 1), ("ar", 1), ("sv", 2)]


def test_it_is_read_anew_when_its_second_is_over_in_the_next_run_and_wherever_nothing_is_sent(read, monkeypatch):
    with shared_reads():
        read("sv", 1)
    with shared_reads():
        assert read("sv", 1) == 2
        monkeypatch.setattr(time, "monotonic", lambda: float("inf"))
        assert read("sv", 1) == 3
    assert [read("sv", 1), read("sv", 1)] == [4, 5]
