"""Two people who change the same thing at once: whoever comes second sees what the first has put there, beside what
they wrote themselves, before anything is overwritten."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import pgettext


class ChangedMeanwhileError(Exception):
    """Somebody else has changed the same; `now` holds what it is now, by the names of the fields."""

    def __init__(self, now: dict[str, Any]) -> None:
        super().__init__(", ".join(now))
        self.now = now


def refuse_clashes(now: Mapping[str, Any], *, was: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raises ChangedMeanwhileError when a field is neither as its writer saw it nor as they want it."""
    clashes = {
        name: now[name] for name in was if _unbroken(now[name]) not in (_unbroken(was[name]), _unbroken(values[name]))
    }
    if clashes:
        raise ChangedMeanwhileError(clashes)


def _unbroken(value: Any) -> Any:
    """A text whose lines end in the way of no browser: those send another one than what they were given."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class MeanwhileForm(forms.Form):
    """Brings what it was opened with along: only what somebody really changed is written, and what somebody else has
    changed meanwhile is noticed. Several things that are chosen are a set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def changes(self) -> dict[str, Any]:
        return {name: _one(self.cleaned_data[name]) for name in self.changed_data if name in self.base_fields}

    def was(self) -> dict[str, Any]:
        """What the fields that are changed held when the form was opened."""
        return {name: self._opened_with(self[name]) for name in self.changes()}

    def hand_to(self, action: Callable[..., object], *args: Any, **kwargs: Any) -> bool:
        """Have an action write what is changed, which it takes by name, beside `was`. Returns whether that stands now;
        else the form says what somebody else has written."""
        if not (changes := self.changes()):
            return True
        try:
            action(*args, was=self.was(), **changes, **kwargs)
        except ChangedMeanwhileError as error:
            self.show_what_is_now(error.now)
            return False
        return True

    def _opened_with(self, bound: forms.BoundField) -> Any:
        widget = bound.field.hidden_widget()
        sent = widget.value_from_datadict(self.data, self.files, bound.html_initial_name)
        try:
            return _one(bound.field.to_python(sent))
        except ValidationError:  # no form of ours held that
            return None

    def show_what_is_now(self, now: Mapping[str, Any]) -> None:
        """Somebody else has changed these: say what they are now. Sent once more, the form puts its own in place."""
        assert isinstance(self.data, QueryDict)
        data = self.data = self.data.copy()
        for name, value in now.items():
            bound = self[name]
            values = value if isinstance(value, set) else [value]
            prepared = [bound.field.prepare_value(each) for each in values]
            data.setlist(bound.html_initial_name, ["" if each is None else each for each in prepared])
            self.add_error(
                name,
                pgettext(
                    "staff",
                    "Somebody else has changed this meanwhile. Save again to put yours there. Theirs is: %(now)s",
                )
                % {"now": _shown(bound, values, prepared) if value or value is False else "–"},
            )


def _one(value: Any) -> Any:
    """Several things that are chosen are one value: in whatever order."""
    return set(value) if isinstance(value, list | QuerySet) else value


def _shown(bound: forms.BoundField, values: Any, prepared: list[Any]) -> str:
    if isinstance(bound.field, forms.BooleanField):
        return pgettext("staff", "yes") if values[0] else pgettext("staff", "no")
    choices = dict(getattr(bound.field, "choices", ()))
    return ", ".join(sorted(str(choices.get(*pair)) for pair in zip(prepared, values, strict=True)))
