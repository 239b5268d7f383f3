from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from portal.accounts.models import User
from rumors.models import Rumor, named
from rumors.vocabulary import PairKind, PairState


class RelateForm(forms.Form):
    other = forms.CharField(
        label=pgettext_lazy("staff", "The other rumor"),
        help_text=pgettext_lazy("staff", "Its number, like R-2026-0042."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("staff", "How do they belong together?"),
        choices=PairKind.choices,
        initial=PairKind.RELATED,
        widget=forms.RadioSelect,
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_other(self) -> Rumor:
        name = named(self.cleaned_data["other"])
        found: Rumor | None = Rumor.objects.visible_to(self.user).filter(**name).first() if name else None
        if found is None:
            raise ValidationError(pgettext("staff", "There is no rumor of this number."))
        return found


class SettleForm(forms.Form):
    state = forms.ChoiceField(
        choices=[(state.value, state.label) for state in (PairState.CONFIRMED, PairState.REJECTED)]
    )
