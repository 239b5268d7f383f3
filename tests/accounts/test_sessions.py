import datetime as dt

import html5lib
import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse

from portal.accounts.middleware import SessionLimits, StaffLanguage
from portal.accounts.models import Role
from tests.accounts.people import PASSWORD, browser, person, sign_in

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC)


def is_in(client):
    return client.get("/staff/").status_code == 200


def test_half_an_hour_without_a_request_ends_the_session():
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(Role.EDITOR, language="en"))
        for minutes in (29, 29, 29):
            clock.shift(dt.timedelta(minutes=minutes))
            assert is_in(client)
        clock.shift(dt.timedelta(minutes=31))

        page = client.get("/staff/?a=1", follow=True)

    assert page.redirect_chain == [(f"{reverse('account_login')}?next=/staff/%3Fa%3D1", 302)]
    assert "You were signed out because nothing happened for a while" in page.content.decode()


def test_twelve_hours_end_the_session_however_busy_it_was():
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(Role.EDITOR, language="en"))
        assert is_in(client)
        for _ in range(36):
            clock.shift(dt.timedelta(minutes=20))
            assert is_in(client)
        clock.shift(dt.timedelta(minutes=1))

        page = client.get("/staff/", follow=True)

    assert "You have been signed in for 12 hours" in page.content.decode()


def test_the_twelve_hours_begin_with_the_sign_in_itself():
    with time_machine.travel(START, tick=False):
        user, client = person(Role.EDITOR, password=PASSWORD), browser()
        client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})

        assert client.session["signed_in_at"] == START.timestamp()


@pytest.mark.parametrize(
    ("roles", "record", "stays"),
    [
        pytest.param([Role.REPORTER], {"type": "webauthn", "passwordless": True}, True, id="reporter with a passkey"),
        pytest.param([Role.REPORTER], {}, False, id="reporter with a password"),
        pytest.param([Role.EDITOR], {"type": "webauthn", "passwordless": True}, False, id="editor with a passkey"),
        pytest.param(
            [Role.REPORTER, Role.EDITOR], {"type": "webauthn", "passwordless": True}, False, id="reporter and editor"
        ),
    ],
)
def test_only_reporters_with_a_passkey_stay_in_through_a_day_in_the_field(roles, record, stays):
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(*roles), **record)
        assert is_in(client)
        clock.shift(dt.timedelta(hours=11, minutes=59))
        assert is_in(client) == stays
        clock.shift(dt.timedelta(minutes=2))
        assert not is_in(client)


def test_a_form_that_comes_too_late_leads_back_to_its_page():
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(Role.EDITOR))
        assert is_in(client)
        clock.shift(dt.timedelta(hours=1))

        answer = client.post(
            reverse("account_logout"), {"text": "x"}, headers={"referer": "http://testserver/staff/profile/?a=1"}
        )

    assert answer.url == f"{reverse('account_login')}?next=/staff/profile/%3Fa%3D1"


def test_a_form_from_elsewhere_names_no_way_back():
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(Role.EDITOR))
        assert is_in(client)
        clock.shift(dt.timedelta(hours=1))

        answer = client.post(reverse("profile"), headers={"referer": "http://evil.example/staff/profile/"})

    assert answer.url == f"{reverse('account_login')}?next=/staff/profile/"


def test_an_ended_session_is_gone_from_the_database():
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(Role.EDITOR))
        assert is_in(client)
        key = client.session.session_key
        clock.shift(dt.timedelta(hours=1))
        client.get("/staff/")

    assert not Session.objects.filter(pk=key).exists()


def test_using_a_session_writes_it_once_a_minute(django_assert_num_queries):
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(person(Role.EDITOR))
        assert is_in(client)
        seen = []
        for _ in range(3):
            clock.shift(dt.timedelta(seconds=25))
            assert is_in(client)
            seen.append(client.session["seen_at"] - START.timestamp())

    assert seen == [0, 0, 75]


def test_a_closed_account_is_out_at_once():
    user = person(Role.EDITOR)
    client = sign_in(user)
    assert is_in(client)

    user.is_active = False
    user.save()

    assert client.get("/staff/").url.startswith(reverse("account_login"))


class Untouchable:
    def __getattr__(self, name):
        raise AssertionError(f"the session was asked for {name}")


@pytest.mark.parametrize("cookies", [{}, {"session": "anything"}], ids=["no cookie", "cookie"])
def test_public_pages_never_touch_the_session(settings, cookies):
    settings.SESSION_COOKIE_NAME = "session"
    request = RequestFactory().get("/sv/facts/")
    request.COOKIES.update(cookies)
    request.session = request.user = Untouchable()

    assert StaffLanguage(SessionLimits(lambda request: "page"))(request) == "page"


def test_a_public_page_does_not_vary_with_the_cookie_of_staff():
    client = sign_in(person(Role.EDITOR))

    response = client.get("/sv/")

    assert response.status_code == 200
    assert "Cookie" not in response.headers.get("Vary", "")
    assert not response.cookies


OURS = {"origin": "http://testserver"}


def sent_again(response) -> dict[str, str]:
    """The fields of the form that a page holds, as a browser would send them."""
    page = html5lib.parse(response.content.decode(), namespaceHTMLElements=False)
    return {field.get("name"): field.get("value") for field in page.find(".//main").iter("input")}


def test_what_was_typed_before_the_session_ended_is_kept_and_sent_after_signing_in():
    reporter = person(Role.REPORTER)
    text = "Det sägs att <b>ingen</b>\nfrågar barnet."
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(reporter, client=Client(enforce_csrf_checks=True))
        token = sent_again(client.get("/staff/rumors/log/"))["csrfmiddlewaretoken"]
        clock.shift(dt.timedelta(hours=1))
        typed = {"csrfmiddlewaretoken": token, "claim": text, "channel": "phone", "seen_on": "2026-03-01"}

        kept = client.post("/staff/rumors/log/", typed, headers=OURS)

        assert "Du är utloggad" in kept.content.decode()
        assert "_auth_user_id" not in client.session
        fields = sent_again(kept)
        assert fields["claim"] == text
        # In another tab, which changes the token: the old page is sent, comes back whole, and is sent once more.
        client = sign_in(reporter, client=client)
        del client.cookies["csrf"]
        client.get("/staff/")
        kept = client.post("/staff/rumors/log/", fields, headers=OURS)
        assert "Skicka" in kept.content.decode()
        assert sent_again(kept)["claim"] == text
        last = client.post("/staff/rumors/log/", sent_again(kept), headers=OURS)

    assert last.status_code == 422  # the rest of the form is missing: back in it, with everything typed
    assert "&lt;b&gt;ingen&lt;/b&gt;" in last.content.decode()


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_words_from_elsewhere_are_never_put_into_a_form(headers):
    client = Client(enforce_csrf_checks=True)
    answers = [client.post("/staff/rumors/log/", {"claim": "planted words"}, headers=headers)]
    sign_in(person(Role.REPORTER), client=client)
    answers.append(client.post("/staff/rumors/log/", {"claim": "planted words"}, headers=headers))

    assert [answer.status_code for answer in answers] == [403, 403]
    assert all(b"planted" not in answer.content for answer in answers)
