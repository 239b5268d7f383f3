from collections.abc import Mapping
from typing import Final

import rules
from django.db.models import QuerySet

from portal.accounts.models import Role, User
from portal.accounts.rules import has_role, is_anyone_on_staff
from rumors.models import ENDED, Rumor
from rumors.vocabulary import Status

rules.add_perm("rumors.view", is_anyone_on_staff)
rules.add_perm("rumors.log", has_role(Role.REPORTER, Role.EDITOR, Role.EVENTS, Role.SECURITY))
rules.add_perm("rumors.handle", has_role(Role.EDITOR, Role.SECURITY))
rules.add_perm("rumors.edit", has_role(Role.EDITOR))
rules.add_perm("rumors.translate", has_role(Role.EDITOR, Role.TRANSLATOR))
rules.add_perm("rumors.approve", has_role(Role.APPROVER))
rules.add_perm("rumors.secret", has_role(Role.SECURITY))

STEPS: Final[Mapping[Status, tuple[Status, ...]]] = {
    Status.NEW: (Status.SCREENED, Status.OUT_OF_SCOPE),
    Status.SCREENED: (Status.ASSESSED, Status.OUT_OF_SCOPE),
    Status.ASSESSED: (Status.DECIDED, Status.OUT_OF_SCOPE),
    Status.DECIDED: (Status.RESPONDING, Status.MONITORING, Status.CLOSED, Status.ASSESSED),
    Status.MONITORING: (Status.RESPONDING, Status.ASSESSED, Status.CLOSED),
    Status.RESPONDING: (Status.MONITORING, Status.CLOSED),
    # It came back.
    Status.CLOSED: (Status.ASSESSED,),
    Status.OUT_OF_SCOPE: (Status.SCREENED,),
    # `merge` alone leads here: a duplicate names the rumor that it repeats.
    Status.DUPLICATE: (),
}
"""From each status, the steps that may be taken; the usual one first."""
BEFORE_A_DECISION: Final = (Status.NEW, Status.SCREENED, Status.ASSESSED)


def handlers() -> QuerySet[User]:
    """Who may be asked to take care of a rumor."""
    names = [Role.EDITOR, Role.SECURITY]
    return User.objects.filter(is_active=True, groups__name__in=names).distinct().order_by("name", "pk")


def steps(rumor: Rumor) -> tuple[Status, ...]:
    return STEPS[Status(rumor.status)]


def needs_approval(rumor: Rumor, status: str) -> bool:
    """Nothing that was decided begins before somebody else has approved it."""
    return rumor.status == Status.DECIDED and status not in BEFORE_A_DECISION and not rumor.is_approved


def needs_reason(rumor: Rumor, status: str) -> bool:
    """Not to answer is a decision, and so is to take up what had ended: both are written down."""
    if status in {Status.OUT_OF_SCOPE, Status.MONITORING} or rumor.status in ENDED:
        return True
    return status == Status.CLOSED and not rumor.rebuttals.published().exists()
