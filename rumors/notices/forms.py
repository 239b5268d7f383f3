from django import forms
from django.utils.translation import pgettext_lazy

from rumors.notices.models import How


class NoticesForm(forms.Form):
    how = forms.ChoiceField(
        label=pgettext_lazy("staff", "How do you want to hear of rumors?"),
        choices=How.choices,
        widget=forms.RadioSelect,
    )
