import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Greatest, JSONObject
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from portal import languages, markup
from portal.composed import Composed, Slot
from portal.facts.links.models import CheckedLink
from portal.revisions.models import Edition, Revision, Significance, State
from portal.revisions.rules import reading_columns

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Audience(models.TextChoices):
    PARENTS = "parents", pgettext_lazy("audience", "Parents")
    CHILDREN = "children", pgettext_lazy("audience", "Children and young people")
    EMBASSIES = "embassies", pgettext_lazy("audience", "Embassies")


class Topic(models.Model):
    """The vocabulary that facts, rumors, events and questions share."""

    key = models.SlugField(max_length=30, unique=True)
    name = models.CharField(pgettext_lazy("staff", "name"), max_length=80)

    if TYPE_CHECKING:
        name_sv: str

    class Meta:
        verbose_name = pgettext_lazy("staff", "topic")
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.name or self.key


class FactQuerySet(models.QuerySet["Fact"]):
    def published(self) -> "FactQuerySet":
        """What readers may see: a fact is out when its Swedish text is, for every language falls back to it."""
        return self.filter(**{languages.suffixed("title", languages.SOURCE) + "__gt": ""})

    def read_in(self, code: str, *more: str) -> "FactQuerySet":
        """Only the columns that a reader of `code` needs, and those of the languages in `more`."""
        codes = (*languages.chain(code), "en", *more)
        return self.only(*reading_columns(Fact, tuple(dict.fromkeys(codes))))

    def for_audience(self, audience: str) -> "FactQuerySet":
        return self.filter(audience=audience)

    def of_topic(self, topic_id: int | None) -> "FactQuerySet":
        return self.filter(topic=topic_id)

    def links(self, code: str) -> "list[Link]":
        """For a reader of `code`; one query."""
        return [Link.of(row, code) for row in self.values(*link_columns(code))]

    def asked_often(self) -> "FactQuerySet":
        return self.filter(is_asked_often=True)

    def only_titles(self) -> "FactQuerySet":
        """For staff lists: the Swedish title, and in how many active languages there is one."""
        filled = [
            models.Case(models.When(**{languages.suffixed("title", language.code) + "__gt": ""}, then=1), default=0)
            for language in languages.ACTIVE
        ]
        return self.read_in(languages.SOURCE).annotate(languages_count=sum(filled[1:], filled[0]))

    def matching(self, *, audience: str = "", topic: Topic | None = None, missing: str = "") -> "FactQuerySet":
        """The filters of the staff list; empty ones do not filter."""
        found = self
        if audience:
            found = found.filter(audience=audience)
        if topic:
            found = found.filter(topic=topic)
        if missing:
            column = languages.suffixed("title", missing)
            found = found.filter(Q(**{column: ""}) | Q(**{f"{column}__isnull": True}))
        return found

    def due_for_review(self, on: date) -> "FactQuerySet":
        return self.select_related("matter").filter(matter__review_due__lte=on).order_by("matter__review_due", "pk")

    def overtaken(self) -> "FactQuerySet":
        """Whose sister for another audience has since been published with something important changed."""
        kind = ContentType.objects.get_for_model(Fact)
        swedish = {"content_type": kind, "language": languages.SOURCE}
        own = Edition.objects.filter(**swedish, object_id=OuterRef("pk"))
        known_at = Greatest(Subquery(own.values("published_at")), F("matter__confirmed_at"))
        changed = Revision.objects.filter(
            **swedish,
            object_id=OuterRef("pk"),
            state=State.PUBLISHED,
            significance=Significance.MAJOR,
            decided_at__gt=OuterRef(OuterRef("known_at")),
        )
        sisters = Fact.objects.filter(Exists(changed), matter=OuterRef("matter")).exclude(pk=OuterRef("pk"))
        found: FactQuerySet = self.annotate(known_at=known_at).filter(Exists(sisters))
        return found

    def cited(self) -> dict[str, list["Fact"]]:
        """Every web address that a source or the Swedish text leads to, with the facts in which it stands."""
        found: dict[str, list[Fact]] = {}
        body = languages.suffixed("body", languages.SOURCE)
        for fact in self.read_in(languages.SOURCE).select_related("matter").prefetch_related("matter__sources"):
            addresses = [source.link for source in fact.sources.all() if source.link]
            for address in dict.fromkeys([*addresses, *markup.links(getattr(fact, body) or "")]):
                found.setdefault(address, []).append(fact)
        return found

    def citing(self, links: Iterable[CheckedLink]) -> list[tuple[CheckedLink, list["Fact"]]]:
        """The links, each with the facts in which it stands; asks nothing when there are none."""
        rows = list(links)
        cited = self.cited() if rows else {}
        return [(link, cited.get(link.url, [])) for link in rows]

    def with_page(self, code: str) -> "FactQuerySet":
        """With what stands around the text: `checked_on`, `source_rows`, and the rows of `Link.of` for the answers
        that rest on it, `rebuttal_rows`, and for others of the same topic and audience, `related_rows`."""
        sources = Source.objects.filter(matter=OuterRef("matter")).order_by("order", "pk")
        # The relation is all that is known here of those who answer rumors.
        answers: Any = Fact._meta.get_field("rebuttals").related_model
        rebuttals = answers.objects.published().filter(fact=OuterRef("pk"))
        related = Fact.objects.published().filter(topic=OuterRef("topic"), audience=OuterRef("audience"))
        related = related.exclude(pk=OuterRef("pk")).order_by("order", "pk")[:6]
        link = _as_json(*link_columns(code))
        return self.annotate(
            checked_on=F("matter__reviewed_on"),
            source_rows=ArraySubquery(sources.values(row=_as_json("title", "sfs", "sections", "url"))),
            rebuttal_rows=ArraySubquery(rebuttals.order_by("pk").annotate(row=link).values("row")),
            related_rows=ArraySubquery(related.annotate(row=link).values("row")),
        )


