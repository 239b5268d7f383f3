from typing import Any, ClassVar, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import pgettext, pgettext_lazy

from portal import languages, spoken
from portal.accounts.models import User
from portal.pictures.models import Picture
from rumors.forms import SPOKEN, RumorForm, SeenForm
from rumors.models import Rumor, Sighting, named

UNSURE: Final = "und"
"""The code of a language that nobody knows, where the empty one says that the words tell it."""


class LogForm(RumorForm, SeenForm):
    """What somebody heard, on one page, in the order in which one remembers: a new rumor with its first sighting, or,
    with `same`, one more sighting of a rumor that is known."""

    guarded: ClassVar[tuple[str, ...]] = ("claim", "original", *SeenForm.guarded)
    FOLDED: ClassVar[tuple[str, ...]] = ("claim_type", "topic", "priority", "sensitivity", *SeenForm.FOLDED)
    KNOWN_BY: ClassVar[tuple[str, ...]] = ("claim", "original", "original_language")
    """What is typed before it is said what is known already."""

    original_language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language of those words"),
        choices=[
            ("", pgettext_lazy("staff", "Found out by the words")),
            *SPOKEN,
            (UNSURE, pgettext_lazy("staff", "Language not known")),
        ],
        required=False,
    )
    number = forms.CharField(
        label=pgettext_lazy("staff", "Or its number, if you know it"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr", "placeholder": "R-2026-0042"}),
    )
    same = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    """The rumor that it is: one that was offered, or `number` for the one that was typed."""
    offered = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)
    """The numbers of the rumors that the writer has been shown."""
    kept_picture = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    """A screenshot that came with the form before."""

    field_order = (
        *KNOWN_BY,
        "channel",
        "heard_how",
        "seen_on",
        "area",
        "url",
        "picture",
        "is_threat",
        *FOLDED,
    )

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user
        if self.is_bound and self.data.get("same"):
            # As it was said, or as it is put in Swedish: one of the two is enough.
            self.fields["claim"].required = False

    def before(self) -> list[forms.BoundField]:
        return [self[name] for name in self.KNOWN_BY]

    def after(self) -> list[forms.BoundField]:
        return [field for field in self.shown() if field.name not in (*self.KNOWN_BY, "number")]

    def clean_offered(self) -> set[int]:
        return {int(part) for part in self.cleaned_data["offered"].split(",") if part.isascii() and part.isdecimal()}

    def clean_kept_picture(self) -> Picture | None:
        pk = self.cleaned_data["kept_picture"]
        found: Picture | None = Picture.objects.unused().filter(kept_by=self.user, pk=pk).first() if pk else None
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        original, code = data.get("original", ""), data.get("original_language", "")
        if not original:
            data["original_language"] = code if code in languages.CATALOG else languages.SOURCE
        elif code == UNSURE:
            data["original_language"] = ""
        elif not code:
            # Few words do not tell it: then it is not known, and somebody who does may choose it later.
            data["original_language"] = spoken.guess(original)
        if data.get("same"):
            self._clean_same(data)
        return data

    def _clean_same(self, data: dict[str, Any]) -> None:
        visible = Rumor.objects.visible_to(self.user)
        typed = data["same"]
        if typed == "number":
            name = named(data.get("number", ""))
            data["same"] = visible.filter(**name).first() if name else None
            if data["same"] is None:
                self.add_error("number", pgettext("staff", "There is no rumor of this number."))
        else:
            is_number = typed.isascii() and typed.isdecimal() and len(typed) < 19
            data["same"] = visible.filter(pk=int(typed)).first() if is_number else None
            if data["same"] is None:
                self.add_error(None, pgettext("staff", "The rumor that you chose is not there any more."))
        if not (data.get("claim") or data.get("original")) and not {"claim", "original"} & self.errors.keys():
            self.add_error("original", pgettext("staff", "Write down what was said."))

    def asked_by_guard(self) -> bool:
        """Whether the guard refuses something, or wants a reason: then nothing is saved yet."""
        is_refused = any(
            error.code == "personal_number" for errors in self.errors.as_data().values() for error in errors
        )
        return is_refused or bool({self.REASON, self.WORDS} & self.fields.keys()) or self.district in self.errors

    def show_again(self, **values: object) -> None:
        """With these in its hidden fields, as if it had been sent so."""
        assert isinstance(self.data, QueryDict)
        data = self.data = self.data.copy()
        for name, value in values.items():
            data[name] = str(value)

    def is_in(self, made: Sighting) -> bool:
        """Whether what was made of this form before says all that it says now."""
        if not self.is_valid():
            return False
        data = self.cleaned_data
        names = {*SeenForm.base_fields} - {"picture", "form_id"}
        if any(data[name] != getattr(made, name) for name in names) or (data["picture"] and not made.picture_id):
            return False
        if made.form_id:
            said = self.sighting()
            return data["same"] == made.rumor and (said["original"], said["language"]) == (made.original, made.language)
        rumor = made.rumor
        return not data["same"] and all(data[name] == getattr(rumor, name) for name in self.KNOWN_BY)

    def sighting(self) -> dict[str, Any]:
        """What `sight` takes."""
        data = self.cleaned_data
        own = {name: data[name] for name in SeenForm.base_fields if name != "picture"}
        original = data["original"] or data["claim"]
        code = data["original_language"] if data["original"] else languages.SOURCE
        return own | {"original": original, "language": code, "picture": data["picture"]}

    def rumor(self) -> dict[str, Any]:
        """What `log` takes."""
        names = {*RumorForm.base_fields, *SeenForm.base_fields}
        return {name: value for name, value in self.cleaned_data.items() if name in names}
