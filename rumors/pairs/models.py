from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, Q
from django.utils.translation import pgettext_lazy

from rumors.models import Rumor
from rumors.vocabulary import PairKind, PairState

if TYPE_CHECKING:
    from portal.accounts.models import User


class PairQuerySet(models.QuerySet["Pair"]):
    def of(self, rumor: Rumor) -> "PairQuerySet":
        return self.filter(Q(one=rumor) | Q(other=rumor))

    def between(self, rumor: Rumor, other: Rumor) -> "PairQuerySet":
        return self.of(rumor).of(other) if rumor.pk != other.pk else self.none()

    def suggested(self) -> "PairQuerySet":
        """Those that nobody has settled, the likeliest first."""
        return self.filter(state=PairState.SUGGESTED).order_by("-score", "-pk")

    def acceptance(self) -> list[dict[str, Any]]:
        """Of what a matcher suggested: `method`, and how many were `confirmed`, `rejected` and are `waiting`."""
        rows = self.exclude(method="").order_by("method").values("method")
        counts = {state.value: Count("pk", filter=Q(state=state)) for state in PairState}
        return [dict(row) for row in rows.annotate(**counts)]

    def visible_to(self, user: "User") -> "PairQuerySet":
        visible = Rumor.objects.visible_to(user)
        return self.filter(one__in=visible, other__in=visible)


class Pair(models.Model):
    """Two rumors that have to do with each other, or were thought to. A suggestion never acts alone, and what was
    rejected is not suggested again."""

    one = models.ForeignKey(Rumor, models.CASCADE, related_name="pairs_as_older")
    other = models.ForeignKey(Rumor, models.CASCADE, related_name="pairs_as_newer")
    kind = models.CharField(pgettext_lazy("staff", "how they belong together"), max_length=7, choices=PairKind)
    state = models.CharField(pgettext_lazy("staff", "state"), max_length=9, choices=PairState)
    method = models.CharField(max_length=20, blank=True)
    """Of the suggestion; empty when a person thought of it."""
    score = models.FloatField(null=True)
    terms = ArrayField(models.CharField(max_length=60), default=list)
    """The words that both have."""
    made_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[models.Manager[Any]] = PairQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["one", "other"], name="two_rumors_are_a_pair_once"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="pair_names_the_older_rumor_first"),
            models.CheckConstraint(
                condition=Q(state=PairState.SUGGESTED, settled_at__isnull=True, settled_by__isnull=True)
                | (~Q(state=PairState.SUGGESTED) & Q(settled_at__isnull=False, settled_by__isnull=False)),
                name="pair_is_a_suggestion_until_somebody_settles_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.one} {self.other} {self.kind}"


class Comparison(models.Model):
    """That a rumor was compared with all others since its words last changed."""

    rumor = models.OneToOneField(Rumor, models.CASCADE, related_name="comparison")
    version = models.PositiveIntegerField()
    """Of the rumor, when it was compared."""
    compared_at = models.DateTimeField()

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.rumor} {self.version}"


class MergeQuerySet(models.QuerySet["Merge"]):
    def standing(self) -> "MergeQuerySet":
        return self.filter(undone_at__isnull=True)


class Merge(models.Model):
    """That a rumor was found to repeat another one, with what it takes to undo it.

    Nothing is moved: `Rumor.same_as` points to the one that all merges lead to, which repeats nothing itself.
    """

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="merges")
    into = models.ForeignKey(Rumor, models.CASCADE, related_name="+")
    status_before = models.CharField(max_length=12)
    ended_before = models.DateTimeField(null=True)
    merged_at = models.DateTimeField(auto_now_add=True)
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[models.Manager[Any]] = MergeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rumor"], condition=Q(undone_at__isnull=True), name="rumor_is_merged_once_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(rumor=F("into")), name="rumor_is_not_merged_into_itself"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="merge_is_undone_by_somebody_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rumor} {self.into}"
