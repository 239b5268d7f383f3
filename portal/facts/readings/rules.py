import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role

rules.add_perm("opinions.forget", has_role(Role.EDITOR, Role.APPROVER))
