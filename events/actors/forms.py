from datetime import date
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from events.actors import rules
from events.actors.models import Actor, Contact, Helper, HelperKind, Kind
from portal import languages
from portal.accounts.models import User
from portal.facts.models import Topic
from portal.filters import FilterForm
from portal.guard import GuardedForm, validate
from portal.meanwhile import MeanwhileForm

SPOKEN: Final = [(code, known.in_both_scripts) for code, known in languages.CATALOG.items()]
_ALL: Final = [("", pgettext_lazy("staff", "All"))]
_YES: Final = [*_ALL, ("yes", pgettext_lazy("staff", "Yes"))]


class ActorFilterForm(FilterForm):
    kind = forms.ChoiceField(label=pgettext_lazy("staff", "Kind"), choices=[*_ALL, *Kind.choices], required=False)
    area = forms.CharField(
        label=pgettext_lazy("staff", "District"),
        max_length=60,
        required=False,
        validators=[validate],
        widget=forms.TextInput(attrs={"list": "areas", "autocomplete": "off"}),
    )
    topic = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Topic"),
        queryset=Topic.objects.all(),
        empty_label=pgettext_lazy("staff", "All"),
        required=False,
    )
    language = forms.ChoiceField(label=pgettext_lazy("staff", "Language"), choices=[*_ALL, *SPOKEN], required=False)
    bridge_builders = forms.ChoiceField(
        label=pgettext_lazy("staff", "Bridge builders or interpreters of its own"), choices=_YES, required=False
    )
    review = forms.ChoiceField(label=pgettext_lazy("staff", "To be looked at again"), choices=_YES, required=False)

    def filters(self) -> dict[str, Any]:
        """What `Actor.objects.matching` takes. A filter that is no filter is left out."""
        self.is_valid()
        chosen = dict(self.cleaned_data)
        return chosen | {
            "has_bridge_builders": bool(chosen.pop("bridge_builders", "")),
            "is_to_review": bool(chosen.pop("review", "")),
        }


class HelperFilterForm(FilterForm):
    language = forms.ChoiceField(label=pgettext_lazy("staff", "Language"), choices=[*_ALL, *SPOKEN], required=False)


def _phone(label: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "dir": "ltr"})
    return forms.CharField(label=label, max_length=40, required=False, widget=widget)


def _email(label: Any, help_text: Any = "") -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": "off", "dir": "ltr"})
    return forms.EmailField(label=label, help_text=help_text, max_length=254, required=False, widget=widget)


def _day(label: Any, help_text: Any = "", *, required: bool) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, help_text=help_text, required=required, widget=widget)


def _responsible() -> forms.ModelChoiceField[User]:
    return forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Who takes care of it"),
        help_text=pgettext_lazy(
            "staff", "Gets a reminder when somebody has to be asked again. Without: all who plan events."
        ),
        queryset=User.objects.none(),
        required=False,
        empty_label="–",
    )


def _offer(field: forms.Field, now: User | None) -> None:
    """Those who may take care of it, and whoever does."""
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = User.objects.filter(Q(pk__in=rules.keepers()) | Q(pk__in=[now.pk] if now else [])).order_by(
        "name", "pk"
    )