def _as_json(*columns: str) -> JSONObject:
    return JSONObject(**{column: column for column in columns})


@cache
def _page(code: str) -> Composed["Fact"]:
    return Composed(Fact.objects.published().read_in(code).with_page(code).filter(slug=Slot("slug")))


def page_at(slug: str, code: str) -> Any:
    """The published fact at an address, `with_page`; None when there is none. One query."""
    found = _page(code).ask(slug=slug)
    return found[0] if found else None


def link_columns(code: str) -> list[str]:
    """What `Link.of` needs."""
    return ["slug", *(languages.suffixed("title", candidate) for candidate in languages.chain(code))]


@dataclass(frozen=True, slots=True)
class Link:
    """A title in the reader's language, or in the first of its chain that has one."""

    slug: str
    title: str
    language: languages.Language

    @classmethod
    def of(cls, row: Mapping[str, str], code: str) -> "Link":
        language, title = next(
            (candidate, title)
            for candidate in languages.chain(code)
            if (title := row[languages.suffixed("title", candidate)])
        )
        return cls(row["slug"], title, languages.get(language))


class MatterQuerySet(models.QuerySet["Matter"]):
    def published(self) -> "MatterQuerySet":
        """What readers see something of."""
        return self.filter(pk__in=Fact.objects.published().values("matter"))

    def due_for_review(self, on: date) -> "MatterQuerySet":
        return self.published().filter(review_due__lte=on)


class Matter(models.Model):
    """What is the same whoever it is told to: facts for parents, children and embassies rest on the same law, and are
    checked together."""

    REVIEW: Final = timedelta(days=365)

    reviewed_on = models.DateField(pgettext_lazy("staff", "checked on"))
    review_due = models.DateField(pgettext_lazy("staff", "check again by"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=pgettext_lazy("staff", "who checks it")
    )
    confirmed_at = models.DateTimeField(null=True)
    """When somebody last said that all of its texts are still right."""
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects: ClassVar[models.Manager[Any]] = MatterQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "matter")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(review_due__gt=F("reviewed_on")),
                name="matter_is_due_for_review_after_it_was_reviewed",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="matter_is_confirmed_with_time_and_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def version(self) -> str:
        """Which Swedish texts readers get of it: what somebody has seen who says that they are right."""
        published = Edition.objects.given().filter(
            content_type=ContentType.objects.get_for_model(Fact),
            object_id__in=self.facts.values("pk"),
            language=languages.SOURCE,
        )
        return "-".join(map(str, published.order_by("revision_id").values_list("revision_id", flat=True)))


