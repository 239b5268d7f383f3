from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import uuid4

from django import forms
from django.forms.utils import ErrorList
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import pgettext_lazy

from portal import guard
from portal.revisions.readers.models import Mark, Problem, ReaderCheck
from portal.revisions.readers.rules import Piece, pieces

KINDS: Final = [("", pgettext_lazy("native reader", "Good as it is")), *Problem.choices]

YES_OR_NO: Final = [("yes", pgettext_lazy("native reader", "Yes")), ("no", pgettext_lazy("native reader", "No"))]


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence, and what has been said about it so far."""

    piece: Piece
    number: int
    """On the page, from 1: its fields are `k1` and `c1`."""
    kind: str
    comment: str
    errors: ErrorList

    @property
    def is_touched(self) -> bool:
        return bool(self.kind or self.comment or self.errors)

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        return [(value, str(label), " checked" if value == self.kind else "") for value, label in KINDS]

    @property
    def label(self) -> str:
        return str(dict(KINDS).get(self.kind, ""))


class AnswerForm(forms.Form):
    """What a native reader says: for each sentence what is the matter with it, if anything, and on the whole."""

    is_understood = forms.TypedChoiceField(
        label=pgettext_lazy("native reader", "Would a parent understand this text?"),
        choices=YES_OR_NO,
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": pgettext_lazy("native reader", "Answer yes or no.")},
    )
    comment = forms.CharField(
        label=pgettext_lazy("native reader", "What else do you want to say?"),
        help_text=pgettext_lazy("native reader", "Write in your own language or in Swedish. Leave out names."),
        max_length=2000,
        required=False,
        validators=[guard.validate],
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, check: ReaderCheck, data: QueryDict | None = None) -> None:
        said = {(mark.field, mark.number): mark for mark in check.marks.all()}
        self.pieces = pieces(check.revision)
        initial: dict[str, Any] = {}
        if check.answered_at:
            initial = {"is_understood": "yes" if check.is_understood else "no", "comment": check.comment}
        for number, piece in enumerate(self.pieces, start=1):
            if mark := said.get((piece.field, piece.number)):
                initial |= {f"k{number}": mark.kind, f"c{number}": mark.comment}
        super().__init__(data, initial=initial)
        for number, piece in enumerate(self.pieces, start=1):
            label = Truncator(piece.quote).chars(40)
            self.fields[f"k{number}"] = forms.ChoiceField(label=label, choices=KINDS, required=False)
            self.fields[f"c{number}"] = forms.CharField(
                label=label, max_length=500, required=False, validators=[guard.validate]
            )
        self.order_fields([name for name in self.fields if name not in {"is_understood", "comment"}])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for number in range(1, len(self.pieces) + 1):
            if data.get(f"c{number}") and data.get(f"k{number}") == "":
                self.add_error(
                    f"c{number}", pgettext_lazy("native reader", "Say what it is: unclear, wrong or offensive.")
                )
        return data

    @cached_property
    def rows(self) -> list[Row]:
        return list(self._rows())

    def _rows(self) -> Iterator[Row]:
        for number, piece in enumerate(self.pieces, start=1):
            kind, comment = self[f"k{number}"], self[f"c{number}"]
            errors = ErrorList([*kind.errors, *comment.errors])
            chosen = kind.value()
            yield Row(piece, number, chosen if chosen in Problem else "", comment.value() or "", errors)

    @property
    def touched(self) -> list[Row]:
        """The sentences about which something is said, as it stands in the form."""
        return [row for row in self.rows if row.is_touched]

    @property
    def said_understood(self) -> str:
        return str(dict(YES_OR_NO).get(self["is_understood"].value(), ""))

    def answer(self) -> dict[str, Any]:
        """What the action wants to know."""
        data = self.cleaned_data
        marks = [
            Mark(
                field=piece.field,
                number=piece.number,
                sentence=piece.quote,
                kind=data[f"k{number}"],
                comment=data[f"c{number}"],
            )
            for number, piece in enumerate(self.pieces, start=1)
            if data[f"k{number}"]
        ]
        return {"is_understood": data["is_understood"], "comment": data["comment"], "marks": marks}


class AskForm(guard.GuardedForm):
    """Ask a native reader: makes a secret link."""

    guarded: ClassVar[tuple[str, ...]] = ("label", "note")

    form_id = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)
    label = forms.CharField(
        label=pgettext_lazy("staff", "Who is asked"),
        help_text=pgettext_lazy(
            "staff", "For you to remember, such as “native speaker, association”. Never the name of a private person."
        ),
        max_length=80,
        required=False,
    )
    note = forms.CharField(
        label=pgettext_lazy("staff", "A word to the reader"),
        help_text=pgettext_lazy("staff", "Stands above the text, in the language that you write it in."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    days = forms.IntegerField(
        label=pgettext_lazy("staff", "For how many days does the link work?"), min_value=1, max_value=90, initial=21
    )

    def asked(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("form_id", "label", "note", "days")}
