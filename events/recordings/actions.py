from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from events.models import Event
from events.programs.models import Speaker
from events.recordings.models import Recording, RecordingConsent
from portal.accounts.models import User
from portal.audit import actions as audit
from portal.meanwhile import refuse_clashes


@transaction.atomic
def keep(event: Event, *, by: User, was: Mapping[str, Any] | None = None, **values: Any) -> Recording:
    """What is known of the recording of an event. Another link is another film, which has to be shown anew.

    `was` is what the writer had seen, and captions are a set. Raises ChangedMeanwhileError, and changes nothing, when
    somebody else has changed the same.
    """
    locked = Event.objects.to_change().get(pk=event.pk)
    standing = Recording.objects.select_for_update(of=("self",)).filter(event=locked).first()
    recording = standing or Recording(event=locked, added_by=by)
    now = {name: getattr(recording, name) for name in values}
    if "captions" in values:
        now["captions"] = set(recording.captions)
    refuse_clashes(now, was=(was or {}) if standing else {}, values=values)
    if "captions" in values:
        values["captions"] = sorted(values["captions"])
    if values.get("captions"):
        values["no_captions_reason"] = ""
    changes = audit.changed(recording, values)
    for name, value in values.items():
        setattr(recording, name, value)
    if "url" in changes:
        recording.shown_at = None
    recording.save()
    if changes:
        audit.record("keep_recording", recording, by=by, changes=changes)
    return recording


@transaction.atomic
def note_consents(
    recording: Recording, *, given: Collection[Speaker] = (), taken_back: Collection[Speaker] = (), by: User
) -> Recording:
    """Who has agreed, and who does not any more: what they do not agree to is shown no longer. What is noted about
    others stays."""
    locked = _locked(recording)
    gone, _per_model = locked.consents.filter(speaker__in=taken_back).delete()
    known = set(locked.consents.values_list("speaker", flat=True))
    new = [speaker for speaker in given if speaker.pk not in known]
    RecordingConsent.objects.bulk_create(
        RecordingConsent(recording=locked, speaker=speaker, noted_by=by) for speaker in new
    )
    if new or gone:
        audit.record("note_consents", locked, by=by, note=f"+{len(new)} -{gone}")
    if locked.shown_at and gone and locked.lacking.exists():
        hide(locked, by=by)
        locked.refresh_from_db()
    return locked


@transaction.atomic
def show(recording: Recording, *, by: User) -> Recording:
    """Lead readers to it, once the event has passed. Raises ValidationError with the names of who has not agreed."""
    locked = _locked(recording)
    lacking = [speaker.name for speaker in locked.lacking]
    if lacking:
        sentence = pgettext("staff", "These have not agreed that it is shown: %(names)s.")
        raise ValidationError(sentence % {"names": ", ".join(lacking)})
    if locked.shown_at is None:
        locked.shown_at = timezone.now()
        locked.save(update_fields=["shown_at"])
        audit.record("show_recording", locked, by=by)
    return locked


@transaction.atomic
def hide(recording: Recording, *, by: User) -> None:
    locked = _locked(recording)
    if locked.shown_at is not None:
        locked.shown_at = None
        locked.save(update_fields=["shown_at"])
        audit.record("hide_recording", locked, by=by)


@transaction.atomic
def remove(recording: Recording, *, by: User) -> None:
    """Forget that there is one, and who agreed to what."""
    locked = _locked(recording)
    audit.record("remove_recording", locked, by=by, changes={"url": (locked.url, "")})
    locked.delete()


@transaction.atomic
def purge(*, now: datetime) -> int:
    """Forget who agreed to what was shown long ago; returns how many rows went."""
    total, _per_model = RecordingConsent.objects.expired(now).delete()
    return total


def _locked(recording: Recording) -> Recording:
    found: Recording = Recording.objects.select_for_update(of=("self",)).select_related("event").get(pk=recording.pk)
    return found
