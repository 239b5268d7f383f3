from datetime import date, datetime, time

import rules
from django.utils import timezone

from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff

rules.add_perm("pages.view", is_anyone_on_staff)
rules.add_perm("pages.edit", has_role(Role.EDITOR))
rules.add_perm("pages.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("pages.approve", has_role(Role.APPROVER))
rules.add_perm("contacts.edit", has_role(Role.EDITOR, Role.ADMIN))
rules.add_perm("purges.view", has_role(Role.AUDITOR, Role.ADMIN))


def evening(day: date) -> datetime:
    """The last moment of a day here."""
    return datetime.combine(day, time.max, timezone.get_default_timezone())
