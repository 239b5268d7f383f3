from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal import charts
from rumors.forms import RumorFilterForm

WEEKS: Final = 13
MOST_WEEKS: Final = 53
LONG_AGO: Final = date(2000, 1, 1)


def whole_weeks(first: date, last: date) -> tuple[date, date]:
    return charts.monday(first), charts.monday(last) + timedelta(days=6)


class DashboardForm(RumorFilterForm):
    """The period and those filters of the list that go for figures, too; without a period, the last weeks."""

    first = forms.DateField(
        label=pgettext_lazy("staff", "From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    last = forms.DateField(
        label=pgettext_lazy("staff", "To"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    status = priority = channel = area = overdue = unanswered = None  # type: ignore[assignment]

    field_order = ("first", "last", "topic", "language")

    def __init__(self, data: Mapping[str, Any]) -> None:
        today = timezone.localdate()
        self.usual = charts.monday(today) - timedelta(weeks=WEEKS - 1), today
        usual = {"first": self.usual[0], "last": self.usual[1]}
        shown = {name: day.isoformat() for name, day in usual.items()}
        is_asked_for = data.get("first") or data.get("last")
        given = {name: data.get(name, "") for name in ("first", "last", "topic", "language")}
        super().__init__(given if is_asked_for else given | shown, initial=usual)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        if "first" in self.errors or "last" in self.errors:
            return values
        today = timezone.localdate()
        values["last"] = values["last"] or today
        values["first"] = first = values["first"] or max(values["last"] - timedelta(weeks=WEEKS - 1), LONG_AGO)
        for name in ("first", "last"):
            if not LONG_AGO <= values[name] <= today:
                self.add_error(name, pgettext("staff", "Choose a day that has been."))
        if self.errors:
            return values
        if values["last"] < first:
            self.add_error("last", pgettext("staff", "The period has to end after it begins."))
        elif len(charts.weeks(first, values["last"])) > MOST_WEEKS:
            self.add_error("first", pgettext("staff", "Choose at most %(number)s weeks.") % {"number": MOST_WEEKS})
        return values

    def period(self) -> tuple[date, date]:
        """The whole weeks of the days asked for; the last weeks when those cannot be."""
        self.is_valid()
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        return whole_weeks(*((first, last) if first and last else self.usual))

    def active(self) -> list[dict[str, str]]:
        """The filters alone: there is always a period."""
        period = {self.query(without=name) for name in ("first", "last")}
        return [each for each in super().active() if each["query"] not in period]
