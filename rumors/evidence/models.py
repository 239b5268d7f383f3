from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from portal.facts.models import Fact
from rumors.models import Rumor
from rumors.vocabulary import Stance


class Evidence(models.Model):
    """Something that speaks for or against a claim: what the verdict rests on."""

    rumor = models.ForeignKey(Rumor, models.CASCADE, related_name="evidence")
    stance = models.CharField(pgettext_lazy("staff", "what it does to the claim"), max_length=8, choices=Stance)
    text = models.CharField(pgettext_lazy("staff", "what it says"), max_length=500)
    url = models.URLField(pgettext_lazy("staff", "link"), max_length=500, blank=True)
    fact = models.ForeignKey(
        Fact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=pgettext_lazy("staff", "fact")
    )
    checked_on = models.DateField(pgettext_lazy("staff", "looked at"), null=True, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(text=""), name="evidence_says_something")]

    def __str__(self) -> str:
        return f"{self.rumor} {self.stance}"
