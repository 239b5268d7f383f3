from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.models import Event
from events.programs.models import Speaker, SpeakerQuerySet
from portal import languages


class Recording(models.Model):
    """Of an event; it lies elsewhere. Readers are led to it from when it is shown until its last day."""

    event = models.OneToOneField(Event, models.CASCADE, related_name="recording", editable=False)
    url = models.URLField(pgettext_lazy("staff", "link to the recording"), max_length=500)
    until = models.DateField(pgettext_lazy("staff", "last day"))
    captions = ArrayField(
        models.CharField(max_length=10, choices=languages.CHOICES),
        verbose_name=pgettext_lazy("staff", "captions in"),
        default=list,
        blank=True,
    )
    no_captions_reason = models.CharField(pgettext_lazy("staff", "why it has no captions"), max_length=300, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    shown_at = models.DateTimeField(null=True, editable=False)
    """Null as long as readers are not led to it."""

    class Meta:
        verbose_name = pgettext_lazy("staff", "recording")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(captions=[]) | ~Q(no_captions_reason=""), name="recording_has_captions_or_says_why_not"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}"

    @property
    def is_available(self) -> bool:
        return self.shown_at is not None and self.event.has_passed and timezone.localdate() <= self.until

    @property
    def is_gone(self) -> bool:
        """Readers were led to it, and its last day is over."""
        return self.shown_at is not None and self.until < timezone.localdate()

    @property
    def lacking(self) -> SpeakerQuerySet:
        """Who stands in the program that readers see and has not agreed that the recording is shown."""
        newest = self.event.program_versions.defer("lines", "texts").newest()
        agreed = self.consents.values("speaker")
        return Speaker.objects.filter(versions=newest).exclude(pk__in=agreed) if newest else Speaker.objects.none()


class RecordingConsentQuerySet(models.QuerySet["RecordingConsent"]):
    def expired(self, now: datetime) -> "RecordingConsentQuerySet":
        return self.filter(recording__until__lt=timezone.localdate(now) - RecordingConsent.KEEP)


class RecordingConsent(models.Model):
    """That somebody who is heard has agreed that the recording is shown; kept as proof while somebody may ask."""

    KEEP: Final = timedelta(days=365)
    """After the last day of the recording."""

    recording = models.ForeignKey(Recording, models.CASCADE, related_name="consents")
    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="recording_consents")
    noted_at = models.DateTimeField(auto_now_add=True)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = RecordingConsentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recording", "speaker"], name="speaker_agrees_once_to_a_recording"),
        ]

    def __str__(self) -> str:
        return f"{self.recording} {self.speaker_id}"
