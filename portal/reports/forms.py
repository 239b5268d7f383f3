from datetime import date, timedelta
from typing import Any, ClassVar, Final
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal.guard import GuardedForm
from portal.reports.models import Report
from portal.reports.vocabulary import Scope

DateInput = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
LONG_AGO: Final = date(2000, 1, 1)
LONGEST: Final = timedelta(days=5 * 366)


def last_month() -> tuple[date, date]:
    last = timezone.localdate().replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


class PeriodForm(forms.Form):
    """What to count; the whole month before this one stands in it at first."""

    first = forms.DateField(label=pgettext_lazy("staff", "From"), initial=lambda: last_month()[0], widget=DateInput)
    last = forms.DateField(label=pgettext_lazy("staff", "To"), initial=lambda: last_month()[1], widget=DateInput)
    scope = forms.ChoiceField(
        label=pgettext_lazy("staff", "What it is for"), choices=Scope.choices, initial=Scope.PERIOD
    )

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        for name, day in (("first", first), ("last", last)):
            if day and not LONG_AGO <= day <= timezone.localdate():
                self.add_error(name, pgettext("staff", "Choose a day that has been."))
        if first and last and last < first:
            self.add_error("last", pgettext("staff", "The period has to end after it begins."))
        elif first and last and last - first > LONGEST:
            self.add_error("first", pgettext("staff", "Choose at most five years."))
        return self.cleaned_data


class KeepForm(GuardedForm, PeriodForm):
    guarded: ClassVar[tuple[str, ...]] = ("name",)

    name = forms.CharField(
        label=pgettext_lazy("staff", "What you call it"),
        help_text=pgettext_lazy("staff", "As in “Second third of 2026, for the board”. No names of people."),
        max_length=120,
        required=False,
    )
    form_id = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first", "last", "scope"):
            self.fields[name].widget = forms.HiddenInput()


class _Choice(forms.ModelChoiceField[Report]):
    def label_from_instance(self, obj: Report) -> str:
        days = f"{obj.first} – {obj.last}"
        return f"{obj.pk}: {obj.name}, {days}" if obj.name else f"{obj.pk}: {days}"


class CompareForm(forms.Form):
    older = _Choice(label=pgettext_lazy("staff", "Another report"), queryset=Report.objects.none(), required=False)

    def __init__(self, report: Report, data: Any) -> None:
        super().__init__(data)
        field = self.fields["older"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Report.objects.like(report)
