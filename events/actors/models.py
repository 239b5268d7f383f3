from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Topic

if TYPE_CHECKING:
    from portal.accounts.models import User


class Kind(models.TextChoices):
    ASSOCIATION = "association", pgettext_lazy("staff", "Association")
    FAITH_COMMUNITY = "faith_community", pgettext_lazy("staff", "Faith community")
    SCHOOL_PRESCHOOL = "school_preschool", pgettext_lazy("staff", "School or preschool")
    SFI = "sfi", pgettext_lazy("staff", "Swedish for immigrants (SFI)")
    HEALTH_CARE = "health_care", pgettext_lazy("staff", "Health care")
    SPORTS = "sports", pgettext_lazy("staff", "Sports club")
    AUTHORITY = "authority", pgettext_lazy("staff", "Police or another authority")
    MEDIA = "media", pgettext_lazy("staff", "Newsroom")
    OTHER = "other", pgettext_lazy("staff", "Other")


class ActorQuerySet(models.QuerySet["Actor"]):
    def matching(
        self,
        *,
        kind: str = "",
        area: str = "",
        topic: Topic | None = None,
        language: str = "",
        has_bridge_builders: bool = False,
        is_to_review: bool = False,
    ) -> "ActorQuerySet":
        """The filters of the list; empty ones do not filter."""
        wanted = {"kind": kind, "area__iexact": area.strip(), "topics": topic}
        found = self.filter(**{name: value for name, value in wanted.items() if value})
        if language:
            found = found.filter(languages__contains=[language])
        if has_bridge_builders:
            found = found.filter(has_bridge_builders=True)
        return found.to_review(timezone.localdate()) if is_to_review else found

    def to_review(self, today: date) -> "ActorQuerySet":
        """Those we work with that are to be looked at again by now."""
        return self.filter(is_active=True, review_on__lte=today)

    def as_rows(self) -> "ActorQuerySet":
        """By name, those we no longer work with last."""
        return self.prefetch_related("topics").order_by("-is_active", Lower("name"), "pk")

    def with_contacts_count(self) -> "ActorQuerySet":
        return self.annotate(contacts_count=Count("contacts"))

    def areas(self) -> "models.QuerySet[Actor, str]":
        """The districts named so far."""
        return self.exclude(area="").order_by("area").values_list("area", flat=True).distinct()


