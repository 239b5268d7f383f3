from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard
from portal.facts.models import Fact
from portal.questions.models import Outcome


class TellForm(forms.Form):
    """The public form; `website` is a trap that people never see."""

    text = forms.CharField(
        label=pgettext_lazy("tell us", "What have you heard, or what do you want to know?"),
        help_text=pgettext_lazy(
            "tell us", "Write in your own language. Leave out names, personal numbers and phone numbers."
        ),
        min_length=3,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    website = forms.CharField(required=False)

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        guard.validate(text)
        return text

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("website"):
            raise ValidationError(pgettext("tell us", "The form could not be sent. Try again."))
        return self.cleaned_data


class SettleForm(forms.Form):
    outcome = forms.ChoiceField(
        label=pgettext_lazy("staff", "What becomes of it?"),
        choices=[choice for choice in Outcome.choices if choice[0] != Outcome.OPEN],
        widget=forms.RadioSelect,
    )
    fact = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "The fact that answers it"),
        queryset=Fact.objects.published().only("slug"),
        required=False,
    )
    note = forms.CharField(label=pgettext_lazy("staff", "Note"), max_length=300, required=False)
