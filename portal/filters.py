"""Filters of a list. They live in its address, so that a list can be kept and sent."""

from django import forms
from django.http import QueryDict


class FilterForm(forms.Form):
    """What is no filter is told, and the others hold."""

    def query(self, *, without: str = "") -> str:
        """The filters that are set, as the start of a query string; with a trailing `&` where there are any."""
        kept = QueryDict(mutable=True)
        for name in self.fields:
            value = self.data.get(name)
            if value and name != without and name not in self.errors:
                kept[name] = value
        return f"{kept.urlencode()}&" if kept else ""

    def faults(self) -> list[str]:
        """What is wrong with filters that are none, in sentences."""
        return [f"{self.fields[name].label}: {error}" for name, errors in self.errors.items() for error in errors]

    def active(self) -> list[dict[str, str]]:
        """What the list is filtered by, in words, and the query string without it; what is hidden is no filter."""
        found = []
        for name, field in self.fields.items():
            value = self.cleaned_data.get(name)
            if not value or field.widget.is_hidden:
                continue
            words = str(field.label)
            if isinstance(field, forms.ModelChoiceField):
                words += f": {field.label_from_instance(value)}"
            elif isinstance(field, forms.ChoiceField):
                words += f": {dict(field.choices)[value]}"  # type: ignore[arg-type]
            else:
                words += f": {value}"
            found.append({"words": words, "query": self.query(without=name)})
        return found
