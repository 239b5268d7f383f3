from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.actions import before_retiming
from events.models import Event, EventQuerySet, Status
from events.registrations.models import Registration
from events.reminders import rules
from events.reminders.models import LONGEST, Audience, Dispatch, Rule
from events.series.models import Series
from portal import languages
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.composed import SECONDS
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.mail.rules import Promise
from portal.meanwhile import refuse_clashes
from portal.revisions.rules import reading_columns

REMINDER: Final = "event_reminder"
NEW_LINK: Final = "speaker_new_link"
TIMED: Final = ("audience", "anchor", "days", "at", "minutes")
REREAD: Final = timedelta(seconds=2 * SECONDS)
"""By then whoever sends has read an event anew."""
SWEDISH: Final = languages.suffixed("text", languages.SOURCE)


class LeavingError(ValidationError):
    """What would be taken away is on its way."""


def keep(now: datetime) -> None:
    """Plan every reminder that is due for everybody whom it is for. Any number of processes may do this."""
    reach = LONGEST + rules.AFTERWARDS
    is_soon = Q(starts_at__lte=now + reach, ends_at__gte=now - reach)
    is_answered_soon = Q(answers_due_at__range=(now, now + reach))
    soon = Event.objects.held().without_text().filter(is_soon | is_answered_soon)
    events = list(soon.prefetch_related("dispatches"))
    standing = {event.pk: held for event, held in _standing(events)}
    for event in events:
        _plan_due(event, standing[event.pk], now)
    for event in Event.objects.with_speakers_told_an_old_link(now).without_text():
        _tell_speakers(event, now)


def _plan_due(event: Event, standing: Iterable[Rule], now: datetime) -> None:
    done = {(each.rule_id, each.rule_version, each.anchor_at) for each in event.dispatches.all()}
    for occurrence in rules.occurrences(event, standing):
        rule = occurrence.rule
        if occurrence.is_due(event, now) and (rule.pk, rule.version, occurrence.anchor_at) not in done:
            _dispatch(event, occurrence, now)


def _plan_late(event: Event, now: datetime) -> None:
    """What is due at an event but was not planned yet, before other times or other rules hold for it."""
    _plan_due(event, [rule for rule in Rule.objects.of(event) if rule.is_active], now)


def _standing(events: list[Event]) -> list[tuple[Event, list[Rule]]]:
    """The active rules that hold for each event, as `Rule.objects.of` finds them for one."""
    of_events = Q(event__isnull=True) | Q(event__in=events)
    every = list(Rule.objects.filter(of_events).only(*reading_columns(Rule, ())))
    found = []
    for event in events:
        own = [rule for rule in every if rule.event_id == event.pk]
        of_series = [rule for rule in every if event.series_id and rule.series_id == event.series_id]
        default = [rule for rule in every if rule.event_id is None and rule.series_id is None]
        found.append((event, [rule for rule in own or of_series or default if rule.is_active]))
    return found


def _plan_all_late(events: EventQuerySet) -> None:
    now = timezone.now()
    for locked in events.filter(ends_at__gte=now - rules.AFTERWARDS).without_text().order_by("pk").to_change():
        _plan_late(locked, now)


@transaction.atomic
def _dispatch(event: Event, occurrence: rules.Occurrence, now: datetime) -> None:
    # Who registers holds this lock: everybody who was there in time is seen, and nobody else.
    locked: Event = Event.objects.without_text().to_change().get(pk=event.pk)
    rule = occurrence.rule
    is_still_so = locked.status == Status.PUBLISHED and rules.anchor_of(rule, locked) == occurrence.anchor_at
    if not (is_still_so and occurrence.is_due(locked, now)):
        return
    if not Rule.objects.of(locked).filter(pk=rule.pk, version=rule.version, is_active=True).exists():
        return  # others hold since it was read
    dispatch, is_new = Dispatch.objects.get_or_create(
        rule=rule,
        rule_version=rule.version,
        event=locked,
        anchor_at=occurrence.anchor_at,
        defaults={"due_at": occurrence.due_at},
    )
    if not is_new:
        return
    promises = rules.promises(locked, occurrence)
    mail.plan_all(kind=REMINDER, promises=promises, due_at=occurrence.due_at, expires_at=occurrence.expires_at)
    if rule.audience == Audience.REGISTERED and locked.join_opens_at <= occurrence.due_at:
        # At once for all of them, not for each when it leaves. Who knows an older link is told of this one anyhow: not
        # every reminder leaves.
        reminded = [promise.context["registration"] for promise in promises]
        Registration.objects.filter(pk__in=reminded, told_join=0).update(told_join=locked.join_version)
    dispatch.number = len(promises)
    dispatch.save(update_fields=["number"])
    if rule.audience == Audience.SPEAKERS:
        Event.objects.filter(pk=locked.pk, speakers_told_join=0).update(speakers_told_join=locked.join_version)


@transaction.atomic
def _tell_speakers(event: Event, now: datetime) -> None:
    """Of a new link to join: who has a seat is told by `events.registrations`."""
    found = Event.objects.with_speakers_told_an_old_link(now).without_text().to_change().filter(pk=event.pk)
    for locked in found:
        promises = [each for each in rules.link_promises(locked) if not _is_told(locked, each)]
        mail.plan_all(kind=NEW_LINK, promises=promises, due_at=now, expires_at=locked.ends_at)
        Event.objects.filter(pk=locked.pk).update(speakers_told_join=locked.join_version)


