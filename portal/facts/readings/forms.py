from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard


class OpinionForm(forms.Form):
    """The public form; `website` is a trap that people never see."""

    is_helpful = forms.TypedChoiceField(
        label=pgettext_lazy("helpful", "Did the text help you?"),
        choices=[("yes", pgettext_lazy("helpful", "Yes")), ("no", pgettext_lazy("helpful", "No"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    comment = forms.CharField(
        label=pgettext_lazy("helpful", "What was missing, or hard to understand?"),
        help_text=pgettext_lazy(
            "helpful", "Write in your own language. No names and no numbers. Nobody can answer you here."
        ),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    website = forms.CharField(required=False)

    def clean_comment(self) -> str:
        """What staff may confirm in their own notes has to go here: nobody needs it to make a text better."""
        comment: str = self.cleaned_data["comment"]
        guard.validate(comment)
        if guard.find(comment):
            raise ValidationError(
                pgettext(
                    "helpful", "Take out phone numbers, e-mail addresses and street addresses. We do not need them."
                )
            )
        return comment

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("website"):
            raise ValidationError(pgettext("tell us", "The form could not be sent. Try again."))
        return self.cleaned_data