class Fact(models.Model):
    """One question and its answer. The translated columns hold published text only; drafts are revisions."""

    matter = models.ForeignKey(Matter, models.PROTECT, related_name="facts")
    audience = models.CharField(pgettext_lazy("staff", "audience"), max_length=10, choices=Audience)
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="facts", verbose_name=pgettext_lazy("staff", "topic"))
    slug = models.SlugField(pgettext_lazy("staff", "address"), max_length=60, unique=True)
    title = models.CharField(pgettext_lazy("staff", "question"), max_length=160, default="", blank=True)
    summary = models.TextField(pgettext_lazy("staff", "answer in two sentences"), default="", blank=True)
    body = models.TextField(pgettext_lazy("staff", "text"), default="", blank=True)
    order = models.PositiveSmallIntegerField(pgettext_lazy("staff", "place in the list"), default=100)
    is_asked_often = models.BooleanField(pgettext_lazy("staff", "among the most asked questions"), default=False)
    is_about_violence = models.BooleanField(
        pgettext_lazy("staff", "about violence: quick exit and no trace in the browser"), default=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Any]] = FactQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "fact")
        ordering: ClassVar = ["audience", "order", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["matter", "audience"], name="one_fact_per_matter_and_audience"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("fact", args=[self.slug])

    @property
    def version(self) -> str:
        """Of what is not text, with what it shares with its sisters: what a form has seen, so that nobody overwrites
        what they have not."""
        own = (self.audience, self.topic_id, self.slug, self.order, self.is_asked_often, self.is_about_violence)
        shared = (self.matter.reviewed_on, self.matter.review_due, self.matter.owner_id)
        sources = list(self.sources.values_list("title", "sfs", "sections", "url"))
        return hashlib.sha256(repr((own, shared, sources)).encode()).hexdigest()[:32]

    @property
    def sources(self) -> "RelatedManager[Source]":
        return self.matter.sources

    @property
    def is_guarded(self) -> bool:
        """Pages that may be read while somebody looks over the shoulder: quick exit, neutral title, not stored."""
        return self.audience == Audience.CHILDREN or self.is_about_violence


class FormerAddress(models.Model):
    """Where a fact stood before: links and paper that name it still lead to the fact."""

    slug = models.SlugField(max_length=60, unique=True)
    fact = models.ForeignKey(Fact, models.CASCADE, related_name="former_addresses")

    def __str__(self) -> str:
        return self.slug


class Source(models.Model):
    """What a fact rests on: sections of a law, or a report."""

    matter = models.ForeignKey(Matter, models.CASCADE, related_name="sources")
    order = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(pgettext_lazy("staff", "law or report"), max_length=200)
    sfs = models.CharField(pgettext_lazy("staff", "SFS number"), max_length=12, blank=True)
    sections = models.CharField(pgettext_lazy("staff", "sections"), max_length=60, blank=True)
    url = models.URLField(pgettext_lazy("staff", "link"), max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["order", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(title=""), name="source_has_a_title"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.sections}".strip()

    @property
    def law_number(self) -> str:
        return f"({self.sfs})" if self.sfs else ""

    @property
    def link(self) -> str:
        """Where to read it: its own link, else the government's register of laws."""
        return self.url or (f"https://rkrattsbaser.gov.se/sfst?bet={self.sfs}" if self.sfs else "")


class RenderingQuerySet(models.QuerySet["Rendering"]):
    def due(self, now: datetime) -> "RenderingQuerySet":
        return self.filter(due_at__lte=now).order_by("due_at", "pk")


class Rendering(models.Model):
    """The promise to make the handouts of a fact in one language before anybody asks for them.

    Who takes it moves `due_at` on, for as long as the work may take at most; that exact moment is then the ticket with
    which the promise is taken away. A text published meanwhile writes another moment, and is made after it.
    """

    fact = models.ForeignKey(Fact, models.CASCADE, related_name="+")
    language = models.CharField(max_length=10)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)

    objects: ClassVar[models.Manager[Any]] = RenderingQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="rendering_by_due_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fact", "language"], name="one_rendering_per_fact_and_language"),
        ]

    def __str__(self) -> str:
        return f"{self.fact_id} {self.language}"
