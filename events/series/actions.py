from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from events.actors.models import Actor
from events.series.models import Series
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.meanwhile import refuse_clashes


@transaction.atomic
def create(*, by: User, circle: Iterable[Actor] = (), **values: Any) -> Series:
    """Raises IntegrityError when there is one of this name."""
    series: Series = Series.objects.create(**values)
    series.circle.set(circle)
    audit.record("create", series, by=by, changes={"name": ("", series.name)})
    return series


@transaction.atomic
def edit(series: Series, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Series:
    """Change a series; `was` is what the writer had seen, and the circle is a set.

    Raises ChangedMeanwhileError, and changes nothing, when one of the fields was changed by somebody else; and
    IntegrityError when another one has this name.
    """
    held: Series = Series.objects.select_for_update(of=("self",)).get(pk=series.pk)
    standing: dict[str, Any] = {"name": held.name, "about": held.about, "circle": set(held.circle.all())}
    refuse_clashes({name: standing[name] for name in values}, was=was or {}, values=values)
    circle = values.pop("circle", standing["circle"])
    changes = audit.changed(held, values)
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=[*values])
    if circle != standing["circle"]:
        changes["circle"] = (_names(standing["circle"]), _names(circle))
        held.circle.set(circle)
    if changes:
        audit.record("edit", held, by=by, changes=changes)
    return held


def _names(actors: Iterable[Actor]) -> str:
    return ", ".join(sorted(map(str, actors)))
