import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Model

from portal import guard
from portal.audit.models import AuditEvent

UNTOLD: Final = "…"
"""Stands for a text that the log does not tell."""


def record(
    verb: str,
    thing: Model,
    *,
    by: AbstractBaseUser | None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    language: str = "",
    note: str = "",
) -> None:
    """Write one row; call it inside the transaction of the action it tells about. `by` is None for the clock. A thing
    that is not saved stands for all of its kind: a list that somebody read.

    What a form was told about a number or an address that may stand is kept beside it, and the value is not.
    """
    excuse = guard.excuse()
    told = json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder))
    AuditEvent.objects.create(
        verb=verb,
        kind=thing._meta.label_lower,
        object_id=str(thing.pk or ""),
        by_id=by.pk if by else None,
        language=language,
        changes=_untold(told) if excuse else told,
        note=_untold(note[:500]) if excuse else note[:500],
        excuse=asdict(excuse) if excuse else None,
    )


def _untold(value: Any) -> Any:
    """The same without what the guard finds in it: an excuse is for the text, and the log needs no number."""
    if isinstance(value, dict):
        return {key: _untold(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_untold(part) for part in value]
    return UNTOLD if isinstance(value, str) and guard.find(value, phones_confirmed=True) else value


def changed(thing: Model, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields of `thing` that `values` would change, as `record` wants them."""
    before = {name: getattr(thing, name) for name in values}
    return {name: (before[name], value) for name, value in values.items() if before[name] != value}


def purge(*, now: datetime) -> int:
    """Delete what is too old through the one function that may; returns how many rows went."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_purge(%s)", [now - AuditEvent.KEEP])
        return int(cursor.fetchone()[0])
