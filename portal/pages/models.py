from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
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


class PurgeQuerySet(models.QuerySet["Purge"]):
    def whole(self) -> "PurgeQuerySet":
        """In which every part did its work."""
        return self.filter(failed=[])


class Purge(models.Model):
    """One time that the clock deleted what was old: what went, counted, and which parts failed. Append-only, by a
    trigger."""

    KEEP: Final = timedelta(days=5 * 365)
    MAY_BE_SILENT: Final = timedelta(days=2)
    """After that somebody has to look why nothing is deleted."""
    PARTS: Final = {
        "questions": pgettext_lazy("staff", "Questions of the public"),
        "codes": pgettext_lazy("staff", "Codes to look answers up with"),
        "invitations": pgettext_lazy("staff", "Names and addresses of invited people"),
        "needs": pgettext_lazy("staff", "Needs of people who had registered"),
        "registrations": pgettext_lazy("staff", "Registrations"),
        "speakers": pgettext_lazy("staff", "Speakers of no program, addresses of speakers"),
        "consents to recordings": pgettext_lazy("staff", "Consents to recordings"),
        "words of feedback": pgettext_lazy("staff", "Words of feedback"),
        "safety notes and drafts of visits": pgettext_lazy("staff", "Safety notes and drafts of visits"),
        "contacts and helpers": pgettext_lazy("staff", "Contacts, bridge builders and interpreters"),
        "rumors": pgettext_lazy("staff", "Rumors and threats: the words as they were said"),
        "notices": pgettext_lazy("staff", "Notices about rumors"),
        "seen alarms": pgettext_lazy("staff", "Who saw which alarm"),
        "drafts of what was heard": pgettext_lazy("staff", "Drafts of what was heard"),
        "pictures": pgettext_lazy("staff", "Pictures"),
        "reader checks": pgettext_lazy("staff", "Links of native readers, and what they said"),
        "followers": pgettext_lazy("staff", "Followers of fact packs"),
        "addresses of mail": pgettext_lazy("staff", "Addresses that mail went to"),
        "deliveries": pgettext_lazy("staff", "Sent mail, and stopped addresses"),
        "audit": pgettext_lazy("staff", "Lines of the audit log"),
        "sessions": pgettext_lazy("staff", "Sessions that had ended"),
        "readings": pgettext_lazy("staff", "Reading counts, and whether a text helped"),
        "searches": pgettext_lazy("staff", "Searches that found nothing"),
        "uploads": pgettext_lazy("staff", "Files with translations"),
        "exports": pgettext_lazy("staff", "Exported files"),
        "imports": pgettext_lazy("staff", "Imported lists"),
        "unsaved texts": pgettext_lazy("staff", "Texts that were not saved"),
        "purges": pgettext_lazy("staff", "Records of what was deleted"),
    }
    """What each is to people; one that the site had once keeps its name."""

    began_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField()
    version = models.CharField(max_length=40)
    """Of the code that knew what was old."""
    counts: "models.JSONField[dict[str, int], dict[str, int]]" = models.JSONField(default=dict)
    """How many went, by part; zeros of those that had nothing to do."""
    failed: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=40), default=list)
    """The parts of which nothing went, because of an error that the log tells."""

    objects: ClassVar[models.Manager[Any]] = PurgeQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "purge")
        ordering: ClassVar = ["-began_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ended_at__gte=F("began_at")), name="purge_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return self.began_at.isoformat()

    @property
    def gone(self) -> "Iterator[tuple[str, int]]":
        """What went, in words, without the parts that had nothing to do."""
        found = dict.fromkeys(self.PARTS, 0) | self.counts
        return ((str(self.PARTS.get(part, part)), number) for part, number in found.items() if number)

    @property
    def failures(self) -> list[str]:
        return [str(self.PARTS.get(part, part)) for part in self.failed]
