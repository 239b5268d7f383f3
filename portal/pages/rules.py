import rules

from portal.accounts.models import Role
from portal.accounts.rules import has_role, is_anyone_on_staff

rules.add_perm("pages.view", is_anyone_on_staff)
rules.add_perm("pages.edit", has_role(Role.EDITOR))
rules.add_perm("pages.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("pages.approve", has_role(Role.APPROVER))
rules.add_perm("contacts.edit", has_role(Role.EDITOR, Role.ADMIN))
