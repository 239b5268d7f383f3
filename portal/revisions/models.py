import hashlib
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Model, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.composed import Composed, Slot


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


class OfThingQuerySet(models.QuerySet[Any]):
    """Rows that belong to an object of any kind."""

    def of(self, thing: Model) -> Self:
        return self.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)


class RevisionQuerySet(OfThingQuerySet):
    def titled(self) -> "RevisionQuerySet":
        """With the title in Swedish, its own or that of the Swedish text it renders, and without the other texts."""
        rendered, own = (KeyTextTransform("title", path) for path in ("based_on__fields", "fields"))
        found: RevisionQuerySet = self.defer("fields").annotate(title=Coalesce(rendered, own))
        return found

    def in_force(self, language: str) -> "RevisionQuerySet":
        """What readers of a language get."""
        return self.filter(language=language, editions__language=language)

    def missing_in(self, language: str) -> "RevisionQuerySet":
        """Of objects that have nothing published in a language."""
        same = {name: models.OuterRef(name) for name in ("content_type", "object_id")}
        return self.exclude(models.Exists(Edition.objects.published().filter(language=language, **same)))

    def outdated_in(self, language: str) -> "RevisionQuerySet":
        """Of objects whose text in a language renders an older Swedish one, those held back for it among them."""
        same = {name: models.OuterRef(name) for name in ("content_type", "object_id")}
        return self.filter(models.Exists(Standing.objects.filter(language=language, is_outdated=True, **same)))

    def awaiting_approval(self) -> "RevisionQuerySet":
        found: RevisionQuerySet = self.titled().filter(state=State.SUBMITTED)
        return found

    def before(self, revision: "Revision") -> "RevisionQuerySet":
        """Earlier versions of the same text, newest first."""
        same = self.filter(content_type_id=revision.content_type_id, object_id=revision.object_id)
        return same.filter(language=revision.language, pk__lt=revision.pk)

    def newest_of_each(self) -> "RevisionQuerySet":
        """The newest version of every text, of whatever object and language."""
        text = ("content_type", "object_id", "language")
        newest = self.order_by(*text, "-pk").distinct(*text)
        found: RevisionQuerySet = Revision.objects.filter(pk__in=newest.values("pk"))
        return found

    def dangerous_after(self, revision: "Revision") -> "RevisionQuerySet":
        """Later published Swedish texts of the same object after which a translation of this one must not be read."""
        return self.filter(
            content_type_id=revision.content_type_id,
            object_id=revision.object_id,
            language=languages.SOURCE,
            state=State.PUBLISHED,
            is_dangerous_if_old=True,
            pk__gt=revision.pk,
        )


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
    is_dangerous_if_old = models.BooleanField(default=False, db_default=False)
    """Readers of a translation of an older text get the Swedish one until theirs is renewed."""
    findings: "models.JSONField[list[Any], list[Any]]" = models.JSONField(default=list, db_default=[])
    """What the checks found when it was sent for approval, each as a `checks.Finding`, and what the author sent it in
    spite of. The glossary may have changed since."""
    override_reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    """Why it was sent in spite of that."""

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
            models.CheckConstraint(
                condition=Q(is_dangerous_if_old=False) | Q(significance__in=["content", "major"]),
                name="only_a_change_of_content_is_dangerous_if_old",
            ),
            models.CheckConstraint(
                condition=Q(findings=[]) | ~Q(override_reason=""),
                name="text_with_findings_is_sent_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_type.model} {self.object_id} {self.language} r{self.pk}"

    @property
    def is_under_way(self) -> bool:
        """It may still become what readers get: not sent back, and nothing newer was published."""
        published = Revision.objects.filter(
            content_type_id=self.content_type_id,
            object_id=self.object_id,
            language=self.language,
            state=State.PUBLISHED,
        )
        return self.state in {State.DRAFT, State.SUBMITTED, State.APPROVED} and not (
            published.filter(pk__gt=self.pk).exists()
        )


class Because(models.TextChoices):
    """Why a page was taken away, as its readers are told."""

    OUTDATED = "outdated", pgettext_lazy("withdrawn", "It was out of date.")
    LAW = "law", pgettext_lazy("withdrawn", "The law has changed.")
    MISTAKE = "mistake", pgettext_lazy("withdrawn", "Something in it was wrong.")
    MERGED = "merged", pgettext_lazy("withdrawn", "It has become part of another text.")
    OVER = "over", pgettext_lazy("withdrawn", "What it was about is over.")


class EditionQuerySet(OfThingQuerySet):
    def published(self) -> "EditionQuerySet":
        return self.filter(revision__isnull=False)

    def given(self) -> "EditionQuerySet":
        """What readers really get: nothing that is held back."""
        return self.published().filter(held_by__isnull=True)

    def withdrawn_source(self) -> "EditionQuerySet":
        """The Swedish text that was published once and taken away, and with it the page in every language."""
        return self.filter(language=languages.SOURCE, withdrawn_at__isnull=False)


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
    """For colleagues."""
    withdrawn_because = models.CharField(max_length=8, choices=Because, blank=True, default="", db_default="")
    """For readers."""
    successor_id = models.BigIntegerField(null=True)
    """The object of the same kind that readers are sent to instead."""
    held_by = models.ForeignKey(Revision, models.PROTECT, null=True, related_name="+")
    """The Swedish revision since which this text is dangerous: readers get the next language of their chain."""

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
            models.CheckConstraint(
                condition=Q(held_by__isnull=True) | (Q(revision__isnull=False) & ~Q(language=languages.SOURCE)),
                name="only_a_published_translation_is_held_back",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=False) | Q(withdrawn_because="", successor_id__isnull=True),
                name="only_a_withdrawn_edition_has_a_successor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_type.model} {self.object_id} {self.language}"


class ProvenanceQuerySet(OfThingQuerySet):
    def of_all(self, things: Collection[Model]) -> Self:
        """Of several objects of one model."""
        if not things:
            return self.none()
        model = type(next(iter(things)))
        return self.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=[thing.pk for thing in things]
        )

    def by_object(self) -> dict[int, dict[str, "Provenance"]]:
        found: dict[int, dict[str, Provenance]] = {}
        for provenance in self:
            found.setdefault(provenance.object_id, {})[provenance.language] = provenance
        return found


