import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff

rules.add_perm("questions.view", is_anyone_on_staff)
rules.add_perm("questions.settle", has_role(Role.EDITOR, Role.REPORTER, Role.EVENTS))
