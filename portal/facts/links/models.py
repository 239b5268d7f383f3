from datetime import datetime
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("staff", "Not checked yet")
    WORKS = "works", pgettext_lazy("staff", "Works")
    MOVED = "moved", pgettext_lazy("staff", "Has moved")
    FAILING = "failing", pgettext_lazy("staff", "Failed once: it is tried again another day")
    BROKEN = "broken", pgettext_lazy("staff", "Broken")
    BLOCKED = "blocked", pgettext_lazy("staff", "Not opened")
    UNKNOWN = "unknown", pgettext_lazy("staff", "Not known")


class Problem(models.TextChoices):
    """Why an address gave no page."""

    NOT_FOUND = "not_found", pgettext_lazy("staff", "The site says that the page does not exist.")
    SERVER = "server", pgettext_lazy("staff", "The site answers with an error.")
    NO_HOST = "no_host", pgettext_lazy("staff", "There is no site with this name.")
    NO_ANSWER = "no_answer", pgettext_lazy("staff", "The site does not answer, or far too slowly.")
    BAD_ANSWER = "bad_answer", pgettext_lazy("staff", "What the site answers is no web page.")
    TLS = "tls", pgettext_lazy("staff", "The site cannot prove who it is (its certificate does not hold).")
    REDIRECTS = "redirects", pgettext_lazy("staff", "The link is passed on again and again and arrives nowhere.")
    TURNED_AWAY = "turned_away", pgettext_lazy("staff", "The site turns away machines. Open it yourself now and then.")
    ADDRESS = "address", pgettext_lazy("staff", "This is no usual web address: http or https, without user and port.")
    PRIVATE = "private", pgettext_lazy("staff", "It leads into an inner network, where readers cannot come.")


BAD: Final = (State.FAILING, State.BROKEN)


class CheckedLinkQuerySet(models.QuerySet["CheckedLink"]):
    def due(self, now: datetime) -> "CheckedLinkQuerySet":
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")

    def waiting(self) -> "CheckedLinkQuerySet":
        return self.filter(state=State.WAITING)

    def broken(self) -> "CheckedLinkQuerySet":
        return self.filter(state=State.BROKEN).order_by("failing_since", "pk")

    def moved(self) -> "CheckedLinkQuerySet":
        return self.filter(state=State.MOVED).order_by("url")

    def undecided(self) -> "CheckedLinkQuerySet":
        """What only a person can look at."""
        return self.filter(state__in=[State.BLOCKED, State.UNKNOWN]).order_by("state", "url")


class CheckedLink(models.Model):
    """An address that published texts lead to, and whether there is a page."""

    LONGEST: Final = 1000

    url = models.CharField(max_length=LONGEST, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    last_error = models.CharField(max_length=12, choices=Problem, blank=True)
    status_code = models.PositiveSmallIntegerField(default=0)
    """Of the last answer; 0 when there was none."""
    moved_to = models.CharField(max_length=LONGEST, blank=True)
    failures = models.PositiveIntegerField(default=0)
    """In a row."""
    failing_since = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField()
    """A worker that takes the link moves this ahead: the exact moment is its ticket."""

    objects: ClassVar[models.Manager[Any]] = CheckedLinkQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "link")
        indexes: ClassVar = [models.Index(fields=["next_check_at"], name="link_by_next_check")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=BAD, failing_since__isnull=False, failures__gt=0)
                | (~Q(state__in=BAD) & Q(failing_since__isnull=True, failures=0)),
                name="link_that_fails_says_since_when",
            ),
            models.CheckConstraint(
                condition=Q(state=State.MOVED) ^ Q(moved_to=""),
                name="link_that_moved_says_where_to",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.WAITING, State.WORKS, State.MOVED]) ^ ~Q(last_error=""),
                name="link_without_a_page_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state=State.WAITING) ^ Q(checked_at__isnull=False),
                name="link_with_a_result_was_checked",
            ),
        ]

    def __str__(self) -> str:
        return self.url
