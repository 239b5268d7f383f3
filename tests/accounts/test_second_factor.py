import re

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from tests.accounts.people import PASSWORD, browser, code_of, give_app, person, sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", Role)
def test_without_a_second_factor_no_role_gets_to_work(role):
    client = sign_in(person(role, language="en"), method="password")

    response = client.get("/staff/", follow=True)

    assert response.redirect_chain == [(reverse("mfa_index"), 302)]
    assert "Before you can work here, set up a second step" in response.content.decode()


@pytest.mark.parametrize("role", Role)
def test_with_a_second_factor_every_role_gets_to_work(role):
    response = sign_in(person(role)).get("/staff/")

    assert response.status_code == 200
    assert "Alva Ek" in response.content.decode()


def test_the_administration_and_the_profile_are_closed_without_a_second_factor():
    client = sign_in(person(Role.ADMIN), method="password")

    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == reverse("mfa_index")
    assert client.get(reverse("profile")).url == reverse("mfa_index")


def test_recovery_codes_alone_are_no_second_factor():
    user = person(Role.EDITOR)
    Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x", "used_mask": 0})

    assert sign_in(user).get("/staff/").url == reverse("mfa_index")


def test_only_demo_mode_goes_without(settings):
    client = sign_in(person(Role.EDITOR), method="password")
    assert client.get("/staff/").url == reverse("mfa_index")

    settings.DEMO = True

    assert client.get("/staff/").status_code == 200


def set_up_app(client):
    """From the password to the page of the recovery codes; returns the secret and that page."""
    page = client.get(reverse("mfa_activate_totp"), follow=True)
    page = client.post(page.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    assert "<svg" in page.content.decode()
    secret = page.context["form"].secret
    return secret, client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)


def test_a_new_colleague_sets_up_an_app_and_works_at_once():
    user, client = person(Role.EDITOR, password=PASSWORD), browser()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert client.get("/staff/").url == reverse("mfa_index")

    _secret, codes = set_up_app(client)

    assert len(re.findall(r"<li><code[^>]*>\d{8}</code>", codes.content.decode())) == 10
    assert client.get("/staff/").status_code == 200
    [event] = AuditEvent.objects.about(user).filter(verb="change_second_factors")
    assert event.by == user
    assert event.changes == {"second_factors": [{}, {"totp": 1, "recovery_codes": 1}]}


def test_the_next_sign_in_asks_for_the_code_and_takes_each_code_once():
    user = person(Role.EDITOR, password=PASSWORD)
    secret = give_app(user)
    code = code_of(secret)

    first, second = browser(), browser()
    for client in (first, second):
        response = client.post(
            f"{reverse('account_login')}?next=/staff/profile/", {"login": user.email, "password": PASSWORD}
        )
        assert response.url == reverse("mfa_authenticate")
        assert client.get("/staff/").url.startswith(reverse("account_login"))

    assert first.post(reverse("mfa_authenticate"), {"code": code}).url == "/staff/profile/"
    assert first.get("/staff/").status_code == 200
    second.post(reverse("mfa_authenticate"), {"code": code})
    assert second.get("/staff/").url.startswith(reverse("account_login"))


def test_a_recovery_code_stands_in_for_a_lost_phone_once():
    user, client = person(Role.EDITOR, password=PASSWORD), browser()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    code = set_up_app(client)[1].context["unused_codes"][0]

    for expected in (200, 302):
        client = browser()
        client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert client.get("/staff/").status_code == expected


def test_a_session_from_before_the_second_factor_ends_when_it_is_set_up_elsewhere():
    user = person(Role.EDITOR, password=PASSWORD, language="en")
    thief, owner = browser(), browser()
    for client in (thief, owner):
        client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    set_up_app(owner)

    page = thief.get(reverse("mfa_add_webauthn"), follow=True)

    assert page.redirect_chain[0][0].startswith(reverse("account_login"))
    assert "Your account has a second step now" in page.content.decode()
    assert owner.get("/staff/").status_code == 200


def test_whoever_removes_the_last_factor_is_back_at_setting_one_up():
    user = person(Role.EDITOR, password=PASSWORD)
    client = sign_in(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    client.post(reverse("mfa_deactivate_totp"))

    assert not Authenticator.objects.filter(user=user).exists()
    assert client.get("/staff/").url == reverse("mfa_index")
    assert AuditEvent.objects.about(user).first().changes == {"second_factors": [{"totp": 1}, {}]}


@pytest.mark.parametrize(("promised", "expected"), [(True, 200), (False, 302)])
def test_the_identity_providers_own_second_factor_counts_only_when_the_settings_say_so(settings, promised, expected):
    settings.OIDC_HAS_MFA = promised

    response = sign_in(person(Role.EDITOR), method="socialaccount", provider="openid_connect").get("/staff/")

    assert response.status_code == expected


def test_a_password_is_not_made_better_by_the_identity_providers_promise(settings):
    settings.OIDC_HAS_MFA = True

    assert sign_in(person(Role.EDITOR), method="password").get("/staff/").url == reverse("mfa_index")