class Actor(models.Model):
    """An organization that we meet, invite and listen to. It is written to at the address of a function."""

    name = models.CharField(pgettext_lazy("staff", "name"), max_length=160)
    kind = models.CharField(pgettext_lazy("staff", "kind"), max_length=16, choices=Kind)
    area = models.CharField(pgettext_lazy("staff", "district"), max_length=60, blank=True)
    topics = models.ManyToManyField(
        Topic, blank=True, related_name="actors", verbose_name=pgettext_lazy("staff", "topics")
    )
    languages = ArrayField(
        models.CharField(max_length=10, choices=languages.CHOICES),
        verbose_name=pgettext_lazy("staff", "languages it works in"),
        default=list,
        blank=True,
    )
    has_bridge_builders = models.BooleanField(
        pgettext_lazy("staff", "has bridge builders or interpreters of its own"), default=False
    )
    needs = models.TextField(pgettext_lazy("staff", "what it needs"), max_length=1000, blank=True)
    email = models.EmailField(pgettext_lazy("staff", "e-mail address of a function"), blank=True)
    phone = models.CharField(pgettext_lazy("staff", "phone number of a function"), max_length=40, blank=True)
    website = models.URLField(pgettext_lazy("staff", "website"), max_length=300, blank=True)
    is_active = models.BooleanField(pgettext_lazy("staff", "we work with it"), default=True)
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("staff", "who takes care of it"),
    )
    review_on = models.DateField(pgettext_lazy("staff", "look at it again"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, null=True)
    """Null for who stood in the register before it kept this."""

    objects: ClassVar[models.Manager[Any]] = ActorQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "actor")
        verbose_name_plural = pgettext_lazy("staff", "actors")
        ordering: ClassVar = [Lower("name"), "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="actor_stands_once_in_the_register"),
            models.CheckConstraint(condition=~Q(name=""), name="actor_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("actor", args=[self.pk])

    @property
    def is_to_review(self) -> bool:
        return self.is_active and self.review_on is not None and self.review_on <= timezone.localdate()


CONSENT_KEEP: Final = timedelta(days=730)
"""Nobody is kept longer than this after they agreed to it."""
ASKED_AGAIN: Final = timedelta(days=30)
"""So long before that whoever is responsible is reminded to ask."""


class PersonQuerySet(models.QuerySet[Any]):
    def expired(self, today: date) -> "PersonQuerySet":
        """Those who have not agreed for so long that they are forgotten."""
        return self.filter(consented_on__lt=today - CONSENT_KEEP)

    def to_ask_again(self, today: date) -> "PersonQuerySet":
        """Those whose consent ends soon."""
        return self.filter(consented_on__gte=today - CONSENT_KEEP, consented_on__lte=today - CONSENT_KEEP + ASKED_AGAIN)


class Contact(models.Model):
    """A person at an actor, who has agreed to be named. A contact of a faith community tells a faith: it leaves in no
    file, and whoever reads it is logged."""

    KEEP: Final = CONSENT_KEEP

    actor = models.ForeignKey(Actor, models.CASCADE, related_name="contacts")
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    role = models.CharField(pgettext_lazy("staff", "task there"), max_length=120, blank=True)
    email = models.EmailField(pgettext_lazy("staff", "e-mail address"), blank=True)
    phone = models.CharField(pgettext_lazy("staff", "phone number"), max_length=40, blank=True)
    consented_on = models.DateField(pgettext_lazy("staff", "agreed on"))
    consent_note = models.CharField(pgettext_lazy("staff", "how they agreed"), max_length=200)

    objects: ClassVar[models.Manager[Any]] = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "contact at an actor")
        verbose_name_plural = pgettext_lazy("staff", "contacts at actors")
        ordering: ClassVar = [Lower("name"), "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(consent_note=""), name="contact_has_agreed_in_some_way"),
            models.CheckConstraint(
                condition=~Q(name="") & (~Q(email="") | ~Q(phone="")), name="contact_has_a_name_and_can_be_reached"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def get_absolute_url(self) -> str:
        return self.actor.get_absolute_url()

    @property
    def responsible(self) -> "User | None":
        return self.actor.responsible

    @property
    def consent_until(self) -> date:
        """The last day."""
        return self.consented_on + self.KEEP

    @property
    def is_to_ask_again(self) -> bool:
        return self.consent_until <= timezone.localdate() + ASKED_AGAIN


class HelperKind(models.TextChoices):
    BRIDGE_BUILDER = "bridge_builder", pgettext_lazy("staff", "Bridge builder")
    INTERPRETER = "interpreter", pgettext_lazy("staff", "Interpreter")


class HelperQuerySet(PersonQuerySet):
    def working_in(self, language: str) -> "HelperQuerySet":
        """All when empty."""
        return self.filter(languages__contains=[language]) if language else self


class Helper(models.Model):
    """A bridge builder or an interpreter, who has agreed to be named. They belong to no actor here: that could tell a
    faith."""

    KEEP: Final = CONSENT_KEEP

    kind = models.CharField(pgettext_lazy("staff", "kind"), max_length=14, choices=HelperKind)
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    languages = ArrayField(
        models.CharField(max_length=10, choices=languages.CHOICES),
        verbose_name=pgettext_lazy("staff", "languages they work in"),
    )
    email = models.EmailField(pgettext_lazy("staff", "e-mail address"), blank=True)
    phone = models.CharField(pgettext_lazy("staff", "phone number"), max_length=40, blank=True)
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("staff", "who takes care of it"),
    )
    consented_on = models.DateField(pgettext_lazy("staff", "agreed on"))
    consent_note = models.CharField(pgettext_lazy("staff", "how they agreed"), max_length=200)

    objects: ClassVar[models.Manager[Any]] = HelperQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "bridge builder or interpreter")
        verbose_name_plural = pgettext_lazy("staff", "bridge builders and interpreters")
        ordering: ClassVar = [Lower("name"), "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(consent_note=""), name="helper_has_agreed_in_some_way"),
            models.CheckConstraint(
                condition=~Q(name="") & (~Q(email="") | ~Q(phone="")), name="helper_has_a_name_and_can_be_reached"
            ),
            models.CheckConstraint(condition=Q(languages__len__gt=0), name="helper_works_in_a_language"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("helpers")

    @property
    def consent_until(self) -> date:
        """The last day."""
        return self.consented_on + self.KEEP

    @property
    def is_to_ask_again(self) -> bool:
        return self.consent_until <= timezone.localdate() + ASKED_AGAIN
