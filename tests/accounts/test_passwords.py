import re
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from portal.accounts import actions
from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from tests.accounts.people import PASSWORD, browser, person

pytestmark = pytest.mark.django_db


def link_in(delivery, settings):
    [link] = re.findall(r"http\S+", delivery.payload["text"])
    assert link.startswith(f"{settings.PUBLIC_URL}/staff/password/reset/key/")
    return link.removeprefix(settings.PUBLIC_URL)


def choose(link, password):
    client = browser()
    page = client.get(link, follow=True)
    if not page.redirect_chain:
        return page
    return client.post(page.redirect_chain[-1][0], {"password1": password, "password2": password}, follow=True)


def can_sign_in(user, password):
    client = browser()
    client.post(reverse("account_login"), {"login": user.email, "password": password})
    return client.session.get("_auth_user_id") == str(user.pk)


@pytest.mark.parametrize(("language", "words"), [("en", "Choose a new password"), ("sv", "Klarlagt")])
def test_a_forgotten_password_is_chosen_anew_by_a_mailed_link_that_works_once(settings, language, words):
    user = person(Role.EDITOR, password=PASSWORD, language=language)

    browser(HTTP_ACCEPT_LANGUAGE="sv").post(reverse("account_reset_password"), {"email": user.email.upper()})

    delivery = Delivery.objects.get(recipient=user.email)
    assert delivery.language == language
    assert words in delivery.payload["subject"]
    link = link_in(delivery, settings)
    choose(link, "moln spelar trumpet")
    assert can_sign_in(user, "moln spelar trumpet")
    assert not can_sign_in(user, PASSWORD)
    assert "set_password" in AuditEvent.objects.about(user).values_list("verb", flat=True)
    assert reverse("account_reset_password") in choose(link, "ost cyklar uppåt").content.decode()
    assert not can_sign_in(user, "ost cyklar uppåt")


def test_the_person_is_told_that_the_password_was_changed_without_addresses_of_machines(settings):
    user = person(Role.EDITOR, language="en")
    choose(actions.password_link(user).removeprefix(settings.PUBLIC_URL), PASSWORD)

    text = Delivery.objects.get(recipient=user.email).payload["text"]

    assert "If it was not you" in text
    assert not re.search(r"\d+\.\d+\.\d+\.\d+", text)


def test_an_unknown_address_gets_the_same_answer_and_no_mail():
    known = person(Role.EDITOR)
    answers = [
        browser().post(reverse("account_reset_password"), {"email": email}, follow=True)
        for email in (known.email, "nobody@example.org")
    ]

    assert answers[0].redirect_chain == answers[1].redirect_chain == [(reverse("account_reset_password_done"), 302)]
    assert Delivery.objects.count() == 1


def test_a_closed_account_gets_no_link():
    user = person(Role.EDITOR, password=PASSWORD)
    actions.change(user, roles=[], is_active=False, by=None)

    browser().post(reverse("account_reset_password"), {"email": user.email})

    assert not Delivery.objects.exists()


def test_a_link_is_dead_after_three_days(settings):
    user = person(Role.EDITOR)
    link = actions.password_link(user).removeprefix(settings.PUBLIC_URL)

    with time_machine.travel(timezone.now() + timedelta(days=3, hours=2)):
        page = choose(link, PASSWORD)

    assert reverse("account_reset_password") in page.content.decode()
    assert not User.objects.get(pk=user.pk).has_usable_password()


@pytest.mark.parametrize("password", ["kort", "password1234", "1234567890123"])
def test_a_password_that_is_short_or_common_is_refused(settings, password):
    user = person(Role.EDITOR)

    page = choose(actions.password_link(user).removeprefix(settings.PUBLIC_URL), password)

    assert "password1" in page.context["form"].errors
    assert not User.objects.get(pk=user.pk).has_usable_password()


def test_an_account_without_a_password_is_sent_to_the_mailed_link():
    client = browser()
    client.force_login(person(Role.EDITOR))

    assert client.get(reverse("account_change_password"), follow=True).redirect_chain[-1][0] == reverse(
        "account_reset_password"
    )


def test_the_first_administrator_gets_in_by_the_printed_link(settings, capsys):
    call_command("create_admin", "Chef@Example.org", "Chris Chef")

    link = re.search(r"http\S+", capsys.readouterr().out)[0]
    choose(link.removeprefix(settings.PUBLIC_URL), PASSWORD)
    user = User.objects.get(email="chef@example.org")
    assert can_sign_in(user, PASSWORD)
    assert user.is_staff
    assert user.roles == {Role.ADMIN}
