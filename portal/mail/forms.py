from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from portal.guard import GuardedForm
from portal.mail.actions import kinds
from portal.mail.models import Decision, Delivery, DeliveryQuerySet, State


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


class DeliveryFilterForm(forms.Form):
    state = forms.ChoiceField(
        label=pgettext_lazy("staff", "State"),
        choices=[("", pgettext_lazy("staff", "All")), *State.choices],
        required=False,
    )
    kind = forms.ChoiceField(label=pgettext_lazy("staff", "Kind"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", pgettext("staff", "All")),
            *sorted(((name, str(kind.label)) for name, kind in kinds().items()), key=lambda choice: choice[1]),
        ]


class PauseForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"),
        help_text=pgettext_lazy("staff", "So that colleagues know when mail may leave again."),
        max_length=200,
    )


class DecisionForm(forms.Form):
    """For some or for all of the uncertain messages of a kind."""

    decision = forms.TypedChoiceField(
        label=pgettext_lazy("staff", "What became of them?"),
        choices=Decision.choices,
        coerce=Decision,
        widget=forms.RadioSelect,
    )
    scope = forms.ChoiceField(choices=[("chosen", "chosen"), ("all", "all")], widget=forms.HiddenInput)
    until = forms.DateTimeField(widget=forms.HiddenInput)
    """When the newest of those became uncertain that the page has counted."""
    chosen = forms.ModelMultipleChoiceField(
        Delivery.objects.none(),
        required=False,
        widget=forms.MultipleHiddenInput,
        error_messages={
            "invalid_choice": pgettext_lazy("staff", "One of them is no longer uncertain. Look at the list again."),
            "invalid_pk_value": pgettext_lazy("staff", "One of them is no longer uncertain. Look at the list again."),
        },
    )

    def __init__(self, undecided: DeliveryQuerySet, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["chosen"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = self.undecided = undecided

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("scope") == "chosen" and "chosen" in data and not data["chosen"]:
            raise ValidationError(pgettext("staff", "Tick those that you know something about."))
        return data

    def asked(self) -> DeliveryQuerySet:
        """Those it decides: what has become uncertain since the page was drawn is not among them."""
        if self.cleaned_data["scope"] == "all":
            return self.undecided.filter(ended_at__lte=self.cleaned_data["until"])
        chosen: DeliveryQuerySet = self.cleaned_data["chosen"]
        return chosen
