from datetime import date, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

DateInput = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class PeriodForm(forms.Form):
    first = forms.DateField(label=pgettext_lazy("staff", "From"), widget=DateInput)
    last = forms.DateField(label=pgettext_lazy("staff", "To"), widget=DateInput)

    def clean(self) -> dict[str, date]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", pgettext("staff", "The period has to end after it begins."))
        return self.cleaned_data

    def period(self) -> tuple[date, date]:
        """The days asked for, else the last thirty."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data["first"], self.cleaned_data["last"]
        today = timezone.localdate()
        return today - timedelta(days=30), today