class ActorForm(MeanwhileForm, GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("name", "area", "needs")
    open_to_all: ClassVar[tuple[str, ...]] = ("phone", "website")
    district: ClassVar[str] = "area"

    name = forms.CharField(label=pgettext_lazy("staff", "Name of the organization"), max_length=160)
    kind = forms.ChoiceField(label=pgettext_lazy("staff", "Kind"), choices=Kind.choices)
    area = forms.CharField(
        label=pgettext_lazy("staff", "District"),
        help_text=pgettext_lazy("staff", "A part of town, never an address."),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"list": "areas", "autocomplete": "off"}),
    )
    email = _email(
        pgettext_lazy("staff", "E-mail address of a function"),
        pgettext_lazy("staff", "Like info@ or board@: an address that stays when people change. Invitations go there."),
    )
    phone = _phone(pgettext_lazy("staff", "Phone number of a function"))
    website = forms.URLField(
        label=pgettext_lazy("staff", "Website"),
        max_length=300,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    topics = forms.ModelMultipleChoiceField(
        label=pgettext_lazy("staff", "Topics"),
        queryset=Topic.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    languages = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages it works in"),
        choices=SPOKEN,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    has_bridge_builders = forms.BooleanField(
        label=pgettext_lazy("staff", "It has bridge builders or interpreters of its own"), required=False
    )
    needs = forms.CharField(
        label=pgettext_lazy("staff", "What it needs"),
        help_text=pgettext_lazy(
            "staff", "From us, to pass on what is right. About the organization, never about a person."
        ),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    responsible = _responsible()
    review_on = _day(pgettext_lazy("staff", "Look at it again"), required=False)
    is_active = forms.BooleanField(label=pgettext_lazy("staff", "We work with it"), initial=True, required=False)

    def __init__(self, actor: Actor | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        _offer(self.fields["responsible"], actor.responsible if actor else None)

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        same = Actor.objects.filter(name__iexact=name).first()
        if same is not None and same != self.actor:
            raise ValidationError(pgettext("staff", "The register has an actor of this name already."))
        return name


class PersonForm(MeanwhileForm, GuardedForm):
    """What is asked of everybody who is named."""

    open_to_all: ClassVar[tuple[str, ...]] = ("phone",)
    about_person: ClassVar[tuple[str, ...]] = ("consent_note",)
    guarded: ClassVar[tuple[str, ...]] = ("name", "consent_note")

    name = forms.CharField(
        label=pgettext_lazy("staff", "Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = _email(
        pgettext_lazy("staff", "E-mail address"), pgettext_lazy("staff", "That of a function, where there is one.")
    )
    phone = _phone(pgettext_lazy("staff", "Phone number"))
    consented_on = _day(
        pgettext_lazy("staff", "Agreed on"),
        pgettext_lazy("staff", "Nobody is written down who has not agreed. After two years they are asked again."),
        required=True,
    )
    consent_note = forms.CharField(
        label=pgettext_lazy("staff", "How they agreed"),
        help_text=pgettext_lazy(
            "staff", "By mail, on paper, at a meeting. Never write what somebody believes in or where they come from."
        ),
        max_length=200,
    )

    def clean_consented_on(self) -> date:
        day: date = self.cleaned_data["consented_on"]
        today = timezone.localdate()
        if day > today:
            raise ValidationError(pgettext("staff", "This day has not come yet."))
        if day < today - Contact.KEEP:
            raise ValidationError(pgettext("staff", "That was more than two years ago. Ask again."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not data.get("email") and not data.get("phone") and not self.errors.keys() & {"email", "phone"}:
            self.add_error("email", pgettext("staff", "Write down an e-mail address or a phone number."))
        return data

    def changes(self) -> dict[str, Any]:
        """How they are reached is one thing in two fields: whoever takes one away has seen that the other is there."""
        found = super().changes()
        ways = {name: self.cleaned_data[name] for name in ("email", "phone")}
        return found | ways if found.keys() & ways.keys() else found


class ContactForm(PersonForm):
    guarded: ClassVar[tuple[str, ...]] = (*PersonForm.guarded, "role")
    about_person: ClassVar[tuple[str, ...]] = (*PersonForm.about_person, "role")

    role = forms.CharField(
        label=pgettext_lazy("staff", "Task there"),
        help_text=pgettext_lazy("staff", "Like chair or contact for families. No title that tells a faith."),
        max_length=120,
        required=False,
    )

    field_order = ("name", "role")


class HelperForm(PersonForm):
    kind = forms.ChoiceField(label=pgettext_lazy("staff", "Kind"), choices=HelperKind.choices, widget=forms.RadioSelect)
    languages = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Languages they work in"),
        choices=SPOKEN,
        widget=forms.CheckboxSelectMultiple,
    )
    responsible = _responsible()

    field_order = ("kind", "name", "languages", "email", "phone", "consented_on", "consent_note", "responsible")

    def __init__(self, helper: Helper | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["responsible"], helper.responsible if helper else None)
