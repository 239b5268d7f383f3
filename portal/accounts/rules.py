import rules
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings

from portal.accounts.models import Role, User


def has_role(*roles: Role) -> rules.Predicate:
    """A predicate that is true for active users with one of the roles, and for superusers."""

    def test(user: User) -> bool:
        return user.is_active and (user.is_superuser or not user.roles.isdisjoint(roles))

    return rules.Predicate(test, name=" or ".join(roles))


is_anyone_on_staff = has_role(*Role)


def may_work(user: User) -> bool:
    """Every staff role needs a second factor; only demo mode goes without."""
    return settings.DEMO or is_mfa_enabled(user)


rules.add_perm("staff.home", is_anyone_on_staff)
rules.add_perm("accounts.manage", has_role(Role.ADMIN))
