import re
from datetime import timedelta

import html5lib
import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events import actions, rules
from events.models import Registration
from portal.mail.models import Delivery
from portal.public import form_token
from portal.questions.models import Question
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


def program(event_starts, *titles):
    return [
        {
            "starts_at": event_starts + timedelta(minutes=10 * place),
            "ends_at": event_starts + timedelta(minutes=10 * place + 10),
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
        event = make_event("sv", starts_at=starts, program=program(starts, *titles))
        client.get(f"/sv/events/{event.slug}/")
        cache.clear()
        with django_assert_num_queries(3):
            pages.append(client.get(f"/sv/events/{event.slug}/").content.decode())
    assert [page.count("Mira Sandhav, jurist, kommunen") for page in pages] == [1, 2]


def test_a_reader_without_a_translation_gets_the_whole_swedish_text_marked_as_such(client, make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=5)
    event = make_event(
        "sv", starts_at=starts, program=program(starts, {"sv": "Inledning", "ar": "مقدمة"}, {"sv": "Frågor"})
    )
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


def test_a_recording_is_linked_after_the_event_until_its_last_day(client, make_event):
    today = timezone.localdate()
    recording = "https://video.example.org/r"
    cases = [
        ({"starts_in": -timedelta(days=2), "recording_until": today}, True, False),
        ({"starts_in": -timedelta(days=2), "recording_until": today - timedelta(days=1)}, False, True),
        ({"starts_in": timedelta(days=2), "recording_until": today + timedelta(days=9)}, False, False),
    ]
    for fields, is_linked, is_gone in cases:
        event = make_event("sv", recording_url=recording, **fields)
        page = client.get(f"/en/events/{event.slug}/").content.decode()
        assert (recording in page, "The recording is no longer available." in page) == (is_linked, is_gone)


def test_a_withdrawn_event_is_gone_and_an_unknown_one_was_never_there(client, make_event):
    event = make_event("sv")
    revisions.withdraw(event, language="sv", by=factories.user(), reason="Ställs in")
    for path in (f"/sv/events/{event.slug}/", f"/sv/events/{event.slug}.ics"):
        assert client.get(path).status_code == 410
        assert client.get(path.replace(event.slug, "finns-inte")).status_code == 404
    assert client.get(f"/sv/events/{event.slug}/register/").status_code == 404


def test_the_meeting_link_is_on_no_public_page(public, form, make_event):
    starts = timezone.now().replace(microsecond=0) + timedelta(days=5)
    event = make_event("sv", "ar", starts_at=starts, program=program(starts, {"sv": "Inledning"}))
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
    actions.edit(event, by=factories.user(), slug="ny-adress")
    rows = IndexRow.objects.filter(kind="event", object_id=event.pk)
    assert {row.language: row.url for row in rows} == {"sv": "/sv/events/ny-adress/", "ar": "/ar/events/ny-adress/"}
    revisions.withdraw(event, language="ar", by=factories.user(), reason="Fel")
    assert [row.language for row in rows.all()] == ["sv"]


# Registering ---------------------------------------------------------------------------------------------------


def test_a_reader_registers_without_cookies_and_is_thanked(public, form, make_event):
    event = make_event("sv", "ar")
    page = parsed(public.get(f"/ar/events/{event.slug}/register/"))
    token = next(i.get("value") for i in page.iter("input") if i.get("name") == "token")
    response = public.post(
        f"/ar/events/{event.slug}/register/", form(token=token, name="بو", question="ماذا بعد ذلك؟"), follow=True
    )
    assert response.redirect_chain == [(f"/ar/events/{event.slug}/register/thanks/", 302)]
    assert not response.cookies
    registration = Registration.objects.get()
    assert (registration.name, registration.email, registration.language) == ("بو", "bo@example.org", "ar")
    assert Question.objects.get().text == "ماذا بعد ذلك؟"
    assert Delivery.objects.get(kind=actions.CONFIRMATION).language == "ar"


def test_the_answer_is_the_same_for_who_has_a_seat_already(public, form, make_event):
    event = make_event("sv")
    answers = {public.post(f"/sv/events/{event.slug}/register/", form(), follow=True).content for _again in range(2)}
    assert len(answers) == 1
    assert Registration.objects.count() == 1


def test_a_form_that_was_open_for_too_long_keeps_what_was_typed(public, form, make_event):
    event = make_event("sv")
    with time_machine.travel(timezone.now() - timedelta(hours=5)):
        old = form_token("register")
    response = public.post(f"/sv/events/{event.slug}/register/", form(token=old, question="Vad händer sedan?"))
    assert response.status_code == 422
    page = parsed(response)
    values = {i.get("name"): i.get("value") for i in page.iter("input")}
    assert (values["name"], values["email"]) == ("Bo", "bo@example.org")
    assert "Vad händer sedan?" in words(page.find(".//textarea"))
    assert not Registration.objects.exists()
    again = public.post(f"/sv/events/{event.slug}/register/", form(token=values["token"]))
    assert again.status_code == 302
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"website": "http://spam.example.org"},
        {"email": "not an address"},
        {"email": ""},
        {"name": ""},
        {"name": "19121212-1212"},
        {"question": "Mitt barn heter 19121212-1212"},
        {"name": "x" * 121},
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(public, form, make_event, fields):
    event = make_event("sv")
    response = public.post(f"/sv/events/{event.slug}/register/", form(**fields))
    assert response.status_code == 422
    summary = next(d for d in parsed(response).iter("div") if d.get("class") == "summary")
    assert words(summary.find("ul"))
    assert not Registration.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("headers", [{"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_site_cannot_send_the_form(public, form, make_event, headers):
    event = make_event("sv")
    response = public.post(f"/sv/events/{event.slug}/register/", form(), headers=headers)
    assert response.status_code == 403
    assert not Registration.objects.exists()


def test_a_full_event_says_so_on_its_page_on_the_form_and_to_who_was_too_late(public, form, make_event):
    event = make_event("sv", capacity=1)
    assert f"/en/events/{event.slug}/register/" in public.get(f"/en/events/{event.slug}/").content.decode()
    actions.register(event, name="Eva", email="eva@example.org", language="sv")
    cache.clear()
    page = public.get(f"/en/events/{event.slug}/").content.decode()
    assert f"/en/events/{event.slug}/register/" not in page
    assert "All seats are taken." in page
    assert "<form" not in public.get(f"/en/events/{event.slug}/register/").content.decode()
    late = public.post(f"/en/events/{event.slug}/register/", form())
    assert late.status_code == 422
    assert "All seats are taken." in words(parsed(late).find(".//main"))
    assert 'value="bo@example.org"' in late.content.decode()
    assert Registration.objects.count() == 1


def test_a_closed_registration_shows_no_form(public, make_event):
    event = make_event("sv", registration_ends_at=timezone.now() - timedelta(minutes=1))
    page = public.get(f"/en/events/{event.slug}/register/").content.decode()
    assert "Registration is closed." in page
    assert "<form" not in page


def test_an_event_by_invitation_says_nothing_of_registering(public, make_event):
    event = make_event("sv", registration_ends_at=None)
    page = words(parsed(public.get(f"/en/events/{event.slug}/")).find(".//main"))
    assert "Regist" not in page
    assert "by mail" not in page


# The private link ----------------------------------------------------------------------------------------------


@pytest.fixture
def seat(make_event):
    event = make_event("sv", "ar")
    registration = actions.register(event, name="Bo", email="bo@example.org", language="ar")
    return registration, f"/ar/events/{event.slug}/registration/{rules.private_token(registration)}/"


def test_the_private_page_is_kept_nowhere_and_found_by_nobody(public, seat):
    response = public.get(seat[1])
    assert response.headers["Cache-Control"] == "no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert parsed(response).get("dir") == "rtl"


def test_looking_at_every_link_cancels_nothing_and_the_button_does(public, seat):
    registration, url = seat
    for method in (public.get, public.head, public.options):
        method(url)
    registration.refresh_from_db()
    assert registration.canceled_at is None
    token = re.search(r'name="token" value="([^"]+)"', public.get(url).content.decode())[1]
    response = public.post(url, {"token": token}, follow=True)
    registration.refresh_from_db()
    assert registration.canceled_at is not None
    assert "<form" not in response.content.decode()
    assert Delivery.objects.filter(kind=actions.REMINDER).waiting().count() == 0


def test_canceling_with_an_old_page_asks_again_and_cancels_nothing(public, seat):
    registration, url = seat
    response = public.post(url, {"token": form_token("register")})
    assert response.status_code == 422
    assert "<form" in response.content.decode()
    registration.refresh_from_db()
    assert registration.canceled_at is None


def test_a_forged_or_revoked_link_leads_nowhere(public, seat, make_event):
    registration, url = seat
    other = actions.register(make_event("sv"), name="Eva", email="eva@example.org", language="sv")
    token = rules.private_token(registration)
    number, digest = token.split("-", 1)
    assert len(digest) == 22  # 128 bits
    forged = [
        f"{other.pk}-{digest}",
        f"{number}-{digest[:-1]}",
        f"{number}-{'A' * 22}",
        f"{number}-",
        number,
        f"-{digest}",
        f"{number}٣-{digest}",
        f"{'9' * 40}-{digest}",
        f"{number}-{digest}é",
    ]
    for fake in forged:
        address = url.replace(token, fake)
        assert public.get(address).status_code == 404, fake
        assert public.post(address, {"token": form_token("registration")}).status_code == 404, fake
    assert public.get(url).status_code == 200
    Registration.objects.filter(pk=registration.pk).update(nonce="0" * 32)
    assert public.get(url).status_code == 404
    assert Registration.objects.confirmed().count() == 2
