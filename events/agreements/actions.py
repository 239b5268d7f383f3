from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from events.agreements.models import Agreement, Minutes, Outcome
from events.models import Event
from events.series.models import Series
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.audit.models import AuditEvent
from portal.meanwhile import refuse_clashes


class MendedByOtherError(ValidationError):
    """A form that has made an agreement is sent once more, and somebody else has changed that since."""


class NotPublicError(ValidationError):
    """Minutes stand on the page of their event, which nobody sees."""


@transaction.atomic
def agree(
    *,
    by: User,
    event: Event | None = None,
    series: Series | None = None,
    form_id: UUID | None = None,
    **values: Any,
) -> Agreement:
    """Write down what was agreed, at an event or in a series. The same form sent twice is one agreement, as it was
    mended in between. Raises MendedByOtherError when somebody else has done that, too."""
    made: Agreement
    made, is_new = Agreement.objects.get_or_create(
        form_id=form_id or uuid4(), defaults={"event": event, "series": series, **values}
    )
    if not is_new and AuditEvent.objects.about(made).exclude(by=by).exists():
        raise MendedByOtherError(pgettext("staff", "Somebody has changed it meanwhile. Read it again, then decide."))
    if not is_new:
        return edit(made, by=by, **values)
    audit.record("agree", made, by=by)
    return made


@transaction.atomic
def edit(agreement: Agreement, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Agreement:
    """Change what was agreed, or say what became of it: an empty `outcome` opens it again. `was` is what the writer had
    seen. Why it was dropped belongs to nothing else.

    Raises ChangedMeanwhileError, and changes nothing, when one of the fields was changed by somebody else.
    """
    held: Agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=agreement.pk)
    refuse_clashes({name: getattr(held, name) for name in values}, was=was or {}, values=values)
    if values.get("outcome", held.outcome) != Outcome.DROPPED:
        values["reason"] = ""
    changes, verb = audit.changed(held, values), "edit"
    if "outcome" in changes:
        values["settled_at"] = timezone.now() if values["outcome"] else None
        verb = "settle_agreement" if values["outcome"] else "reopen_agreement"
    for name, value in values.items():
        setattr(held, name, value)
    if changes:
        held.save(update_fields=[*values])
        told = {name: pair if name in _TOLD else (audit.UNTOLD, audit.UNTOLD) for name, pair in changes.items()}
        audit.record(verb, held, by=by, changes=told)
    return held


_TOLD: Final = frozenset({"due_on", "outcome"})
"""By the log; the words are not, nor whom they name."""


@transaction.atomic
def write_minutes(event: Event, *, text: str, by: User, was: Mapping[str, str] | None = None) -> Minutes:
    """For staff first. Minutes that are public change for everybody. `was` is what the writer had before them;
    raises ChangedMeanwhileError when it is something else by now."""
    held: Event = Event.objects.without_text().to_change().get(pk=event.pk)
    standing = Minutes.objects.filter(event=held).values_list("text", flat=True).first() or ""
    refuse_clashes({"text": standing}, was=was or {}, values={"text": text})
    minutes, _is_new = Minutes.objects.update_or_create(event=held, defaults={"text": text, "written_by": by})
    audit.record("write_minutes", minutes, by=by)
    return minutes


@transaction.atomic
def publish_minutes(minutes: Minutes, *, by: User) -> None:
    """Raises NotPublicError when the event is not public."""
    held = Minutes.objects.select_for_update(of=("self",)).select_related("event").get(pk=minutes.pk)
    if not held.event.is_public:
        raise NotPublicError(pgettext("staff", "Minutes can be published when the event is public."))
    if held.published_at is None:
        held.published_at, held.published_by = timezone.now(), by
        held.save(update_fields=["published_at", "published_by"])
        audit.record("publish_minutes", held, by=by)


@transaction.atomic
def hide_minutes(minutes: Minutes, *, by: User) -> None:
    """For staff only again."""
    held = Minutes.objects.select_for_update(of=("self",)).get(pk=minutes.pk)
    if held.published_at is not None:
        held.published_at = held.published_by = None
        held.save(update_fields=["published_at", "published_by"])
        audit.record("hide_minutes", held, by=by)
