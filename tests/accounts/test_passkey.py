"""In a browser, with the browser's own virtual authenticator: what the phone of a reporter does."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from portal.accounts.models import Role
from tests.accounts.people import PASSWORD, code_of, person


@pytest.fixture
def page(browser, live_server, settings):
    settings.PUBLIC_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, locale="en-GB", viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.complaints = []
    page.on(
        "console",
        lambda message: (
            page.complaints.append(f"{message.text} {message.location['url']}") if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield page
    assert [complaint for complaint in page.complaints if not complaint.endswith("/favicon.ico")] == []
    context.close()


def is_accessible(page):
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def sign_in_with_password(page, user):
    page.goto("/staff/login/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def set_up_passkey(page):
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("A name for it").fill("My phone")
    is_accessible(page)
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()


def sign_out(page):
    page.goto("/staff/logout/")
    page.get_by_role("button", name="Sign out").first.click()
    page.get_by_role("heading", name="Sign in", exact=True).wait_for()


def test_a_reporter_sets_up_a_passkey_and_signs_in_with_it_alone(page):
    # Given a reporter with nothing but a password
    user = person(Role.REPORTER, password=PASSWORD, language="en")
    sign_in_with_password(page, user)
    page.get_by_text("Before you can work here").wait_for()
    is_accessible(page)
    # When they set up a passkey and come back after signing out
    set_up_passkey(page)
    is_accessible(page)
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_url("**/staff/")
    sign_out(page)
    is_accessible(page)
    page.goto("/staff/login/?next=/staff/profile/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    # Then they are where they wanted to go, without a password
    page.wait_for_url("**/staff/profile/")
    page.get_by_text(user.email).wait_for()
    page.goto("/staff/mfa/webauthn/")
    page.get_by_text("Passkey, works without a password").wait_for()
    is_accessible(page)


def test_after_the_password_the_same_key_is_the_second_step(page):
    user = person(Role.EDITOR, password=PASSWORD, language="en")
    sign_in_with_password(page, user)
    set_up_passkey(page)
    sign_out(page)

    sign_in_with_password(page, user)
    page.get_by_role("heading", name="The second step").wait_for()
    is_accessible(page)
    page.get_by_role("button", name="Use the passkey or security key").click()

    page.wait_for_url("**/staff/")
    page.get_by_role("button", name="Sign out").wait_for()


def test_the_secret_of_an_app_is_shown_as_a_picture_under_the_policy(page):
    sign_in_with_password(page, person(Role.EDITOR, password=PASSWORD, language="en"))
    page.get_by_role("link", name="Set up the app").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()

    picture = page.get_by_role("img", name="QR code")
    assert picture.locator("svg").bounding_box()["width"] > 150
    is_accessible(page)
    page.get_by_label("Authenticator code").fill(code_of(page.locator("code").inner_text()))
    page.get_by_role("button", name="Save").click()

    page.get_by_role("heading", name="Your recovery codes").wait_for()


def test_a_browser_that_refuses_is_put_into_words(page):
    page.goto("/staff/login/")
    page.get_by_role("button", name="Sign in with a passkey").wait_for()
    page.route("**/mfa/webauthn/login/", lambda route: route.abort())

    page.get_by_role("button", name="Sign in with a passkey").click()

    page.get_by_text("That did not work").wait_for()
    page.complaints.clear()  # the browser itself reports the request that we broke


def test_the_administration_works_under_the_policy(page):
    sign_in_with_password(page, person(Role.ADMIN, password=PASSWORD, language="en"))
    set_up_passkey(page)

    page.goto("/admin/accounts/user/add/")
    page.get_by_label("Name").fill("Bo Ny")
    page.get_by_label("E-mail address").fill("bo@example.org")
    page.get_by_label("Editor").check()
    page.get_by_role("button", name="Save", exact=True).click()

    page.get_by_text("A mail with the way to a password is on its way to bo@example.org").wait_for()
    assert page.url.endswith(reverse("admin:accounts_user_changelist"))
