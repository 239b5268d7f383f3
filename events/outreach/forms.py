from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.attendance.models import Band, Method
from events.models import Group
from events.outreach.actions import Said
from events.outreach.models import Mood
from portal import languages, spoken
from portal.accounts.models import Role, User
from portal.facts.models import Fact
from portal.guard import GuardedForm
from portal.meanwhile import MeanwhileForm
from portal.revisions.rules import heading

BOXES: Final = 3
"""Each for the questions in one language."""
LONGEST: Final = 2000
"""Letters of one question."""
SPOKEN: Final = [(language.code, language.in_both_scripts) for language in languages.ACTIVE]


class _Facts(forms.ModelMultipleChoiceField[Fact]):
    def label_from_instance(self, obj: Fact) -> str:
        return heading(obj)


class _Colleagues(forms.ModelMultipleChoiceField[User]):
    def label_from_instance(self, obj: User) -> str:
        return obj.name


class QuestionsForm(GuardedForm):
    """Questions, one a line, in a box for each language."""

    guarded: ClassVar[tuple[str, ...]] = tuple(f"questions_{box}" for box in range(1, BOXES + 1))

    def __init__(self, *args: Any, spoken_there: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spoken_there = spoken_there
        for box in range(1, BOXES + 1):
            self.fields[f"questions_{box}"] = forms.CharField(
                label=pgettext("staff", "What they asked") if box == 1 else pgettext("staff", "Questions"),
                help_text=pgettext(
                    "staff", "One question a line, as it was said. No names, and nothing about who asked."
                )
                if box == 1
                else "",
                max_length=20_000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 4 if box == 1 else 2, "dir": "auto"}),
            )
            self.fields[f"language_{box}"] = forms.ChoiceField(
                label=pgettext("staff", "Asked in"),
                choices=[("", pgettext("staff", "Found out by the words")), *SPOKEN],
                required=False,
            )

    @property
    def first_box(self) -> list[forms.BoundField]:
        return [self["questions_1"], self["language_1"]]

    @property
    def other_boxes(self) -> list[forms.BoundField]:
        return [self[f"{name}_{box}"] for box in range(2, BOXES + 1) for name in ("questions", "language")]

    @property
    def has_other_boxes(self) -> bool:
        """Somebody has written there, or something is wrong there."""
        return any(field.value() or field.errors for field in self.other_boxes)

    @property
    def asked_by_guard(self) -> list[forms.BoundField]:
        """What the guard wants to know before anything is saved."""
        return [self[name] for name in (self.PHONE, self.REASON, self.WORDS) if name in self.fields]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for name in QuestionsForm.guarded:
            if any(len(line) > LONGEST for line in _lines(data.get(name, ""))):
                self.add_error(name, pgettext("staff", "A question is too long. Put each on a line of its own."))
        return data

    def asked(self) -> list[Said]:
        """In their order, each once."""
        data = self.cleaned_data
        found = [
            Said(line, data[f"language_{box}"] or self._language_of(line))
            for box in range(1, BOXES + 1)
            for line in _lines(data[f"questions_{box}"])
        ]
        return list(dict.fromkeys(found))

    def _language_of(self, line: str) -> str:
        """One of those that were spoken: the one that the words tell, else the first."""
        guessed = spoken.guess(line)
        return guessed if guessed in self.spoken_there else next(iter(self.spoken_there), languages.SOURCE)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class SessionForm(GuardedForm):
    """What is known of a visit beside its event."""

    guarded: ClassVar[tuple[str, ...]] = ("host", "follow_up")

    host = forms.CharField(
        label=pgettext_lazy("staff", "Who did you visit?"),
        help_text=pgettext_lazy(
            "staff",
            "The organization, never a person. If it stands in the register of actors, write its name as there.",
        ),
        max_length=160,
        widget=forms.TextInput(attrs={"list": "hosts", "autocomplete": "off"}),
    )
    mood = forms.ChoiceField(
        label=pgettext_lazy("staff", "How was the mood?"),
        choices=[("", "–"), *Mood.choices],
        required=False,
    )
    handed_out = _Facts(
        label=pgettext_lazy("staff", "What did you hand out?"),
        queryset=Fact.objects.published().read_in(languages.SOURCE),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    follow_up = forms.CharField(
        label=pgettext_lazy("staff", "What is to be done next?"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def values(self) -> dict[str, Any]:
        """As `actions.log` wants them."""
        return {name: self.cleaned_data[name] for name in SessionForm.base_fields}


class EditSessionForm(MeanwhileForm, SessionForm):
    """Colleagues may be changing the same visit."""


class LogForm(QuestionsForm, SessionForm):
    """A visit from a phone: what everybody knows first, then the questions, and the rest folded away."""

    guarded: ClassVar[tuple[str, ...]] = (*QuestionsForm.guarded, *SessionForm.guarded, "safety_note")
    open_to_all: ClassVar[tuple[str, ...]] = ("place",)
    FIRST: ClassVar[tuple[str, ...]] = ("on", "host", "band", "spoken")
    FOLDED: ClassVar[tuple[str, ...]] = (
        "number",
        "began",
        "minutes",
        "place",
        "groups",
        "team",
        "mood",
        "handed_out",
        "follow_up",
        "safety_note",
    )
    NOT_IN_A_DRAFT: ClassVar[tuple[str, ...]] = ("safety_note", "form_id")

    form_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    on = forms.DateField(
        label=pgettext_lazy("staff", "Day"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    band = forms.TypedChoiceField(
        label=pgettext_lazy("staff", "About how many were there?"),
        choices=Band.choices,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    spoken = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages spoken"),
        choices=SPOKEN,
        widget=forms.CheckboxSelectMultiple,
    )
    number = forms.IntegerField(
        label=pgettext_lazy("staff", "How many, if somebody counted"),
        min_value=0,
        max_value=100_000,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    began = forms.TimeField(
        label=pgettext_lazy("staff", "It began at"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    minutes = forms.IntegerField(
        label=pgettext_lazy("staff", "How many minutes it took"),
        min_value=5,
        max_value=12 * 60,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    place = forms.CharField(label=pgettext_lazy("staff", "Place"), max_length=200, required=False)
    groups = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Who was there?"),
        choices=Group.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    team = _Colleagues(
        label=pgettext_lazy("staff", "Colleagues who were with you"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    safety_note = forms.CharField(
        label=pgettext_lazy("staff", "Was anything not safe?"),
        help_text=pgettext_lazy(
            "staff",
            "Only those who plan visits and the security role read this, and every reading is logged. It is deleted "
            "after two years. No names.",
        ),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        team = self.fields["team"]
        assert isinstance(team, forms.ModelMultipleChoiceField)
        team.queryset = (User.objects.holding(Role.EVENTS) | User.objects.holding(Role.REPORTER)).distinct()
        today = timezone.localdate()
        self.fields["on"].widget.attrs["max"] = str(today)
        self.fields["on"].initial = today
        self.fields["team"].initial = [user.pk]
        # Whoever has counted need not say about how many there were.
        self.fields["band"].required = not (self.is_bound and self.data.get("number"))

    @property
    def first(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST]

    @property
    def folded(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FOLDED]

    @property
    def has_folded_errors(self) -> bool:
        return any(field.errors for field in self.folded)

    def may_be_kept(self) -> bool:
        """As a draft: the guard refuses nothing and asks nothing, and the database takes it."""
        is_refused = any(
            error.code == "personal_number" for errors in self.errors.as_data().values() for error in errors
        )
        if is_refused or self.asked_by_guard:
            return False
        return not any("\0" in "".join(value or "") for value in self.typed().values())

    def typed(self) -> dict[str, Any]:
        """What stands in the fields, for a draft."""
        names = (self.data.keys() & self.fields.keys()).difference(self.NOT_IN_A_DRAFT)
        return {name: self[name].data for name in names}

    def clean_on(self) -> Any:
        on = self.cleaned_data["on"]
        today = timezone.localdate()
        if on > today:
            raise forms.ValidationError(pgettext("staff", "The day has not come yet. Plan a visit as a new event."))
        if on < today - timedelta(days=366):
            raise forms.ValidationError(pgettext("staff", "That is more than a year ago. Look at the year again."))
        return on

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        self.spoken_there = data.get("spoken") or []
        return data

    def values(self) -> dict[str, Any]:
        """As `actions.log` wants them."""
        data = self.cleaned_data
        starts_at = self._starts_at()
        number = data["number"]
        is_counted = number is not None
        return {
            **super().values(),
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=data["minutes"] or 60),
            "heads": {
                "method": Method.HEADS if is_counted else Method.BAND,
                "number": number if is_counted else data["band"],
            },
            "asked": self.asked(),
            **{name: data[name] for name in ("spoken", "groups", "place", "team", "safety_note")},
        }

    def _starts_at(self) -> datetime:
        """When nobody says: at noon, or at the last full hour if it is today."""
        zone = timezone.get_default_timezone()
        on, began = self.cleaned_data["on"], self.cleaned_data["began"]
        if began:
            return datetime.combine(on, began, zone)
        now = timezone.localtime()
        if on == now.date():
            return now.replace(minute=0, second=0, microsecond=0)
        return datetime(on.year, on.month, on.day, 12, tzinfo=zone)


class SafetyForm(MeanwhileForm, GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("text",)

    text = forms.CharField(
        label=pgettext_lazy("staff", "What was not safe"),
        help_text=pgettext_lazy("staff", "Empty: there is nothing to say. No names."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
