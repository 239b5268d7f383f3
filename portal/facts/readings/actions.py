from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils.timezone import localtime

from portal.accounts.models import User
from portal.audit import actions as audit
from portal.facts.readings.models import Opinion, ReadingCount
from portal.tally import actions as tally
from portal.tally.transport import Count

READINGS: Final = "readings"
"""What they are called in Valkey: what `fact` marks its pages with is the fact and the reader's language."""

_KEEP: Final = """
INSERT INTO readings_readingcount (fact_id, language, day, count)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::integer[])
ON CONFLICT (fact_id, language, day) DO UPDATE SET count = readings_readingcount.count + excluded.count
"""


def flush() -> None:
    """Keep what was read since the last time."""
    tally.flush(READINGS, keep)


def keep(counts: Sequence[Count]) -> None:
    facts, codes = zip(*(count.what for count in counts), strict=True)
    days, times = [count.day for count in counts], [count.times for count in counts]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [list(facts), list(codes), days, times])


@transaction.atomic
def give(
    *, fact_id: int, revision_id: int, language: str, is_helpful: bool, comment: str = "", form_id: UUID
) -> Opinion:
    """Keep a reader's opinion, once for each form. The audit log has no row of it, for that would say the hour."""
    said = {"fact_id": fact_id, "revision_id": revision_id, "language": language}
    said |= {"is_helpful": is_helpful, "comment": comment}
    opinion: Opinion = Opinion.objects.get_or_create(form_id=form_id, defaults=said)[0]
    return opinion


@transaction.atomic
def forget(opinion: Opinion, *, by: User) -> Opinion:
    """Take a comment away that says too much of somebody, also from the log; whether the text helped stays."""
    locked: Opinion = Opinion.objects.select_for_update(of=("self",)).get(pk=opinion.pk)
    if locked.comment:
        locked.comment = ""
        locked.save(update_fields=["comment"])
        audit.record("forget", locked, by=by, language=locked.language)
    return locked


def purge(*, now: datetime) -> int:
    today = localtime(now).date()
    return sum(model.objects.expired(today).delete()[0] for model in (ReadingCount, Opinion))
