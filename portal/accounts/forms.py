from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import pgettext, pgettext_lazy

from portal import guard
from portal.accounts.models import Role, User

KEY_NAME_LENGTH = 60


def _plain(form: forms.Form) -> None:
    """allauth says in placeholders and HTML hints what ours say in labels and sentences."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
        field.help_text = ""


def _new_password(form: forms.Form) -> None:
    _plain(form)
    form.fields["password1"].help_text = pgettext(
        "staff", "At least 12 characters, and not a common word. Three words that nobody puts together are good."
    )
    form.fields["password2"].label = pgettext("staff", "The new password once more")


def _code(form: forms.Form, hint: str) -> None:
    _plain(form)
    field = form.fields["code"]
    field.help_text = hint
    field.widget.attrs |= {"inputmode": "numeric", "maxlength": "12"}


class SignIn(account.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)
        self.fields["login"].label = pgettext("staff", "E-mail address")
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class PasswordAgain(account.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)


class NewPassword(account.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _new_password(self)


class ForgottenPassword(account.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)
        self.fields["email"].label = pgettext("staff", "E-mail address")


class FirstPassword(account.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _new_password(self)


class Code(mfa.AuthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self, pgettext("staff", "Six digits from the app on your phone, or one of your recovery codes."))


class CodeAgain(mfa.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self, pgettext("staff", "Six digits from the app on your phone, or one of your recovery codes."))


class FirstCode(totp.ActivateTOTPForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self, pgettext("staff", "Six digits that the app shows now."))


class AddKey(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self)
        _key_name(self)
        self.fields["passwordless"].label = pgettext("staff", "Sign in with it alone, without a password (passkey)")
        self.fields["passwordless"].help_text = pgettext(
            "staff", "The phone, computer or key then asks for your finger, your face or its own code."
        )
        self.fields["passwordless"].initial = True


class RenameKey(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _key_name(self)


def _key_name(form: forms.Form) -> None:
    field = form.fields["name"]
    assert isinstance(field, forms.CharField)
    field.label = pgettext("staff", "A name for it")
    field.help_text = pgettext("staff", "So that you know it again in the list: my phone, the key on my key ring.")
    field.widget.attrs["maxlength"] = KEY_NAME_LENGTH
    field.validators += [MaxLengthValidator(KEY_NAME_LENGTH), guard.validate]


class ProfileForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("staff", "Your name"), max_length=120, validators=[guard.validate])
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language of the staff pages and of mails to you"), choices=User.STAFF_LANGUAGES
    )


class UserForm(forms.ModelForm[User]):
    """What an administrator says of a colleague. `by` is the administrator."""

    by: User
    roles = forms.MultipleChoiceField(
        label=pgettext_lazy("staff", "Roles"),
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=pgettext_lazy("staff", "Without a role the person can sign in and do nothing."),
    )

    class Meta:
        model = User
        fields = ("name", "email", "language", "roles", "is_active")
        help_texts = {  # noqa: RUF012
            "is_active": pgettext_lazy(
                "staff", "Take the mark away when somebody leaves. What the person has done stays on record."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].validators.append(guard.validate)
        if self.instance.pk:
            self.initial["roles"] = sorted(self.instance.roles)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        keeps_the_door = cleaned.get("is_active", True) and Role.ADMIN in cleaned.get("roles", [])
        if self.instance.pk == self.by.pk and not keeps_the_door:
            raise ValidationError(pgettext("staff", "You cannot take your own way in away; ask another administrator."))
        return cleaned
