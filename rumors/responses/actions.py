from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from portal.accounts.models import User
from portal.audit import actions as audit
from rumors import actions as rumors
from rumors.models import Rumor
from rumors.responses.models import UNANSWERED, Response


@transaction.atomic
def plan(
    rumor: Rumor,
    *,
    action: str,
    by: User,
    reason: str = "",
    review_on: date | None = None,
    audience: str = "",
    language: str = "",
    channel: str = "",
) -> Response:
    """What is to be done. A change of what was decided has to be decided, and approved, anew."""
    if action in UNANSWERED and not reason.strip():
        raise ValidationError({"reason": pgettext("staff", "Not to answer is a decision, too: say why.")})
    if action in UNANSWERED and review_on is None:
        raise ValidationError({"review_on": pgettext("staff", "Say when it is looked at again.")})
    locked = rumors.locked(rumor)
    rumors.undecide(locked, by=by)
    response: Response = Response.objects.create(
        rumor=locked,
        action=action,
        reason=reason,
        review_on=review_on,
        audience=audience,
        language=language,
        channel=channel,
        planned_by=by,
    )
    audit.record("plan", locked, by=by, changes={"action": ("", action)})
    return response


@transaction.atomic
def finish(response: Response, *, result: str, by: User) -> Response:
    """It has been done, and what came of it; a second time changes nothing."""
    rumors.locked(response.rumor)
    found: Response = Response.objects.select_for_update(of=("self",)).get(pk=response.pk)
    if found.done_at is not None:
        return found
    found.done_at, found.done_by, found.result = timezone.now(), by, result
    found.save(update_fields=["done_at", "done_by", "result"])
    audit.record("finish", found.rumor, by=by, changes={"action": ("", found.action)})
    return found


@transaction.atomic
def drop(response: Response, *, by: User) -> None:
    """It is not to be done after all; what has been done stays."""
    locked = rumors.locked(response.rumor)
    found = Response.objects.select_for_update(of=("self",)).filter(pk=response.pk).first()
    if found is None:
        return
    if found.done_at is not None:
        raise ValidationError(pgettext("staff", "It has been done already, and stays."))
    rumors.undecide(locked, by=by)
    audit.record("drop", locked, by=by, changes={"action": (found.action, "")})
    found.delete()
