"""Which readings are counted."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import localdate, now

from portal.facts.readings import actions
from portal.facts.readings.models import ReadingCount
from portal.pages.actions import purge
from tests import factories

pytestmark = pytest.mark.django_db


def kept() -> dict[tuple[int, str], int]:
    actions.flush()
    return ReadingCount.objects.last_days(1)


def test_a_reading_is_counted_in_the_language_asked_for_also_from_the_store():
    fact = factories.published_fact("ar")
    for code in ("ar", "ar", "so"):
        Client().get(f"/{code}/facts/{fact.slug}/")
    assert kept() == {(fact.pk, "ar"): 2, (fact.pk, "so"): 1}


def test_who_has_the_page_already_does_not_read_it_again():
    fact = factories.published_fact()
    path = f"/sv/facts/{fact.slug}/"
    tag = Client().get(path)["ETag"]
    assert Client().get(path, headers={"if-none-match": tag}).status_code == 304
    assert kept() == {(fact.pk, "sv"): 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"user-agent": "facebookexternalhit/1.1"},
        {"user-agent": "WhatsApp/2.23"},
        {"user-agent": "TelegramBot (like TwitterBot)"},
        {"sec-purpose": "prefetch;prerender"},
    ],
    ids=str,
)
def test_a_machine_is_no_reader(headers):
    fact = factories.published_fact()
    for _ in range(2):
        assert "Svar sv." in Client().get(f"/sv/facts/{fact.slug}/", headers=headers).content.decode()
    assert kept() == {}


def test_a_phone_is_one():
    fact = factories.published_fact()
    phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
    Client().get(f"/sv/facts/{fact.slug}/", headers={"user-agent": phone})
    assert kept() == {(fact.pk, "sv"): 1}


@pytest.mark.parametrize("guard", [{"audience": "children"}, {"is_about_violence": True}], ids=str)
def test_pages_for_children_and_about_violence_are_never_counted(guard):
    fact = factories.published_fact(**guard)
    for _ in range(2):
        assert "Svar sv." in Client().get(f"/sv/facts/{fact.slug}/").content.decode()
    assert not cache._cache.get_client().exists(cache.make_key("tally:readings"))
    assert kept() == {}


def test_asking_for_the_head_the_short_address_or_what_is_gone_is_no_reading():
    fact = factories.published_fact()
    path = f"/sv/facts/{fact.slug}/"
    Client().head(path)
    Client().get(f"/f/{fact.pk}")
    Client().get("/sv/facts/finns-inte/")
    Client().get(f"{path}helpful/")
    assert kept() == {}


def test_without_valkey_the_page_is_there(settings):
    fact = factories.published_fact()
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
    assert "Svar sv." in Client().get(f"/sv/facts/{fact.slug}/").content.decode()


def test_the_last_days_end_today_and_are_read_in_one_query(django_assert_num_queries):
    today = localdate()
    for ago in (0, 29, 30):
        ReadingCount.objects.create(fact_id=7, language="ar", day=today - timedelta(days=ago), count=10 + ago)
    with django_assert_num_queries(1):
        assert ReadingCount.objects.last_days(30) == {(7, "ar"): 10 + 39}


def test_counts_are_purged_after_three_years():
    keep = timedelta(days=3 * 365)
    for days in (timedelta(), timedelta(days=1)):
        ReadingCount.objects.create(fact_id=7, language="ar", day=localdate() - keep - days, count=1)
    assert purge(now=now()).counts["readings"] == 1
    assert [row.day for row in ReadingCount.objects.all()] == [localdate() - keep]
