import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from events.registrations import actions, rules
from events.registrations.models import Registration
from portal.mail.models import Delivery
from portal.public import form_token
from portal.questions.models import Question
from tests.events.test_pages import parsed, words


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
