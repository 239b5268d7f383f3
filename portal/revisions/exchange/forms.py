from typing import Any

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages
from portal.revisions.actions import Kind
from portal.revisions.models import Method

TARGETS = [language for language in languages.ACTIVE if language.code != languages.SOURCE]


class ChoiceForm(forms.Form):
    """Which texts, for which language."""

    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Into"), choices=[(language.code, language.autonym) for language in TARGETS]
    )
    kind = forms.ChoiceField(label=pgettext_lazy("staff", "Kind"), required=False)
    state = forms.ChoiceField(
        label=pgettext_lazy("staff", "State"),
        required=False,
        choices=[
            ("", pgettext_lazy("staff", "All")),
            ("missing", pgettext_lazy("staff", "Not translated")),
            ("outdated", pgettext_lazy("staff", "Out of date")),
        ],
    )

    def __init__(self, kinds: list[Kind], data: dict[str, Any]) -> None:
        super().__init__({"language": TARGETS[0].code if TARGETS else "", **data})
        self._kinds = {kind.name: kind for kind in kinds}
        names = [(name, capfirst(str(kind.model._meta.verbose_name))) for name, kind in self._kinds.items()]
        self.fields["kind"].choices = [("", pgettext("staff", "All")), *names]  # type: ignore[attr-defined]

    def narrowed(self, sources: QuerySet[Any]) -> Any:
        """Of the Swedish texts in force those that the form asks for."""
        code, kind, state = (self.cleaned_data[name] for name in ("language", "kind", "state"))
        found: Any = sources
        if kind:
            found = found.filter(content_type=ContentType.objects.get_for_model(self._kinds[kind].model))
        if state == "missing":
            found = found.missing_in(code)
        elif state == "outdated":
            found = found.outdated_in(code)
        return found


class UploadForm(forms.Form):
    file = forms.FileField(
        label=pgettext_lazy("staff", "Translated file"),
        help_text=pgettext_lazy("staff", "XLIFF 1.2, 5 MB at most. You see what it will do before anything is kept."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlf,.xliff"}),
    )
    method = forms.ChoiceField(
        label=pgettext_lazy("staff", "How was it translated?"),
        choices=Method.choices,
        initial=Method.HUMAN,
        widget=forms.RadioSelect,
    )
