from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.models import Event
from events.programs.models import ProgramItem, Speaker
from portal import guard, languages

TimeInput = forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class ProgramItemForm(guard.GuardedForm):
    """One line of the program: times on the clock, so that it stays right when the event moves to another day."""

    open_to_all: ClassVar[tuple[str, ...]] = ("title", "speakers")

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    starts = forms.TimeField(label=pgettext_lazy("staff", "Starts"), widget=TimeInput)
    ends = forms.TimeField(label=pgettext_lazy("staff", "Ends"), widget=TimeInput)
    day = forms.IntegerField(
        label=pgettext_lazy("staff", "Day of the event"),
        help_text=pgettext_lazy("staff", "Only for an event of several days: 1, 2 and so on."),
        min_value=1,
        max_value=30,
        required=False,
    )
    title = forms.CharField(
        label=pgettext_lazy("staff", "Title in Swedish"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"lang": "sv"}),
    )
    is_break = forms.BooleanField(label=pgettext_lazy("staff", "Break"), required=False)
    speakers = forms.CharField(
        label=pgettext_lazy("staff", "Speakers"),
        help_text=pgettext_lazy("staff", "One on each line: name, title, organization."),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_speakers(self) -> list[dict[str, str]]:
        found = []
        for line in filter(str.strip, self.cleaned_data["speakers"].splitlines()):
            parts = [part.strip() for part in line.split(",", 2)]
            speaker = dict(zip(("name", "title", "organization"), parts, strict=False))
            try:
                Speaker(**speaker).clean_fields()
            except ValidationError as error:
                raise ValidationError(f"“{line[:40]}”: {' '.join(error.messages)}") from error
            found.append(speaker)
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        starts, ends = data.get("starts"), data.get("ends")
        if starts and ends and ends <= starts:
            self.add_error("ends", pgettext("staff", "The end has to come after the start."))
        if not data.get("title") and not data.get("is_break") and self.has_changed():
            self.add_error("title", pgettext("staff", "Only a break can do without a title."))
        return data

    def row(self, first_day: datetime) -> dict[str, Any]:
        """As `actions.edit` wants it; `first_day` is the start of the event."""
        data = self.cleaned_data
        day = timezone.localdate(first_day) + timedelta(days=(data["day"] or 1) - 1)

        def at(clock: time) -> datetime:
            return datetime.combine(day, clock, tzinfo=timezone.get_default_timezone())

        return {
            "id": data["id"],
            "starts_at": at(data["starts"]),
            "ends_at": at(data["ends"]),
            "is_break": data["is_break"],
            "titles": {languages.SOURCE: data["title"]},
            "speakers": data["speakers"],
        }


ProgramFormSet = forms.formset_factory(ProgramItemForm, extra=3, can_delete=True, max_num=60, absolute_max=70)


def _speakers(item: Any) -> list[dict[str, str]]:
    """As `with_speakers` annotated them."""
    rows: list[dict[str, str]] = item.speaker_rows
    return rows


def program_initial(event: Event) -> list[dict[str, Any]]:
    """What stands in the forms of the program when it is opened."""
    first_day = timezone.localdate(event.starts_at)
    rows = []
    program: Any = event.program.read_in(languages.SOURCE).with_speakers()
    for item in program:
        starts = timezone.localtime(item.starts_at)
        lines = [", ".join((s["name"], s["title"], s["organization"])).rstrip(", ") for s in _speakers(item)]
        rows.append(
            {
                "id": item.pk,
                "starts": starts.time(),
                "ends": timezone.localtime(item.ends_at).time(),
                "day": (starts.date() - first_day).days + 1,
                "title": getattr(item, languages.suffixed("title", languages.SOURCE)),
                "is_break": item.is_break,
                "speakers": "\n".join(lines),
            }
        )
    return rows


class ProgramTitlesForm(forms.Form):
    """The titles of one program in one language; the fields are named by the items' ids."""

    def __init__(self, items: Mapping[int, ProgramItem], language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = languages.get(language)
        for pk, item in items.items():
            self.fields[str(pk)] = forms.CharField(
                label=getattr(item, languages.suffixed("title", languages.SOURCE)) or pgettext("staff", "Break"),
                initial=getattr(item, languages.suffixed("title", language)),
                max_length=200,
                required=False,
                validators=[guard.validate],
                widget=forms.TextInput(attrs={"lang": known.tag, "dir": known.direction}),
            )

    def titles(self) -> dict[int, str]:
        return {int(name): title for name, title in self.cleaned_data.items()}
