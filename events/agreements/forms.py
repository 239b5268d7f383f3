from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.db.models import Q
from django.utils.translation import pgettext, pgettext_lazy

from events.actors.models import Actor
from events.agreements.models import Agreement, Minutes, Outcome
from portal import guard
from portal.accounts.models import Role, User
from portal.meanwhile import MeanwhileForm


class AgreementForm(guard.GuardedForm, forms.ModelForm[Agreement]):
    guarded: ClassVar[tuple[str, ...]] = ("what", "owner")

    form_id = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)

    class Meta:
        model = Agreement
        fields = ("what", "owner", "owner_actor", "owner_user", "due_on")
        help_texts: ClassVar = {
            "what": pgettext_lazy("staff", "In Swedish, as those who are invited next time will read it."),
            "owner": pgettext_lazy("staff", "A function, not a name. It is told to those who are invited next time."),
            "owner_user": pgettext_lazy("staff", "Others read the name of the municipality instead."),
        }
        widgets: ClassVar = {
            "what": forms.Textarea(attrs={"rows": 2, "lang": "sv"}),
            "due_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actor, user = self.fields["owner_actor"], self.fields["owner_user"]
        assert isinstance(actor, forms.ModelChoiceField)
        assert isinstance(user, forms.ModelChoiceField)
        actor.queryset = Actor.objects.filter(is_active=True)
        user.queryset = User.objects.holding(Role.EVENTS)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        named = sum(bool(data.get(name)) for name in ("owner", "owner_actor", "owner_user"))
        if named != 1 and "owner" not in self.errors:
            self.add_error("owner", pgettext("staff", "Say who sees to it: in words, an organization or a colleague."))
        return data

    def values(self) -> dict[str, Any]:
        """As `actions.agree` wants them."""
        return {name: self.cleaned_data[name] for name in (*self.Meta.fields, "form_id")}


class EditAgreementForm(MeanwhileForm, AgreementForm):
    """With what became of it. Who sees to it is one thing in three fields: whoever changes one has seen all three."""

    guarded: ClassVar[tuple[str, ...]] = (*AgreementForm.guarded, "reason")
    OWNERS: ClassVar[tuple[str, ...]] = ("owner", "owner_actor", "owner_user")

    # How a form leaves a field of its parent out: what is changed is there already.
    form_id = None  # type: ignore[assignment]
    outcome = forms.ChoiceField(
        label=pgettext_lazy("staff", "What became of it"),
        choices=[("", pgettext_lazy("staff", "Open")), *Outcome.choices],
        widget=forms.RadioSelect,
        required=False,
    )
    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why not, if it is not done"),
        help_text=pgettext_lazy("staff", "Those who are invited next time read it."),
        max_length=300,
        required=False,
    )

    def __init__(self, agreement: Agreement, *args: Any, **kwargs: Any) -> None:
        standing = {"outcome": agreement.outcome, "reason": agreement.reason}
        super().__init__(*args, instance=agreement, initial=standing, **kwargs)
        # Whoever sees to it already may be chosen, too.
        actor, user = self.fields["owner_actor"], self.fields["owner_user"]
        assert isinstance(actor, forms.ModelChoiceField)
        assert isinstance(user, forms.ModelChoiceField)
        actor.queryset = Actor.objects.filter(Q(is_active=True) | Q(pk=agreement.owner_actor_id))
        user.queryset = User.objects.to_choose(
            Role.EVENTS, besides=User.objects.filter(pk=agreement.owner_user_id or 0)
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("outcome") == Outcome.DROPPED and not data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", pgettext("staff", "Say why it is not done."))
        return data

    def changes(self) -> dict[str, Any]:
        found = super().changes()
        owners = {name: self.cleaned_data[name] for name in self.OWNERS}
        return found | owners if found.keys() & owners.keys() else found


class MinutesForm(MeanwhileForm, guard.GuardedForm, forms.ModelForm[Minutes]):
    guarded: ClassVar[tuple[str, ...]] = ("text",)

    class Meta:
        model = Minutes
        fields = ("text",)
        help_texts: ClassVar = {
            "text": pgettext_lazy(
                "staff", "In Swedish. Name organizations, not people. A line that begins with ## is a heading."
            ),
        }
        widgets: ClassVar = {"text": forms.Textarea(attrs={"rows": 16, "lang": "sv"})}
