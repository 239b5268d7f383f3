from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """What a picture is kept as, whatever it came as."""

    JPEG = "jpeg", "JPEG"
    PNG = "png", "PNG"


class PictureQuerySet(models.QuerySet["Picture"]):
    def unused(self) -> "PictureQuerySet":
        """Nobody refers to them, whichever models do: those above us are not known here."""
        found = self
        for relation in Picture._meta.get_fields(include_hidden=True):
            if isinstance(relation, models.ManyToOneRel):
                users = relation.related_model._base_manager
                found = found.exclude(Exists(users.filter(**{relation.field.name: OuterRef("pk")})))
        return found

    def orphans(self, now: datetime) -> "PictureQuerySet":
        """Nobody refers to them, and whoever is filling in the form that they came with has had a day."""
        return self.unused().filter(kept_at__lte=now - Picture.WAITS).order_by("pk")


class Picture(models.Model):
    """A screenshot of what was seen, made anew from its pixels. The files lie where `storage` says."""

    WAITS: Final = timedelta(days=1)

    name = models.CharField(max_length=32, unique=True, editable=False)
    """Of its file: 128 random bits, which no address leads to."""
    kind = models.CharField(max_length=4, choices=Kind, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    sent_sha256 = models.CharField(max_length=64, editable=False)
    """Of what was sent, which is not kept."""
    width = models.PositiveSmallIntegerField(editable=False)
    height = models.PositiveSmallIntegerField(editable=False)
    bytes = models.PositiveIntegerField(editable=False)
    kept_at = models.DateTimeField(auto_now_add=True)
    kept_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    objects: ClassVar[models.Manager[Any]] = PictureQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "picture")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["kept_at"], name="picture_by_time")]
        constraints: ClassVar = [
            # It becomes part of a path.
            models.CheckConstraint(condition=Q(name__regex=r"^[0-9a-f]{32}$"), name="picture_has_a_random_name"),
            models.CheckConstraint(
                condition=Q(width__range=(1, 4096), height__range=(1, 4096), bytes__gt=0),
                name="picture_is_of_a_size_that_is_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def media_type(self) -> str:
        return f"image/{self.kind}"

    @property
    def extension(self) -> str:
        return {Kind.JPEG: "jpg", Kind.PNG: "png"}[Kind(self.kind)]
