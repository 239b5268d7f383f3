from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.facts.models import Fact
from portal.mail.models import Reason, Suppression
from portal.revisions.models import Edition, Provenance, Revision
from portal.secret_links import new_nonce


class PackQuerySet(models.QuerySet["Pack"]):
    def with_followers(self) -> "PackQuerySet":
        """With `followers_count`, of those who have confirmed."""
        confirmed = Q(followers__confirmed_at__isnull=False)
        return self.select_related("made_by").annotate(followers_count=Count("followers", filter=confirmed))


class Pack(models.Model):
    """A version of what embassies get, to cite: exactly these texts, for good. The database refuses to change it."""

    number = models.PositiveIntegerField(unique=True)
    as_of = models.DateField()
    languages = ArrayField(models.CharField(max_length=10, choices=languages.CHOICES))
    note = models.CharField(pgettext_lazy("staff", "what is new"), max_length=300, blank=True)
    """In English, for embassies to read."""
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = PackQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "pack for embassies")
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(languages__len__gt=0), name="pack_has_a_language"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("pack", args=[self.number])


class PackItemQuerySet(models.QuerySet["PackItem"]):
    def with_now(self) -> "PackItemQuerySet":
        """With `now_id`, the revision that readers of the same language get today; None when it was withdrawn, in this
        language or, and with it in all, in Swedish, and while it is held back. With `is_outdated`, whether the Swedish
        text has changed since the one that it renders."""
        same = {name: OuterRef(f"revision__{name}") for name in ("content_type", "object_id")}
        editions = Edition.objects.filter(**same)
        own = editions.given().filter(language=OuterRef("revision__language")).values("revision_id")[:1]
        swedish = editions.published().filter(language=languages.SOURCE)
        outdated = Provenance.objects.filter(**same, language=OuterRef("revision__language"), is_outdated=True)
        return self.annotate(
            now_id=Case(When(Exists(swedish), then=Subquery(own)), default=None), is_outdated=Exists(outdated)
        )

    def changed(self) -> "PackItemQuerySet":
        """What readers get today is another text than the one that was cited, or none, or no longer what the Swedish
        one says."""
        is_other = ~Q(now_id=F("revision_id")) | Q(now_id__isnull=True)
        return self.with_now().filter(is_other | Q(is_outdated=True))

    def with_texts(self) -> "PackItemQuerySet":
        """With what a page or a document shows of them, and no other columns of the facts."""
        own = ("pack", "order", "language", "published_at", "reviewed_on", "sources")
        revision = ("fields", "language", "method", "is_example", "decided_by_id")
        return self.select_related("fact", "revision").only(
            *own, "fact__slug", *(f"revision__{name.removesuffix('_id')}" for name in revision)
        )


class PackItem(models.Model):
    """A text in a pack. `language` is the one it stands for; that of its revision is another one where a text was
    missing."""

    pack = models.ForeignKey(Pack, models.PROTECT, related_name="items")
    order = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=10)
    fact = models.ForeignKey(Fact, models.PROTECT, related_name="+")
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    reviewed_on = models.DateField()
    sources = models.JSONField(encoder=DjangoJSONEncoder)
    """What the text rested on that day: rows of title, sfs, sections and url."""

    objects: ClassVar[models.Manager[Any]] = PackItemQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pack", "order"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pack", "language", "fact"], name="one_text_per_pack_language_and_fact"),
            models.UniqueConstraint(fields=["pack", "order"], name="one_text_per_place_in_a_pack"),
        ]

    def __str__(self) -> str:
        return f"{self.pack_id} {self.language} {self.fact_id}"


class FollowerQuerySet(models.QuerySet["Follower"]):
    def confirmed(self) -> "FollowerQuerySet":
        return self.filter(confirmed_at__isnull=False)

    def at(self, email: str) -> "FollowerQuerySet":
        return self.filter(email__iexact=email.strip())

    def may_be_told(self, now: datetime) -> "FollowerQuerySet":
        """Confirmed, and not told of anything for a day."""
        return self.confirmed().filter(Q(told_at__isnull=True) | Q(told_at__lte=now - Follower.QUIET))

    def unsubscribed(self) -> "FollowerQuerySet":
        """Who pressed "unsubscribe" in a mail of ours after having confirmed."""
        later = Suppression.objects.filter(
            reason=Reason.UNSUBSCRIBED, address_hash=OuterRef("address_hash"), at__gte=OuterRef("confirmed_at")
        )
        return self.confirmed().filter(Exists(later))

    def expired(self, now: datetime) -> "FollowerQuerySet":
        last = Coalesce("told_at", "confirmed_at")
        never = Q(confirmed_at__isnull=True, asked_at__lte=now - Follower.KEEP_UNCONFIRMED)
        return self.annotate(last=last).filter(never | Q(last__lte=now - Follower.KEEP))


class Follower(models.Model):
    """An address to which mail goes when something in a pack is no longer what readers get."""

    KEEP_UNCONFIRMED: Final = timedelta(days=7)
    KEEP: Final = timedelta(days=730)
    """After the last mail."""
    QUIET: Final = timedelta(days=1)
    """Between two mails."""

    pack = models.ForeignKey(Pack, models.PROTECT, related_name="followers")
    email = models.EmailField()
    address_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=10)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    told = models.CharField(max_length=64, blank=True)
    """Which state of the cited texts this address knows of: `rules.state_of`."""

    objects: ClassVar[models.Manager[Any]] = FollowerQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["address_hash"], name="follower_by_address")]
        constraints: ClassVar = [
            models.UniqueConstraint("pack", Lower("email"), name="one_follower_per_pack_and_address"),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=False) | Q(told_at__isnull=True, told=""),
                name="follower_is_told_after_confirming",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
