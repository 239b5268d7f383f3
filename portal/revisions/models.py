import hashlib
import json
from collections.abc import Collection
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Model, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils.translation import pgettext_lazy

from portal import languages


class State(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("staff", "Draft")
    SUBMITTED = "submitted", pgettext_lazy("staff", "Waiting for approval")
    APPROVED = "approved", pgettext_lazy("staff", "Approved")
    REJECTED = "rejected", pgettext_lazy("staff", "Sent back")
    PUBLISHED = "published", pgettext_lazy("staff", "Published")


class Significance(models.TextChoices):
    """What a change of the Swedish text means for its translations."""

    TYPO = "typo", pgettext_lazy("staff", "Spelling or layout only: translations stay right")
    CONTENT = "content", pgettext_lazy("staff", "The content changed: translations need a look")
    MAJOR = (
        "major",
        pgettext_lazy("staff", "Something important changed: translations are wrong until renewed"),
    )


class Method(models.TextChoices):
    HUMAN = "human", pgettext_lazy("staff", "Written or translated by a person")
    MACHINE = "machine", pgettext_lazy("staff", "Translated by a machine")
    MACHINE_EDITED = (
        "machine_edited",
        pgettext_lazy("staff", "Translated by a machine, corrected by a person"),
    )


def text_hash(fields: dict[str, str]) -> str:
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class RevisionQuerySet(models.QuerySet["Revision"]):
    def of(self, thing: Model) -> "RevisionQuerySet":
        return self.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)

    def titled(self) -> "RevisionQuerySet":
        """With the title in Swedish, its own or that of the Swedish text it renders, and without the other texts."""
        rendered, own = (KeyTextTransform("title", path) for path in ("based_on__fields", "fields"))
        return self.defer("fields").annotate(title=Coalesce(rendered, own))

    def awaiting_approval(self) -> "RevisionQuerySet":
        return self.titled().filter(state=State.SUBMITTED)


class Revision(models.Model):
    """One version of the text of one object in one language. Its text, author and base never change."""

    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.BigIntegerField()
    thing: Any = GenericForeignKey("content_type", "object_id")
    language = models.CharField(max_length=10)
    fields = models.JSONField()
    """The translated fields by name, all of them: `{"title": ..., "summary": ..., "body": ...}`."""
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    significance = models.CharField(max_length=8, choices=Significance, blank=True)
    change_note = models.CharField(max_length=300, blank=True)
    """What changed, in words that readers of an outdated translation are shown."""
    based_on = models.ForeignKey("self", models.PROTECT, null=True, related_name="translations")
    pivot = models.CharField(max_length=10, blank=True)
    """The language it was really translated from, when that was not Swedish."""
    method = models.CharField(max_length=15, choices=Method, default=Method.HUMAN)
    is_example = models.BooleanField(default=False)
    """Demo content: says on every page that it is an example that nobody has checked."""
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    """Why it was sent back."""

    objects: ClassVar[models.Manager[Any]] = RevisionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["content_type", "object_id", "language", "-id"], name="revision_by_object"),
            models.Index(fields=["state"], condition=Q(state="submitted"), name="revision_awaiting_approval"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("author")),
                name="revision_is_decided_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="revision_decision_has_time_and_person",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "rejected", "published"])
                | Q(decided_by__isnull=False)
                | Q(is_example=True),
                name="revision_is_decided_unless_example",
            ),
            models.CheckConstraint(
                condition=(Q(language=languages.SOURCE) & ~Q(significance=""))
                | (~Q(language=languages.SOURCE) & Q(significance="")),
                name="only_swedish_revisions_have_significance",
            ),
            models.CheckConstraint(
                condition=(Q(language=languages.SOURCE) & Q(based_on__isnull=True))
                | (~Q(language=languages.SOURCE) & Q(based_on__isnull=False)),
                name="translation_names_the_swedish_revision_it_renders",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_type.model} {self.object_id} {self.language} r{self.pk}"


class EditionQuerySet(models.QuerySet["Edition"]):
    def of(self, thing: Model) -> "EditionQuerySet":
        return self.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)

    def published(self) -> "EditionQuerySet":
        return self.filter(revision__isnull=False)

    def is_withdrawn(self) -> bool:
        """Whether the Swedish text was published once and taken away."""
        return self.filter(language=languages.SOURCE, withdrawn_at__isnull=False).exists()


class Edition(models.Model):
    """What readers of one language get of one object: the published revision. Only publish and withdraw write it."""

    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=10)
    revision = models.ForeignKey(Revision, models.PROTECT, null=True, related_name="editions")
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    objects: ClassVar[models.Manager[Any]] = EditionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["content_type", "object_id", "language"], name="one_edition_per_language"),
            models.CheckConstraint(
                condition=Q(revision__isnull=True, published_at__isnull=True)
                | Q(revision__isnull=False, published_at__isnull=False),
                name="edition_is_published_with_its_time",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="edition_is_withdrawn_with_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(revision__isnull=True) | Q(withdrawn_at__isnull=True),
                name="edition_is_published_or_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_type.model} {self.object_id} {self.language}"


class ProvenanceQuerySet(models.QuerySet["Provenance"]):
    def of(self, thing: Model) -> "ProvenanceQuerySet":
        return self.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)

    def of_all(self, things: Collection[Model]) -> "ProvenanceQuerySet":
        """Of several objects of one model."""
        if not things:
            return self.none()
        model = type(next(iter(things)))
        return self.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=[thing.pk for thing in things]
        )

    def by_language(self) -> dict[str, "Provenance"]:
        return {provenance.language: provenance for provenance in self}

    def by_object(self) -> dict[int, dict[str, "Provenance"]]:
        found: dict[int, dict[str, Provenance]] = {}
        for provenance in self:
            found.setdefault(provenance.object_id, {})[provenance.language] = provenance
        return found


class Provenance(models.Model):
    """What may truthfully be said about a published text: a view of the database, computed and never stored.

    Outdated: the Swedish text is another one now, and a published Swedish revision with a content change came after
    the one that this translation renders. `changed_at` and `change_note` tell of the last such change.
    """

    edition = models.OneToOneField(Edition, models.DO_NOTHING, primary_key=True, related_name="+")
    content_type = models.ForeignKey(ContentType, models.DO_NOTHING, related_name="+")
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=10)
    published_at = models.DateTimeField()
    method = models.CharField(max_length=15, choices=Method)
    is_example = models.BooleanField()
    is_approved = models.BooleanField()
    is_outdated = models.BooleanField()
    changed_at = models.DateTimeField(null=True)
    change_note = models.CharField(max_length=300)

    objects: ClassVar[models.Manager[Any]] = ProvenanceQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "revisions_provenance"

    def __str__(self) -> str:
        return f"{self.edition_id}"

    @property
    def is_machine_made(self) -> bool:
        return self.method == Method.MACHINE

    @property
    def is_machine_edited(self) -> bool:
        return self.method == Method.MACHINE_EDITED
