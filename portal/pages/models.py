from typing import Any, ClassVar, Final

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from portal import contacts, languages
from portal.revisions.rules import reading_columns


class Contact(models.Model):
    """A number to call, as staff edit it; readers get it from the mirror in a file."""

    LABELS: Final = {
        "emergency": pgettext_lazy("staff", "Emergency"),
        "bris": pgettext_lazy("staff", "Bris, for children"),
        "police": pgettext_lazy("staff", "Police, not urgent"),
        "kvinnofrid": pgettext_lazy("staff", "Kvinnofridslinjen, violence in close relations"),
        "social": pgettext_lazy("staff", "Social services, daytime"),
        "oncall": pgettext_lazy("staff", "Social services, evenings and weekends"),
    }

    key = models.CharField(max_length=20, unique=True)
    number = models.CharField(
        pgettext_lazy("staff", "number"),
        max_length=30,
        validators=[
            RegexValidator(r"^\+?[0-9][0-9 -]{1,28}$", pgettext_lazy("staff", "Digits, spaces and hyphens only."))
        ],
    )

    class Meta:
        verbose_name = pgettext_lazy("staff", "number to call")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(key__in=contacts.KEYS), name="contact_has_a_known_key"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+?[0-9][0-9 -]+$"), name="contact_number_is_dialable"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def label(self) -> str:
        return str(self.LABELS[self.key])


class PageQuerySet(models.QuerySet["Page"]):
    def published(self) -> "PageQuerySet":
        return self.filter(**{languages.suffixed("title", languages.SOURCE) + "__gt": ""})

    def read_in(self, code: str) -> "PageQuerySet":
        return self.only(*reading_columns(Page, languages.chain(code)))


class Page(models.Model):
    """A standing page that the law asks for; its text goes through revisions like a fact's."""

    class Key(models.TextChoices):
        ACCESSIBILITY = "accessibility", pgettext_lazy("staff", "Accessibility statement")
        PRIVACY = "privacy", pgettext_lazy("staff", "Privacy")

    key = models.CharField(max_length=20, choices=Key, unique=True)
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=160, default="", blank=True)
    summary = models.TextField(pgettext_lazy("staff", "the answer in two sentences"), default="", blank=True)
    body = models.TextField(pgettext_lazy("staff", "text"), default="", blank=True)

    objects: ClassVar[models.Manager[Any]] = PageQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "page")

    def __str__(self) -> str:
        return str(self.get_key_display())

    def get_absolute_url(self) -> str:
        return reverse(self.key)


class Heartbeat(models.Model):
    """When the beat last reached a worker; one row, read by `/readyz`."""

    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_heartbeat")]

    def __str__(self) -> str:
        return self.at.isoformat()
