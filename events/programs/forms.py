from collections.abc import Mapping
from datetime import time
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import pgettext, pgettext_lazy

from events.models import Event
from events.programs.models import ProgramItem, Speaker
from portal import guard, languages
from portal.meanwhile import MeanwhileForm
from portal.pictures.forms import PictureField, WithPicture

TimeInput = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
MOST_LINES: Final = 60


class PeopleField(forms.CharField):
    """One person a line: name, title, organization. What it gives is the text; `people` reads it."""

    def __init__(self, **options: Any) -> None:
        rows = options.pop("rows")
        super().__init__(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": rows}), **options)

    def validate(self, value: str) -> None:
        super().validate(value)
        for row in people(value):
            try:
                Speaker(**row).clean_fields()
            except ValidationError as error:
                raise ValidationError(f"“{row['name'][:40]}”: {' '.join(error.messages)}") from error


def people(text: str) -> list[dict[str, str]]:
    found = []
    for line in filter(str.strip, text.splitlines()):
        parts = [part.strip() for part in line.split(",", 2)]
        found.append(dict(zip(("name", "title", "organization"), parts, strict=False)))
    return found


def _without_comma(text: str) -> str:
    """So that `people` finds the same person in what `_typed` has written."""
    if "," in text:
        raise ValidationError(
            pgettext("staff", "Without a comma: in the program it parts name, title and organization.")
        )
    return text


class ProgramItemForm(guard.GuardedForm):
    """One line of the program."""

    open_to_all: ClassVar[tuple[str, ...]] = ("title", "speakers", "moderators", "abstract")

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    day = forms.IntegerField(
        label=pgettext_lazy("staff", "Day of the event"),
        min_value=1,
        max_value=ProgramItem.LAST_DAY,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    starts = forms.TimeField(label=pgettext_lazy("staff", "Starts"), widget=TimeInput, required=False)
    ends = forms.TimeField(label=pgettext_lazy("staff", "Ends"), widget=TimeInput)
    title = forms.CharField(
        label=pgettext_lazy("staff", "Title"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"lang": "sv"}),
    )
    speakers = PeopleField(label=pgettext_lazy("staff", "Speakers"), rows=2)
    is_break = forms.BooleanField(label=pgettext_lazy("staff", "Break"), required=False)
    moderators = PeopleField(label=pgettext_lazy("staff", "Moderators"), rows=1)
    abstract = forms.CharField(
        label=pgettext_lazy("staff", "What it is about"),
        max_length=800,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "lang": "sv"}),
    )

    def __init__(self, *args: Any, is_finished: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_finished = is_finished

    def full_clean(self) -> None:
        if self.is_finished:
            super().full_clean()
        else:  # nothing is wrong yet with what somebody is still writing
            self._errors, self.cleaned_data = ErrorDict(), {}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("title") and not data.get("is_break") and self.has_changed():
            self.add_error("title", pgettext("staff", "Only a break can do without a title."))
        return data

    @property
    def has_more(self) -> bool:
        """Something stands in the fields that are folded away."""
        return any(self[name].value() or self[name].errors for name in ("moderators", "abstract"))

    @property
    def when(self) -> tuple[int, time, time]:
        data = self.cleaned_data
        return data["day"] or 1, data["starts"], data["ends"]

    def row(self) -> dict[str, Any]:
        """As `actions.write` wants it."""
        data = self.cleaned_data
        day, starts, ends = self.when
        return {
            "id": data["id"],
            "day": day,
            "starts": starts,
            "ends": ends,
            "is_break": data["is_break"],
            "titles": {languages.SOURCE: data["title"]},
            "abstracts": {languages.SOURCE: data["abstract"]},
            "speakers": [
                *({**row, "is_moderator": True} for row in people(data["moderators"])),
                *people(data["speakers"]),
            ],
        }


_Lines: Any = forms.formset_factory(ProgramItemForm, can_delete=True, max_num=MOST_LINES, absolute_max=MOST_LINES + 10)


class ProgramFormSet(_Lines):  # type: ignore[misc]
    """All lines of a program, in any order. A line without a start begins when the one before it ends."""

    def __init__(self, *args: Any, event: Event | None = None, **kwargs: Any) -> None:
        self.event = event
        super().__init__(*args, **kwargs)
        self.extra = 3 if self.initial else 8

    @cached_property
    def has_days(self) -> bool:
        """A day has to be said: the event has several, or one of the lines is of another one than the first."""
        if self.event is None:
            return True
        is_long = timezone.localdate(self.event.starts_at) != timezone.localdate(self.event.ends_at)
        return is_long or bool(self.event.program.filter(day__gt=1).exists())

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = pgettext("staff", "Take away")
        if not self.has_days:
            form.fields["day"].widget = forms.HiddenInput()

    def kept(self) -> list[Any]:
        """The lines that somebody has written and not taken away."""
        return [
            form
            for form in self.forms
            if form.is_bound
            and not form.errors
            and form.cleaned_data.get("ends")
            and not self._should_delete_form(form)
        ]

    def clean(self) -> None:
        self._begin_where_the_one_before_ends()
        last: tuple[int, time, time] | None = None
        for when, form in sorted(((form.when, form) for form in self.kept()), key=lambda pair: pair[0]):
            day, starts, ends = when
            if ends <= starts:
                form.add_error("ends", pgettext("staff", "The end has to come after the start."))
                continue
            if last and last[0] == day and starts < last[2]:
                why = pgettext("staff", "It overlaps with the line %(start)s–%(end)s.")
                form.add_error("starts", why % {"start": f"{last[1]:%H:%M}", "end": f"{last[2]:%H:%M}"})
            if last is None or last[0] != day or last[2] < ends:
                last = when

    def _begin_where_the_one_before_ends(self) -> None:
        before: Any = None
        for form in self.kept():
            data = form.cleaned_data
            if data["starts"] is None and before is None and self.event and (data["day"] or 1) == 1:
                data["starts"] = timezone.localtime(self.event.starts_at).time()
            elif data["starts"] is None and before and (before["day"] or 1) == (data["day"] or 1):
                data["starts"] = before["ends"]
            elif data["starts"] is None:
                form.add_error("starts", pgettext("staff", "Say when the first line of a day starts."))
            before = data

    def rows(self) -> list[dict[str, Any]]:
        return [form.row() for form in self.kept()]


def with_more_lines(data: Any) -> Any:
    """What was sent, with room for more lines."""
    more = data.copy()
    total = more.get("program-TOTAL_FORMS", "")
    if total.isdecimal():
        more["program-TOTAL_FORMS"] = str(min(int(total[:3]) + 4, MOST_LINES))
    return more


def program_initial(event: Event) -> list[dict[str, Any]]:
    """What stands in the forms of the program when it is opened."""
    program: Any = event.program.read_in(languages.SOURCE).with_speakers()
    return [
        {
            "id": item.pk,
            "day": item.day,
            "starts": item.starts,
            "ends": item.ends,
            "title": getattr(item, languages.suffixed("title", languages.SOURCE)),
            "abstract": getattr(item, languages.suffixed("abstract", languages.SOURCE)),
            "is_break": item.is_break,
            "speakers": _typed(row for row in item.speaker_rows if not row["is_moderator"]),
            "moderators": _typed(row for row in item.speaker_rows if row["is_moderator"]),
        }
        for item in program
    ]


def _typed(rows: Any) -> str:
    return "\n".join(", ".join((row["name"], row["title"], row["organization"])).rstrip(", ") for row in rows)


class ProgramTextsForm(MeanwhileForm):
    """Title and abstract of each line of one program in one language; the fields are named by the lines' ids."""

    def __init__(self, items: Mapping[int, ProgramItem], language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = languages.get(language)
        attrs = {"lang": known.tag, "dir": known.direction}
        for pk, item in items.items():
            self.fields[f"{pk}-title"] = forms.CharField(
                label=pgettext("staff", "Title"),
                initial=getattr(item, languages.suffixed("title", language)),
                max_length=200,
                required=False,
                validators=[guard.validate],
                widget=forms.TextInput(attrs=attrs),
            )
            self.fields[f"{pk}-abstract"] = forms.CharField(
                label=pgettext("staff", "What it is about"),
                initial=getattr(item, languages.suffixed("abstract", language)),
                max_length=800,
                required=False,
                validators=[guard.validate],
                widget=forms.Textarea(attrs={**attrs, "rows": 3}),
            )
        self.items = items
        for field in self.fields.values():
            field.show_hidden_initial = True

    def changes(self) -> dict[str, str]:
        """As `actions.name_program` wants them."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for pk in self.items:
            if data.get(f"{pk}-abstract") and not data.get(f"{pk}-title"):
                # A line is read in one language: with the Swedish title it would never be seen.
                self.add_error(f"{pk}-title", pgettext("staff", "What it is about shows only with a title."))
        return data

    def lines(self) -> list[tuple[ProgramItem, forms.BoundField, forms.BoundField]]:
        return [(item, self[f"{pk}-title"], self[f"{pk}-abstract"]) for pk, item in self.items.items()]


class PublishForm(guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("note",)

    note = forms.CharField(
        label=pgettext_lazy("staff", "Why it changes"),
        help_text=pgettext_lazy("staff", "For colleagues; readers do not see it."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    is_to_be_told = forms.BooleanField(
        label=pgettext_lazy("staff", "Tell those who have registered by mail"), required=False
    )


class SpeakerForm(MeanwhileForm, guard.GuardedForm, WithPicture):
    DESCRIBED: ClassVar[tuple[str, ...]] = ("name", "title", "organization", "email")
    open_to_all: ClassVar[tuple[str, ...]] = ("name", "title", "organization")

    name = forms.CharField(label=pgettext_lazy("staff", "Name"), max_length=120)
    title = forms.CharField(
        label=pgettext_lazy("staff", "Title or function"),
        help_text=pgettext_lazy("staff", "Without consent to be named readers see this and the organization only."),
        max_length=120,
        required=False,
    )
    organization = forms.CharField(label=pgettext_lazy("staff", "Organization"), max_length=160, required=False)
    email = forms.EmailField(
        label=pgettext_lazy("staff", "E-mail address"),
        help_text=pgettext_lazy(
            "staff", "For reminders, never public. It is forgotten 30 days after their last event here."
        ),
        max_length=254,
        required=False,
    )
    picture = PictureField(
        label=pgettext_lazy("staff", "Photo"),
        help_text=pgettext_lazy(
            "staff",
            "JPEG, PNG or WebP, 10 MB at most. Place, time, device and everything else that is hidden in the file is "
            "removed.",
        ),
    )
    has_agreed = forms.BooleanField(
        label=pgettext_lazy("staff", "This person has agreed that everybody may see the photo"), required=False
    )

    field_order = ("name", "title", "organization", "email", "picture", "has_agreed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() - {*self.DESCRIBED}:
            self.fields[name].show_hidden_initial = False

    def clean_name(self) -> str:
        return _without_comma(self.cleaned_data["name"])

    def clean_title(self) -> str:
        return _without_comma(self.cleaned_data["title"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("picture") and not data.get("has_agreed"):
            self.add_error("has_agreed", pgettext("staff", "Without that no photo can be kept."))
        return data

    def changes(self) -> dict[str, Any]:
        """Without the photo, which is nobody's version of another."""
        return {name: value for name, value in super().changes().items() if name in self.DESCRIBED}
