from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from events.attendance.models import Band, Feedback, Method
from portal import guard


class FindForm(forms.Form):
    q = forms.CharField(
        label=pgettext_lazy("staff", "The first letters of the name"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "search", "dir": "auto"}),
    )


class PartyForm(forms.Form):
    """How many of those who are registered together have come."""

    party = forms.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), pgettext_lazy("staff", "Say how many there were.")
        ),
    )


class CountForm(forms.Form):
    """A number of people and how somebody came to it."""

    method = forms.ChoiceField(
        label=pgettext_lazy("staff", "How do you know?"), choices=Method.choices, widget=forms.RadioSelect
    )
    number = forms.IntegerField(
        label=pgettext_lazy("staff", "How many people"),
        min_value=0,
        max_value=100_000,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    band = forms.TypedChoiceField(
        label=pgettext_lazy("staff", "Or about how many"),
        choices=[("", "–"), *Band.choices],
        coerce=int,
        empty_value=None,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        is_band = data.get("method") == Method.BAND
        wanted = "band" if is_band else "number"
        if data.get("method") and data.get(wanted) is None and wanted not in self.errors:
            self.add_error(wanted, pgettext("staff", "Say how many there were."))
        return data

    def values(self) -> dict[str, Any]:
        """As `actions.count` wants them."""
        data = self.cleaned_data
        is_band = data["method"] == Method.BAND
        return {"method": data["method"], "number": data["band"] if is_band else data["number"]}


class FeedbackForm(forms.ModelForm[Feedback]):
    """The public form; `website` is a trap that people never see."""

    website = forms.CharField(required=False)

    class Meta:
        model = Feedback
        fields = (*Feedback.QUESTIONS, "text")
        widgets: ClassVar = {
            **dict.fromkeys(Feedback.QUESTIONS, forms.RadioSelect),
            "text": forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        }
        help_texts: ClassVar = {
            "text": pgettext_lazy(
                "feedback", "Write in your own language. Leave out names, personal numbers and phone numbers."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in Feedback.QUESTIONS:
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices = Feedback.Mark.choices

    def clean_text(self) -> str:
        """What staff may give a reason for in their own notes has to go here: we need nothing of the kind."""
        text: str = self.cleaned_data["text"]
        guard.validate(text, phones_confirmed=True)
        if guard.find(text):
            raise ValidationError(
                pgettext(
                    "helpful", "Take out phone numbers, e-mail addresses and street addresses. We do not need them."
                )
            )
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.pop("website", ""):
            raise ValidationError(pgettext("feedback", "The form could not be sent. Try again."))
        return data
