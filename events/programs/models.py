from typing import Any, ClassVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, OuterRef, Q
from django.db.models.functions import JSONObject
from django.utils.translation import pgettext_lazy

from events.models import Event
from portal import languages
from portal.revisions.rules import reading_columns


class Speaker(models.Model):
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=120, blank=True)
    organization = models.CharField(pgettext_lazy("staff", "organization"), max_length=160, blank=True)

    class Meta:
        db_table = "events_speaker"
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class ProgramItemQuerySet(models.QuerySet["ProgramItem"]):
    def read_in(self, code: str) -> "ProgramItemQuerySet":
        return self.only(*reading_columns(ProgramItem, languages.chain(code)))

    def with_speakers(self) -> "ProgramItemQuerySet":
        """Adds `speaker_rows`: name, title and organization of each, in the same query."""
        speakers = Speaker.objects.filter(items=OuterRef("pk")).values(
            json=JSONObject(name="name", title="title", organization="organization")
        )
        return self.annotate(speaker_rows=ArraySubquery(speakers))


class ProgramItem(models.Model):
    """One line of the program. Its title is plain translated text, without drafts."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="program")
    starts_at = models.DateTimeField(pgettext_lazy("staff", "starts"))
    ends_at = models.DateTimeField(pgettext_lazy("staff", "ends"))
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=200, default="", blank=True)
    is_break = models.BooleanField(pgettext_lazy("staff", "break"), default=False)
    speakers = models.ManyToManyField(
        Speaker, related_name="items", blank=True, verbose_name=pgettext_lazy("staff", "speakers")
    )

    objects: ClassVar[models.Manager[Any]] = ProgramItemQuerySet.as_manager()

    class Meta:
        db_table = "events_programitem"
        ordering: ClassVar = ["starts_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="program_item_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.starts_at:%H:%M}"
