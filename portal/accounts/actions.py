"""Every change of an account, with its audit row."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from portal.accounts.models import Role, User
from portal.accounts.rules import second_factors
from portal.audit import actions as audit
from portal.public import absolute


@transaction.atomic
def add(*, email: str, name: str, roles: Iterable[str], by: User | None, language: str = "sv") -> User:
    """An account without a password; `invite` or `password_link` is the way to one."""
    user = User.objects.create_user(email, name=name, language=language)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    after = _assign(user, roles)
    audit.record("add", user, by=by, changes={"email": ("", user.email), "name": ("", name), "roles": ([], after)})
    return user


@transaction.atomic
def change(user: User, *, roles: Iterable[str], by: User | None, **values: Any) -> None:
    """`values` are fields of the user. What the person may do changes at once, also in open sessions."""
    stored = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    before = sorted(stored.roles)
    changes = audit.changed(stored, values)
    for field, value in values.items():
        setattr(stored, field, value)
    stored.save(update_fields=[*values])
    if "email" in changes:
        EmailAddress.objects.filter(user=stored).delete()
        EmailAddress.objects.create(user=stored, email=stored.email, primary=True, verified=True)
    after = _assign(stored, roles)
    if before != after:
        changes["roles"] = (before, after)
    if changes:
        audit.record("change", stored, by=by, changes=changes)


def _assign(user: User, roles: Iterable[str]) -> list[str]:
    names = sorted(map(str, roles))
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in names])
    user.__dict__.pop("roles", None)
    is_staff = user.is_superuser or Role.ADMIN in names
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
    return names


@transaction.atomic
def edit_profile(user: User, *, name: str, language: str) -> None:
    values = {"name": name, "language": language}
    changes = audit.changed(User.objects.get(pk=user.pk), values)
    if changes:
        user.name, user.language = name, language
        user.save(update_fields=[*values])
        audit.record("change_profile", user, by=user, changes=changes)


@transaction.atomic
def set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record("set_password", user, by=user)


def password_link(user: User) -> str:
    """Works once and for PASSWORD_RESET_TIMEOUT (3 days); a later one does not end an earlier one."""
    key = default_token_generator.make_token(user)
    address = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return absolute(address)


def invite(user: User) -> None:
    """Send a new colleague the way to a first password."""
    with translation.override(user.language):
        context = {"user": user, "link": password_link(user), "site_name": settings.SITE_NAME}
        subject = render_to_string("account/email/invitation_subject.txt", context).strip()
        EmailMessage(subject, render_to_string("account/email/invitation_message.txt", context), to=[user.email]).send()


@transaction.atomic
def remove_second_factors(user: User, *, by: User) -> None:
    """For a colleague whose phone or key is lost: the next sign-in leads to setting up a new one."""
    before = second_factors(user)
    Authenticator.objects.filter(user=user).delete()
    record_second_factors(user, before=before, by=by)


def record_second_factors(user: User, *, before: dict[str, int], by: User) -> None:
    after = second_factors(user)
    if before != after:
        audit.record("change_second_factors", user, by=by, changes={"second_factors": (before, after)})


def purge(*, now: datetime) -> int:
    """Sessions that have run out; nobody is signed out by it."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]
