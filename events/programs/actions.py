from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import pgettext

from events.models import Event
from events.programs.models import ProgramItem, Speaker
from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit


@transaction.atomic
def write(event: Event, program: Sequence[Mapping[str, Any]], *, by: User) -> None:
    """Make this the program.

    A row has `starts_at`, `ends_at`, `is_break`, `titles` by language code and `speakers`, each with `name`, `title`
    and `organization`. A row with the `id` of an item changes that item, whose other titles stay; what is left out
    goes. Raises ValidationError when it is not within the event.
    """
    locked: Event = Event.objects.select_for_update(of=("self",)).get(pk=event.pk)
    before = [str(item) for item in locked.program.all()]
    _put(locked, program)
    after = [str(item) for item in locked.program.all()]
    if before != after:
        audit.record("write_program", locked, by=by, changes={"program": (str(before), str(after))})


def _put(event: Event, program: Sequence[Mapping[str, Any]]) -> None:
    if any(not event.starts_at <= row["starts_at"] < row["ends_at"] <= event.ends_at for row in program):
        raise ValidationError(
            pgettext("staff", "Every line of the program has to lie between start and end of the event.")
        )
    kept = {row["id"] for row in program if row.get("id")}
    event.program.exclude(pk__in=kept).delete()
    for row in program:
        values = {name: row[name] for name in ("starts_at", "ends_at", "is_break")}
        values |= {languages.suffixed("title", code): title for code, title in row["titles"].items()}
        if row.get("id"):
            # Only the named columns: the titles of other languages may be written by others just now.
            event.program.filter(pk=row["id"]).update(**values)
            item = event.program.filter(pk=row["id"]).first()
        else:
            item = ProgramItem.objects.create(event=event, **values)
        if item:
            item.speakers.set([_speaker(**speaker) for speaker in row["speakers"]])


def _speaker(*, name: str, title: str = "", organization: str = "") -> Speaker:
    values = {"name": name, "title": title, "organization": organization}
    return Speaker.objects.filter(**values).first() or Speaker.objects.create(**values)


@transaction.atomic
def name_program(event: Event, *, language: str, titles: Mapping[int, str], by: User) -> None:
    """Write the titles of the program in one language, by the item's id."""
    column = languages.suffixed("title", language)
    before = dict(event.program.values_list("pk", column))
    changes = {
        str(pk): (before[pk] or "", title) for pk, title in titles.items() if pk in before and before[pk] != title
    }
    for pk, (_old, title) in changes.items():
        event.program.filter(pk=pk).update(**{column: title})
    if changes:
        audit.record("name_program", event, by=by, changes=changes, language=language)


@transaction.atomic
def purge() -> int:
    """Forget speakers of no program; returns how many."""
    _total, counts = Speaker.objects.filter(items__isnull=True).delete()
    return counts.get(Speaker._meta.label, 0)
