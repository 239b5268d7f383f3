import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role

rules.add_perm("agreements.view", has_role(Role.EVENTS, Role.MANAGER))
rules.add_perm("agreements.edit", has_role(Role.EVENTS))
