from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages
from portal.facts.models import Audience, Fact
from portal.fonts import unprintable
from portal.guard import GuardedForm


class FollowForm(forms.Form):
    """The public form; `website` is a trap that people never see."""

    email = forms.EmailField(
        label=pgettext_lazy("pack", "E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "dir": "ltr"}),
    )
    website = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("website"):
            raise ValidationError(pgettext("pack", "The form could not be sent. Try again."))
        return self.cleaned_data


class _Questions(forms.ModelMultipleChoiceField[Fact]):
    def label_from_instance(self, fact: Fact) -> str:
        title: str = getattr(fact, languages.suffixed("title", languages.SOURCE))
        return title


class PackForm(GuardedForm):
    guarded: ClassVar = ("note",)

    facts = _Questions(
        label=pgettext_lazy("staff", "Texts"),
        queryset=Fact.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    codes = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages"),
        help_text=pgettext_lazy(
            "staff",
            "With how many of the texts there are in it. In place of what is missing or out of date the pack has "
            "English or Swedish, marked as such.",
        ),
        widget=forms.CheckboxSelectMultiple,
        initial=["en"],
    )
    note = forms.CharField(
        label=pgettext_lazy("staff", "What is new"),
        help_text=pgettext_lazy("staff", "In English. Everybody can read it."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "lang": "en", "dir": "ltr"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [language.code for language in languages.ACTIVE]
        facts = Fact.objects.published().for_audience(Audience.EMBASSIES).read_in(languages.SOURCE, *codes)
        self.fields["facts"].queryset = facts  # type: ignore[attr-defined]
        self.fields["facts"].initial = [fact.pk for fact in facts]
        self.fields["codes"].choices = [  # type: ignore[attr-defined]
            (code, f"{name} ({sum(bool(getattr(f, languages.suffixed('title', code))) for f in facts)}/{len(facts)})")
            for code, name in languages.LANGUAGES
            if not unprintable(name)
        ]
