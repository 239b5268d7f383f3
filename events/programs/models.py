import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Deferrable, Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from events.models import Event
from portal import languages
from portal.composed import Composed, Slot
from portal.pictures.models import Picture
from portal.revisions.rules import Text, reading_columns, translated_fields


class SpeakerQuerySet(models.QuerySet["Speaker"]):
    def of(self, event: Event) -> "SpeakerQuerySet":
        """Who stands in its program, as it is being written or as it was ever published."""
        found = Q(Exists(Appearance.objects.filter(item__event=event, speaker=OuterRef("pk"))))
        return self.filter(found | Q(pk__in=event.program_versions.values("speakers")))

    def with_address(self) -> "SpeakerQuerySet":
        return self.exclude(email="")

    def of_no_program(self) -> "SpeakerQuerySet":
        return self.filter(items__isnull=True, versions__isnull=True)

    def with_needless_address(self, now: datetime) -> "SpeakerQuerySet":
        """Whose last event was long enough ago."""
        since = now - Speaker.KEEP_ADDRESS
        written = Appearance.objects.filter(speaker=OuterRef("pk"), item__event__ends_at__gte=since)
        published = ProgramVersion.objects.filter(speakers=OuterRef("pk"), event__ends_at__gte=since)
        return self.with_address().exclude(Exists(written) | Exists(published))


class Speaker(models.Model):
    """Who speaks or moderates. Readers are told the name only with consent, else the title and the organization."""

    KEEP_ADDRESS: Final = timedelta(days=30)

    name = models.CharField(pgettext_lazy("staff", "name"), max_length=120)
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=120, blank=True)
    organization = models.CharField(pgettext_lazy("staff", "organization"), max_length=160, blank=True)
    email = models.EmailField(pgettext_lazy("staff", "e-mail address"), default="", db_default="", blank=True)
    """For reminders alone; never public."""
    consent_to_be_named_at = models.DateTimeField(null=True, editable=False)
    consent_photo_at = models.DateTimeField(null=True, editable=False)
    photo = models.ForeignKey(Picture, models.SET_NULL, null=True, related_name="+", editable=False)

    objects: ClassVar[models.Manager[Any]] = SpeakerQuerySet.as_manager()

    class Meta:
        db_table = "events_speaker"
        verbose_name = pgettext_lazy("staff", "speaker")
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(photo__isnull=True) | Q(consent_photo_at__isnull=False), name="photo_is_kept_with_consent"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def terms(self) -> tuple[str, str, str]:
        return self.name, self.title, self.organization


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a program for one reader."""

    pk: int
    day: int
    on: date
    starts: str
    """As `ends` on the clock: "08:30"."""
    ends: str
    is_break: bool
    is_timed: bool
    """The whole program lies within the hours of the event. Else one of them has moved without the other, and readers
    are told no times of it rather than wrong ones."""
    text: Text | None
    """Whole, in the reader's language or the next of its chain; None for a break that is called nothing."""
    swedish: Mapping[str, str]
    speakers: tuple[Mapping[str, Any], ...]
    """As in `Snapshot`, and what each is `called`: name, title and organization, as far as readers may be told."""

    @property
    def time(self) -> tuple[int, str, str]:
        return self.day, self.starts, self.ends


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A program as readers may see it; made of what JSON can hold."""

    lines: list[dict[str, Any]]
    """In their order, each with `id`, `day`, `starts`, `ends`, `is_break` and `speakers`, of whom each has `id`, `name`
    (empty without consent), `title`, `organization`, `is_moderator` and `photo` ([width, height] or None)."""
    texts: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Title and abstract by language and by the line's id."""

    @property
    def has_days(self) -> bool:
        """More than the first one."""
        return any(line["day"] > 1 for line in self.lines)

    def read(self, code: str, event: Event) -> list[Line]:
        """For a reader of `code`."""
        first_day = timezone.localdate(event.starts_at)
        days = [first_day + timedelta(days=line["day"] - 1) for line in self.lines]
        clocks = [(time.fromisoformat(line["starts"]), time.fromisoformat(line["ends"])) for line in self.lines]
        is_timed = not any(_is_outside(event, on, *clock) for on, clock in zip(days, clocks, strict=True))
        found = []
        for on, line in zip(days, self.lines, strict=True):
            key = str(line["id"])
            texts = {each: self.texts[each][key] for each in languages.chain(code) if key in self.texts.get(each, {})}
            given = next((each for each, text in texts.items() if text["title"]), None)
            found.append(
                Line(
                    pk=line["id"],
                    day=line["day"],
                    on=on,
                    starts=line["starts"],
                    ends=line["ends"],
                    is_timed=is_timed,
                    is_break=line["is_break"],
                    text=Text(texts[given], languages.get(given), languages.get(code)) if given else None,
                    swedish=texts.get(languages.SOURCE, {"title": "", "abstract": ""}),
                    speakers=tuple(speaker | {"called": _called(speaker)} for speaker in line["speakers"]),
                )
            )
        return found


