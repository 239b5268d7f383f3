from typing import Any, ClassVar

from django import forms
from django.db.models import CharField
from django.utils.translation import pgettext_lazy

from portal import guard, languages
from portal.revisions.actions import Kind
from portal.revisions.models import Method, Significance
from portal.revisions.rules import text_fields


class TextForm(forms.Form):
    """The translated fields of one object in one language; the fields come from its model.

    What its kind may not lack is needed when it is sent for approval; a draft does with the first field. Personal
    numbers are refused; phone numbers pass, for a public text may name them.
    """

    def __init__(self, kind: Kind, language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = languages.get(language)
        attributes = {"lang": known.tag, "dir": known.direction}
        self._texts = text_fields(kind.model)
        for position, field in enumerate(self._texts):
            widget = (
                forms.TextInput(attrs=attributes)
                if isinstance(field, CharField)
                else forms.Textarea(attrs={**attributes, "rows": 4 if position == 1 else 18})
            )
            self.fields[field.name] = forms.CharField(
                label=field.verbose_name,
                help_text=field.help_text,
                max_length=field.max_length or 20_000,
                required=field.name not in kind.may_lack,
                validators=[guard.validate],
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
                validators=[guard.validate],
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
                + [choice for choice in languages.CHOICES if choice[0] != languages.SOURCE],
                required=False,
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.is_sent:
            for field in self._texts[1:]:
                if self.has_error(field.name, "required"):
                    del self.errors[field.name]
                    data[field.name] = ""
        return data

    @property
    def is_sent(self) -> bool:
        """For approval; otherwise it is kept as a draft."""
        return "submit" in self.data

    def text(self) -> dict[str, str]:
        return {field.name: self.cleaned_data[field.name] for field in self._texts}

    def circumstances(self) -> dict[str, Any]:
        """What `draft` wants to know beside the text."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.text()}


class ReasonForm(guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
