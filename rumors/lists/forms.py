from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import pgettext, pgettext_lazy

from portal.accounts.models import User
from portal.facts.models import Topic
from portal.filters import FilterForm
from portal.guard import GuardedForm, validate
from rumors import rules
from rumors.forms import CHANNELS, SPOKEN
from rumors.vocabulary import Priority, Sensitivity, Status

_ALL: Final = [("", pgettext_lazy("staff", "All"))]
_YES: Final = [*_ALL, ("yes", pgettext_lazy("staff", "Yes"))]


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget)


class RumorFilterForm(FilterForm):
    """What the guard refuses is no filter: nothing in the register can hold it, and it must not be kept under a name or
    with an export."""

    words = forms.CharField(
        label=pgettext_lazy("staff", "Words or number"),
        max_length=100,
        required=False,
        validators=[validate],
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    status = forms.ChoiceField(label=pgettext_lazy("staff", "Status"), choices=[*_ALL, *Status.choices], required=False)
    priority = forms.ChoiceField(
        label=pgettext_lazy("staff", "Priority"), choices=[*_ALL, *Priority.choices], required=False
    )
    assignee = forms.ChoiceField(label=pgettext_lazy("staff", "Who takes care of it"), required=False)
    overdue = forms.ChoiceField(label=pgettext_lazy("staff", "Overdue"), choices=_YES, required=False)
    unanswered = forms.ChoiceField(label=pgettext_lazy("staff", "Without an answer"), choices=_YES, required=False)
    review = forms.ChoiceField(label=pgettext_lazy("staff", "To be looked at again"), choices=_YES, required=False)
    topic = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Topic"),
        queryset=Topic.objects.all(),
        empty_label=pgettext_lazy("staff", "All"),
        required=False,
    )
    channel = forms.ChoiceField(label=pgettext_lazy("staff", "Where"), choices=[*_ALL, *CHANNELS[1:]], required=False)
    language = forms.ChoiceField(label=pgettext_lazy("staff", "Language"), choices=[*_ALL, *SPOKEN], required=False)
    area = forms.CharField(
        label=pgettext_lazy("staff", "District"),
        max_length=60,
        required=False,
        validators=[validate],
        widget=forms.TextInput(attrs={"list": "areas", "autocomplete": "off"}),
    )
    first = _day(pgettext_lazy("staff", "Heard from"))
    last = _day(pgettext_lazy("staff", "Heard until"))
    sensitivity = forms.ChoiceField(
        label=pgettext_lazy("staff", "Who may read it"), choices=[*_ALL, *Sensitivity.choices], required=False
    )

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.user = user
        people = [(str(each.pk), each.name) for each in rules.handlers()]
        mine = [("me", pgettext("staff", "I do")), ("nobody", pgettext("staff", "Nobody"))]
        self._choose("assignee", [*_ALL, *mine, *people])
        if not user.has_perm("rumors.secret"):
            self._choose(
                "sensitivity",
                [*_ALL, *((code, label) for code, label in Sensitivity.choices if code != Sensitivity.SECRET)],
            )

    def _choose(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def filters(self) -> dict[str, Any]:
        """What `Rumor.objects.matching` takes. A filter that is no filter is left out."""
        self.is_valid()
        chosen = dict(self.cleaned_data)
        assignee = chosen.pop("assignee", "")
        if assignee == "me":
            assignee = self.user
        elif assignee and assignee != "nobody":
            assignee = User(pk=int(assignee))
        return chosen | {
            "assignee": assignee or None,
            "is_overdue": bool(chosen.pop("overdue", "")),
            "is_unanswered": bool(chosen.pop("unanswered", "")),
            "is_to_review": bool(chosen.pop("review", "")),
            "with_secret": self.user.has_perm("rumors.secret"),
        }

    def as_typed(self) -> str:
        """What the address held, also what is no filter."""
        return self.data.urlencode() if isinstance(self.data, QueryDict) else ""


class SaveFilterForm(GuardedForm):
    guarded = ("name",)

    name = forms.CharField(
        label=pgettext_lazy("staff", "Name"),
        help_text=pgettext_lazy("staff", "Only you see it. The same name again takes the place of the old one."),
        max_length=60,
    )
    query = forms.CharField(max_length=1000, widget=forms.HiddenInput)
