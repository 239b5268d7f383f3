from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from events.attendance.models import CheckIn, Count, Feedback, How
from events.models import Event
from events.registrations.models import Registration
from portal.accounts.models import User
from portal.audit import actions as audit


class NoSeatError(ValidationError):
    """Who has no seat is not on the list."""


@transaction.atomic
def check_in(registration: Registration, *, how: How, by: User, party: int | None = None) -> CheckIn:
    """They are here, all of the party unless `party` says how many; who is checked in already stays so, however many
    press the button. Raises NoSeatError."""
    held: Registration = Registration.objects.select_for_update(of=("self",)).get(pk=registration.pk)
    if not held.is_seated:
        raise NoSeatError(pgettext("staff", "This registration has no seat. Count the person without a name."))
    values = {"event_id": held.event_id, "how": how, "party": party or held.party_size, "by": by}
    made, is_new = CheckIn.objects.get_or_create(registration=held, defaults=values)
    if is_new:
        audit.record("check_in", made, by=by, note=str(made.party))
    return made


@transaction.atomic
def walk_in(event: Event, *, by: User) -> CheckIn:
    """One more person of whom nothing is known."""
    made = CheckIn.objects.create(event=event, how=How.WALK_IN, by=by)
    audit.record("check_in", made, by=by, note="1")
    return made


@transaction.atomic
def undo_check_in(registration: Registration, *, by: User) -> None:
    """A second time does nothing."""
    for made in CheckIn.objects.filter(registration=registration).select_for_update(of=("self",)):
        audit.record("undo_check_in", made, by=by)
        made.delete()


@transaction.atomic
def undo_walk_in(event: Event, *, by: User) -> None:
    """One fewer; of none it stays none."""
    last = event.check_ins.without_name().select_for_update(of=("self",), skip_locked=True).last()
    if last is not None:
        audit.record("undo_check_in", last, by=by)
        last.delete()


@transaction.atomic
def count(event: Event, *, method: str, number: int, by: User) -> Count:
    made = Count.objects.create(event=event, method=method, number=number, by=by)
    audit.record("count", made, by=by, changes={"number": ("", str(made))}, note=method)
    return made


@transaction.atomic
def give_feedback(event: Event, *, learned: int, understood: int, welcome: int, text: str, form_id: UUID) -> Feedback:
    """Keep one answer a form. The log is told nothing: its moments would tell who it was."""
    marks = {"learned": learned, "understood": understood, "welcome": welcome}
    given: Feedback
    given, _is_new = Feedback.objects.get_or_create(form_id=form_id, defaults={"event": event, "text": text, **marks})
    return given


def purge(*, now: datetime) -> int:
    """Delete the words of old feedback; returns how many. The marks stay."""
    return int(Feedback.objects.with_old_words(timezone.localdate(now)).update(text=""))