class ProgramItemQuerySet(models.QuerySet["ProgramItem"]):
    def read_in(self, code: str) -> "ProgramItemQuerySet":
        return self.only(*reading_columns(ProgramItem, languages.chain(code)))

    def with_speakers(self) -> "ProgramItemQuerySet":
        """Adds `speaker_rows`, in the same query."""
        found = Appearance.objects.filter(item=OuterRef("pk")).values(
            row=JSONObject(
                id="speaker_id",
                name="speaker__name",
                title="speaker__title",
                organization="speaker__organization",
                is_moderator="is_moderator",
                is_named=Q(speaker__consent_to_be_named_at__isnull=False),
                photo_width="speaker__photo__width",
                photo_height="speaker__photo__height",
            )
        )
        return self.annotate(speaker_rows=ArraySubquery(found))

    def snapshot(self) -> Snapshot:
        names = translated_fields(ProgramItem)
        lines: list[dict[str, Any]] = []
        texts: dict[str, dict[str, dict[str, str]]] = {}
        for item in self.with_speakers():
            lines.append(
                {
                    "id": item.pk,
                    "day": item.day,
                    "starts": f"{item.starts:%H:%M}",
                    "ends": f"{item.ends:%H:%M}",
                    "is_break": item.is_break,
                    "speakers": [_shown(row) for row in item.speaker_rows],  # type: ignore[attr-defined]
                }
            )
            for code in languages.CATALOG:
                text = {name: getattr(item, languages.suffixed(name, code)) or "" for name in names}
                if any(text.values()):
                    texts.setdefault(code, {})[str(item.pk)] = text
        return Snapshot(lines, texts)

    def version(self) -> str:
        """Of what one form holds: what somebody had before their eyes who changes it."""
        columns = [languages.suffixed(name, languages.SOURCE) for name in translated_fields(ProgramItem)]
        rows = self.with_speakers().values_list("pk", "day", "starts", "ends", "is_break", *columns, "speaker_rows")
        return hashlib.sha256(repr(list(rows)).encode()).hexdigest()[:32]


