import rules

from portal.accounts.models import Role, User
from portal.accounts.rules import has_role, is_anyone_on_staff

rules.add_perm("facts.view", is_anyone_on_staff)
rules.add_perm("facts.edit", has_role(Role.EDITOR))
rules.add_perm("facts.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("facts.approve", has_role(Role.APPROVER))
rules.add_perm("topics.edit", has_role(Role.EDITOR))


def may_take_in(user: User) -> bool:
    """Texts of others, in all languages, with their topics."""
    return user.has_perms(["facts.edit", "facts.translate", "topics.edit"])
