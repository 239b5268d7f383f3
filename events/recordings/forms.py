from collections.abc import Collection
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.forms import LAST_YEAR, DateInput
from events.models import Event
from events.programs.models import Speaker
from events.recordings.models import Recording
from portal import guard, languages
from portal.meanwhile import MeanwhileForm


class RecordingForm(MeanwhileForm, guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("no_captions_reason",)
    open_to_all: ClassVar[tuple[str, ...]] = ("url",)

    url = forms.URLField(
        label=pgettext_lazy("staff", "Link to the recording"),
        help_text=pgettext_lazy("staff", "Where it can be watched without an account and without cookies."),
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"dir": "ltr"}),
    )
    until = forms.DateField(
        label=pgettext_lazy("staff", "Last day"),
        help_text=pgettext_lazy(
            "staff", "After that the page of the event says that it is no longer there. Take it away there, too."
        ),
        widget=DateInput,
    )
    captions = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Captions in"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    no_captions_reason = forms.CharField(
        label=pgettext_lazy("staff", "Why it has no captions"),
        help_text=pgettext_lazy(
            "staff", "Everybody can read it, in Swedish. Captions are a right: see to them if you can."
        ),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "lang": "sv"}),
    )

    def __init__(self, event: Event, *args: Any, **kwargs: Any) -> None:
        self.event = event
        super().__init__(*args, **kwargs)
        captions = self.fields["captions"]
        assert isinstance(captions, forms.MultipleChoiceField)
        # It is still captioned in a language that the portal has left out since.
        codes = {each.code for each in languages.ACTIVE}.union(self.initial.get("captions", ()))
        captions.choices = [choice for choice in languages.CHOICES if choice[0] in codes]

    def clean_until(self) -> date:
        day: date = self.cleaned_data["until"]
        if day < timezone.localdate(self.event.ends_at):
            raise ValidationError(pgettext("staff", "The last day has to come after the event."))
        if day.year > LAST_YEAR:
            raise ValidationError(pgettext("staff", "The year has to lie between 2000 and 2100."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_silent = "captions" in data and not data["captions"] and not data.get("no_captions_reason")
        if is_silent and "no_captions_reason" not in self.errors:
            why = pgettext("staff", "Say in which languages it has captions, or why it has none.")
            self.add_error("captions", why)
        return data


class ConsentsForm(MeanwhileForm):
    """Who of those that are heard has agreed that the recording is shown."""

    speakers = forms.ModelMultipleChoiceField(
        label=pgettext_lazy("staff", "These have agreed that it is shown"),
        queryset=Speaker.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, recording: Recording, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        speakers = self.fields["speakers"]
        assert isinstance(speakers, forms.ModelMultipleChoiceField)
        newest = recording.event.program_versions.defer("lines", "texts").newest()
        heard = Speaker.objects.filter(versions=newest) if newest else Speaker.objects.none()
        speakers.queryset = heard
        speakers.initial = heard.filter(recording_consents__recording=recording)

    def clean_speakers(self) -> Collection[Speaker]:
        if self._opened_with(self["speakers"]) is None:  # somebody who had agreed is in the program no longer
            raise ValidationError(pgettext("staff", "The program has changed meanwhile. Look at who speaks once more."))
        found: Collection[Speaker] = self.cleaned_data["speakers"]
        return found

    def values(self) -> dict[str, set[Speaker]]:
        """As `actions.note_consents` wants them: whose box is another than when the form was opened."""
        ticked, was = self.changes().get("speakers", set()), self.was().get("speakers", set())
        return {"given": ticked - was, "taken_back": was - ticked}