def _is_told(event: Event, promise: Promise) -> bool:
    """By what has left, before the event was canceled and held after all, or by what waits and will leave, whose link
    is the one of then."""
    prefix = f"{event.mail_prefix}speaker:{promise.context['speaker']}:"
    # A worker may have the older link in hand, or share what it has read of the event for a moment.
    mail.postpone(prefix=prefix, until=timezone.now() + REREAD)
    anchors = [int(moment.timestamp()) for moment in (event.starts_at, event.answers_due_at) if moment]
    brings_it = Q(kind=NEW_LINK) | Q(kind=REMINDER, context__anchor__in=anchors)
    left = Delivery.objects.named(prefix=f"{prefix}link:{event.join_version}:").filter(fenced_at__isnull=False)
    waiting = Delivery.objects.named(prefix=prefix).waiting().filter(brings_it).unsuppressed()
    return bool(left.exists() or waiting.exists())


# Rules ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def add(*, by: User, event: Event | None = None, series: Series | None = None, **values: Any) -> Rule:
    """A rule of an event, of a series, or of all others."""
    owner = event or series
    if owner is not None and not owner.reminder_rules.exists():
        _plan_all_late(Event.objects.filter(pk=event.pk) if event else Event.objects.filter(series=series))
    rule = Rule.objects.create(event=event, series=series, **_columns(values))
    audit.record("add_rule", rule, by=by, changes={"rule": ("", str(rule))})
    return rule


@transaction.atomic
def edit(rule: Rule, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Rule:
    """What it says in Swedish is `text`. When its time is another one, what would have been due by now is left out.

    `was` is what the writer had seen. Raises ChangedMeanwhileError, and changes nothing, when one of the fields was
    changed by somebody else.
    """
    locked: Rule = Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    standing = {name: locked.swedish if name == "text" else getattr(locked, name) for name in values}
    refuse_clashes(standing, was=was or {}, values=values)
    values, before = _columns(values), str(locked)
    changes = audit.changed(locked, values)
    if not changes.keys().isdisjoint({*TIMED, "is_active"}):
        values["timed_at"] = timezone.now()
    if not changes.keys().isdisjoint(TIMED):
        values["version"] = locked.version + 1
    # Only the named columns: others may be writing what it says in their language.
    Rule.objects.filter(pk=locked.pk).update(**values)
    locked.refresh_from_db()
    if changes:
        audit.record("edit_rule", locked, by=by, changes={"rule": (before, str(locked))})
    return locked


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {SWEDISH if name == "text" else name: value for name, value in values.items()}


@transaction.atomic
def write(rule: Rule, *, language: str, text: str, by: User, was: Mapping[str, str] | None = None) -> None:
    """What it says first in one language; `was` is what the writer had seen. Raises ChangedMeanwhileError, and changes
    nothing, when somebody else has written it meanwhile."""
    column = languages.suffixed("text", language)
    locked = Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    now = getattr(locked, column) or ""
    refuse_clashes({"text": now}, was=was or {}, values={"text": text})
    Rule.objects.filter(pk=rule.pk).update(**{column: text})
    audit.record("write_reminder", rule, by=by, language=language)


@transaction.atomic
def remove(rule: Rule, *, by: User) -> None:
    of = rule.event or rule.series
    events = Event.objects.filter(pk=rule.event.pk) if rule.event else Event.objects.filter(series=rule.series)
    if of is not None:
        list(events.without_text().order_by("pk").to_change())  # before the rule, as who sends by it does
    audit.record("remove_rule", rule, by=by, changes={"rule": (str(rule), "")})
    rule.delete()
    if of is not None and not of.reminder_rules.exists():
        # Others hold from now on; what they have missed meanwhile is not made up for.
        events.update(time_set_at=timezone.now())


@transaction.atomic
def own(event: Event, *, by: User) -> None:
    """Give an event rules of its own, the same as those that held for it. What those have sent is not sent again."""
    locked: Event = Event.objects.to_change().get(pk=event.pk)
    if locked.reminder_rules.exists():
        return
    _plan_late(locked, timezone.now())
    for rule in Rule.objects.of(locked):
        rule.pk, rule.event, rule.series, rule.timed_at = None, locked, None, timezone.now()
        rule._state.adding = True
        rule.save()
    audit.record("own_reminders", locked, by=by)


@transaction.atomic
def share(event: Event, *, by: User) -> None:
    """Take an event's own rules away: those of its series, or the default ones, hold again. Raises LeavingError when
    one of them is just being sent, which it then would not be."""
    locked: Event = Event.objects.without_text().to_change().get(pk=event.pk)
    _plan_late(locked, timezone.now())
    own = list(locked.reminder_rules.values_list("pk", flat=True))
    leaving = Delivery.objects.named(prefix=locked.mail_prefix).filter(kind=REMINDER, context__rule__in=own)
    if leaving.recallable().exists():
        raise LeavingError(pgettext("staff", "A reminder of this event is on its way. Try again when it has left."))
    removed, _per_model = locked.reminder_rules.all().delete()
    if removed:
        # What those of all have missed meanwhile is not made up for.
        Event.objects.filter(pk=locked.pk).update(time_set_at=timezone.now())
        audit.record("share_reminders", locked, by=by)


def announce() -> None:
    mail.register(
        REMINDER,
        rules.reminder,
        label=pgettext_lazy("staff", "Reminder of an event"),
        is_necessary=False,
        if_twice=pgettext_lazy("staff", "Bothers a little: somebody is reminded twice."),
    )
    mail.register(
        NEW_LINK,
        rules.speaker_link,
        label=pgettext_lazy("staff", "New link to join, to speakers"),
        if_twice=pgettext_lazy("staff", "Says the same again."),
    )
    mail.plan_before_delivering(keep)
    before_retiming(_plan_late)
