from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import pgettext_lazy

from rumors.forms import VersionForm
from rumors.vocabulary import Actor, Behavior, Confidence, Content, Degree, Effect, Impact, ImpactOn, Reach

_UNSAID: Final = ("", "–")


class AssessForm(VersionForm):
    guarded: ClassVar[tuple[str, ...]] = ("basis",)

    reach = forms.ChoiceField(
        label=pgettext_lazy("staff", "How far it has come"), choices=[_UNSAID, *Reach.choices], required=False
    )
    basis = forms.CharField(
        label=pgettext_lazy("staff", "What that rests on"),
        help_text=pgettext_lazy("staff", "Views, questions at meetings, articles. It is an estimate."),
        max_length=300,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for on in ImpactOn:
            self.fields[f"on_{on}"] = forms.ChoiceField(
                label=on.label, choices=[_UNSAID, *Impact.choices], required=False
            )

    def impacts(self) -> dict[str, str]:
        return {on.value: self.cleaned_data[f"on_{on}"] for on in ImpactOn}


class AbcdeForm(VersionForm):
    guarded: ClassVar[tuple[str, ...]] = ("attribution",)

    actor = forms.ChoiceField(
        label=pgettext_lazy("staff", "A, actor: what kind of sender"), choices=[_UNSAID, *Actor.choices], required=False
    )
    behavior = forms.ChoiceField(
        label=pgettext_lazy("staff", "B, behavior: how it is spread"),
        choices=[_UNSAID, *Behavior.choices],
        required=False,
    )
    content = forms.ChoiceField(
        label=pgettext_lazy("staff", "C, content: what it is"), choices=[_UNSAID, *Content.choices], required=False
    )
    degree = forms.ChoiceField(
        label=pgettext_lazy("staff", "D, degree: how widely"), choices=[_UNSAID, *Degree.choices], required=False
    )
    effect = forms.ChoiceField(
        label=pgettext_lazy("staff", "E, effect: what it leads to"), choices=[_UNSAID, *Effect.choices], required=False
    )
    confidence = forms.ChoiceField(
        label=pgettext_lazy("staff", "How sure is that?"), choices=Confidence.choices, initial=Confidence.LOW
    )
    attribution = forms.CharField(
        label=pgettext_lazy("staff", "Who is behind it"),
        help_text=pgettext_lazy(
            "staff", "An organization or a state, never a private person. Somebody else has to confirm it."
        ),
        max_length=200,
        required=False,
    )
