"""Counts reach the database once, whatever dies between the steps."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import RedisError

from portal.facts.readings import actions
from portal.facts.readings.models import ReadingCount
from portal.tally import actions as tally
from portal.tally import transport

pytestmark = pytest.mark.django_db


def kept() -> dict[tuple[int, str], int]:
    return ReadingCount.objects.last_days(3650)


def test_what_was_counted_is_added_to_what_was_counted_before():
    for fact in (1, 1, 2):
        transport.add("readings", fact, "ar")
    actions.flush()
    transport.add("readings", 1, "ar")
    transport.add("readings", 1, "ti")
    actions.flush()
    actions.flush()
    assert kept() == {(1, "ar"): 3, (2, "ar"): 1, (1, "ti"): 1}


def test_each_reading_is_of_its_day_in_stockholm():
    with time_machine.travel("2026-11-29 22:59:59+00:00", tick=False):
        transport.add("readings", 1, "ar")
    with time_machine.travel("2026-11-29 23:00:00+00:00", tick=False):
        transport.add("readings", 1, "ar")
    actions.flush()
    assert list(ReadingCount.objects.order_by("day").values_list("day", "count")) == [
        (date(2026, 11, 29), 1),
        (date(2026, 11, 30), 1),
    ]


def test_a_worker_that_dies_after_taking_loses_nothing():
    transport.add("readings", 1, "ar")
    transport.take("readings")
    transport.add("readings", 1, "ar")  # while nobody works
    actions.flush()
    actions.flush()
    assert kept() == {(1, "ar"): 2}


def test_a_worker_that_dies_while_writing_loses_nothing_and_leaves_nothing():
    transport.add("readings", 1, "ar")

    def keep_and_die(counts):
        actions.keep(counts)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tally.flush("readings", keep_and_die)
    assert kept() == {}
    actions.flush()
    assert kept() == {(1, "ar"): 1}


def test_a_worker_that_dies_before_the_batch_is_dropped_counts_nothing_twice():
    transport.add("readings", 1, "ar")
    tally.bring("readings", actions.keep)
    transport.add("readings", 1, "ar")
    actions.flush()  # finds the batch, knows it, drops it
    assert kept() == {(1, "ar"): 1}
    actions.flush()
    assert kept() == {(1, "ar"): 2}


def test_a_worker_that_wakes_up_late_drops_no_other_batch():
    transport.add("readings", 1, "ar")
    late = tally.bring("readings", actions.keep)
    actions.flush()
    transport.add("readings", 1, "ar")
    transport.take("readings")
    transport.drop("readings", late)
    actions.flush()
    assert kept() == {(1, "ar"): 2}


@pytest.mark.django_db(transaction=True)
def test_workers_that_tick_together_count_once():
    for _ in range(50):
        transport.add("readings", 1, "ar")
    together = Barrier(4)

    def tick(_: int) -> None:
        try:
            together.wait()
            actions.flush()
        finally:
            connection.close()
            cache._cache.get_client().connection_pool.disconnect()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(tick, range(4)))
    actions.flush()
    assert kept() == {(1, "ar"): 50}


def test_purposes_are_apart():
    transport.add("missed", "ar", "x")
    actions.flush()
    assert kept() == {}
    assert [count.what for count in transport.take("missed")[1]] == [["ar", "x"]]


def test_noise_fills_no_memory_and_what_is_known_counts_on():
    client = cache._cache.get_client(write=True)
    transport.add("readings", 1, "ar")
    key = cache.make_key("tally:readings")
    client.hset(key, mapping={json.dumps(["2026-11-29", n, "ar"]): 1 for n in range(2, transport.MOST + 2)})
    before = client.hlen(key)
    transport.add("readings", 0, "new")
    transport.add("readings", 1, "ar")
    assert client.hlen(key) == before
    assert sorted(map(int, client.hvals(key)))[-1] == 2


def test_everything_in_valkey_expires_and_nothing_else_later():
    client = cache._cache.get_client(write=True)
    transport.add("readings", 1, "ar")
    assert client.ttl(cache.make_key("tally:readings")) == transport.SECONDS
    transport.take("readings")
    assert client.ttl(cache.make_key("tally:readings:taken")) == transport.SECONDS
    assert not client.exists(cache.make_key("tally:readings"))


def test_without_valkey_nothing_is_counted_and_nothing_fails(settings):
    transport.add("readings", 1, "ar")
    up = settings.CACHES
    settings.CACHES = up | {"default": up["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
    transport.add("readings", 1, "ar")
    with pytest.raises(RedisError):
        actions.flush()
    settings.CACHES = up
    actions.flush()
    assert kept() == {(1, "ar"): 1}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.integers(), max_size=3))
def test_anything_comes_back_as_it_was_counted(what):
    transport.add("test", *what)
    transport.add("test", *what)
    number, counts = transport.take("test")
    transport.drop("test", number)
    assert [(count.what, count.times) for count in counts] == [(what, 2)]
