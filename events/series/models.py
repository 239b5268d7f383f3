from typing import ClassVar

from django.db import models
from django.utils.translation import pgettext_lazy


class Series(models.Model):
    """Events that come again, such as the round tables of one circle."""

    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120, unique=True)
    about = models.TextField(pgettext_lazy("staff", "what it is for"), max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = pgettext_lazy("staff", "series")
        verbose_name_plural = pgettext_lazy("staff", "series")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
