import copy

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from portal.accounts import actions
from portal.accounts.models import Role, User
from tests.accounts.identity import CLIENT_ID, CLIENT_SECRET, Provider
from tests.accounts.people import PASSWORD, browser, give_app, person

pytestmark = pytest.mark.django_db

LOGIN = "/staff/oidc/sso/login/"


@pytest.fixture
def provider(settings):
    provider = Provider()
    settings.OIDC = {
        "ISSUER": provider.url,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "NAME": "Kommunens inloggning",
    }
    providers = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    providers["openid_connect"]["APPS"] = [
        {
            "provider_id": "sso",
            "name": settings.OIDC["NAME"],
            "client_id": CLIENT_ID,
            "secret": CLIENT_SECRET,
            "settings": {"server_url": provider.url, "email_authentication": True, "oauth_pkce_enabled": True},
        }
    ]
    settings.SOCIALACCOUNT_PROVIDERS = providers
    yield provider
    provider.close()


def come_by(provider, client, **claims):
    """To the provider and back, as a browser goes."""
    provider.person = {"sub": "17", "email_verified": True, **claims}
    away = client.post(LOGIN)
    assert away.url.startswith(f"{provider.url}/authorize?")
    back = requests.get(away.url, allow_redirects=False, timeout=5).headers["Location"]
    return client.get(back.removeprefix("http://testserver"))


def test_a_colleague_comes_in_by_the_identity_provider(provider, settings):
    settings.OIDC_HAS_MFA = True
    user, client = person(Role.EDITOR, password=PASSWORD), browser()

    response = come_by(provider, client, email=user.email)

    assert response.url == reverse("staff")
    assert client.get("/staff/").status_code == 200
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert not SocialAccount.objects.exists()


def test_without_the_promise_of_a_second_factor_one_of_our_own_is_asked_for(provider):
    beginner, settled = person(Role.EDITOR), person(Role.EDITOR)
    give_app(settled)

    first = browser()
    come_by(provider, first, email=beginner.email)
    assert first.get("/staff/").url == reverse("mfa_index")
    assert come_by(provider, browser(), email=settled.email).url == reverse("mfa_authenticate")


@pytest.mark.parametrize(
    "claims",
    [{"email": "stranger@example.org"}, {"email": "known@example.org", "email_verified": False}, {}],
    ids=["unknown address", "address not verified", "no address"],
)
def test_a_stranger_is_refused_and_gets_no_account(provider, claims):
    person(Role.EDITOR, email="known@example.org")
    before, client = User.objects.count(), browser(HTTP_ACCEPT_LANGUAGE="en")

    response = come_by(provider, client, **claims)

    assert response.status_code == 403
    assert "You have no account here" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert (User.objects.count(), EmailAddress.objects.count()) == (before, before)


def test_a_closed_account_stays_closed(provider):
    user, client = person(Role.EDITOR), browser()
    actions.change(user, roles=[], is_active=False, by=None)

    assert come_by(provider, client, email=user.email).url == reverse("account_inactive")
    assert "_auth_user_id" not in client.session


def test_an_answer_nobody_asked_for_is_refused(provider):
    client = browser(HTTP_ACCEPT_LANGUAGE="en")

    response = client.get(f"{reverse('openid_connect_callback', args=['sso'])}?code=x&state=y")

    assert response.status_code == 401
    assert "The sign-in did not work" in response.content.decode()


def test_a_foreign_account_cannot_be_tied_to_an_open_session(provider, settings):
    settings.OIDC_HAS_MFA = True
    user, client = person(Role.EDITOR), browser()
    come_by(provider, client, email=user.email)

    provider.person = {"sub": "18", "email": "other@example.org", "email_verified": True}
    away = client.post(f"{LOGIN}?process=connect")
    back = requests.get(away.url, allow_redirects=False, timeout=5).headers["Location"]
    response = client.get(back.removeprefix("http://testserver"))

    assert response.status_code == 401
    assert not SocialAccount.objects.exists()


def test_the_sign_in_page_offers_it_and_lets_its_form_lead_there(provider):
    response = browser().get(reverse("account_login"))

    assert "Kommunens inloggning" in response.content.decode()
    assert f"form-action 'self' {provider.url}" in response.headers["Content-Security-Policy"]
    assert provider.url not in browser().get(reverse("account_reset_password")).headers["Content-Security-Policy"]


def test_looking_at_the_address_of_the_provider_starts_nothing(provider):
    response = browser().get(LOGIN)

    assert response.status_code == 200
    assert f"form-action 'self' {provider.url}" in response.headers["Content-Security-Policy"]


def test_without_oidc_set_up_its_addresses_are_not_there():
    page = browser().get(reverse("account_login"))

    assert "/staff/oidc/" not in page.content.decode()
    assert "form-action 'self';" in page.headers["Content-Security-Policy"] + ";"
    assert browser().post(LOGIN).status_code == 404
    assert browser().get(f"{LOGIN}callback/").status_code == 404
