from datetime import date
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal.guard import GuardedForm
from rumors.forms import CHANNELS, SPOKEN
from rumors.vocabulary import Action, Audience


class ResponseForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    action = forms.ChoiceField(
        label=pgettext_lazy("staff", "What is to be done?"), choices=Action.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"),
        help_text=pgettext_lazy("staff", "Needed when it is not answered, or only watched."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    review_on = forms.DateField(
        label=pgettext_lazy("staff", "Look at it again"),
        help_text=pgettext_lazy("staff", "Needed when it is not answered, or only watched."),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    audience = forms.ChoiceField(
        label=pgettext_lazy("staff", "For whom"), choices=[("", "–"), *Audience.choices], required=False
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "In which language"), choices=[("", "–"), *SPOKEN], required=False
    )
    channel = forms.ChoiceField(label=pgettext_lazy("staff", "Where"), choices=CHANNELS, required=False)

    def clean_review_on(self) -> date | None:
        day: date | None = self.cleaned_data["review_on"]
        if day and day <= timezone.localdate():
            raise ValidationError(pgettext("staff", "Choose a day to come."))
        return day


class FinishForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("result",)

    result = forms.CharField(
        label=pgettext_lazy("staff", "What came of it?"),
        help_text=pgettext_lazy("staff", "No names."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
