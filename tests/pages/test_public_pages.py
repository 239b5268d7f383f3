import logging
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils import timezone
from django.utils.html import escape

from portal import public
from portal.facts.models import Fact
from portal.facts.templatetags.reading import icon
from portal.questions.models import Question
from portal.revisions import actions as revisions
from tests import factories

pytestmark = pytest.mark.django_db

PUBLIC = """
/sv/ /ar/parents/ /ar/children/ /en/embassies/ /sv/search/?q=hjälp /sv/rumors/ /sv/events/ /sv/tell-us/
/ar/tell-us/answer/ /sv/feed.xml
/sitemap.xml /robots.txt /.well-known/security.txt
""".split()


@pytest.fixture
def fact(db) -> Fact:
    return factories.published_fact("ar", "en")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_set_no_cookie_and_vary_on_none(client, fact, path):
    response = client.get(path)
    assert response.status_code == 200, path
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_a_fact_page_says_how_long_it_may_be_kept_and_answers_304(client, fact):
    first = client.get(f"/ar/facts/{fact.slug}/")
    assert re.fullmatch(r"public, max-age=\d+, stale-while-revalidate=15, stale-if-error=86400", first["Cache-Control"])
    again = client.get(f"/ar/facts/{fact.slug}/", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]


def test_a_stored_page_costs_no_query_and_is_the_same_for_everybody(client, fact, django_assert_num_queries):
    path = f"/ar/facts/{fact.slug}/"
    first = client.get(path)
    with django_assert_num_queries(0):
        again = client.get(path + "?utm_source=whatsapp")
        packed = client.get(path, headers={"accept-encoding": "gzip"})
    assert again.content == first.content
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(first.content) / 2


def test_a_fact_page_costs_at_most_three_queries(client, fact, django_assert_max_num_queries):
    client.get(f"/ar/facts/{fact.slug}/")
    cache.clear()
    with django_assert_max_num_queries(3):
        assert "سؤال" not in client.get(f"/ar/facts/{fact.slug}/").content.decode()


def test_a_dead_cache_makes_no_page_fail(client, fact, settings):
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
    response = client.get(f"/sv/facts/{fact.slug}/")
    assert "Svar sv." in response.content.decode()


def test_a_withdrawn_text_is_gone_within_a_minute(client, fact):
    path = f"/sv/facts/{fact.slug}/"
    assert "Svar sv." in client.get(path).content.decode()
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    assert 2 * public.FRESH_SECONDS + 2 * public.REVALIDATE_SECONDS <= 60
    cache.clear()
    gone = client.get(path)
    assert gone.status_code == 410
    assert "112" in gone.content.decode()


def test_children_leave_no_trace_in_the_browser(client):
    fact = factories.published_fact(audience="children")
    for path in (f"/sv/facts/{fact.slug}/", "/sv/children/"):
        response = client.get(path)
        html = response.content.decode()
        assert response["Cache-Control"] == "no-store"
        assert "<title>Information</title>" in html
        assert escape(icon("neutral")) in html
        assert 'rel="nofollow noreferrer"' in html


def test_the_root_sends_each_reader_to_their_language(client):
    for header, path in [("ti", "/ti/"), ("fa-IR,fa;q=0.9", "/fa/"), ("xx", "/sv/"), ("", "/sv/"), ("ku", "/sv/")]:
        response = client.get("/", headers={"accept-language": header})
        assert response["Location"] == path, header
        assert "Accept-Language" in response["Vary"]


def test_the_short_address_leads_to_the_fact_in_the_readers_language(client, fact):
    response = client.get(f"/f/{fact.pk}", headers={"accept-language": "ar"})
    assert response["Location"] == f"/ar/facts/{fact.slug}/"


def test_a_missing_translation_is_the_whole_swedish_text_marked_as_such(client, fact):
    html = client.get(f"/so/facts/{fact.slug}/").content.decode()
    assert re.search(r'<html lang="so"\s+dir="ltr"', html)
    assert re.search(r'lang="sv"\s+dir="ltr"\s+data-fallback="sv"', html)
    assert "Fråga sv?" in html
    assert set(re.findall(r'<link rel="alternate"\s+hreflang="([^"]+)"', html)) == {"sv", "ar", "en", "x-default"}


def test_a_right_to_left_page_says_so(client, fact):
    response = client.get(f"/ar/facts/{fact.slug}/")
    html = response.content.decode()
    assert response["Content-Language"] == "ar"
    assert re.search(r'<html lang="ar"\s+dir="rtl"', html)
    assert '<bdi dir="ltr">1–4 §§</bdi>' in html


BAD = [
    ("GET", "/sv/search/?q=%00", 400),
    ("GET", "/sv/facts/%00/", 400),
    ("GET", "/sv/search/?q=%ff%fe", 200),
    ("GET", "/sv/facts/%ff/", 404),
    ("GET", f"/sv/search/?q={quote('å' * 5000)}", 200),
    ("GET", "/sv/rumors/?page=99999999999999999999999", 200),
    ("GET", "/xx/facts/a/", 404),
    ("GET", "/yi/", 404),
    ("POST", "/sv/", 405),
    ("DELETE", "/sv/parents/", 405),
    ("GET", "/f/99999999999999999999", 404),
    ("GET", "/sv/facts/" + "a" * 3000 + "/", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), BAD)
def test_bad_input_gets_a_human_sentence_and_the_numbers_to_call(client, method, path, status):
    response = client.generic(method, path)
    html = response.content.decode()
    assert response.status_code == status
    if status >= 400:
        assert "<h1>" in html
        assert "116 111" in html
        assert "Traceback" not in html


