from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard, languages
from portal.facts.models import Fact
from portal.questions.models import Door, Outcome, Question
from portal.questions.rules import Close
from portal.revisions.rules import heading


class TellForm(forms.Form):
    """The public form; `website` is a trap that people never see."""

    text = forms.CharField(
        label=pgettext_lazy("tell us", "What have you heard, or what do you want to know?"),
        help_text=pgettext_lazy(
            "tell us", "Write in your own language. Leave out names, personal numbers and phone numbers."
        ),
        min_length=3,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )
    website = forms.CharField(required=False)

    def clean_text(self) -> str:
        """What staff may give a reason for in their own notes has to go here: we need nothing of the kind."""
        text: str = self.cleaned_data["text"]
        guard.validate(text, phones_confirmed=True)
        if guard.find(text):
            raise ValidationError(
                pgettext(
                    "helpful", "Take out phone numbers, e-mail addresses and street addresses. We do not need them."
                )
            )
        return text

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("website"):
            raise ValidationError(pgettext("tell us", "The form could not be sent. Try again."))
        return self.cleaned_data


class CodeForm(forms.Form):
    """With which a reader looks up an answer. Whatever is typed is looked for: it takes the same time."""

    code = forms.CharField(
        label=pgettext_lazy("tell us", "Your code"),
        help_text=pgettext_lazy("tell us", "15 letters and digits. Small letters and spaces are fine, too."),
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "dir": "ltr",
                "lang": "en",
            }
        ),
    )

    def refuse(self) -> None:
        self.add_error(
            "code",
            pgettext(
                "tell us",
                "We find nothing with this code. Compare every letter. It may also be too old: then ask again.",
            ),
        )


class _Facts(forms.ModelChoiceField[Fact]):
    def label_from_instance(self, obj: Fact) -> str:
        return heading(obj)


class SettleForm(guard.GuardedForm):
    """What becomes of a question. That it belongs to a rumor is said by the register, which settles it then."""

    guarded: ClassVar[tuple[str, ...]] = ("answer", "note")
    _UNANSWERED: ClassVar = [(each.value, each.label) for each in (Outcome.MISSING_FACT, Outcome.DISMISSED)]

    outcome = forms.ChoiceField(
        label=pgettext_lazy("staff", "What becomes of it?"),
        choices=[
            (Outcome.ANSWERED.value, pgettext_lazy("staff", "It is answered: by a fact, or in words")),
            *_UNANSWERED,
        ],
        widget=forms.RadioSelect,
    )
    fact = _Facts(
        label=pgettext_lazy("staff", "The fact that answers it"),
        help_text=pgettext_lazy(
            "staff", "The closest ones come first. The reader gets it in the language of the page."
        ),
        queryset=Fact.objects.published().read_in(languages.SOURCE),
        required=False,
        empty_label="–",
    )
    answer = forms.CharField(
        label=pgettext_lazy("staff", "Answer in words"),
        help_text=pgettext_lazy(
            "staff", "For whoever has the code. Somebody else has to approve it before they can read it."
        ),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
    )
    answer_language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language of the answer"),
        help_text=pgettext_lazy("staff", "Best in that of the question."),
        required=False,
    )
    note = forms.CharField(
        label=pgettext_lazy("staff", "What is missing, or a note for colleagues"),
        help_text=pgettext_lazy(
            "staff",
            "In Swedish. A missing fact that goes by the same name is counted together: “Får jag ha med en tolk?”",
        ),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"list": "missing", "autocomplete": "off"}),
    )

    def __init__(self, question: Question, close: Sequence[Close], data: QueryDict | None = None) -> None:
        kept: dict[str, Any] = {
            "answer": question.answer,
            "answer_language": question.answer_language or question.language,
            "fact": question.fact_id,
            "note": question.outcome_note,
        }
        super().__init__(data, initial=kept | ({"outcome": Outcome.ANSWERED} if question.answer else {}))
        if question.code_hash or question.answer:
            codes = dict.fromkeys([question.language, languages.SOURCE])
            chooser = self.fields["answer_language"]
            assert isinstance(chooser, forms.ChoiceField)
            chooser.choices = [(code, languages.get(code).in_both_scripts) for code in codes]
        else:
            self._leave_out_words()
        facts = self.fields["fact"]
        assert isinstance(facts, forms.ModelChoiceField)
        first = {each.fact.pk: each.title for each in close}
        others = [(fact.pk, heading(fact)) for fact in facts.queryset or () if fact.pk not in first]
        facts.choices = [
            ("", "–"),
            *([(pgettext("staff", "Closest"), list(first.items()))] if first else []),
            (pgettext("staff", "All others"), sorted(others, key=lambda other: other[1])),
        ]

    def _leave_out_words(self) -> None:
        """Nobody has a code to look them up with."""
        del self.fields["answer"], self.fields["answer_language"]
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        answered = (Outcome.ANSWERED.value, pgettext("staff", "It is answered by a fact"))
        outcome.choices = [answered, *self._UNANSWERED]
        self.fields["fact"].help_text = pgettext("staff", "The closest ones come first.")

    def clean_note(self) -> str:
        return " ".join(str(self.cleaned_data["note"]).split())

    def clean(self) -> dict[str, Any]:
        """An answer belongs to what is answered: with anything else it would be thrown away unseen."""
        data = super().clean()
        if data.get("outcome", Outcome.ANSWERED) != Outcome.ANSWERED:
            if data.get("answer"):
                self.add_error("answer", pgettext("staff", "Choose “It is answered”, or take the answer out."))
            if data.get("fact"):
                self.add_error("fact", pgettext("staff", "Choose “It is answered”, or take the fact out."))
        return data


class QuestionFilterForm(forms.Form):
    """The inbox's filters; they live in the address."""

    _ALL: ClassVar = [("", pgettext_lazy("staff", "All"))]

    outcome = forms.ChoiceField(
        label=pgettext_lazy("staff", "What became of it"),
        choices=[*_ALL, *Outcome.choices],
        initial=Outcome.OPEN,
        required=False,
    )
    door = forms.ChoiceField(label=pgettext_lazy("staff", "Came in by"), choices=[*_ALL, *Door.choices], required=False)
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language"),
        choices=[*_ALL, *((language.code, language.in_both_scripts) for language in languages.ACTIVE)],
        required=False,
    )
