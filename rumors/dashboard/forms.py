from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from portal import charts
from portal.facts.models import Topic
from rumors.forms import SPOKEN

WEEKS: Final = 13
MOST_WEEKS: Final = 53
LONG_AGO: Final = date(2000, 1, 1)


def whole_weeks(first: date, last: date) -> tuple[date, date]:
    return charts.monday(first), charts.monday(last) + timedelta(days=6)


class DashboardForm(forms.Form):
    """What the figures are about, in the address; without a period, the last weeks."""

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
    topic = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Topic"),
        queryset=Topic.objects.all(),
        empty_label=pgettext_lazy("staff", "All"),
        required=False,
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language"),
        choices=[("", pgettext_lazy("staff", "All")), *SPOKEN],
        required=False,
    )

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

    def of_the_list(self, **filters: str) -> str:
        """The same topic and language, and more, as the list of rumors has them in its address."""
        own = {"topic": self.cleaned_data.get("topic"), "language": self.cleaned_data.get("language")}
        return urlencode(filters | {name: getattr(value, "pk", value) for name, value in own.items() if value})

    def active(self) -> list[dict[str, str]]:
        """The filters in words, each with the query string without it; the period is always there."""
        topic, language = self.cleaned_data.get("topic"), self.cleaned_data.get("language")
        words = {"topic": str(topic) if topic else "", "language": dict(SPOKEN).get(language or "", "")}
        return [
            {
                "words": f"{self.fields[name].label}: {word}",
                "query": urlencode({other: value for other, value in self.data.items() if value and other != name}),
            }
            for name, word in words.items()
            if word
        ]
