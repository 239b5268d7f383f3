from datetime import timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import pgettext, pgettext_lazy

from events.reminders.models import LONGEST, Anchor, Audience, Rule
from portal import guard, languages
from portal.meanwhile import MeanwhileForm

UNITS: Final = {"days": 1440, "hours": 60, "minutes": 1}
"""In minutes."""


class RuleForm(guard.GuardedForm):
    open_to_all: ClassVar[tuple[str, ...]] = ("text",)

    audience = forms.ChoiceField(label=pgettext_lazy("staff", "Whom"), choices=Audience.choices)
    number = forms.IntegerField(label=pgettext_lazy("staff", "How long"), min_value=0, initial=1)
    unit = forms.ChoiceField(
        label=pgettext_lazy("staff", "Counted in"),
        choices=[
            ("days", pgettext_lazy("staff", "days")),
            ("hours", pgettext_lazy("staff", "hours")),
            ("minutes", pgettext_lazy("staff", "minutes of time")),
        ],
    )
    anchor = forms.ChoiceField(label=pgettext_lazy("staff", "Before or after what"), choices=Anchor.choices)
    at = forms.TimeField(
        label=pgettext_lazy("staff", "At what time"),
        help_text=pgettext_lazy("staff", "Only for days. Empty: the same time of day."),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        required=False,
    )
    text = forms.CharField(
        label=pgettext_lazy("staff", "What to say first, in Swedish"),
        help_text=pgettext_lazy(
            "staff", "When, where, the link and how to cancel are always there. Other languages are written after."
        ),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "lang": "sv"}),
        required=False,
    )
    is_active = forms.BooleanField(label=pgettext_lazy("staff", "In use"), initial=True, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        number, unit = data.get("number"), data.get("unit")
        if number is not None and unit and number * UNITS[unit] > LONGEST / timedelta(minutes=1):
            self.add_error("number", pgettext("staff", "At most sixty days."))
        if data.get("at") and unit != "days":
            self.add_error("at", pgettext("staff", "A time of day goes with days only."))
        return data

    def values(self) -> dict[str, Any]:
        """As `actions.add` and `actions.edit` want them."""
        data = self.cleaned_data
        is_days = data["unit"] == "days"
        return {
            "audience": data["audience"],
            "anchor": data["anchor"],
            "days": data["number"] if is_days else None,
            "at": data["at"] if is_days else None,
            "minutes": None if is_days else data["number"] * UNITS[data["unit"]],
            "text": data["text"],
            "is_active": data["is_active"],
        }


def rule_initial(rule: Rule) -> dict[str, Any]:
    """What stands in the form of a rule that there is."""
    unit, number = "days", rule.days
    if rule.minutes is not None:
        unit = "minutes" if rule.minutes % 60 else "hours"
        number = rule.minutes // UNITS[unit]
    return {
        "audience": rule.audience,
        "anchor": rule.anchor,
        "number": number,
        "unit": unit,
        "at": rule.at,
        "text": getattr(rule, languages.suffixed("text", languages.SOURCE)),
        "is_active": rule.is_active,
    }


class RuleTextForm(MeanwhileForm, guard.GuardedForm):
    """What a rule says first, in one language."""

    open_to_all: ClassVar[tuple[str, ...]] = ("text",)

    text = forms.CharField(
        label=pgettext_lazy("staff", "What to say first"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
    )

    def __init__(self, language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = languages.get(language)
        self.fields["text"].widget.attrs |= {"lang": known.tag, "dir": known.direction}