class Provenance(models.Model):
    """What may truthfully be said about a text that readers get: a view of the database, computed and never stored.

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
    revision = models.ForeignKey(Revision, models.DO_NOTHING, related_name="+")

    objects: ClassVar[models.Manager[Any]] = ProvenanceQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "revisions_provenance"

    def __str__(self) -> str:
        return f"{self.edition_id}"

    @staticmethod
    def by_language(thing: Model) -> dict[str, "Provenance"]:
        """Of the texts of one object that readers get; one query."""
        kind = ContentType.objects.get_for_model(thing)
        return {found.language: found for found in _of_one().ask(kind=kind.pk, pk=thing.pk)}

    @property
    def is_machine_made(self) -> bool:
        return self.method == Method.MACHINE

    @property
    def is_machine_edited(self) -> bool:
        return self.method == Method.MACHINE_EDITED


@cache
def _of_one() -> Composed[Provenance]:
    return Composed(Provenance.objects.filter(content_type_id=Value(Slot("kind")), object_id=Value(Slot("pk"))))


class StandingQuerySet(OfThingQuerySet):
    def of_model(self, model: type[Model]) -> Self:
        return self.filter(content_type=ContentType.objects.get_for_model(model))

    def outdated(self) -> Self:
        return self.filter(is_outdated=True)


class Standing(models.Model):
    """How it stands with one text of one object: what readers get, what is under way, who is asked. A view of the
    database with a row for each language in which anything was ever written or asked for."""

    key = models.CharField(primary_key=True, max_length=60)
    content_type = models.ForeignKey(ContentType, models.DO_NOTHING, related_name="+")
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=10)
    published_at = models.DateTimeField(null=True)
    is_outdated = models.BooleanField()
    """Published, and the Swedish text says something else now; readers get it with a notice unless it is held back."""
    is_held = models.BooleanField()
    withdrawn_at = models.DateTimeField(null=True)
    base = models.ForeignKey(Revision, models.DO_NOTHING, null=True, related_name="+")
    """The Swedish text that the published one renders."""
    newest = models.ForeignKey(Revision, models.DO_NOTHING, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, null=True)  # noqa: DJ001 - a view
    """Of the newest version."""
    translator = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+")
    due_on = models.DateField(null=True)

    objects: ClassVar[models.Manager[Any]] = StandingQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "revisions_standing"

    def __str__(self) -> str:
        return self.key


class Comment(models.Model):
    """What colleagues say to each other about one version of a text."""

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    said_at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=1000)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.revision} {self.pk}"


class Deed(models.TextChoices):
    PUBLISH = "publish", pgettext_lazy("staff", "Publish")
    WITHDRAW = "withdraw", pgettext_lazy("staff", "Withdraw")


class ScheduleQuerySet(OfThingQuerySet):
    def open(self) -> "ScheduleQuerySet":
        return self.filter(done_at__isnull=True)

    def due(self, now: datetime) -> "ScheduleQuerySet":
        return self.open().filter(at__lte=now)


class Schedule(models.Model):
    """The promise to publish or withdraw a text at a time; the clock keeps it."""

    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.BigIntegerField()
    thing: Any = GenericForeignKey("content_type", "object_id")
    language = models.CharField(max_length=10)
    deed = models.CharField(max_length=8, choices=Deed)
    revision = models.ForeignKey(Revision, models.PROTECT, null=True, related_name="schedules")
    """What is to be published."""
    because = models.CharField(max_length=8, choices=Because, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    successor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    planned_at = models.DateTimeField(auto_now_add=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=500, blank=True)
    """Why it could not be kept; empty when it was."""

    objects: ClassVar[models.Manager[Any]] = ScheduleQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "language", "deed"],
                condition=Q(done_at__isnull=True),
                name="one_open_schedule_per_text_and_deed",
            ),
            models.CheckConstraint(
                condition=Q(deed="publish", revision__isnull=False) | (~Q(deed="publish") & Q(revision__isnull=True)),
                name="only_publishing_is_scheduled_with_a_revision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deed} {self.language} {self.at.isoformat()}"


class AssignmentQuerySet(OfThingQuerySet):
    def open(self) -> "AssignmentQuerySet":
        return self.filter(done_at__isnull=True)


class Assignment(models.Model):
    """Who translates what, and by when."""

    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.BigIntegerField()
    thing: Any = GenericForeignKey("content_type", "object_id")
    language = models.CharField(max_length=10)
    translator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    due_on = models.DateField(pgettext_lazy("staff", "done by"))
    note = models.CharField(pgettext_lazy("staff", "note"), max_length=300, blank=True)
    assigned_at = models.DateTimeField(auto_now_add=True)
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Any]] = AssignmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["due_on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "language"],
                condition=Q(done_at__isnull=True),
                name="one_open_assignment_per_text",
            ),
            models.CheckConstraint(condition=~Q(language=languages.SOURCE), name="assignment_is_for_a_translation"),
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.due_on}"

    @property
    def is_overdue(self) -> bool:
        return self.done_at is None and self.due_on < timezone.localdate()


class EditLock(models.Model):
    """Who is writing one text of one object right now, and what they have typed since they last saved it."""

    STALE: Final = timedelta(minutes=5)
    """After so long without a sign of life somebody else may take over."""
    KEEP: Final = timedelta(days=7)

    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=10)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    taken_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    typed: "models.JSONField[dict[str, list[str]], dict[str, list[str]]]" = models.JSONField(default=dict)
    """As the form sent it: by the names of its fields."""

    objects: ClassVar[models.Manager[Any]] = OfThingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["content_type", "object_id", "language"], name="one_writer_per_text"),
            models.CheckConstraint(condition=Q(seen_at__gte=F("taken_at")), name="lock_is_seen_after_it_was_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.content_type.model} {self.object_id} {self.language}"

    @property
    def is_stale(self) -> bool:
        return self.seen_at < timezone.now() - self.STALE
