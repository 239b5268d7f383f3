import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff

rules.add_perm("events.view", is_anyone_on_staff)
rules.add_perm("events.edit", has_role(Role.EVENTS))
rules.add_perm("events.translate", has_role(Role.EVENTS, Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("events.approve", has_role(Role.APPROVER))
rules.add_perm("events.publish", has_role(Role.EVENTS, Role.APPROVER))
