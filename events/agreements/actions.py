from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from events.agreements.models import Agreement, Minutes
from events.models import Event
from events.series.models import Series
from portal.accounts.models import User
from portal.audit import actions as audit


class NotPublicError(ValidationError):
    """Minutes stand on the page of their event, which nobody sees."""


@transaction.atomic
def agree(*, by: User, event: Event | None = None, series: Series | None = None, **values: Any) -> Agreement:
    """Write down what was agreed, at an event or in a series."""
    made: Agreement = Agreement.objects.create(event=event, series=series, **values)
    audit.record("agree", made, by=by)
    return made


@transaction.atomic
def settle(agreement: Agreement, *, outcome: str, reason: str, by: User) -> None:
    """Say what became of it; what is settled already stays as it is."""
    held: Agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=agreement.pk)
    if held.settled_at is not None:
        return
    held.outcome, held.reason, held.settled_at = outcome, reason, timezone.now()
    held.save(update_fields=["outcome", "reason", "settled_at"])
    audit.record("settle_agreement", held, by=by, changes={"outcome": ("", outcome)})


@transaction.atomic
def reopen(agreement: Agreement, *, by: User) -> None:
    """Take back what had become of it."""
    held: Agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=agreement.pk)
    if held.settled_at is None:
        return
    audit.record("reopen_agreement", held, by=by, changes={"outcome": (held.outcome, "")})
    held.outcome, held.reason, held.settled_at = "", "", None
    held.save(update_fields=["outcome", "reason", "settled_at"])


@transaction.atomic
def write_minutes(event: Event, *, text: str, by: User) -> Minutes:
    """For staff first. Minutes that are public change for everybody."""
    held: Event = Event.objects.without_text().select_for_update(of=("self",)).get(pk=event.pk)
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
