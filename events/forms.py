from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import pgettext, pgettext_lazy

from events.models import Access, Event, Group, Kind, RiskAssessment
from portal import guard, languages
from portal.accounts.models import Role, User
from portal.filters import FilterForm
from portal.meanwhile import MeanwhileForm

LINK_LEAVES: Final = timedelta(hours=1)
"""Before the start: with the last reminder."""

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100

DateTimeInput = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
DateInput = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class _Colleagues(forms.ModelMultipleChoiceField[User]):
    def label_from_instance(self, obj: User) -> str:
        return obj.name


class EventForm(guard.GuardedForm, forms.ModelForm[Event]):
    # The link to the meeting is left out: the services number their meetings with ten digits.
    open_to_all: ClassVar[tuple[str, ...]] = (
        "slug",
        "theme",
        "place",
        "access_note",
        "contact_content",
        "contact_registration",
    )

    groups = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "For whom"),
        choices=Group.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    access = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "The place has"),
        choices=Access.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    spoken = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages spoken"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    interpreted = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages interpreted"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    team = _Colleagues(
        label=pgettext_lazy("staff", "Colleagues who hold it"),
        help_text=pgettext_lazy("staff", "They get the reminders for staff."),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Event
        fields = (
            "kind",
            "slug",
            "topic",
            "series",
            "theme",
            "groups",
            "starts_at",
            "ends_at",
            "is_online",
            "join_url",
            "join_minutes",
            "place",
            "access",
            "access_note",
            "is_place_public",
            "are_speakers_public",
            "capacity",
            "largest_party",
            "registration_ends_at",
            "answers_due_at",
            "spoken",
            "interpreted",
            "contact_content",
            "contact_registration",
            "team",
        )
        widgets: ClassVar = {
            "starts_at": DateTimeInput,
            "ends_at": DateTimeInput,
            "registration_ends_at": DateTimeInput,
            "answers_due_at": DateTimeInput,
        }
        help_texts: ClassVar = {
            "slug": pgettext_lazy("staff", "Short: small letters a–z, digits and hyphens."),
            "starts_at": pgettext_lazy("staff", "Swedish time."),
            "join_url": pgettext_lazy(
                "staff", "Only who has a seat gets it. A new link is sent to who had the old one."
            ),
            "is_place_public": pgettext_lazy(
                "staff", "Needs a risk assessment. Otherwise only who has a seat is told."
            ),
            "are_speakers_public": pgettext_lazy("staff", "Needs a risk assessment."),
            "capacity": pgettext_lazy("staff", "Empty: as many as want to. Fewer seats than before throw nobody out."),
            "registration_ends_at": pgettext_lazy("staff", "Empty: nobody registers here, as for a round table."),
            "contact_content": pgettext_lazy("staff", "A function and its address; everybody can read it."),
        }

    PARTS: ClassVar = (
        (
            pgettext_lazy("staff", "What and for whom"),
            ("kind", "title", "summary", "slug", "topic", "groups", "series", "theme"),
        ),
        (
            pgettext_lazy("staff", "When and where"),
            (
                "starts_at",
                "ends_at",
                "is_online",
                "join_url",
                "join_minutes",
                "place",
                "access",
                "access_note",
                "is_place_public",
            ),
        ),
        (
            pgettext_lazy("staff", "Seats"),
            ("registration_ends_at", "capacity", "largest_party", "answers_due_at"),
        ),
        (pgettext_lazy("staff", "Languages"), ("spoken", "interpreted")),
        (
            pgettext_lazy("staff", "Who holds it"),
            ("are_speakers_public", "contact_content", "contact_registration", "team"),
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelMultipleChoiceField)
        chosen = self.instance.team.all() if self.instance.pk else User.objects.none()
        team.queryset = User.objects.to_choose(Role.EVENTS, besides=chosen)
        for name in ("spoken", "interpreted"):
            languages_of = self.fields[name]
            assert isinstance(languages_of, forms.MultipleChoiceField)
            # A language that the portal has left out since is still spoken there.
            codes = {each.code for each in languages.ACTIVE}.union(getattr(self.instance, name))
            languages_of.choices = [choice for choice in languages.CHOICES if choice[0] in codes]
        for name in ("join_minutes", "largest_party"):
            self.fields[name].required = False

    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        found = [(str(label), [self[name] for name in names if name in self.fields]) for label, names in self.PARTS]
        known = {name for _label, names in self.PARTS for name in names}
        # What the guard asks for stands where it is needed: at the end.
        found.append(("", [self[name] for name in self.fields if name not in known]))
        return [part for part in found if part[1]]

    def clean_join_minutes(self) -> int:
        given = self.cleaned_data.get("join_minutes")
        return 60 if given is None else given

    def clean_largest_party(self) -> int:
        return self.cleaned_data.get("largest_party") or 1

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
        answers = data.get("answers_due_at")
        if starts and answers and answers > starts:
            self.add_error("answers_due_at", pgettext("staff", "Answers have to come before the event starts."))
        return data


class EditEventForm(MeanwhileForm, EventForm):
    """Colleagues may be changing other things of the same event."""


class NewEventForm(EventForm):
    """With the Swedish title and what it is about, from which the first draft of its text is made."""

    title = forms.CharField(
        label=pgettext_lazy("staff", "Title in Swedish"), max_length=160, widget=forms.TextInput(attrs={"lang": "sv"})
    )
    summary = forms.CharField(
        label=pgettext_lazy("staff", "What it is, in two sentences"),
        help_text=pgettext_lazy("staff", "In Swedish. More text, and other languages, come after."),
        max_length=600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "lang": "sv"}),
    )
    open_to_all: ClassVar[tuple[str, ...]] = (
        *(name for name in EventForm.open_to_all if name != "recording_url"),
        "title",
        "summary",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        self.fields["slug"].help_text = pgettext("staff", "Empty: made from the title.")

    def clean_slug(self) -> str:
        """The address, or one made from the title that nobody has."""
        given: str = self.cleaned_data["slug"]
        if given:
            return given
        base = slugify(str(self.data.get("title", "")))[:50].strip("-") or "event"
        taken = set(Event.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
        return base if base not in taken else next(slug for slug in numbered if slug not in taken)

    def text(self) -> dict[str, str]:
        """The first draft, by field."""
        return {"title": self.cleaned_data["title"], "summary": self.cleaned_data["summary"], "body": ""}

    def values(self) -> dict[str, Any]:
        """As `actions.create` wants them."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.Meta.fields}


class CopyForm(forms.Form):
    starts_at = forms.DateTimeField(
        label=pgettext_lazy("staff", "The new one starts"),
        help_text=pgettext_lazy("staff", "Swedish time."),
        widget=DateTimeInput,
    )

    def clean_starts_at(self) -> datetime:
        starts: datetime = self.cleaned_data["starts_at"]
        if starts <= timezone.now():
            raise forms.ValidationError(pgettext("staff", "The new one has to lie ahead."))
        if starts.year > LAST_YEAR:
            raise forms.ValidationError(pgettext("staff", "The year has to lie between 2000 and 2100."))
        return starts


class ReasonForm(guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why"),
        help_text=pgettext_lazy("staff", "For colleagues, in the log."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RiskForm(guard.GuardedForm, forms.ModelForm[RiskAssessment]):
    guarded: ClassVar[tuple[str, ...]] = ("risks", "measures", "responsible")

    class Meta:
        model = RiskAssessment
        fields = ("risks", "measures", "responsible")
        help_texts: ClassVar = {
            "risks": pgettext_lazy(
                "staff", "Think of those who come, those who speak and those who work there. Name nobody."
            ),
            "measures": pgettext_lazy("staff", "For example: guards, a second exit, who is called, what is not told."),
            "responsible": pgettext_lazy("staff", "A function, not a name."),
        }
        widgets: ClassVar = {"risks": forms.Textarea(attrs={"rows": 5}), "measures": forms.Textarea(attrs={"rows": 5})}


class EventFilterForm(forms.Form):
    kind = forms.ChoiceField(
        label=pgettext_lazy("staff", "Kind"),
        choices=[("", pgettext_lazy("staff", "All")), *Kind.choices],
        required=False,
    )


class CalendarForm(FilterForm):
    """What a reader wants to see of the public calendar. What is valid, is written in one way only."""

    kind = forms.ChoiceField(
        label=pgettext_lazy("event", "Kind"),
        choices=[("", pgettext_lazy("event", "All kinds")), *Kind.choices],
        required=False,
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("event", "Spoken or interpreted in"),
        choices=[("", pgettext_lazy("event", "All languages")), *languages.LANGUAGES],
        required=False,
    )
    month = forms.RegexField(r"^[12][0-9]{3}-(0[1-9]|1[0-2])\Z", widget=forms.HiddenInput, required=False)

    def clean_month(self) -> date | None:
        """Its first day."""
        month = self.cleaned_data["month"]
        return date.fromisoformat(f"{month}-01") if month else None
