import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff

rules.add_perm("series.view", is_anyone_on_staff)
rules.add_perm("series.edit", has_role(Role.EVENTS))
