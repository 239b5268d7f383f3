import hashlib
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from portal import languages

WORD_LENGTH: Final = 80


class State(models.TextChoices):
    """Where the word of a term stands in a language."""

    MISSING = "missing", pgettext_lazy("words", "Missing")
    WAITING = "waiting", pgettext_lazy("words", "Waiting for approval")
    APPROVED = "approved", pgettext_lazy("words", "Approved")


class TermQuerySet(models.QuerySet["Term"]):
    def counted(self) -> "TermQuerySet":
        """In how many active languages its wording is approved, waits and is missing."""
        active = Q(wordings__language__in=[language.code for language in languages.ACTIVE])
        return self.annotate(
            approved_count=Count("wordings", filter=active & Q(wordings__approved_at__isnull=False)),
            waiting_count=Count("wordings", filter=active & Q(wordings__approved_at__isnull=True)),
            missing_count=Value(len(languages.ACTIVE)) - F("approved_count") - F("waiting_count"),
        )

    def matching(self, *, q: str = "", language: str = "", state: str = "") -> "TermQuerySet":
        """The filters of the staff list, on top of `counted`; without a language a state is that of any language."""
        found = self
        if q:
            said = Wording.objects.filter(term=OuterRef("pk"), use__icontains=q)
            found = found.filter(Q(word__icontains=q) | Q(forms__icontains=q) | Exists(said))
        if language:
            there = Wording.objects.filter(term=OuterRef("pk"), language=language)
            if state == State.MISSING:
                return found.exclude(Exists(there))
            return found.filter(Exists(there.filter(approved_at__isnull=state == State.WAITING) if state else there))
        return found.filter(**{f"{state}_count__gt": 0}) if state else found


class Term(models.Model):
    """A Swedish word that readers meet and cannot know."""

    word = models.CharField(pgettext_lazy("words", "Swedish word"), max_length=WORD_LENGTH)
    forms = ArrayField(
        models.CharField(max_length=WORD_LENGTH), verbose_name=pgettext_lazy("words", "other forms"), default=list
    )
    """Inflected or abbreviated, as they stand in texts; one that ends in * stands for every ending."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = TermQuerySet.as_manager()

    if TYPE_CHECKING:
        pk: int

    class Meta:
        verbose_name = pgettext_lazy("words", "word")
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("word"), name="a_word_stands_in_the_glossary_once"),
            models.CheckConstraint(condition=~Q(word=""), name="term_has_a_word"),
        ]

    def __str__(self) -> str:
        return self.word

    def get_absolute_url(self) -> str:
        return reverse("staff_word", args=[self.pk])

    @property
    def version(self) -> str:
        """What a form has seen, so that nobody overwrites what they have not."""
        return hashlib.sha256("\n".join([self.word, *self.forms]).encode()).hexdigest()[:32]


class WordingQuerySet(models.QuerySet["Wording"]):
    def shown(self) -> "WordingQuerySet":
        """What readers may see: approved, or an example of the demo."""
        return self.filter(Q(approved_at__isnull=False) | Q(is_example=True)).select_related("term")

    def read_in(self, *codes: str) -> "WordingQuerySet":
        return self.filter(language__in=codes)

    def awaiting_approval(self) -> "WordingQuerySet":
        return self.filter(approved_at__isnull=True, is_example=False).select_related("term", "written_by")

    def codes(self) -> set[str]:
        return set(self.order_by().values_list("language", flat=True).distinct())


class Wording(models.Model):
    """How a language says a term, and how it does not. In Swedish the word is the term's own."""

    term = models.ForeignKey(Term, models.CASCADE, related_name="wordings")
    language = models.CharField(pgettext_lazy("words", "language"), max_length=10)
    use = models.CharField(pgettext_lazy("words", "use"), max_length=WORD_LENGTH, blank=True)
    also = ArrayField(
        models.CharField(max_length=WORD_LENGTH), verbose_name=pgettext_lazy("words", "also right"), default=list
    )
    avoid = ArrayField(
        models.CharField(max_length=WORD_LENGTH), verbose_name=pgettext_lazy("words", "do not use"), default=list
    )
    why = models.CharField(pgettext_lazy("words", "why"), max_length=500, blank=True)
    meaning = models.CharField(pgettext_lazy("words", "meaning"), max_length=500)
    is_example = models.BooleanField(pgettext_lazy("words", "example"), default=False)
    """Demo content: shown though nobody has approved it, and the page says so."""
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[models.Manager[Any]] = WordingQuerySet.as_manager()

    if TYPE_CHECKING:
        pk: int

    class Meta:
        verbose_name = pgettext_lazy("words", "wording")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["term", "language"], name="one_wording_per_language"),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
                name="wording_is_approved_with_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("written_by")),
                name="wording_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(is_example=False) | Q(approved_at__isnull=True), name="approved_wording_is_no_example"
            ),
            models.CheckConstraint(
                condition=(Q(language=languages.SOURCE) & Q(use="")) | (~Q(language=languages.SOURCE) & ~Q(use="")),
                name="only_swedish_takes_the_word_of_the_term",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.term_id} {self.language}"

    @property
    def word(self) -> str:
        """What readers of this language are told to look for."""
        return self.use or self.term.word

    @property
    def state(self) -> State:
        return State.APPROVED if self.approved_at else State.WAITING

    @property
    def version(self) -> str:
        """What a form has seen, so that nobody overwrites what they have not."""
        return self.written_at.isoformat()
