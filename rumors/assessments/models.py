from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import pgettext_lazy

from rumors.models import Rumor
from rumors.vocabulary import Actor, Behavior, Confidence, Content, Degree, Effect, Impact, ImpactOn, Reach

if TYPE_CHECKING:
    from portal.accounts.models import User


class ReachEstimate(models.Model):
    """How far somebody thought that it had come, and why; the latest one is `Rumor.reach`."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="reaches")
    level = models.CharField(pgettext_lazy("staff", "how far it has come"), max_length=16, choices=Reach)
    basis = models.CharField(pgettext_lazy("staff", "what that rests on"), max_length=300)
    estimated_at = models.DateTimeField(auto_now_add=True)
    estimated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(basis=""), name="estimate_of_reach_has_a_basis")]

    def __str__(self) -> str:
        return f"{self.rumor} {self.level}"


class ImpactQuerySet(models.QuerySet["ImpactEstimate"]):
    def visible_to(self, user: "User") -> "ImpactQuerySet":
        """What threatens colleagues is for those who handle it."""
        return self if user.has_perm("rumors.handle") else self.exclude(on=ImpactOn.STAFF_SAFETY)


class ImpactEstimate(models.Model):
    """How hard it hits one of the things that it may hit; without a row nobody has said."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="impacts")
    on = models.CharField(pgettext_lazy("staff", "impact on"), max_length=20, choices=ImpactOn)
    level = models.CharField(pgettext_lazy("staff", "impact"), max_length=6, choices=Impact)

    objects: ClassVar[models.Manager[Any]] = ImpactQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rumor", "on"], name="rumor_has_one_impact_on_each_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.rumor} {self.on} {self.level}"


class Abcde(models.Model):
    """Actor, behavior, content, degree and effect, in short. Who is behind it is said by two people or not at all."""

    rumor = models.OneToOneField(Rumor, models.CASCADE, related_name="abcde")
    actor = models.CharField(pgettext_lazy("staff", "actor"), max_length=12, choices=Actor, blank=True)
    behavior = models.CharField(pgettext_lazy("staff", "behavior"), max_length=13, choices=Behavior, blank=True)
    content = models.CharField(pgettext_lazy("staff", "content"), max_length=14, choices=Content, blank=True)
    degree = models.CharField(pgettext_lazy("staff", "degree"), max_length=14, choices=Degree, blank=True)
    effect = models.CharField(pgettext_lazy("staff", "effect"), max_length=10, choices=Effect, blank=True)
    confidence = models.CharField(pgettext_lazy("staff", "how sure that is"), max_length=6, choices=Confidence)
    attribution = models.CharField(pgettext_lazy("staff", "who is behind it"), max_length=200, blank=True)
    attributed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(attribution="", attributed_by__isnull=True, confirmed_by__isnull=True)
                | (~Q(attribution="") & Q(attributed_by__isnull=False)),
                name="attribution_is_made_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("attributed_by")),
                name="attribution_is_confirmed_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rumor} ABCDE"
