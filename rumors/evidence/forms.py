from datetime import date
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages
from portal.facts.models import Fact
from portal.guard import GuardedForm
from portal.revisions.rules import heading
from rumors.vocabulary import Stance


class _Facts(forms.ModelChoiceField[Fact]):
    def label_from_instance(self, obj: Fact) -> str:
        return heading(obj)


class EvidenceForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("text", "url")

    stance = forms.ChoiceField(
        label=pgettext_lazy("staff", "What it does to the claim"), choices=Stance.choices, widget=forms.RadioSelect
    )
    text = forms.CharField(
        label=pgettext_lazy("staff", "What it says"),
        help_text=pgettext_lazy(
            "staff", "The law and its section, the figure and its year, or the authority that says so."
        ),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    url = forms.URLField(
        label=pgettext_lazy("staff", "Link"),
        max_length=500,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    fact = _Facts(
        label=pgettext_lazy("staff", "A fact of ours that says it"),
        queryset=Fact.objects.published().read_in(languages.SOURCE),
        required=False,
        empty_label="–",
    )
    checked_on = forms.DateField(
        label=pgettext_lazy("staff", "Looked at on"),
        initial=timezone.localdate,
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def clean_checked_on(self) -> date | None:
        day: date | None = self.cleaned_data["checked_on"]
        if day and day > timezone.localdate():
            raise ValidationError(pgettext("staff", "This day has not come yet."))
        return day
