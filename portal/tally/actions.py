from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction

from portal.tally import transport
from portal.tally.models import Batch


def flush(purpose: str, keep: Callable[[Sequence[transport.Count]], None]) -> None:
    """Hand what was counted to `keep`, which writes it: once, whatever dies in between."""
    number = bring(purpose, keep)
    if number:
        transport.drop(purpose, number)


@transaction.atomic
def bring(purpose: str, keep: Callable[[Sequence[transport.Count]], None]) -> UUID | None:
    """The first half: a batch is written together with its number, and one whose number stands there is not again.

    Taken under the lock: nobody can sit on a batch while others keep it and the one after it.
    """
    Batch.objects.get_or_create(purpose=purpose)
    last = Batch.objects.select_for_update(of=("self",)).get(purpose=purpose)
    number, counts = transport.take(purpose)
    if number and number != last.number:
        keep(counts)
        last.number = number
        last.save(update_fields=["number"])
    return number
