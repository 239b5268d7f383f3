from typing import Any, ClassVar

from django.db import models
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from events.actors.models import Actor


class SeriesQuerySet(models.QuerySet["Series"]):
    def as_rows(self) -> "SeriesQuerySet":
        """Adds `sittings`, how many there are, and `invited`, how many stand in the circle."""
        return self.annotate(sittings=Count("events", distinct=True), invited=Count("circle", distinct=True))


class Series(models.Model):
    """Events that come again, such as the round tables of one circle."""

    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120, unique=True)
    about = models.TextField(pgettext_lazy("staff", "what it is for"), max_length=2000, blank=True)
    circle = models.ManyToManyField(
        Actor, blank=True, related_name="series", verbose_name=pgettext_lazy("staff", "who is always invited")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Any]] = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "series")
        verbose_name_plural = pgettext_lazy("staff", "series")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("series", args=[self.pk])
