from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import pgettext_lazy


class SavedFilter(models.Model):
    """Filters of the list under a name, for the one who saved them: their own work list."""

    MOST: Final = 30

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=60)
    query = models.CharField(max_length=1000)
    """As it stands in the address: language=so&overdue=yes."""

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        ordering: ClassVar = [Lower("name")]
        constraints: ClassVar = [
            models.UniqueConstraint("owner", Lower("name"), name="person_saves_one_filter_under_a_name"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(query=""), name="saved_filter_has_a_name_and_filters"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('staff_rumors')}?{self.query}"
