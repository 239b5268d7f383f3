from functools import partial
from typing import Any

from django import forms
from django.utils.translation import pgettext_lazy

from portal import contacts, guard
from portal.facts.models import Audience
from portal.pages.models import Contact


class SearchForm(forms.Form):
    q = forms.CharField(
        label=pgettext_lazy("search", "Search"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "enterkeyhint": "search", "autocomplete": "off"}),
    )
    audience = forms.ChoiceField(
        label=pgettext_lazy("search", "For whom"),
        choices=[("", pgettext_lazy("search", "Everybody")), *Audience.choices],
        required=False,
    )
    page = forms.IntegerField(min_value=1, max_value=500, required=False, widget=forms.HiddenInput)


class ContactsForm(forms.Form):
    """Brings what it was opened with along, so that only what somebody really changed is written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = Contact._meta.get_field("number")
        for key in contacts.KEYS:
            self.fields[key] = forms.CharField(
                label=Contact.LABELS[key],
                max_length=number.max_length,
                validators=[*number.validators, partial(guard.validate, phones_confirmed=True)],
                show_hidden_initial=True,
                widget=forms.TextInput(attrs={"inputmode": "tel", "dir": "ltr", "autocomplete": "off"}),
            )

    def changes(self) -> dict[str, str]:
        return {key: self.cleaned_data[key] for key in self.changed_data}
