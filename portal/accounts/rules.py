from collections import Counter

import rules
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from portal.accounts.models import Role, User


def has_role(*roles: Role) -> rules.Predicate:
    """A predicate that is true for active users with one of the roles, and for superusers."""

    def test(user: User) -> bool:
        return user.is_active and (user.is_superuser or not user.roles.isdisjoint(roles))

    return rules.Predicate(test, name=" or ".join(roles))


is_anyone_on_staff = has_role(*Role)


def second_factors(user: User | AnonymousUser) -> dict[str, int]:
    """How many of each kind somebody has: `totp`, `webauthn` and `recovery_codes`."""
    return dict(Counter(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True)))


def may_work(request: HttpRequest) -> bool:
    """Whether the signed-in person has what every staff role needs: a second factor, proven in this session.

    Only demo mode goes without. With OIDC_HAS_MFA=1 a session that the identity provider opened will do: set it
    only where the provider asks everybody for a second factor. A password still leads to one of our own.
    """
    if settings.DEMO:
        return True
    methods = {record["method"] for record in get_authentication_records(request, request.user)}
    if settings.OIDC_HAS_MFA and "socialaccount" in methods:
        return True
    return "mfa" in methods and request.user.is_authenticated and request.user.has_second_factor


def came_by_passkey(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" and record.get("passwordless") for record in records)


rules.add_perm("staff.home", is_anyone_on_staff)
rules.add_perm("accounts.manage", has_role(Role.ADMIN))
