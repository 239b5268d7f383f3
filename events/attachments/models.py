from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.utils.translation import pgettext_lazy

from events.models import Event
from portal import languages


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def without_content(self) -> "AttachmentQuerySet":
        """For lists: the files are megabytes."""
        return self.defer("content")

    def of_published(self, slug: str) -> "AttachmentQuerySet":
        """What readers of this event's page may open."""
        return self.filter(event__in=Event.objects.published().filter(slug=slug))


class Attachment(models.Model):
    """A PDF that readers of an event's page can open, as we have made it anew; kept in the row itself."""

    MOST: Final = 10
    """Of one event."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="attachments", editable=False)
    number = models.PositiveSmallIntegerField(editable=False)
    """The first that was free: by it the database counts them."""
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=120)
    """In the language of the document."""
    language = models.CharField(pgettext_lazy("staff", "language"), max_length=10, choices=languages.CHOICES)
    content = models.BinaryField()
    bytes = models.GeneratedField(
        expression=Length("content"), output_field=models.PositiveIntegerField(), db_persist=True
    )
    sha256 = models.CharField(max_length=64, editable=False)
    pages = models.PositiveSmallIntegerField(editable=False)
    is_for_screen_readers = models.BooleanField(editable=False)
    """It is tagged, and says in which language it is."""
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    objects: ClassVar[models.Manager[Any]] = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "document")
        ordering: ClassVar = ["language", "title", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "number"], name="attachments_of_an_event_are_numbered"),
            models.CheckConstraint(condition=Q(number__range=(1, 10)), name="event_has_ten_attachments_at_most"),
            models.UniqueConstraint(fields=["event", "sha256"], name="attachment_is_put_to_an_event_once"),
            models.CheckConstraint(
                condition=Q(bytes__range=(1, 5 * 1024 * 1024)), name="attachment_is_five_megabytes_at_most"
            ),
        ]

    def __str__(self) -> str:
        return self.title
