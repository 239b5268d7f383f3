import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role

rules.add_perm("reports.view", has_role(Role.MANAGER, Role.AUDITOR, Role.EDITOR))
rules.add_perm("audit.view", has_role(Role.AUDITOR))
