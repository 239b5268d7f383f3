"""Who may take what out of the register."""

import rules

from portal.accounts.models import Role, User
from portal.accounts.rules import has_role
from rumors.exports.models import Export
from rumors.exports.words import Level

rules.add_perm("rumors.export", has_role(Role.EDITOR, Role.SECURITY, Role.MANAGER, Role.AUDITOR))
rules.add_perm("rumors.export_all", has_role(Role.EDITOR, Role.SECURITY))


def may(user: User, *, level: int, with_secret: bool) -> bool:
    """Asked when it is ordered, when it is made, and each time that it is downloaded."""
    return (
        user.is_active
        and user.has_perm("rumors.export")
        and (level != Level.ALL or user.has_perm("rumors.export_all"))
        and (not with_secret or user.has_perm("rumors.secret"))
    )


def may_have(user: User, export: Export) -> bool:
    return may(user, level=export.level, with_secret=export.with_secret)
