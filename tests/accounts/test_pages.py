import html5lib
import pytest
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from portal.accounts import actions
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from tests.accounts.people import PASSWORD, browser, person, sign_in

pytestmark = pytest.mark.django_db


def parse(response):
    assert response.status_code == 200
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.content.decode())


def check(response):
    tree = parse(response)
    assert len(tree.findall(".//main")) == 1
    assert len(tree.findall(".//h1")) == 1
    assert tree.find(".//title").text.strip(" ·\n") != ""
    assert not [script for script in tree.iter("script") if script.text and script.get("type") != "application/json"]
    assert not [
        element.tag for element in tree.iter() for name in element.attrib if name == "style" or name[:2] == "on"
    ]
    assert not tree.findall(".//input[@placeholder]")
    for field in tree.iter("input"):
        if field.get("type") != "hidden":
            assert tree.find(f".//label[@for='{field.get('id')}']") is not None, field.attrib


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "socialaccount_login_cancelled",
    ],
)
def test_pages_before_sign_in_are_sound_html_without_inline_script(name, language):
    check(browser(HTTP_ACCEPT_LANGUAGE=language).get(reverse(name)))


@pytest.fixture
def signed_in():
    """Somebody with an app, recovery codes and a fresh proof of the password."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    user = person(Role.EDITOR, password=PASSWORD, language="en")
    client = sign_in(user)
    RecoveryCodes.activate(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.mark.parametrize(
    "name",
    [
        "account_logout",
        "account_reauthenticate",
        "account_change_password",
        "profile",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
    ],
)
def test_pages_after_sign_in_are_sound_html_without_inline_script(signed_in, name):
    check(signed_in.get(reverse(name)))


def test_the_page_with_the_picture_of_the_secret_is_sound_html(signed_in):
    signed_in.post(reverse("mfa_deactivate_totp"))

    check(signed_in.get(reverse("mfa_activate_totp")))


def test_a_wrong_password_is_told_in_a_summary_and_the_address_is_kept():
    response = browser().post(reverse("account_login"), {"login": "a@example.org", "password": "fel"})

    assert parse(response).find(".//div[@class='summary']") is not None
    assert parse(response).find(".//input[@name='login']").get("value") == "a@example.org"


@pytest.mark.parametrize(
    "name",
    ["account_signup", "socialaccount_signup", "account_email", "socialaccount_connections", "mfa_signup_webauthn"],
)
def test_nobody_can_sign_up_or_link_accounts(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize("path", ["/staff/signup/", "/staff/email/", "/staff/oidc/signup/", "/accounts/login/"])
def test_the_usual_addresses_of_sign_up_are_not_there(path):
    with pytest.raises(Resolver404):
        resolve(path)


def test_signing_out_takes_a_post(signed_in):
    signed_in.get(reverse("account_logout"))
    assert signed_in.get("/staff/").status_code == 200

    signed_in.post(reverse("account_logout"))

    assert signed_in.get("/staff/").url.startswith(reverse("account_login"))


def test_a_change_of_the_profile_is_recorded_and_speaks_at_once(signed_in):
    user = signed_in.get(reverse("profile")).wsgi_request.user

    response = signed_in.post(reverse("profile"), {"name": "Alva Ny", "language": "sv"}, follow=True)

    assert response.headers["Content-Language"] == "sv"
    assert "Alva Ny" in response.content.decode()
    event = AuditEvent.objects.about(user).first()
    assert event.changes == {"name": ["Alva Ek", "Alva Ny"], "language": ["en", "sv"]}


def test_a_sign_in_leads_on_to_where_somebody_was_going_but_never_elsewhere():
    user = person(Role.EDITOR, password=PASSWORD)
    for wanted, expected in (("/staff/profile/", "/staff/profile/"), ("https://evil.example/", "/staff/")):
        response = browser().post(reverse("account_login"), {"login": user.email, "password": PASSWORD, "next": wanted})
        assert response.url == expected


def test_a_closed_account_is_told_so_and_stays_out():
    user = person(Role.EDITOR, password=PASSWORD)
    actions.change(user, roles=[], is_active=False, by=None)
    client = browser()

    response = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})

    assert response.url == reverse("account_inactive")
    assert "_auth_user_id" not in client.session


def test_addresses_of_the_sign_in_are_fixed():
    assert resolve("/staff/login/").view_name == "account_login"
    assert resolve("/staff/mfa/").view_name == "mfa_index"
    assert resolve("/staff/oidc/sso/login/callback/").view_name == "openid_connect_callback"
