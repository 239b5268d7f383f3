import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages
from portal.guard import GuardedForm
from portal.revisions.glossary.models import WORD_LENGTH, State, Term, Wording


class WordsField(forms.CharField):
    """Several words or phrases, each on a line of its own or with commas between."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        parts = (" ".join(part.split()) for part in re.split(r"[\n,;،؛፣]", super().to_python(value) or ""))
        return list(dict.fromkeys(part for part in parts if part))

    def validate(self, value: Sequence[str]) -> None:
        super().validate(value)
        for part in value:
            if len(part) > WORD_LENGTH:
                raise ValidationError(
                    pgettext("staff", "“%(part)s …” is too long for a word. Is a line break missing?")
                    % {"part": part[:30]}
                )

    def run_validators(self, value: Any) -> None:
        """Those of the whole text: there are none for its parts."""


class TermForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("word", "forms")

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    word = forms.CharField(
        label=pgettext_lazy("words", "Swedish word"),
        help_text=pgettext_lazy("staff", "As readers meet it in letters and texts."),
        max_length=WORD_LENGTH,
        widget=forms.TextInput(attrs={"lang": "sv", "dir": "ltr"}),
    )
    forms = WordsField(
        label=pgettext_lazy("words", "other forms"),
        help_text=pgettext_lazy(
            "staff",
            "One on each line: plural, definite form, short form. With * at its end it stands for every ending.",
        ),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "sv", "dir": "ltr"}),
    )

    def __init__(self, term: Term | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._term = term
        self.initial = {"seen": term.version if term else "", **self.initial}

    def clean_word(self) -> str:
        word = " ".join(self.cleaned_data["word"].split())
        others = Term.objects.exclude(pk=self._term.pk) if self._term else Term.objects.all()
        if others.filter(word__iexact=word).exists():
            raise ValidationError(pgettext("staff", "The glossary has this word already."))
        return word

    def see(self, term: Term) -> None:
        """Sent once more, it may replace this: its writer has been told."""
        sent: Any = self.data
        self.data = sent = sent.copy()
        sent["seen"] = term.version


class WordingForm(GuardedForm):
    """What a language says for a term; `seen` is the version of which the writer knows."""

    guarded: ClassVar[tuple[str, ...]] = ("use", "also", "avoid", "why", "meaning")

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    use = forms.CharField(
        label=pgettext_lazy("words", "use"),
        help_text=pgettext_lazy("staff", "The word that readers shall meet."),
        max_length=WORD_LENGTH,
    )
    also = WordsField(
        label=pgettext_lazy("words", "also right"),
        help_text=pgettext_lazy(
            "staff",
            "Inflected forms and other good words, one on each line. With * at its end it stands for every ending.",
        ),
        required=False,
    )
    avoid = WordsField(
        label=pgettext_lazy("words", "do not use"),
        help_text=pgettext_lazy("staff", "One on each line."),
        required=False,
    )
    why = forms.CharField(
        label=pgettext_lazy("words", "why"),
        help_text=pgettext_lazy(
            "staff", "In Swedish, for those who write and translate: what goes wrong with the other words?"
        ),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "lang": "sv", "dir": "ltr"}),
    )
    meaning = forms.CharField(
        label=pgettext_lazy("words", "meaning"),
        help_text=pgettext_lazy("staff", "For readers: one or two short sentences that explain it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, language: languages.Language, wording: Wording | None, data: QueryDict | None) -> None:
        names = ("use", "also", "avoid", "why", "meaning")
        kept = {name: getattr(wording, name) for name in names} | {"seen": wording.version} if wording else {}
        super().__init__(data, initial=kept)
        if language.code == languages.SOURCE:
            del self.fields["use"], self.fields["also"]
        for name in self.fields.keys() & {"use", "also", "avoid", "meaning"}:
            self.fields[name].widget.attrs |= {"lang": language.tag, "dir": language.direction}

    def written(self) -> dict[str, Any]:
        """What the action wants: the confirmation is between the writer and the form."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.base_fields and name != "seen"}

    def see(self, wording: Wording | None) -> None:
        """Sent once more, it may replace this one: its writer has been shown it."""
        sent: Any = self.data
        self.data = sent = sent.copy()  # with ** the values of a QueryDict are lists
        sent["seen"] = wording.version if wording else ""


class WordFilterForm(forms.Form):
    q = forms.CharField(label=pgettext_lazy("staff", "Search"), max_length=80, required=False)
    language = forms.ChoiceField(
        label=pgettext_lazy("words", "Language"),
        choices=[("", pgettext_lazy("staff", "Any language")), *languages.LANGUAGES],
        required=False,
    )
    state = forms.ChoiceField(
        label=pgettext_lazy("words", "State"),
        choices=[("", pgettext_lazy("staff", "All")), *State.choices],
        required=False,
    )
