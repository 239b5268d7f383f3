from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models

from portal.revisions.models import Method

KEPT: Final = timedelta(hours=1)


class UploadQuerySet(models.QuerySet["Upload"]):
    def fresh(self, now: datetime) -> "UploadQuerySet":
        return self.filter(created_at__gt=now - KEPT)

    def expired(self, now: datetime) -> "UploadQuerySet":
        return self.filter(created_at__lte=now - KEPT)


class Upload(models.Model):
    """A file with translations, kept while the person who sent it looks at what it would do."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    content = models.BinaryField()
    method = models.CharField(max_length=15, choices=Method)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Any]] = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.pk}"
