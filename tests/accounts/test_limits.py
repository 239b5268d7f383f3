import pytest
from django.urls import reverse

from portal.accounts.models import Role
from tests.accounts.people import PASSWORD, browser, give_app, person

pytestmark = pytest.mark.django_db


def try_to_sign_in(client, user, password, **headers):
    return client.post(reverse("account_login"), {"login": user.email, "password": password}, headers=headers)


def test_five_wrong_passwords_close_the_account_for_a_while_from_everywhere():
    user = person(Role.EDITOR, password=PASSWORD)
    for _ in range(5):
        assert "account_login" not in try_to_sign_in(browser(), user, "fel lösenord").headers.get("Location", "")

    refused = try_to_sign_in(browser(), user, PASSWORD)

    assert refused.status_code == 200
    assert refused.context["form"].non_field_errors()
    assert "_auth_user_id" not in refused.client.session


def test_a_colleague_behind_the_same_address_is_not_locked_out():
    guessed, colleague = person(Role.EDITOR), person(Role.EDITOR, password=PASSWORD)
    client = browser()
    for _ in range(7):
        try_to_sign_in(client, guessed, "fel lösenord")

    try_to_sign_in(client, colleague, PASSWORD)

    assert client.session["_auth_user_id"] == str(colleague.pk)


def test_wrong_codes_of_the_second_factor_count_too():
    user = person(Role.EDITOR, password=PASSWORD)
    give_app(user)
    client = browser(HTTP_ACCEPT_LANGUAGE="en")
    try_to_sign_in(client, user, PASSWORD)
    errors = [
        client.post(reverse("mfa_authenticate"), {"code": "000000"}).context["form"].errors["code"][0] for _ in range(6)
    ]

    assert errors[:5] == ["Incorrect code."] * 5
    assert errors[5].startswith("Too many failed")


def test_too_many_tries_from_one_address_get_our_own_page_with_the_numbers_to_call(settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "3/m/ip"}
    user, client = person(Role.EDITOR), browser()
    answers = [try_to_sign_in(client, user, "fel") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "116 111" in answers[3].content.decode()
    assert try_to_sign_in(browser(), user, "fel").status_code == 200


@pytest.mark.parametrize(("proxies", "limited"), [(0, True), (1, False)])
def test_the_address_is_the_one_that_the_trusted_proxies_saw(settings, proxies, limited):
    """Without a proxy the header is what the caller makes up; with one, its last entry is the truth."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    settings.ACCOUNT_RATE_LIMITS = {"login": "3/m/ip"}
    user, client = person(Role.EDITOR), browser()
    base = client.defaults["REMOTE_ADDR"].rpartition(".")[0].replace("10.", "11.", 1)
    answers = [try_to_sign_in(client, user, "fel", x_forwarded_for=f"9.9.9.9, {base}.{n}") for n in range(4)]

    assert (answers[3].status_code == 429) == limited


def test_staff_sign_in_while_valkey_is_down_and_guessing_is_still_limited(settings):
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
    user, guessed = person(Role.EDITOR, password=PASSWORD), person(Role.EDITOR, password=PASSWORD)
    client = browser()

    try_to_sign_in(client, user, PASSWORD)
    for _ in range(5):
        try_to_sign_in(browser(), guessed, "fel lösenord")
    refused = try_to_sign_in(browser(), guessed, PASSWORD)

    assert client.session["_auth_user_id"] == str(user.pk)
    assert refused.context["form"].non_field_errors()
