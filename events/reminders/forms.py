from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import pgettext, pgettext_lazy

from events.reminders.models import LONGEST, Anchor, Audience, Rule
from portal import guard, languages
from portal.meanwhile import MeanwhileForm

UNITS: Final = {"days": 1440, "hours": 60, "minutes": 1}
"""In minutes."""
TOGETHER: Final = ({"days", "at", "minutes"}, {"audience", "anchor"})
"""One thing each: half of it from another colleague would be a third one, which neither of them wants."""


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
        if data.get("anchor") == Anchor.END and data.get("audience") != Audience.REGISTERED:
            self.add_error(
                "audience", pgettext("staff", "After it has ended only those who had a seat are written to.")
            )
        return data

    def values(self) -> dict[str, Any]:
        """As `actions.add` wants them."""
        return _counted(self.cleaned_data)


class EditRuleForm(MeanwhileForm, RuleForm):
    """Colleagues may be changing other things of the same reminder."""

    def changes(self) -> dict[str, Any]:
        seen, values = self._seen(), self.values()
        changed = {name for name, value in values.items() if value != seen[name]}
        changed |= {name for each in TOGETHER if changed & each for name in each}
        return {name: value for name, value in values.items() if name in changed}

    def was(self) -> dict[str, Any]:
        seen = self._seen()
        return {name: seen[name] for name in self.changes()}

    def _seen(self) -> dict[str, Any]:
        fields = {name: self._opened_with(self[name]) for name in self.base_fields}
        if fields["number"] is None or fields["unit"] not in UNITS:  # no form of ours held that
            fields |= {"number": None, "unit": "days"}
        return _counted(fields)

    def show_what_is_now(self, now: Mapping[str, Any]) -> None:
        super().show_what_is_now(_spelled(now))


def rule_initial(rule: Rule) -> dict[str, Any]:
    """What stands in the form of a rule that there is."""
    names = ("audience", "anchor", "days", "at", "minutes", "is_active")
    return _spelled({name: getattr(rule, name) for name in names} | {"text": rule.swedish})


def _counted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule holds, of what stands in the fields of its form."""
    values = {name: fields[name] for name in ("audience", "anchor", "text", "is_active")}
    if fields["unit"] == "days":
        return values | {"days": fields["number"], "at": fields["at"], "minutes": None}
    return values | {"days": None, "at": None, "minutes": fields["number"] * UNITS[fields["unit"]]}


def _spelled(values: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields of its form, of what a rule holds, or of some of that."""
    fields = {name: value for name, value in values.items() if name not in {"days", "minutes"}}
    days, minutes = values.get("days"), values.get("minutes")
    if minutes is not None:
        unit = "minutes" if minutes % 60 else "hours"
        return fields | {"number": minutes // UNITS[unit], "unit": unit}
    return fields if days is None else fields | {"number": days, "unit": "days"}


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
