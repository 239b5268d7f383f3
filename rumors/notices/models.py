from datetime import timedelta
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.revisions.models import Edition, Revision
from rumors.models import Rebuttal, Rumor


class How(models.TextChoices):
    AT_ONCE = "at_once", pgettext_lazy("staff", "At once: a mail whenever something happens")
    DAILY = "daily", pgettext_lazy("staff", "Once a day: one mail at 7:30, and none when there is nothing")
    NECESSARY = "necessary", pgettext_lazy("staff", "Only what is necessary: what is mine to do, and what to answer")


class Choice(models.Model):
    """How somebody wants to hear of rumors. Without a row: once a day."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    how = models.CharField(
        pgettext_lazy("staff", "how you want to hear of rumors"), max_length=9, choices=How, default=How.DAILY
    )

    def __str__(self) -> str:
        return self.how


class LetterKind(models.TextChoices):
    NEWS = "news", pgettext_lazy("staff", "At once")
    DIGEST = "digest", pgettext_lazy("staff", "Of the day")
    ANSWER = "answer", pgettext_lazy("staff", "What to answer")


class LetterQuerySet(models.QuerySet["Letter"]):
    def under_way(self) -> "LetterQuerySet":
        """Of which it is not known yet what has become."""
        return self.filter(settled_at__isnull=True)


class Letter(models.Model):
    """A mail that was promised to somebody, with the notices that it tells of. Its `Delivery` has its key."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=LetterKind)
    day = models.DateField(null=True)
    """Of a digest: the morning that it is for."""
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Any]] = LetterQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["person"], condition=Q(settled_at__isnull=True), name="letter_under_way"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "day"], name="one_digest_a_person_and_day"),
            models.CheckConstraint(
                condition=Q(kind=LetterKind.DIGEST, day__isnull=False)
                | (~Q(kind=LetterKind.DIGEST) & Q(day__isnull=True)),
                name="only_a_digest_is_for_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def mail_kind(self) -> str:
        """The name of its renderer."""
        return f"rumor_{self.kind}"

    @property
    def key(self) -> str:
        return f"{self.mail_kind}:{self.pk}"


class NoticeKind(models.TextChoices):
    CHANGE = "change", pgettext_lazy("staff", "Something happened to a rumor that they follow")
    ASSIGNED = "assigned", pgettext_lazy("staff", "They take care of it now")
    SOON = "soon", pgettext_lazy("staff", "It is due within two days")
    OVERDUE = "overdue", pgettext_lazy("staff", "Its day has passed")
    REVIEW = "review", pgettext_lazy("staff", "It is to be looked at again")
    ANSWER = "answer", pgettext_lazy("staff", "There is an answer to what they heard")
    ALARM = "alarm", pgettext_lazy("staff", "An alarm that is new or worse")
    THREAT = "threat", pgettext_lazy("staff", "A threat waits to be handled")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def waiting(self) -> "NoticeQuerySet":
        """In no letter yet, or back from one that never left."""
        return self.filter(letter__isnull=True).order_by("pk")


class Notice(models.Model):
    """One thing that one person is to be told, once. Ids, codes and times only: a mail is written when it leaves."""

    KEEP: Final = timedelta(days=90)

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=NoticeKind)
    key = models.CharField(max_length=120, unique=True)
    """What makes it the same news for the same person."""
    rumor = models.ForeignKey(Rumor, models.CASCADE, null=True, related_name="+")
    rebuttal = models.ForeignKey(Rebuttal, models.CASCADE, null=True, related_name="+")
    verb = models.CharField(max_length=40, blank=True)
    """Of a change: that of the audit log."""
    status = models.CharField(max_length=12, blank=True)
    """Of a change of status: the new one."""
    due_at = models.DateTimeField(null=True)
    """Of a deadline, or a day on which to look again: the one that is meant. Another one is other news."""
    alarm = models.CharField(max_length=60, blank=True)
    level = models.PositiveSmallIntegerField(default=0)
    """Of an alarm: its key, and how bad it was."""
    is_threat = models.BooleanField(default=False)
    """It tells of a threat: for the security role alone."""
    is_shared = models.BooleanField(default=False)
    """Told to everybody who may do something about it: never at once."""
    at = models.DateTimeField()
    """When it happened."""
    letter = models.ForeignKey(Letter, models.SET_NULL, null=True, related_name="notices")

    objects: ClassVar[models.Manager[Any]] = NoticeQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["person"], condition=Q(letter__isnull=True), name="notice_in_no_letter"),
            models.Index(fields=["at"], name="notice_by_time"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="answer", rebuttal__isnull=False) | (~Q(kind="answer") & Q(rebuttal__isnull=True)),
                name="only_news_of_an_answer_names_one",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["soon", "overdue", "review"], due_at__isnull=False)
                | (~Q(kind__in=["soon", "overdue", "review"]) & Q(due_at__isnull=True)),
                name="only_news_of_a_deadline_names_one",
            ),
            models.CheckConstraint(
                condition=(Q(kind="alarm") & ~Q(alarm="")) | (~Q(kind="alarm") & Q(alarm="")),
                name="only_news_of_an_alarm_names_one",
            ),
            models.CheckConstraint(
                condition=Q(kind="alarm") | Q(rumor__isnull=False), name="news_is_of_a_rumor_or_an_alarm"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ToldQuerySet(models.QuerySet["Told"]):
    def unchecked(self) -> "models.QuerySet[Edition]":
        """The published Swedish answers of which it has not been asked yet who has to be told."""
        asked = self.filter(rebuttal=OuterRef("object_id"), checked=OuterRef("revision"))
        found: models.QuerySet[Edition] = Edition.objects.published().filter(
            ~Exists(asked),
            content_type=ContentType.objects.get_for_model(Rebuttal),
            language=languages.SOURCE,
        )
        return found.order_by("published_at", "pk")


class Told(models.Model):
    """Up to which text of an answer it is settled who is told of it."""

    rebuttal = models.OneToOneField(Rebuttal, models.CASCADE, related_name="+")
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    """The one that was told of last."""
    checked = models.ForeignKey(Revision, models.PROTECT, related_name="+")
    """The one that was published when the clock looked last: a smaller change is not told."""

    objects: ClassVar[models.Manager[Any]] = ToldQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.rebuttal} r{self.revision_id}"


class Bookmark(models.Model):
    """How far the clock has read in the audit log: one row, held by whoever reads."""

    MARGIN: Final = timedelta(minutes=5)
    """The clocks of two machines may differ by so much."""

    started_at = models.DateTimeField()
    """Nothing that happened before is told."""
    read_to = models.DateTimeField()
    """Everything before this is read, also by transactions that were still open then. What came a little later may be
    read, too: that is in `read`."""
    read = ArrayField(models.BigIntegerField(), default=list)
    alarms_on = models.DateField()
    """The last morning for which alarms were looked at."""

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="there_is_one_bookmark"),
        ]

    def __str__(self) -> str:
        return self.read_to.isoformat()