def _called(speaker: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (speaker["name"], speaker["title"], speaker["organization"])))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A speaker as readers may be told of them."""
    return {
        "id": row["id"],
        "name": row["name"] if row["is_named"] else "",
        "title": row["title"],
        "organization": row["organization"],
        "is_moderator": row["is_moderator"],
        "photo": [row["photo_width"], row["photo_height"]] if row["is_named"] and row["photo_width"] else None,
    }


class ProgramItem(models.Model):
    """One line of the program as it is being written. Its texts are plain translated text, without drafts.

    Times are those on the clock, of a day of the event: when that moves to another day, its program stays right.
    """

    LAST_DAY: Final = 30

    event = models.ForeignKey(Event, models.CASCADE, related_name="program")
    day = models.PositiveSmallIntegerField(pgettext_lazy("staff", "day of the event"), default=1)
    starts = models.TimeField(pgettext_lazy("staff", "starts"))
    ends = models.TimeField(pgettext_lazy("staff", "ends"))
    title = models.CharField(pgettext_lazy("staff", "title"), max_length=200, default="", blank=True)
    abstract = models.TextField(
        pgettext_lazy("staff", "what it is about"), max_length=800, default="", db_default="", blank=True
    )
    is_break = models.BooleanField(pgettext_lazy("staff", "break"), default=False)
    speakers = models.ManyToManyField(
        Speaker,
        through="Appearance",
        related_name="items",
        blank=True,
        verbose_name=pgettext_lazy("staff", "speakers"),
    )

    objects: ClassVar[models.Manager[Any]] = ProgramItemQuerySet.as_manager()

    class Meta:
        db_table = "events_programitem"
        ordering: ClassVar = ["day", "starts", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="program_line_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(day__range=(1, 30)), name="program_line_is_of_one_of_thirty_days"),
            ExclusionConstraint(
                name="program_lines_of_a_day_do_not_overlap",
                expressions=[
                    ("event", RangeOperators.EQUAL),
                    ("day", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts"),
                            F("ends"),
                            arg_joiner=", DATE '2000-01-01' + ",
                            template="tsrange(DATE '2000-01-01' + %(expressions)s)",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                # Looked at when a statement ends: two lines may change places in one.
                deferrable=Deferrable.IMMEDIATE,
            ),
        ]

    def __str__(self) -> str:
        title = getattr(self, languages.suffixed("title", languages.SOURCE)) or ""
        return f"{self.day}, {self.starts:%H:%M}–{self.ends:%H:%M} {title}".strip()

    @property
    def on(self) -> date:
        return timezone.localdate(self.event.starts_at) + timedelta(days=self.day - 1)

    @property
    def is_outside(self) -> bool:
        """Of the hours of the event, which may have moved, or is about to."""
        return _is_outside(self.event, self.on, self.starts, self.ends)


def _is_outside(event: Event, on: date, *clocks: time) -> bool:
    starts, ends = (datetime.combine(on, clock, tzinfo=timezone.get_default_timezone()) for clock in clocks)
    return starts < event.starts_at or ends > event.ends_at


class Appearance(models.Model):
    """That somebody speaks, or moderates, in one line of the program."""

    item = models.ForeignKey(ProgramItem, models.CASCADE, related_name="appearances", db_column="programitem_id")
    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="appearances")
    is_moderator = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "events_programitem_speakers"
        ordering: ClassVar = ["pk"]
        unique_together: ClassVar = [("item", "speaker")]

    def __str__(self) -> str:
        return f"{self.item_id} {self.speaker_id}"


class ProgramVersionQuerySet(models.QuerySet["ProgramVersion"]):
    def read_in(self, code: str) -> "ProgramVersionQuerySet":
        """Without the languages that a reader of `code` does not need."""
        wanted = {candidate: f"texts__{candidate}" for candidate in languages.chain(code)}
        return self.defer("texts").annotate(read_texts=JSONObject(**wanted))

    def newest(self) -> "ProgramVersion | None":
        return self.order_by("-number").first()

    def read_newest(self, event: Event, code: str) -> "ProgramVersion | None":
        """The newest of an event without the languages that a reader of `code` does not need, by a composed query."""
        for version in _newest(code).ask(event=event.pk):
            version.event = event
            return version
        return None

    def to_be_told(self) -> "ProgramVersionQuerySet":
        return self.filter(is_to_be_told=True, told_at=None)


class ProgramVersion(models.Model):
    """The program as it was published: what readers see is the newest one.

    It never changes, but that who takes their consent back is taken out of it.
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="program_versions")
    number = models.PositiveSmallIntegerField(editable=False)
    published_at = models.DateTimeField(default=timezone.now, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, editable=False
    )
    """Null for what stood there before programs had versions."""
    note = models.CharField(pgettext_lazy("staff", "why it changes"), max_length=300, blank=True)
    lines = models.JSONField(editable=False)
    texts = models.JSONField(editable=False)
    """Both as in `Snapshot`."""
    speakers = models.ManyToManyField(Speaker, related_name="versions", editable=False)
    is_to_be_told = models.BooleanField(default=False)
    """To who has registered."""
    told_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager[Any]] = ProgramVersionQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("staff", "program")
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "number"], name="program_versions_of_an_event_are_numbered"),
            models.CheckConstraint(
                condition=Q(told_at__isnull=True) | Q(is_to_be_told=True), name="program_is_told_if_it_is_to_be_told"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.number}"

    @property
    def snapshot(self) -> Snapshot:
        """In all languages, or in those that `read_in` has asked for."""
        read: dict[str, Any] | None = getattr(self, "read_texts", None)
        texts = self.texts if read is None else {code: found for code, found in read.items() if found}
        return Snapshot(self.lines, texts)

    def read(self, code: str) -> list[Line]:
        return self.snapshot.read(code, self.event)


@cache
def _newest(code: str) -> Composed[ProgramVersion]:
    of_event = ProgramVersion.objects.filter(event_id=Value(Slot("event")))
    return Composed(of_event.read_in(code).order_by("-number")[:1])
