from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import pgettext

from portal.accounts.models import User
from rumors.lists.models import SavedFilter


@transaction.atomic
def save(*, name: str, query: str, by: User) -> SavedFilter:
    """Keep filters under a name; under one that is there already they take its place."""
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
    mine = SavedFilter.objects.filter(owner=by)
    same: SavedFilter | None = mine.filter(name__iexact=name).first()
    if same is None and mine.count() >= SavedFilter.MOST:
        raise ValidationError(pgettext("staff", "You have many saved filters. Delete one first."))
    found = same or SavedFilter(owner=by)
    found.name, found.query = name, query
    found.save()
    return found


def forget(*, pk: int, by: User) -> None:
    """Delete a saved filter of `by`; a second time changes nothing."""
    SavedFilter.objects.filter(owner=by, pk=pk).delete()
