from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import pgettext

from portal.accounts.models import User
from portal.audit import actions as audit
from rumors import actions as rumors
from rumors.assessments.models import Abcde, ImpactEstimate, ReachEstimate
from rumors.models import Rumor
from rumors.vocabulary import ImpactOn


@transaction.atomic
def assess(
    rumor: Rumor,
    *,
    by: User,
    reach: str = "",
    basis: str = "",
    impacts: Mapping[str, str],
    version: int | None = None,
) -> Rumor:
    """How far it has come and how hard it hits. Another reach, or the same on another basis, is kept in its history;
    an empty impact means that nobody has said. `version` is the rumor's that its writer had before them."""
    held = rumors.locked(rumor, version=version)
    last = held.reaches.first()
    if reach and (last is None or (last.level, last.basis) != (reach, basis)):
        if not basis.strip():
            raise ValidationError({"basis": pgettext("staff", "Say what that rests on: it is an estimate.")})
        ReachEstimate.objects.create(rumor=held, level=reach, basis=basis, estimated_by=by)
    else:
        reach = held.reach
    before = dict(held.impacts.values_list("on", "level"))
    after = {on: level for on, level in impacts.items() if level}
    for on, level in after.items():
        ImpactEstimate.objects.update_or_create(rumor=held, on=on, defaults={"level": level})
    held.impacts.exclude(on__in=after).delete()
    changed = {on: (before.get(on, ""), after.get(on, "")) for on in sorted(before.keys() | after.keys())}
    told = {
        # Not everybody who may read the log may know how safe colleagues are.
        on: (rumors.UNTOLD, rumors.UNTOLD) if on == ImpactOn.STAFF_SAFETY else both
        for on, both in changed.items()
        if both[0] != both[1]
    }
    rumors.write(held, "assess", by=by, beside=told, reach=reach)
    return held


@transaction.atomic
def describe(rumor: Rumor, *, by: User, attribution: str = "", version: int | None = None, **codes: str) -> Abcde:
    """ABCDE in codes. Another attribution has to be confirmed by somebody else again. `version` is the rumor's that
    its writer had before them."""
    held = rumors.locked(rumor, version=version)
    found: Abcde = Abcde.objects.filter(rumor=held).first() or Abcde(rumor=held)
    changes = audit.changed(found, codes)
    for name, code in codes.items():
        setattr(found, name, code)
    if found.attribution != attribution:
        found.attribution, found.confirmed_by = attribution, None
        found.attributed_by = by if attribution else None
        changes["attribution"] = (rumors.UNTOLD, rumors.UNTOLD)
    found.save()
    rumors.write(held, "describe", by=by, beside=changes)
    return found


@transaction.atomic
def confirm(rumor: Rumor, *, attribution: str, by: User) -> Abcde:
    """That somebody else, too, says who is behind it; `attribution` is what they have read."""
    held = rumors.locked(rumor)
    found: Abcde | None = Abcde.objects.filter(rumor=held).first()
    if found is None or not found.attribution or found.attribution != attribution:
        raise ValidationError(pgettext("staff", "It was changed after you opened it. Read it again, then confirm."))
    if found.attributed_by_id == by.pk:
        raise ValidationError(pgettext("staff", "You said it yourself: somebody else has to confirm."))
    found.confirmed_by = by
    found.save(update_fields=["confirmed_by"])
    audit.record("confirm", held, by=by)
    return found
