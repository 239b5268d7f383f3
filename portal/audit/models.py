from datetime import timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Model


class EventQuerySet(models.QuerySet["AuditEvent"]):
    def about(self, thing: Model) -> "EventQuerySet":
        return self.filter(kind=thing._meta.label_lower, object_id=str(thing.pk))


class AuditEvent(models.Model):
    """Who did what to which object, with the changed fields before and after. Append-only, by a trigger."""

    KEEP: Final = timedelta(days=5 * 365)

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    language = models.CharField(max_length=10, blank=True)
    changes = models.JSONField(default=dict)
    """`{field: [before, after]}`"""
    note = models.CharField(max_length=500, blank=True)
    excuse = models.JSONField(null=True)
    """What was said when the guard had found something: `{"kinds": [...], "ground": ..., "words": ...}`."""

    objects: ClassVar[models.Manager[Any]] = EventQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["kind", "object_id", "-at"], name="audit_by_object")]
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.object_id}"
