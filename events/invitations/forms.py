from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import pgettext_lazy

from events.actors.forms import ActorFilterForm
from events.actors.models import Actor
from events.invitations.models import Invitation
from events.invitations.rules import Reach
from events.models import Event
from events.registrations.forms import RegistrationForm
from portal import guard, languages
from portal.filters import FilterForm
from portal.mail.rules import validate_travels

_ALL: Final = [("", pgettext_lazy("staff", "All"))]


# The page of an invitation ---------------------------------------------------------------------------------------


class AcceptForm(RegistrationForm):
    """What somebody needs who comes. Who they are is known, and they come alone."""

    def __init__(self, event: Event, *args: Any, **kwargs: Any) -> None:
        super().__init__(event, *args, **kwargs)
        for name in ("name", "email", "website"):
            del self.fields[name]
        self.fields["party_size"].required = False
        self.fields["party_size"].widget = forms.HiddenInput()

    def values(self) -> dict[str, Any]:
        """As `actions.accept` wants them."""
        wishes = self.wishes()
        return {
            "language": wishes["language"],
            "needs": wishes["needs"],
            "question": self.cleaned_data["question"],
        }


class SubstituteForm(forms.Form):
    name = forms.CharField(
        label=pgettext_lazy("invitation", "Who comes instead"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    email = forms.EmailField(
        label=pgettext_lazy("invitation", "Their e-mail address"),
        help_text=pgettext_lazy("invitation", "We write to them. They say themselves whether they come."),
        max_length=254,
        validators=[validate_travels],
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email", "dir": "ltr"}),
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("invitation", "In which language do they want our messages?"),
        choices=lambda: [(each.code, each.autonym) for each in languages.ACTIVE],
    )
    is_agreed = forms.BooleanField(
        label=pgettext_lazy("invitation", "They know that I give you their name and address, and they want it.")
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        guard.validate(name)
        return name

    def values(self) -> dict[str, Any]:
        """As `actions.name_substitute` wants them."""
        return {name: self.cleaned_data[name] for name in ("name", "email", "language")}


# Staff -----------------------------------------------------------------------------------------------------------


class InviteForm(forms.Form):
    """Who of the register is invited: `guests` by what stands in the form for each."""

    who = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Whom to invite"),
        help_text=pgettext_lazy("staff", "Who belongs to the circle of the series is chosen already."),
        widget=forms.CheckboxSelectMultiple,
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "In which language"),
        help_text=pgettext_lazy("staff", "The Swedish text is always below."),
        choices=lambda: [
            ("", pgettext_lazy("staff", "In the first language that each organization works in")),
            *((each.code, each.in_both_scripts) for each in languages.ACTIVE),
        ],
        required=False,
    )

    def __init__(self, guests: Mapping[str, Mapping[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guests = guests
        who = self.fields["who"]
        assert isinstance(who, forms.MultipleChoiceField)
        who.choices = [(key, self._label(guest)) for key, guest in guests.items()]

    @staticmethod
    def _label(guest: Mapping[str, Any]) -> str:
        actor = guest["actor"]
        return f"{guest['name']} ({guest['email']})" if guest["name"] == actor.name else f"{actor}: {guest['name']}"

    def chosen(self) -> list[dict[str, Any]]:
        """As `actions.invite` wants them."""
        said = self.cleaned_data["language"]
        found = [self.guests[key] for key in self.cleaned_data["who"]]
        return [{**guest, "language": said or guest["language"]} for guest in found]


def guests_of(actors: Iterable[Actor], *, taken: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Who may be invited of these, by a key of their own: the function first, then contacts. `taken` are the addresses
    that are invited already."""
    gone = {email.lower() for email in taken}
    found: dict[str, dict[str, Any]] = {}
    for actor in actors:
        known = [code for code in actor.languages if any(code == each.code for each in languages.ACTIVE)]
        about = {"actor": actor, "language": known[0] if known else languages.SOURCE}
        people = [(f"actor-{actor.pk}", {"name": actor.name, "email": actor.email})]
        people += [
            (f"contact-{each.pk}", {"name": each.name, "email": each.email, "contact": each})
            for each in actor.contacts.all()
        ]
        for key, guest in people:
            if guest["email"] and guest["email"].lower() not in gone:
                found[key] = {**guest, **about, "name": guest["name"][:120]}
    return found


class HandForm(guard.GuardedForm, forms.ModelForm[Invitation]):
    """Somebody who is in no register."""

    guarded: ClassVar[tuple[str, ...]] = ("name", "note")

    class Meta:
        model = Invitation
        fields = ("name", "email", "language", "actor", "note")
        help_texts: ClassVar = {
            "name": pgettext_lazy("staff", "A function where that is enough, like the board."),
            "actor": pgettext_lazy("staff", "For whom they come, so that the report counts it."),
        }
        widgets: ClassVar = {"email": forms.EmailInput(attrs={"autocomplete": "off", "dir": "ltr"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = self.fields["email"].required = True
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = [(each.code, each.in_both_scripts) for each in languages.ACTIVE]

    def values(self) -> dict[str, Any]:
        """As `actions.invite` wants them."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class InviteFilterForm(ActorFilterForm):
    """The same filters as in the register, where whom to look at again does not matter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["review"]


class CoverageFilterForm(FilterForm):
    reach = forms.ChoiceField(
        label=pgettext_lazy("staff", "How it is reached"), choices=[*_ALL, *Reach.choices], required=False
    )
    kind = ActorFilterForm.base_fields["kind"]
    area = ActorFilterForm.base_fields["area"]

    def filters(self) -> dict[str, Any]:
        """What `Actor.objects.matching` takes."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in ("kind", "area")}
