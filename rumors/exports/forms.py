from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import pgettext, pgettext_lazy

from portal.accounts.models import User
from rumors.exports.models import Export
from rumors.exports.words import RUMOR, SIGHTING, USUAL, Kind, Level, What, allowed
from rumors.lists.forms import RumorFilterForm
from rumors.models import Rumor, RumorQuerySet


class ExportForm(forms.Form):
    """What of the register is to be in the file, and for whom it is."""

    form_id = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)
    query = forms.CharField(max_length=1000, required=False, widget=forms.HiddenInput)
    what = forms.ChoiceField(
        label=pgettext_lazy("staff", "What?"), choices=What.choices, initial=What.RUMORS, widget=forms.RadioSelect
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("staff", "Which kind of file?"),
        choices=Kind.choices,
        initial=Kind.XLSX,
        widget=forms.RadioSelect,
    )
    level = forms.TypedChoiceField(
        label=pgettext_lazy("staff", "For whom is it?"), coerce=int, choices=Level.choices, widget=forms.RadioSelect
    )
    rumor_columns = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Of the rumor"),
        choices=list(RUMOR.items()),
        initial=[name for name in USUAL if name in RUMOR],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    sighting_columns = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Of the sighting"),
        help_text=pgettext_lazy("staff", "In a file of sightings, and in JSON."),
        choices=list(SIGHTING.items()),
        initial=[name for name in USUAL if name in SIGHTING],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    with_secret = forms.BooleanField(
        label=pgettext_lazy("staff", "With secret rumors and threats"),
        help_text=pgettext_lazy("staff", "For each of them the log says that you have read it."),
        required=False,
    )

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        may_have_all = user.has_perm("rumors.export_all")
        levels = [level for level in Level if level != Level.ALL or may_have_all]
        self._choose("level", [(level.value, f"{level.label}: {_EXPLAINED[level]}") for level in levels])
        self.fields["level"].initial = Level.COLLEAGUES
        if not user.has_perm("rumors.secret"):
            del self.fields["with_secret"]

    def _choose(self, name: str, choices: Iterable[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def clean_form_id(self) -> Any:
        return self.cleaned_data["form_id"] or uuid4()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind, what = data.get("kind"), data.get("what")
        chosen = list(data.pop("rumor_columns", []))
        if what == What.SIGHTINGS or kind == Kind.JSON:
            chosen += data.pop("sighting_columns", [])
        data.pop("sighting_columns", None)
        data["columns"] = chosen
        if not self.errors and not allowed(chosen, data["level"]):
            raise ValidationError(
                pgettext("staff", "Nothing is left: choose columns, or another answer to for whom it is.")
            )
        return data


_EXPLAINED = {
    Level.OTHERS: pgettext_lazy(
        "staff",
        "no words as they were said, no links, no names, no notes of ours; days only by month, districts only where "
        "much was heard",
    ),
    Level.COLLEAGUES: pgettext_lazy("staff", "no names of staff"),
    Level.ALL: pgettext_lazy(
        "staff", "also phone numbers and addresses in the texts, but no personal identity numbers; never pass it on"
    ),
}


def filtered(export: Export) -> tuple[RumorQuerySet, list[str]]:
    """The rumors that the filters leave to its maker, and these filters in words. None when one of them is a filter no
    more, such as a topic that is gone: without it the file would hold more than was asked for."""
    form = RumorFilterForm(export.owner, QueryDict(export.query))
    filters, found = form.filters(), Rumor.objects.visible_to(export.owner)
    if not export.with_secret:
        found, filters = found.countable(), filters | {"with_secret": False}
    return found.none() if form.errors else found.matching(**filters), [each["words"] for each in form.active()]
