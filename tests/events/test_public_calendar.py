"""The calendar that everybody reads: as a list and by month, all of it or a part."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.test import RequestFactory

from events import actions
from events.models import Event
from events.series.models import Series
from portal import public
from tests import factories
from tests.events.test_pages import parsed, words

pytestmark = pytest.mark.django_db

STOCKHOLM = ZoneInfo("Europe/Stockholm")
TODAY = datetime(2026, 12, 10, 9, 0, tzinfo=STOCKHOLM)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(TODAY, tick=False):
        yield


def at(*when: int) -> dict[str, datetime]:
    return {"starts_at": datetime(2026, *when, tzinfo=STOCKHOLM)}


def days(page) -> dict[str, str]:
    """The days with something on, by the number in the table: all that their cell says."""
    cells = page.find(".//table").iter("td")
    return {words(cell.find("p").find("strong")): words(cell) for cell in cells if cell.find("ul") is not None}


def linked(page, rel: str) -> str | None:
    return next((a.get("href") for a in page.iter("a") if a.get("rel") == rel), None)


def shown(response) -> list[str]:
    """The events that a page names, in its order."""
    links = [a.get("href") for a in parsed(response).find(".//main").iter("a") if "/events/" in (a.get("href") or "")]
    return [link.split("/")[3] for link in links if "?" not in link and link.count("/") == 4]


# By month --------------------------------------------------------------------------------------------------------


def test_a_month_is_a_table_of_weeks_from_monday_in_the_readers_language(client, make_event):
    make_event("sv", "ar", slug="en", **at(12, 3, 18, 0))
    page = parsed(client.get("/ar/events/?month=2026-12"))
    assert words(page.find(".//h2")) == "ديسمبر 2026"
    head = [words(th) for th in page.iter("th")]
    assert (head[0], head[6]) == ("الاثنين", "الأحد")
    assert {th.get("scope") for th in page.iter("th")} == {"col"}
    rows = list(page.find(".//tbody").iter("tr"))
    assert [len(list(row.iter("td"))) for row in rows] == [7] * 5
    numbers = [[words(td.find("p").find("strong")) if td.find("p") is not None else "" for td in row] for row in rows]
    assert numbers[0] == ["", "1", "2", "3", "4", "5", "6"]
    assert numbers[4] == ["28", "29", "30", "31", "", "", ""]
    assert "الخميس 3 ديسمبر" in days(page)["3"]


def test_an_event_stands_on_each_of_its_days_and_on_no_other(client, make_event):
    make_event("sv", slug="kvall", lasts=timedelta(hours=6), **at(12, 4, 18, 0))  # until midnight
    make_event("sv", slug="dagar", lasts=timedelta(hours=30), **at(12, 30, 9, 0))
    make_event("sv", slug="nyar", lasts=timedelta(hours=4), **at(12, 31, 22, 0))
    december, january = (parsed(client.get(f"/en/events/?month={month}")) for month in ("2026-12", "2027-01"))
    found = days(december)
    assert list(found) == ["4", "30", "31"]
    assert "18:00⁠–⁠00:00" in found["4"]
    assert "day 1 of 2" in found["30"]
    assert found["31"].count("day 2 of 2") == 1
    assert "day 1 of 2" in found["31"]
    assert list(days(january)) == ["1"]


@pytest.mark.parametrize("query", ["", "?month=2026-12"])
def test_readers_are_told_in_their_language_what_is_canceled(client, make_event, query):
    canceled = make_event("sv", "ar", **at(12, 20, 18, 0))
    actions.cancel(canceled, by=factories.user(), reason="Sjukdom")
    (said,) = [
        words(each)
        for each in parsed(client.get(f"/ar/events/{query}")).iter("strong")
        if "bad" in each.get("class", "")
    ]
    assert said == "أُلغيت"


def test_a_month_says_what_is_canceled_and_what_is_today_in_words(client, make_event):
    canceled = make_event("sv", **at(12, 10, 18, 0))
    make_event("sv", **at(12, 11, 18, 0))
    actions.cancel(canceled, by=factories.user(), reason="Sjukdom")
    page = parsed(client.get("/sv/events/?month=2026-12"))
    (today,) = [td for td in page.iter("td") if td.get("aria-current") == "date"]
    assert today.find("p").find("strong").text == "10"
    found = days(page)
    assert ("Inställt" in found["10"], "Inställt" in found["11"]) == (True, False)
    assert [words(span) for span in today.iter("span")] == [words(today.find("p").find("span"))]


def test_months_lead_to_the_next_ones_as_far_as_there_is_something(client, make_event):
    make_event("sv", lasts=timedelta(hours=3), **at(9, 30, 21, 0))  # until midnight
    make_event("sv", **at(11, 5, 18, 0))
    make_event("sv", **at(12, 24, 18, 0))
    near = {}
    for month in ("2026-09", "2026-10", "2026-11", "2026-12"):
        page = parsed(client.get(f"/sv/events/?month={month}"))
        near[month] = (linked(page, "prev"), linked(page, "next"))
    assert near == {
        "2026-09": (None, "?month=2026-10"),
        "2026-10": ("?month=2026-09", "?month=2026-11"),
        "2026-11": ("?month=2026-10", "?month=2026-12"),
        "2026-12": ("?month=2026-11", None),
    }


def test_an_empty_month_says_so_and_names_what_comes_next(client, make_event):
    make_event("sv", slug="lucia", **at(12, 13, 18, 0))
    make_event("sv", **at(10, 5, 18, 0))
    main = parsed(client.get("/en/events/?month=2026-11")).find(".//main")
    assert "Nothing in November 2026. The next event is:" in words(main)
    assert main.find(".//table") is None
    assert [a.get("href") for a in main.find("div").findall(".//li/a")] == ["/en/events/lucia/"]
    nothing = words(parsed(client.get("/en/events/?kind=outreach&month=2026-12")).find(".//main"))
    assert "Nothing in December 2026. Nothing like this is planned right now." in nothing


def test_what_is_canceled_is_not_what_comes_next(client, make_event):
    canceled = make_event("sv", slug="lucia", **at(12, 13, 18, 0))
    actions.cancel(canceled, by=factories.user(), reason="Snö")
    make_event("sv", **at(10, 5, 18, 0))
    main = words(parsed(client.get("/en/events/?month=2026-11")).find(".//main"))
    assert "The next event is" not in main
    make_event("sv", slug="mellandagar", **at(12, 29, 18, 0))
    cache.clear()
    main = parsed(client.get("/en/events/?month=2026-11")).find(".//main")
    assert [a.get("href") for a in main.find("div").findall(".//li/a")] == ["/en/events/mellandagar/"]


def test_a_calendar_without_any_event_has_the_month_that_is(client):
    page = parsed(client.get("/en/events/?month=2026-12"))
    assert "Nothing in December 2026. No events are planned right now." in words(page.find(".//main"))
    assert (linked(page, "prev"), linked(page, "next")) == (None, None)


# A part of it ----------------------------------------------------------------------------------------------------


@pytest.fixture
def three(make_event):
    make_event("sv", slug="talad", kind="seminar", spoken=["ar"], **at(12, 14, 18, 0))
    make_event("sv", slug="tolkad", kind="conference", spoken=["sv"], interpreted=["ar", "so"], **at(12, 15, 18, 0))
    make_event("sv", slug="svensk", kind="seminar", spoken=["sv"], **at(12, 16, 18, 0))


@pytest.mark.parametrize("view", ["", "month=2026-12"])
def test_kind_and_language_choose_in_the_list_and_in_the_month(client, three, view):
    for choice, found in {
        "": ["talad", "tolkad", "svensk"],
        "kind=seminar": ["talad", "svensk"],
        "language=ar": ["talad", "tolkad"],
        "kind=conference&language=ar": ["tolkad"],
        "kind=outreach": [],
    }.items():
        query = "&".join(filter(None, [choice, view]))
        assert shown(client.get(f"/sv/events/?{query}")) == found, query


def test_what_is_chosen_can_be_taken_away_one_by_one(client, three):
    page = parsed(client.get("/en/events/?kind=conference&language=ar&month=2026-12"))
    items = {words(li.find("bdi")): li.find("a").get("href") for li in page.iter("li") if "– remove" in words(li)}
    assert items == {
        "Kind: Conference": "?language=ar&month=2026-12&",
        "Spoken or interpreted in: العربية": "?kind=conference&month=2026-12&",
    }
    form = page.find(".//main").find(".//form")
    sent = {field.get("name"): field.get("value") for field in form.iter("input")}
    assert (form.get("method"), sent) == (None, {"month": "2026-12"})
    chosen = {s.get("name"): [o.get("value") for o in s if o.get("selected") is not None] for s in form.iter("select")}
    assert chosen == {"kind": ["conference"], "language": ["ar"]}


def test_pages_of_what_has_passed_keep_what_is_chosen(client, make_event):
    for number in range(21):
        make_event("sv", starts_in=-timedelta(days=number + 1), spoken=["sv"])
    page = parsed(client.get("/sv/events/?kind=seminar"))
    assert linked(page, "next") == "?kind=seminar&page=2"
    assert len(shown(client.get("/sv/events/?kind=seminar&page=2"))) == 1


# Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "leads_to"),
    [
        ("kind=nonsense", ""),
        ("kind=&language=&month=", ""),
        ("kind=seminar&language=", "?kind=seminar"),
        ("language=xx&kind=seminar", "?kind=seminar"),
        ("month=2026-13", ""),
        ("month=2026-1", ""),
        ("month=0001-01", ""),
        ("month=٢٠٢٦-١٢", ""),
        ("month=2027-02", ""),  # beyond the last event
        ("month=1999-12&kind=seminar", "?kind=seminar"),
        ("month=2026-12%20", ""),
        ("month=2026-12%0A", ""),
        ("page=999", "?page=1"),
        ("page=0", "?page=1"),
        ("page=99999999999999999999", "?page=1"),
        ("page=x", "?page=1"),
        ("page=2&month=2026-12", "?month=2026-12"),
        ("with=sv", ""),
    ],
)
def test_what_cannot_be_asked_for_is_as_if_it_were_not_asked_for_and_is_not_stored(client, make_event, query, leads_to):
    make_event("sv", **at(12, 20, 18, 0))
    keys = cache._cache.get_client().keys
    asked = f"/sv/events/?{query}"
    seen = []
    while (response := client.get(asked)).status_code == 302:
        assert not keys("*stored:*")
        seen.append(asked)
        asked = response["Location"]
        assert len(seen) < 4
    assert seen
    assert (asked, response.status_code) == (f"/sv/events/{leads_to}", 200)


def test_the_order_of_what_is_asked_for_and_saying_it_twice_make_no_other_page():
    def key(query):
        return public.StoredPages._key(RequestFactory().get(f"/sv/events/?{query}"))

    assert (
        key("kind=seminar&month=2026-12")
        == key("month=2026-12&x=1&kind=seminar")
        == key("kind=conference&kind=seminar&month=2026-12")
    )
    assert key("kind=seminar") != key("kind=conference")


def test_pages_that_read_no_month_are_not_stored_for_each(client):
    for path, is_stored in {
        "/sv/rumors/?month=2026-12": False,
        "/sv/rumors/?language=ar": False,
        "/sv/rumors/?utm=1": True,
        "/sv/events/?month=2026-12": True,
    }.items():
        response = client.get(path)
        assert response["Cache-Control"].startswith("public" if is_stored else "no-store"), path


def test_only_the_whole_list_is_for_search_engines(client, make_event, settings):
    settings.PUBLIC_URL = "https://fakta.example.org"
    make_event("sv", **at(12, 20, 18, 0))
    for query, is_indexed in {"": True, "?kind=seminar": False, "?kind=seminar&month=2026-12": False}.items():
        response = client.get(f"/ar/events/{query}")
        assert response.get("X-Robots-Tag", "") == ("" if is_indexed else "noindex")
        page = parsed(response)
        links = {link.get("hreflang"): link.get("href") for link in page.iter("link") if link.get("hreflang")}
        assert links["so"] == f"https://fakta.example.org/so/events/{query}"
        assert links["x-default"] == f"https://fakta.example.org/sv/events/{query}"
        (canonical,) = [link.get("href") for link in page.iter("link") if link.get("rel") == "canonical"]
        assert canonical == f"https://fakta.example.org/ar/events/{query}"
        switch = {a.get("lang"): a.get("href") for a in page.iter("a") if a.get("hreflang") and a.get("lang")}
        assert switch["ti"] == f"/ti/events/{query}"


def test_a_month_costs_the_same_with_one_event_and_with_three(client, make_event, django_assert_num_queries):
    for number in (1, 3):
        while Event.objects.count() < number:
            make_event("sv", **at(12, 14, 18, 0))
        cache.clear()
        with django_assert_num_queries(2):
            assert len(shown(client.get("/sv/events/?month=2026-12"))) == number
    with django_assert_num_queries(3):
        client.get("/sv/events/?language=ar&month=2026-12")


def test_a_day_is_known_by_its_date_in_sweden():
    event = Event(
        starts_at=datetime(2026, 12, 31, 23, 30, tzinfo=ZoneInfo("UTC")),
        ends_at=datetime(2027, 1, 1, 23, 0, tzinfo=ZoneInfo("UTC")),
    )
    assert event.days == (date(2027, 1, 1), date(2027, 1, 1))


# Series ----------------------------------------------------------------------------------------------------------


def test_an_event_names_its_series_and_the_public_events_of_it(client, make_event, django_assert_num_queries):
    series = Series.objects.create(name="Rundabord om skolan")
    for number in range(2):
        other = make_event("sv", "ar", slug=f"andra-{number}", series=series, **at(12, 20 - number, 18, 0))
    actions.cancel(other, by=factories.user(), reason="Sjukdom")
    make_event(series=series)  # a draft
    make_event("sv", slug="annan-serie", series=Series.objects.create(name="En annan"))
    make_event("sv", slug="ensam")
    make_event("sv", slug="en", series=series)
    cache.clear()
    with django_assert_num_queries(3):
        page = parsed(client.get("/ar/events/en/"))
    section = next(ul for ul in page.iter("ul") if ul.get("aria-labelledby") == "series")
    assert [a.get("href") for a in section.iter("a")] == ["/ar/events/andra-1/", "/ar/events/andra-0/"]
    assert [words(a)[:7] for a in section.iter("a")] == ["Träff a"] * 2
    heading = next(h2 for h2 in page.iter("h2") if h2.get("id") == "series")
    assert (heading.find("bdi").get("lang"), words(heading.find("bdi"))) == ("sv", "Rundabord om skolan")
    canceled = [words(li) for li in section if li.find(".//strong") is not None]
    assert len(canceled) == 1
    assert "19" in canceled[0]
    alone = client.get("/sv/events/ensam/").content.decode()
    assert 'id="series"' not in alone


def test_a_long_series_names_those_that_are_nearest_to_today(client, make_event):
    series = Series.objects.create(name="Rundabord om skolan")
    own, *others = (make_event("sv", series=series, slug=f"traff{day}", **at(12, day, 18, 0)) for day in range(11, 31))
    page = parsed(client.get(f"/en/events/{own.slug}/"))
    section = next(ul for ul in page.iter("ul") if ul.get("aria-labelledby") == "series")
    assert [a.get("href") for a in section.iter("a")] == [f"/en/events/{other.slug}/" for other in others[:12]]
