from datetime import date

from django.db import transaction

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.models import Fact
from rumors import actions as rumors
from rumors.evidence.models import Evidence
from rumors.models import Rumor


@transaction.atomic
def add(
    rumor: Rumor,
    *,
    stance: str,
    text: str,
    by: User,
    url: str = "",
    fact: Fact | None = None,
    checked_on: date | None = None,
) -> Evidence:
    """What speaks for or against the claim; the same again is a double click."""
    held = rumors.locked(rumor)
    values = {"stance": stance, "text": text, "url": url, "fact": fact, "checked_on": checked_on}
    evidence: Evidence
    evidence, is_new = Evidence.objects.get_or_create(rumor=held, **values, defaults={"added_by": by})
    if is_new:
        audit.record("add_evidence", held, by=by, changes={"stance": ("", stance)})
    return evidence


@transaction.atomic
def remove(evidence: Evidence, *, by: User) -> None:
    """A second time changes nothing."""
    held = rumors.locked(evidence.rumor)
    count, _per_model = Evidence.objects.filter(pk=evidence.pk).delete()
    if count:
        audit.record("remove_evidence", held, by=by, changes={"stance": (evidence.stance, "")})
