from collections.abc import Iterable
from typing import Any

from django.db import transaction

from events.actors.models import Actor
from events.series.models import Series
from portal.accounts.models import User
from portal.audit import actions as audit


@transaction.atomic
def create(*, by: User, circle: Iterable[Actor] = (), **values: Any) -> Series:
    """Raises IntegrityError when there is one of this name."""
    series: Series = Series.objects.create(**values)
    series.circle.set(circle)
    audit.record("create", series, by=by, changes={"name": ("", series.name)})
    return series


@transaction.atomic
def edit(series: Series, *, by: User, circle: Iterable[Actor], **values: Any) -> Series:
    """Raises IntegrityError when another one has this name."""
    held: Series = Series.objects.select_for_update(of=("self",)).get(pk=series.pk)
    changes = audit.changed(held, values)
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=[*values])
    before, after = _names(held.circle.all()), _names(circle)
    if before != after:
        changes["circle"] = (before, after)
        held.circle.set(circle)
    if changes:
        audit.record("edit", held, by=by, changes=changes)
    return held


def _names(actors: Iterable[Actor]) -> str:
    return ", ".join(sorted(map(str, actors)))
