from datetime import time, timedelta

import html5lib
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import actions as events
from events.registrations import actions, rules
from portal.revisions import actions as revisions
from portal.search.models import IndexRow
from tests import factories
from tests.events.conftest import SECRET_LINK

PROGRAM_SPEAKER = {"name": "Nils Fjällvind", "title": "jurist", "organization": "kommunen"}


def parsed(response):
    """Refuses markup that a browser would have to mend."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.content.decode())


def words(element) -> str:
    return " ".join("".join(element.itertext()).split())


def program(*titles):
    return [
        {
            "day": 1,
            "starts": time(8, 10 * place),
            "ends": time(8, 10 * place + 10),
            "is_break": not title,
            "titles": title,
            "speakers": [PROGRAM_SPEAKER, PROGRAM_SPEAKER | {"name": "Mira Sandhav"}] if title else [],
        }
        for place, title in enumerate(titles)
    ]


def test_the_list_has_what_is_to_come_before_what_has_passed(client, make_event):
    passed = make_event("sv", starts_in=-timedelta(days=2))
    later, sooner = make_event("sv", starts_in=timedelta(days=9)), make_event("sv", starts_in=timedelta(days=3))
    make_event()
    page = parsed(client.get("/sv/events/"))
    links = [a.get("href") for a in page.find(".//main").iter("a") if "/events/" in a.get("href")]
    assert links == [f"/sv/events/{event.slug}/" for event in (sooner, later, passed)]


def test_an_empty_list_says_so(client, db):
    page = parsed(client.get("/en/events/"))
    assert "No events are planned right now." in words(page.find(".//main"))


def test_lists_cost_the_same_with_one_row_and_with_three(client, staff, make_event, django_assert_num_queries):
    office = staff("events")
    office.get("/staff/events/")
    for more in ((1, -1), (2, -2), (3, -3)):
        for days in more:
            make_event("sv", starts_in=timedelta(days=days))
        cache.clear()
        with django_assert_num_queries(3):
            assert b"data-fallback" not in client.get("/sv/events/").content
        with CaptureQueriesContext(connection) as queries:
            office.get("/staff/events/")
        assert len([query for query in queries if '"events_event"' in query["sql"]]) == 3


def test_an_event_page_costs_the_same_with_one_line_of_program_and_with_three(
    client, make_event, django_assert_num_queries
):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=5)
    pages = []
    for titles in ([{"sv": "Ett"}], [{"sv": "Ett"}, {}, {"sv": "Tre"}]):
        event = make_event("sv", starts_at=starts, are_speakers_public=True, program=program(*titles))
        client.get(f"/sv/events/{event.slug}/")
        cache.clear()
        with django_assert_num_queries(3):
            pages.append(client.get(f"/sv/events/{event.slug}/").content.decode())
    assert [page.count("Mira Sandhav, jurist, kommunen") for page in pages] == [1, 2]


def test_a_reader_without_a_translation_gets_the_whole_swedish_text_marked_as_such(client, make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=5)
    event = make_event("sv", starts_at=starts, program=program({"sv": "Inledning", "ar": "مقدمة"}, {"sv": "Frågor"}))
    response = client.get(f"/ar/events/{event.slug}/")
    page = parsed(response)
    assert page.get("dir") == "rtl"
    article = page.find(".//article")
    assert (article.get("lang"), article.get("dir"), article.get("data-fallback")) == ("sv", "ltr", "sv")
    assert event.title_sv in words(article.find("h1"))
    titles = {words(s): s.get("data-fallback") for s in page.find(".//table").iter("span")}
    assert titles == {"مقدمة": None, "Frågor": "sv"}
    assert [link.get("hreflang") for link in page.iter("link") if link.get("hreflang")] == ["sv", "x-default"]


def test_a_passed_event_says_so_in_the_readers_language_and_takes_no_registrations(client, make_event):
    event = make_event("sv", starts_in=-timedelta(days=2))
    for code in ("en", "sv", "ar"):
        page = parsed(client.get(f"/{code}/events/{event.slug}/"))
        notice = next(div for div in page.iter("div") if div.get("class") == "notice")
        assert notice.get("lang") == code
        assert f"/{code}/events/{event.slug}/register/" not in [a.get("href") for a in page.iter("a")]
        if code == "en":
            assert words(notice) == "This event has passed."


def test_a_withdrawn_event_is_gone_and_an_unknown_one_was_never_there(client, make_event):
    event = make_event("sv")
    revisions.withdraw(event, language="sv", by=factories.user(), reason="Ställs in")
    for path in (f"/sv/events/{event.slug}/", f"/sv/events/{event.slug}.ics"):
        assert client.get(path).status_code == 410
        assert client.get(path.replace(event.slug, "finns-inte")).status_code == 404
    assert client.get(f"/sv/events/{event.slug}/register/").status_code == 404


def test_the_meeting_link_is_on_no_public_page(public, form, make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=5)
    event = make_event("sv", "ar", starts_at=starts, program=program({"sv": "Inledning"}))
    registration = actions.register(event, name="Bo", email="bo@example.org", language="sv")
    base = f"/sv/events/{event.slug}/"
    paths = ["/sv/", "/sv/events/", base, base.replace("/sv/", "/ar/"), f"{base}register/", f"{base}register/thanks/"]
    paths += [f"{base}registration/{rules.private_token(registration)}/", "/sv/feed.xml", "/sv/search/?q=Träff"]
    for path in paths:
        response = public.get(path)
        assert response.status_code == 200, path
        assert SECRET_LINK not in response.content.decode(), path
        assert not response.cookies, path
    answer = public.post(f"{base}register/", form(email="eva@example.org"), follow=True)
    assert SECRET_LINK not in answer.content.decode()
    for row in IndexRow.objects.filter(kind="event"):
        assert SECRET_LINK not in f"{row.title} {row.text} {row.url}"
    assert IndexRow.objects.filter(kind="event").count() == 2


def test_the_search_row_follows_the_text_and_the_address(make_event):
    event = make_event("sv", "ar")
    events.edit(event, by=factories.user(), slug="ny-adress")
    rows = IndexRow.objects.filter(kind="event", object_id=event.pk)
    assert {row.language: row.url for row in rows} == {"sv": "/sv/events/ny-adress/", "ar": "/ar/events/ny-adress/"}
    revisions.withdraw(event, language="ar", by=factories.user(), reason="Fel")
    assert [row.language for row in rows.all()] == ["sv"]
