from typing import Any

from django import forms
from django.db.models import CharField, Model
from django.utils.translation import pgettext_lazy

from portal import languages
from portal.revisions.models import Method, Significance
from portal.revisions.rules import text_fields


class TextForm(forms.Form):
    """The translated fields of one object in one language; the fields come from its model."""

    def __init__(self, model: type[Model], language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = languages.get(language)
        attributes = {"lang": known.tag, "dir": known.direction}
        for position, field in enumerate(text_fields(model)):
            widget = (
                forms.TextInput(attrs=attributes)
                if isinstance(field, CharField)
                else forms.Textarea(attrs={**attributes, "rows": 4 if position == 1 else 18})
            )
            self.fields[field.name] = forms.CharField(
                label=field.verbose_name,
                help_text=field.help_text,
                max_length=field.max_length or 20_000,
                required=position == 0,
                widget=widget,
            )
        if language == languages.SOURCE:
            self.fields["significance"] = forms.ChoiceField(
                label=pgettext_lazy("staff", "What kind of change is it?"),
                choices=Significance.choices,
                initial=Significance.CONTENT,
                widget=forms.RadioSelect,
            )
            self.fields["change_note"] = forms.CharField(
                label=pgettext_lazy("staff", "What has changed?"),
                help_text=pgettext_lazy("staff", "One sentence. Readers of an older translation will see it."),
                max_length=300,
                required=False,
            )
        else:
            self.fields["method"] = forms.ChoiceField(
                label=pgettext_lazy("staff", "How was it translated?"),
                choices=Method.choices,
                initial=Method.HUMAN,
                widget=forms.RadioSelect,
            )
            self.fields["pivot"] = forms.ChoiceField(
                label=pgettext_lazy("staff", "Translated from"),
                choices=[("", languages.get(languages.SOURCE).autonym)]
                + [(code, known.autonym) for code, known in languages.CATALOG.items() if code != languages.SOURCE],
                required=False,
            )

    def text(self) -> dict[str, str]:
        extra = {"significance", "change_note", "method", "pivot"}
        return {name: value for name, value in self.cleaned_data.items() if name not in extra}

    def circumstances(self) -> dict[str, Any]:
        """What `draft` wants to know beside the text."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.text()}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
