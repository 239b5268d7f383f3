from typing import ClassVar

from django import forms
from django.utils.translation import pgettext_lazy

from portal.guard import GuardedForm


class AddressForm(forms.Form):
    address = forms.EmailField(
        label=pgettext_lazy("staff", "E-mail address"),
        help_text=pgettext_lazy("staff", "It is looked for and then forgotten."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class LiftForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"),
        help_text=pgettext_lazy("staff", "For colleagues. Never the address itself."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
