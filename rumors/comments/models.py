from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from rumors.models import Rumor


class Comment(models.Model):
    """What colleagues say to each other about a rumor."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="comments")
    text = models.TextField(pgettext_lazy("staff", "comment"), max_length=2000)
    form_id = models.UUIDField(unique=True, editable=False)
    """Of the form it was written in: one that is sent twice makes one comment."""
    written_at = models.DateTimeField(auto_now_add=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(text=""), name="rumor_comment_says_something")]

    def __str__(self) -> str:
        return f"{self.rumor} {self.pk}"
