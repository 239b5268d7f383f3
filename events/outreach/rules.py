import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role

rules.add_perm("outreach.view", has_role(Role.REPORTER, Role.EDITOR, Role.EVENTS, Role.SECURITY, Role.MANAGER))
rules.add_perm("outreach.log", has_role(Role.REPORTER, Role.EVENTS))
rules.add_perm("outreach.safety", has_role(Role.EVENTS, Role.SECURITY))
