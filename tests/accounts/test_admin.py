import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from tests.accounts.people import browser, person, sign_in

pytestmark = pytest.mark.django_db

ADD = "/admin/accounts/user/add/"


def change_url(user):
    return f"/admin/accounts/user/{user.pk}/change/"


def test_its_own_sign_in_page_leads_to_ours():
    assert browser().get("/admin/login/?next=/admin/accounts/user/").url == (
        f"{reverse('account_login')}?next=/admin/accounts/user/"
    )
    chain = browser().get("/admin/accounts/user/", follow=True).redirect_chain
    assert chain[-1][0] == f"{reverse('account_login')}?next=/admin/accounts/user/"


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_other_roles_are_refused(role):
    response = sign_in(person(role)).get("/admin/", follow=True)

    assert response.status_code == 403
    assert response.redirect_chain[0][0].startswith("/admin/login/")


def test_only_our_own_modules_show_tables():
    """allauth would show second factors and linked accounts, and Django groups, whose changes nobody records."""
    labels = {model._meta.app_label for model in admin.site._registry}

    assert User in admin.site._registry
    assert labels <= {
        config.label for config in apps.get_app_configs() if config.name.startswith(("portal.", "rumors", "events"))
    }


def test_an_administrator_makes_an_account_and_the_person_gets_the_way_in():
    administrator = person(Role.ADMIN)
    values = {"name": "Bo Ny", "email": "Bo.Ny@Example.org", "language": "en", "roles": ["editor", "translator"]}

    response = sign_in(administrator).post(ADD, values)

    assert response.status_code == 302
    user = User.objects.get(email="bo.ny@example.org")
    assert user.roles == {Role.EDITOR, Role.TRANSLATOR}
    assert not user.has_usable_password()
    assert not user.is_staff
    delivery = Delivery.objects.get(recipient=user.email)
    assert delivery.language == "en"
    assert "Hello Bo Ny" in delivery.payload["text"]
    [event] = AuditEvent.objects.about(user)
    assert (event.verb, event.by) == ("add", administrator)
    assert event.changes["roles"] == [[], ["editor", "translator"]]


def test_a_change_of_roles_is_recorded_with_before_and_after_and_holds_at_once():
    administrator, colleague = person(Role.ADMIN), person(Role.EDITOR)
    theirs = sign_in(colleague)
    assert theirs.get("/admin/", follow=True).status_code == 403
    values = {"name": colleague.name, "email": colleague.email, "language": "sv", "roles": ["admin", "editor"]}

    sign_in(administrator).post(change_url(colleague), values | {"is_active": "on"})

    assert theirs.get("/admin/").status_code == 200
    event = AuditEvent.objects.about(colleague).first()
    assert (event.verb, event.by) == ("change", administrator)
    assert event.changes == {"roles": [["editor"], ["admin", "editor"]]}


def test_saving_without_a_change_leaves_no_row():
    administrator, colleague = person(Role.ADMIN), person(Role.EDITOR)
    values = {
        "name": colleague.name,
        "email": colleague.email,
        "language": "sv",
        "roles": ["editor"],
        "is_active": "on",
    }

    assert sign_in(administrator).post(change_url(colleague), values).status_code == 302

    assert [event.verb for event in AuditEvent.objects.about(colleague)] == ["add"]


def test_a_new_address_is_the_one_to_sign_in_with():
    administrator, colleague = person(Role.ADMIN), person(Role.EDITOR)
    old = colleague.email
    values = {"name": colleague.name, "language": "sv", "roles": ["editor"], "is_active": "on"}

    sign_in(administrator).post(change_url(colleague), values | {"email": f"new.{old}"})
    for email in (old, f"new.{old}"):
        browser().post(reverse("account_reset_password"), {"email": email})

    assert [delivery.recipient for delivery in Delivery.objects.all()] == [f"new.{old}"]


def test_accounts_are_closed_not_deleted():
    administrator, colleague = person(Role.ADMIN), person(Role.EDITOR)
    client, theirs = sign_in(administrator), sign_in(colleague)
    assert theirs.get("/staff/").status_code == 200

    assert client.post(f"/admin/accounts/user/{colleague.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(
        change_url(colleague), {"name": colleague.name, "email": colleague.email, "language": "sv", "roles": ["editor"]}
    )

    assert theirs.get("/staff/").url.startswith(reverse("account_login"))
    assert AuditEvent.objects.about(colleague).first().changes == {"is_active": [True, False]}


@pytest.mark.parametrize("change", [{"roles": ["editor"], "is_active": "on"}, {"roles": ["admin"]}])
def test_administrators_cannot_lock_themselves_out(change):
    administrator = person(Role.ADMIN)
    values = {"name": administrator.name, "email": administrator.email, "language": "sv"}

    response = sign_in(administrator).post(change_url(administrator), values | change)

    assert response.context["adminform"].form.non_field_errors()
    assert User.objects.get(pk=administrator.pk).roles == {Role.ADMIN}
    assert User.objects.get(pk=administrator.pk).is_active


def test_a_lost_phone_is_taken_off_by_an_administrator_with_a_row():
    administrator, colleague = person(Role.ADMIN), person(Role.EDITOR)
    theirs = sign_in(colleague)

    sign_in(administrator).post(
        "/admin/accounts/user/", {"action": "remove_second_factors", "_selected_action": [colleague.pk]}
    )

    event = AuditEvent.objects.about(colleague).first()
    assert (event.by, event.changes) == (administrator, {"second_factors": [{"totp": 1}, {}]})
    assert not theirs.get(reverse("mfa_index")).context["authenticators"]
