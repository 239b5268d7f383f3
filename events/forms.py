from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.models import Event, Kind, ProgramItem, Speaker
from portal import guard, languages

LINK_LEAVES: Final = timedelta(hours=1)
"""Before the start: with the last reminder."""

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100

DateTimeInput = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
DateInput = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
TimeInput = forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class RegistrationForm(forms.Form):
    """The public form; `website` is a trap that people never see."""

    name = forms.CharField(
        label=pgettext_lazy("registration", "Name"),
        help_text=pgettext_lazy("registration", "It does not have to be your real name."),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=pgettext_lazy("registration", "E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "dir": "ltr"}),
    )
    question = forms.CharField(
        label=pgettext_lazy("registration", "Do you want to ask something in advance?"),
        help_text=pgettext_lazy(
            "registration", "We keep the question without your name. Leave out names and personal numbers."
        ),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    website = forms.CharField(required=False)

    def clean_name(self) -> str:
        return self._guarded("name")

    def clean_question(self) -> str:
        return self._guarded("question")

    def _guarded(self, field: str) -> str:
        text: str = self.cleaned_data[field]
        guard.validate(text)
        return text

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("website"):
            raise ValidationError(pgettext("registration", "The form could not be sent. Try again."))
        return self.cleaned_data


class EventForm(guard.GuardedForm, forms.ModelForm[Event]):
    # The link to the meeting is left out: the services number their meetings with ten digits.
    open_to_all: ClassVar[tuple[str, ...]] = (
        "slug",
        "place",
        "contact_content",
        "contact_registration",
        "recording_url",
    )

    spoken = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages spoken or interpreted"),
        choices=languages.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Event
        fields = (
            "kind",
            "slug",
            "topic",
            "starts_at",
            "ends_at",
            "place",
            "is_online",
            "join_url",
            "capacity",
            "registration_ends_at",
            "spoken",
            "contact_content",
            "contact_registration",
            "recording_url",
            "recording_until",
        )
        widgets: ClassVar = {
            "starts_at": DateTimeInput,
            "ends_at": DateTimeInput,
            "registration_ends_at": DateTimeInput,
            "recording_until": DateInput,
        }
        help_texts: ClassVar = {
            "slug": pgettext_lazy("staff", "Short: small letters a–z, digits and hyphens."),
            "starts_at": pgettext_lazy("staff", "Swedish time."),
            "join_url": pgettext_lazy("staff", "Only who has registered gets it, in the reminder."),
            "capacity": pgettext_lazy("staff", "Empty: as many as want to. Fewer seats than before throw nobody out."),
            "registration_ends_at": pgettext_lazy("staff", "Empty: nobody registers here, as for a round table."),
            "contact_content": pgettext_lazy("staff", "A function and its address; everybody can read it."),
            "recording_until": pgettext_lazy("staff", "The link is shown until this day, after the event."),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, moment in list(data.items()):
            if isinstance(moment, date) and not FIRST_YEAR <= moment.year <= LAST_YEAR:
                self.add_error(name, pgettext("staff", "The year has to lie between 2000 and 2100."))
        starts, ends, closes = (data.get(name) for name in ("starts_at", "ends_at", "registration_ends_at"))
        if starts and ends and ends <= starts:
            self.add_error("ends_at", pgettext("staff", "The end has to come after the start."))
        if starts and closes and closes > starts:
            self.add_error("registration_ends_at", pgettext("staff", "Close the registration before the event starts."))
        elif starts and closes and data.get("is_online") and closes > starts - LINK_LEAVES:
            self.add_error(
                "registration_ends_at",
                pgettext("staff", "Close it an hour before the start: the last reminder with the link leaves then."),
            )
        if bool(data.get("recording_url")) != bool(data.get("recording_until")):
            self.add_error("recording_until", pgettext("staff", "A recording has a link and a last day."))
        return data


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


class EventFilterForm(forms.Form):
    kind = forms.ChoiceField(
        label=pgettext_lazy("staff", "Kind"),
        choices=[("", pgettext_lazy("staff", "All")), *Kind.choices],
        required=False,
    )
