import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from portal.audit.models import AuditEvent


def record(
    verb: str,
    thing: Model,
    *,
    by: AbstractBaseUser | None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    language: str = "",
    note: str = "",
) -> None:
    """Write one row; call it inside the transaction of the action it tells about. `by` is None for the clock."""
    AuditEvent.objects.create(
        verb=verb,
        kind=thing._meta.label_lower,
        object_id=str(thing.pk),
        by_id=by.pk if by else None,
        language=language,
        changes=json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder)),
        note=note[:500],
    )


def changed(thing: Model, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields of `thing` that `values` would change, as `record` wants them."""
    before = {name: getattr(thing, name) for name in values}
    return {name: (before[name], value) for name, value in values.items() if before[name] != value}


def purge(*, keep: timedelta) -> int:
    """Delete what is older than `keep` through the one function that may; returns how many rows went."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_purge(%s)", [timezone.now() - keep])
        return int(cursor.fetchone()[0])
