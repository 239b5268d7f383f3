from collections.abc import Collection
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Final

from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from pgvector.django import HalfVectorField, HnswIndex

from portal import languages

DIMENSIONS: Final = 384
"""Of every vector, as multilingual-e5-small makes them."""
FOLDED_CHARACTERS: Final = 300
"""How much of a text is compared while somebody types."""


class DocumentQuerySet(models.QuerySet["Document"]):
    def due(self, model: str, now: datetime) -> "DocumentQuerySet":
        """What the model has not embedded as it stands, and no worker has in hand."""
        free = Q(embed_after__isnull=True) | Q(embed_after__lte=now)
        return self.filter(free, by_meaning=True).exclude(embedded_with=model).order_by("pk")

    def waiting(self, *, kind: str, model: str | None, among: Collection[int]) -> set[int]:
        """Which of these things have a text that the model has still to embed; none when there is no model."""
        if model is None:
            return set()
        texts = self.filter(kind=kind, object_id__in=among, by_meaning=True).exclude(embedded_with=model)
        return set(texts.values_list("object_id", flat=True))

    def wordings(self, keys: Collection[tuple[str, int, str, str]]) -> dict[tuple[str, int, str, str], str]:
        """The texts of these kinds, numbers, parts and languages."""
        names = ("kind", "object_id", "part", "language")
        wanted = reduce(or_, (Q(**dict(zip(names, key, strict=True))) for key in keys), Q(pk__in=[]))
        return {tuple(row[:4]): row[4] for row in self.filter(wanted).values_list(*names, "text")}


class Document(models.Model):
    """One wording of one thing in one language: the claim of a rumor, what was heard, the title of a fact."""

    kind = models.CharField(max_length=10)
    """What it belongs to, in a word: rumor or fact."""
    object_id = models.BigIntegerField()
    part = models.CharField(max_length=40)
    """Which of its texts: claim, original, sighting:12, title ..."""
    language = models.CharField(max_length=10, blank=True)
    """Empty when nobody knows."""
    text = models.TextField()
    folded = models.CharField(max_length=FOLDED_CHARACTERS)
    is_secret = models.BooleanField(default=False)
    seen_on = models.DateField(null=True)
    """When it was last seen or heard; None for what is not seen, as a fact."""
    hash = models.CharField(max_length=64)
    """Of the text, in hexadecimal."""
    by_words = models.BooleanField(default=True)
    by_meaning = models.BooleanField(default=True)
    words = SearchVectorField()
    """In the configuration of the language, or of the folded text; empty when it is not found by words."""
    length = models.PositiveIntegerField()
    """How many words there are in `words`, each as often as it stands there."""
    vector = HalfVectorField(dimensions=DIMENSIONS, null=True)
    """Centered by the mean of its language, of length 1."""
    embedded_with = models.CharField(max_length=80, blank=True)
    """The model that made the vector, or that may not see the text: the promise is kept when it is today's."""
    embed_after = models.DateTimeField(null=True)
    """A worker that takes the document moves this ahead: the exact moment is its ticket."""

    objects: ClassVar[models.Manager[Any]] = DocumentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "object_id", "part", "language"], name="one_document_per_part_and_language"
            ),
            models.CheckConstraint(
                condition=Q(vector__isnull=True) | ~Q(embedded_with=""), name="vector_says_which_model_made_it"
            ),
            models.CheckConstraint(
                condition=Q(by_words=True) | Q(by_meaning=True), name="document_is_found_by_words_or_by_meaning"
            ),
        ]
        indexes: ClassVar = [
            GinIndex(fields=["language", "words"], name="document_by_word", fastupdate=False),
            HnswIndex(
                fields=["vector"],
                name="document_by_meaning",
                m=16,
                ef_construction=64,
                opclasses=["halfvec_cosine_ops"],
            ),
            GistIndex(OpClass(F("folded"), name="gist_trgm_ops(siglen=64)"), name="document_by_trigram"),
            models.Index(fields=["embedded_with"], name="document_by_model"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} {self.part} {self.language}"


class Tally(models.Model):
    """In how many documents of a language a word stands: the sum over its rows.

    A trigger on Document writes a row for each change and locks none, so that writers never wait for each other;
    the clock adds them up. The row of the empty word counts the documents and their lengths.
    """

    language = models.CharField(max_length=10, blank=True)
    word = models.TextField(blank=True)
    documents = models.BigIntegerField()
    length = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["language", "word"], name="tally_by_word")]

    def __str__(self) -> str:
        return f"{self.language} {self.word} {self.documents}"


class Center(models.Model):
    """The mean of the calibration sentences of a language, as a model embeds them."""

    model = models.CharField(max_length=80)
    language = models.CharField(max_length=10)
    vector = HalfVectorField(dimensions=DIMENSIONS)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "language"], name="one_center_per_model_and_language")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.language}"


def config_of(language: str) -> str:
    """The text search configuration of PostgreSQL for texts in a language; `simple` reads folded text."""
    return languages.get(language).search_config if language in languages.CATALOG else "simple"