def test_error_pages_are_in_the_readers_language_and_need_no_database(client, fact, django_assert_num_queries):
    with django_assert_num_queries(0):
        html = client.get("/ar/no/such/page/").content.decode()
    assert re.search(r'<html lang="ar"\s+dir="rtl"', html)


def opened(client: Client) -> str:
    """The token of a form that was opened a minute ago: nobody writes in no time."""
    with time_machine.travel(timezone.now() - timedelta(minutes=1), tick=False):
        html = client.get("/sv/tell-us/").content.decode()
    return re.search(r'name="token" value="([^"]+)"', html)[1]


def ask(client: Client, **fields) -> object:
    return client.post("/sv/tell-us/", {"token": opened(client), "text": "Är det sant att det kostar?"} | fields)


def test_the_public_can_tell_without_a_cookie():
    client = Client(enforce_csrf_checks=True)
    response = ask(client)
    assert response.status_code == 200
    assert not client.cookies
    assert Question.objects.get().text == "Är det sant att det kostar?"


def test_a_form_from_another_site_is_refused(client):
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        html = client.get("/sv/tell-us/").content.decode()
        token = re.search(r'name="token" value="([^"]+)"', html)[1]
        response = client.post("/sv/tell-us/", {"token": token, "text": "hej hej"}, headers=headers)
        assert response.status_code == 403
    assert not Question.objects.exists()


@pytest.mark.parametrize("token", ["", "abc", "of another form"])
def test_an_expired_form_keeps_what_was_typed(client, token):
    token = public.form_token("another") if token == "of another form" else token
    response = client.post("/sv/tell-us/", {"token": token, "text": "Lång text som inte får gå förlorad"})
    assert response.status_code == 422
    assert "Lång text som inte får gå förlorad" in response.content.decode()
    assert not Question.objects.exists()


def test_personal_numbers_and_machines_are_kept_out(client):
    for fields in ({"text": "Barnet 850709-9805 togs"}, {"website": "https://spam.example"}):
        response = ask(client, **fields)
        assert response.status_code == 422
    assert not Question.objects.exists()


def test_a_class_of_85_gets_through_and_a_flood_does_not(client, settings):
    for _ in range(85):
        assert ask(client).status_code == 200
    for _ in range(40):
        last = ask(client)
    assert last.status_code == 429
    assert "112" in last.content.decode()


def test_a_limit_counts_readers_not_the_proxy_in_front_and_believes_no_made_up_address(settings, rf):
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(5):
        request = rf.post("/", headers={"x-forwarded-for": f"1.2.3.{number}, 192.0.2.7"})
        allowed = public.within_limit(request, "test", per_hour=3)
    assert not allowed
    assert public.within_limit(rf.post("/", headers={"x-forwarded-for": "192.0.2.8"}), "test", per_hour=3)


def test_a_crafted_query_cannot_put_another_page_in_the_place_of_a_stored_one(client, fact):
    assert public.StoredPages._key(client_request("/sv/rumors/?page=2&page=")) != public.StoredPages._key(
        client_request("/sv/rumors/?page=2")
    )
    assert public.StoredPages._key(client_request("/sv/rumors/?x=1")) == public.StoredPages._key(
        client_request("/sv/rumors/")
    )


def client_request(path):
    return RequestFactory().get(path)


@pytest.mark.parametrize("charset", ["hex", "utf-7", "utf-16", "rot13", "nonsense"])
def test_whatever_charset_a_client_names_everything_is_read_as_utf_8(charset):
    from portal.wsgi import application

    environ = RequestFactory()._base_environ(QUERY_STRING="q=%2BAAA-&q=hj%C3%A4lp")
    request = application.request_class(environ | {"CONTENT_TYPE": f"text/plain; charset={charset}"})
    assert request.GET.getlist("q") == ["+AAA-", "hjälp"]
    assert request.content_type == "text/plain"


def test_a_broken_origin_is_refused(client):
    response = client.post("/sv/tell-us/", {"token": "x"}, headers={"origin": "http://["})
    assert response.status_code == 403
    assert "112" in response.content.decode()


def test_a_gone_page_may_be_kept_for_a_moment_so_that_it_replaces_the_old_one(client, fact):
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel")
    response = client.get(f"/sv/facts/{fact.slug}/")
    assert (response.status_code, response["Cache-Control"]) == (410, f"public, max-age={public.FRESH_SECONDS}")


def test_the_log_of_an_error_names_the_route_and_no_secret():
    request = client_request("/sv/events/konf/registration/77-SECRET/")
    request.resolver_match = resolve(request.path)
    record = logging.LogRecord(
        "django.request", logging.ERROR, "", 0, "Internal Server Error: %s", (request.path,), None
    )
    record.request = request
    assert public.HidePath().filter(record)
    assert "SECRET" not in record.getMessage()
    assert "registration/<str:token>" in record.getMessage()


def test_a_question_that_is_sent_twice_is_kept_once(client):
    token = opened(client)
    for _ in range(2):
        assert client.post("/sv/tell-us/", {"token": token, "text": "Stämmer det här?"}).status_code == 200
    assert Question.objects.get().text == "Stämmer det här?"


def test_forms_that_are_refused_do_not_use_up_what_others_may_send(client):
    for _ in range(130):
        assert ask(client, text="a").status_code == 422
    assert ask(client).status_code == 200


def test_the_short_address_of_a_withdrawn_fact_says_that_it_is_gone(client):
    fact = factories.published_fact()
    revisions.withdraw(fact, language="sv", by=factories.user(), reason="Fel.")
    response = client.get(f"/f/{fact.pk}", HTTP_ACCEPT_LANGUAGE="sv")
    assert response.status_code == 410
    assert "112" in response.content.decode()
    assert client.get("/f/99999999").status_code == 404
