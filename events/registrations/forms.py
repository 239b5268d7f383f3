from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.translation import get_language, pgettext, pgettext_lazy

from events.models import Event
from events.registrations.models import Need, Registration
from portal import guard, languages
from portal.mail.rules import validate_travels

MOST: Final = 2000
"""Letters of a question."""


class WishesForm(forms.Form):
    """What a registration may be about, beside who it is."""

    language = forms.ChoiceField(
        label=pgettext_lazy("registration", "In which language do you want our messages?"),
        choices=lambda: [(each.code, each.autonym) for each in languages.ACTIVE],
        widget=forms.Select(attrs={"autocomplete": "language"}),
    )
    party_size = forms.IntegerField(
        label=pgettext_lazy("registration", "How many seats do you need?"),
        min_value=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    interpreter = forms.ChoiceField(
        label=pgettext_lazy("registration", "Do you need an interpreter? Into which language?"),
        help_text=pgettext_lazy("registration", "It costs you nothing. We tell you if we cannot find one."),
        choices=lambda: (
            [("", pgettext("registration", "No"))]
            + [(each.code, each.autonym) for each in languages.ACTIVE if each.code != languages.SOURCE]
        ),
        required=False,
    )
    access = forms.CharField(
        label=pgettext_lazy("registration", "Do you need something else to be able to come?"),
        help_text=pgettext_lazy(
            "registration",
            "For example a place for a wheelchair, or somebody who writes what is said. Write no diagnosis.",
        ),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, event: Event, *args: Any, largest: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].initial = get_language()
        self._keep_interpreter()
        largest = max(largest, event.largest_party)
        size = self.fields["party_size"]
        assert isinstance(size, forms.IntegerField)
        size.initial = 1
        if largest == 1:
            size.required, size.widget = False, forms.HiddenInput()
        else:
            size.validators.append(MaxValueValidator(largest))
            size.widget.attrs["max"] = largest

    def _keep_interpreter(self) -> None:
        """Somebody still needs one whose language the portal has left out since."""
        interpreter = self.fields["interpreter"]
        assert isinstance(interpreter, forms.ChoiceField)
        choices: Any = interpreter.choices
        needed = self.initial.get("interpreter")
        if needed and needed not in dict(choices):
            interpreter.choices = [*choices, (needed, languages.get(needed).autonym)]

    def clean_party_size(self) -> int:
        return self.cleaned_data.get("party_size") or 1

    def clean_access(self) -> str:
        return _guarded(self.cleaned_data["access"])

    def wishes(self) -> dict[str, Any]:
        """As the actions want them."""
        data = self.cleaned_data
        needs = []
        if data["interpreter"]:
            needs.append({"kind": Need.Kind.INTERPRETER, "language": data["interpreter"]})
        if data["access"]:
            needs.append({"kind": Need.Kind.ACCESS, "detail": data["access"]})
        return {"language": data["language"], "party_size": data["party_size"], "needs": needs}


class RegistrationForm(WishesForm):
    """The public form; `website` is a trap that people never see."""

    name = forms.CharField(
        label=pgettext_lazy("registration", "Name"),
        help_text=pgettext_lazy("registration", "It does not have to be your real name."),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )
    email = forms.EmailField(
        label=pgettext_lazy("registration", "E-mail address"),
        help_text=pgettext_lazy("registration", "Without one you get a code to write down or print, and no reminder."),
        max_length=254,
        required=False,
        validators=[validate_travels],
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "dir": "ltr"}),
    )
    question = forms.CharField(
        label=pgettext_lazy("registration", "Do you want to ask something in advance?"),
        help_text=pgettext_lazy(
            "registration", "We keep the question without your name. Leave out names and personal numbers."
        ),
        max_length=MOST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    website = forms.CharField(required=False)

    field_order = ("name", "email", "language", "party_size", "interpreter", "access", "question", "website")
    OWN_WORDS: ClassVar[tuple[str, ...]] = ("access", "question")
    """What takes long to write."""

    def clean_name(self) -> str:
        return _guarded(self.cleaned_data["name"])

    def clean_question(self) -> str:
        return _guarded(self.cleaned_data["question"])

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("website"):
            raise ValidationError(pgettext("registration", "The form could not be sent. Try again."))
        return self.cleaned_data

    def registration(self) -> dict[str, Any]:
        """As `actions.register` wants it."""
        return {name: self.cleaned_data[name] for name in ("name", "email", "question")} | self.wishes()


def wishes_of(registration: Registration) -> dict[str, Any]:
    """What stands in the form of a registration that there is."""
    needs = {need.kind: need for need in registration.needs.all()}
    interpreter, access = needs.get(Need.Kind.INTERPRETER), needs.get(Need.Kind.ACCESS)
    return {
        "language": registration.language,
        "party_size": registration.party_size,
        "interpreter": interpreter.language if interpreter else "",
        "access": access.detail if access else "",
    }


def _guarded(text: str) -> str:
    guard.validate(text)
    return text


class CodeForm(forms.Form):
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
            "code", pgettext("registration", "We find no registration with this code. Compare every letter.")
        )
