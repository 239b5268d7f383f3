from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard, languages, spoken
from portal.facts.models import Topic
from portal.guard import Ground
from rumors.forms import CHANNELS, SPOKEN, RumorForm, SeenForm
from rumors.imports import cells, encoding, words
from rumors.imports.models import Batch, Line
from rumors.imports.words import CHOICES, FIXABLE, FOLDED, LABELS
from rumors.models import named

ACCEPT: Final = ".csv,.txt,.tsv,.xlsx,.ods"
_SHOWN: Final = 40


class UploadForm(forms.Form):
    file = forms.FileField(
        label=pgettext_lazy("staff", "Your list"),
        help_text=pgettext_lazy(
            "staff",
            "CSV, Excel (.xlsx) or OpenDocument (.ods). At most 2,000 rows and 5 MB. The first row names the columns.",
        ),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        error_messages={
            "empty": pgettext_lazy("staff", "The file is empty. Choose it again."),
            "invalid": pgettext_lazy("staff", "No file has arrived. Choose it again."),
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > cells.MOST_BYTES:
            raise encoding.too_large()
        return file


@dataclass(frozen=True, slots=True)
class Field:
    """One of our fields: which column it is in, and what holds where the column has nothing."""

    name: str
    label: str
    column: forms.BoundField
    fixed: forms.BoundField | None

    @property
    def has_errors(self) -> bool:
        return bool(self.column.errors or (self.fixed and self.fixed.errors))


class MappingForm(forms.Form):
    """Our fields, and for each the column of the list that has it, and what holds for rows that say nothing."""

    NEEDED: ClassVar[tuple[str, ...]] = ("seen_on", "channel")

    def __init__(self, batch: Batch, data: Any = None, *, first: list[Line] | None = None) -> None:
        """`first` are the first rows, whose cells help to know the columns."""
        initial = {f"column_{name}": str(place) for name, place in batch.columns.items()}
        super().__init__(data, initial=initial | {f"fixed_{name}": value for name, value in batch.fixed.items()})
        self._header = batch.header
        choices = [("", "–"), *((str(place), _column(batch.header, place, first or [])) for place in _places(batch))]
        for name, label in LABELS.items():
            self.fields[f"column_{name}"] = forms.ChoiceField(
                label=str(label), choices=choices, required=False, error_messages={"invalid_choice": _NO_COLUMN}
            )
            if name in FIXABLE:
                self.fields[f"fixed_{name}"] = _fixed(name, str(label))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        taken: dict[str, str] = {}
        for name, label in LABELS.items():
            place = data.get(f"column_{name}")
            if place and place in taken:
                self.add_error(
                    f"column_{name}",
                    pgettext("staff", "This column is already taken for: %(field)s.") % {"field": taken[place]},
                )
            elif place:
                taken[place] = str(label)
        if not (data.get("column_claim") or data.get("column_rumor")):
            self.add_error(
                "column_claim", pgettext("staff", "Say which column has the claim, or the number of the rumor.")
            )
        for name in self.NEEDED:
            if not (data.get(f"column_{name}") or data.get(f"fixed_{name}") or self.errors.keys() & _both(name)):
                self.add_error(f"column_{name}", pgettext("staff", "Choose a column, or what holds for all rows."))
        return data

    @property
    def columns(self) -> dict[str, int]:
        found = {name: self.cleaned_data[f"column_{name}"] for name in LABELS}
        return {name: int(place) for name, place in found.items() if place}

    @property
    def fixed(self) -> dict[str, str]:
        found = {name: self.cleaned_data[f"fixed_{name}"] for name in FIXABLE}
        return {name: str(getattr(value, "key", value)) for name, value in found.items() if value}

    def shown(self) -> list[Field]:
        return [self._field(name) for name in LABELS if name not in FOLDED]

    def folded(self) -> list[Field]:
        return [self._field(name) for name in FOLDED]

    def opens(self) -> bool:
        """Whether what is folded away holds something to look at."""
        return any(field.has_errors or field.column.value() or _value(field.fixed) for field in self.folded())

    def _field(self, name: str) -> Field:
        fixed = self[f"fixed_{name}"] if name in FIXABLE else None
        return Field(name, str(LABELS[name]), self[f"column_{name}"], fixed)


_NO_COLUMN: Final = pgettext_lazy("staff", "The list has no such column. Choose again.")


def _both(name: str) -> set[str]:
    return {f"column_{name}", f"fixed_{name}"}


def _value(bound: forms.BoundField | None) -> Any:
    return bound.value() if bound else None


def _places(batch: Batch) -> range:
    return range(len(batch.header))


def _column(header: list[str], place: int, first: list[Line]) -> str:
    """Its title, and the first thing that stands in it."""
    title = header[place] or pgettext("staff", "Column %(number)d") % {"number": place + 1}
    example = next((line.cells[place] for line in first if line.cells[place]), "")
    title = Truncator(title).chars(_SHOWN)
    return f"{title} ({Truncator(' '.join(example.split())).chars(_SHOWN)})" if example else title


def _fixed(name: str, label: str) -> forms.Field:
    label = pgettext("staff", "%(field)s, where the list says nothing") % {"field": label}
    if name == "seen_on":
        day = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        return forms.DateField(label=label, required=False, widget=day)
    if name == "area":
        areas = forms.TextInput(attrs={"list": "areas", "autocomplete": "off"})
        return District(label=label, max_length=60, required=False, widget=areas)
    if name == "topic":
        return forms.ModelChoiceField(
            label=label, queryset=Topic.objects.all(), to_field_name="key", required=False, empty_label="–"
        )
    if name == "original_language":
        return forms.ChoiceField(label=label, choices=[("", "–"), *SPOKEN], required=False)
    choices = CHANNELS if name == "channel" else [("", "–"), *CHOICES[name].choices]
    return forms.ChoiceField(label=label, choices=choices, required=False)


class District(forms.CharField):
    """Never an address, and no number of any kind."""

    def validate(self, value: str) -> None:
        super().validate(value)
        guard.validate(value)
        if guard.find(value):
            raise ValidationError(pgettext("staff", "Name the district, never an address."))


class CarryOutForm(forms.Form):
    """What has to be said before a list is imported: why what the guard found may stand, that faulty rows stay out."""

    def __init__(self, *args: Any, has_warnings: bool, has_refused: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not has_warnings:
            del self.fields["ground"], self.fields["ground_words"]
        if not has_refused:
            del self.fields["skips_refused"]

    ground = forms.ChoiceField(
        label=pgettext_lazy("staff", "Why may it stand there?"), choices=[("", "–"), *Ground.choices]
    )
    ground_words = forms.CharField(
        label=pgettext_lazy("staff", "In your own words"),
        help_text=pgettext_lazy("staff", "Kept in the audit log, without the number or address itself."),
        max_length=guard.EXCUSE_LENGTH,
        required=False,
    )
    skips_refused = forms.BooleanField(
        label=pgettext_lazy("staff", "Leave out the rows that cannot be imported"),
        error_messages={
            "required": pgettext_lazy("staff", "Tick this, or mend the rows in the file and send it again.")
        },
    )

    def clean_ground_words(self) -> str:
        said: str = self.cleaned_data["ground_words"]
        guard.validate(said)
        if guard.find(said):
            raise ValidationError(
                pgettext("staff", "Say it in at most %(most)d characters, without numbers and addresses.")
                % {"most": guard.EXCUSE_LENGTH}
            )
        return said


# Rows ------------------------------------------------------------------------------------------------------------


class RowForm(RumorForm, SeenForm):
    """One row, by the very rules of the forms with which a rumor and a sighting are logged by hand."""

    guarded: ClassVar[tuple[str, ...]] = ("claim", "original", *SeenForm.guarded)
    field_order = ("picture",)

    picture = None  # type: ignore[assignment]
    form_id = None  # type: ignore[assignment]

    rumor = forms.CharField(max_length=20, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, topics: Mapping[str, int]) -> None:
        # The reason is asked once for all rows, on the page of the list.
        super().__init__({**(data or {}), self.REASON: Ground.NO_CLIENT})
        del self.fields["topic"]
        self._topics = topics
        for name, field in self.fields.items():
            if name in LABELS:
                field.label = LABELS[name]
            if isinstance(field, forms.ChoiceField):
                field.error_messages["invalid_choice"] = _UNKNOWN
        for name in ("claim", "seen_on", "channel"):
            self.fields[name].error_messages["required"] = _MISSING
        self.fields["seen_on"].error_messages["invalid"] = _NO_DAY
        self.fields["claim"].required = not self.data.get("rumor")

    def take(self, data: Mapping[str, str]) -> bool:
        """The next row, and whether it is good: making a form costs more than reading a row with it."""
        self.data = {**data, self.REASON: Ground.NO_CLIENT}
        self.fields["claim"].required = not data.get("rumor")
        self.full_clean()
        return not self.errors

    def clean_rumor(self) -> str:
        text: str = self.cleaned_data["rumor"]
        if text and named(text) is None:
            raise ValidationError(pgettext("staff", "This is no number of a rumor, like R-2026-0042."))
        return text

    def clean_is_threat(self) -> bool:
        said = str(self.data.get("is_threat") or "")
        if said not in {"", "on"}:
            raise ValidationError(_UNKNOWN % {"value": Truncator(said).chars(_SHOWN)})
        return said == "on"

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        said = str(self.data.get("topic") or "")
        data["topic"] = self._topics.get(words.key(said)) if said else None
        if said and data["topic"] is None:
            self.add_error(None, f"{LABELS['topic']}: {_UNKNOWN % {'value': Truncator(said).chars(_SHOWN)}}")
        return data

    def faults(self) -> Iterator[str]:
        for name, errors in self.errors.items():
            label = f"{self.fields[name].label}: " if name in self.fields else ""
            for error in errors:
                yield f"{label[:1].upper()}{label[1:]}{error}"


_UNKNOWN: Final = pgettext_lazy("staff", "It is none of the words known here: “%(value)s”.")
_NO_DAY: Final = pgettext_lazy("staff", "This is no day that can be understood. Write it like 2026-11-03.")
_MISSING: Final = pgettext_lazy("staff", "It is missing.")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was understood, or why it was not."""

    line: Line
    values: dict[str, Any]
    faults: list[str]
    kinds: list[str]
    guess: str | None = None
    """Of a row with words in a language that it does not name: which one they tell; empty when they do not."""


class Reader:
    """Reads rows, once it was said which column is which."""

    def __init__(self, columns: Mapping[str, int], fixed: Mapping[str, str]) -> None:
        self._columns, self._fixed = columns, fixed
        self._form = RowForm(topics=_topics())

    def read(self, line: Line) -> Row:
        if hidden := [name for name, place in self._columns.items() if place in line.masked]:
            return Row(line, {}, [f"{LABELS[name]}: {_personal_number()}" for name in hidden], [])
        with guard.listening():
            is_good = self._form.take(self._said(line))
            excuse = guard.excuse()
        if not is_good:
            return Row(line, {}, list(self._form.faults()), [])
        values = {name: value for name, value in self._form.cleaned_data.items() if name in LABELS}
        return Row(line, values, [], list(excuse.kinds) if excuse else [], self._guess(line, values["original"]))

    def _guess(self, line: Line, original: str) -> str | None:
        place = self._columns.get("original_language")
        is_told = place is not None and bool(line.cells[place].strip())
        return spoken.guess(original) if original and not is_told else None

    def _said(self, line: Line) -> dict[str, str]:
        said = dict(self._fixed)
        for name, place in self._columns.items():
            if text := line.cells[place]:
                said[name] = words.understood(name, text)[:_LONGEST]
        return {**_USUAL, **said}


def _topics() -> dict[str, int]:
    """By their key, and by their names in the languages of the staff pages."""
    names = [languages.suffixed("name", code) for code in languages.STAFF]
    found = Topic.objects.values_list("pk", "key", *names)
    return {words.key(str(word)): pk for pk, *known in found for word in known if word}


_LONGEST: Final = 4_100
"""A little more than any field takes, so that the field says so."""
_USUAL: Final = {
    name: str(RowForm.base_fields[name].initial)
    for name in ("heard_how", "original_language", "claim_type", "priority", "sensitivity", "precision")
}


def _personal_number() -> str:
    return pgettext(
        "staff",
        "It held a personal identity number or a coordination number. Take it out: it was not kept here, either.",
    )
