from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import Group
from django.db.models import CharField, Model, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal import guard, languages
from portal.accounts.models import Role, User
from portal.revisions import paragraphs
from portal.revisions.actions import Kind
from portal.revisions.checks import Finding
from portal.revisions.models import Because, Method, Revision, Significance
from portal.revisions.rules import text_fields


class Paragraphs(forms.Textarea):
    """A text in as many boxes as the page likes to show, all of one name: the boxes are its paragraphs."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        boxes = data.getlist(name) if hasattr(data, "getlist") else [data[name]] if name in data else []
        return paragraphs.join([box.replace("\r\n", "\n") for box in boxes]) if boxes else None


class TextForm(forms.Form):
    """The translated fields of one object in one language; the fields come from its model.

    What its kind may not lack is needed when it is sent for approval; a draft does with the first field. Personal
    numbers are refused; phone numbers pass, for a public text may name them.
    """

    def __init__(
        self, kind: Kind, language: str, *args: Any, bases: "QuerySet[Revision] | None" = None, **kwargs: Any
    ) -> None:
        """`bases` are the Swedish texts one of which may stand beside the form."""
        super().__init__(*args, **kwargs)
        known = languages.get(language)
        attributes = {"lang": known.tag, "dir": known.direction}
        self.language = known
        self.texts = text_fields(kind.model)
        is_source = language == languages.SOURCE
        area = forms.Textarea if is_source else Paragraphs
        for position, field in enumerate(self.texts):
            widget = (
                forms.TextInput(attrs=attributes)
                if isinstance(field, CharField)
                else area(attrs={**attributes, "rows": 4 if position == 1 else 18})
            )
            self.fields[field.name] = forms.CharField(
                label=field.verbose_name,
                help_text=field.help_text,
                max_length=field.max_length or 20_000,
                required=field.name not in kind.may_lack,
                validators=[guard.validate],
                widget=widget,
            )
        self.fields |= self._about_source() if is_source else self._about_translation()
        if bases is not None:
            self.fields["based_on"] = forms.ModelChoiceField(bases, required=False, widget=forms.HiddenInput)
        if "override_reason" in self.data:
            self._may_override()

    @staticmethod
    def _about_source() -> dict[str, forms.Field]:
        return {
            "significance": forms.ChoiceField(
                label=pgettext_lazy("staff", "What kind of change is it?"),
                choices=Significance.choices,
                initial=Significance.CONTENT,
                widget=forms.RadioSelect,
            ),
            "change_note": forms.CharField(
                label=pgettext_lazy("staff", "What has changed?"),
                help_text=pgettext_lazy("staff", "One sentence. Readers of an older translation will see it."),
                max_length=300,
                required=False,
                validators=[guard.validate],
            ),
            "is_dangerous_if_old": forms.BooleanField(
                label=pgettext_lazy("staff", "Dangerous if old"),
                help_text=pgettext_lazy(
                    "staff",
                    "Readers of a translation of the earlier text could come to harm. They get the Swedish text until "
                    "their translation is renewed.",
                ),
                required=False,
            ),
        }

    @staticmethod
    def _about_translation() -> dict[str, forms.Field]:
        return {
            "method": forms.ChoiceField(
                label=pgettext_lazy("staff", "How was it translated?"),
                choices=Method.choices,
                initial=Method.HUMAN,
                widget=forms.RadioSelect,
            ),
            "pivot": forms.ChoiceField(
                label=pgettext_lazy("staff", "Translated from"),
                choices=[("", languages.get(languages.SOURCE).autonym)]
                + [choice for choice in languages.CHOICES if choice[0] != languages.SOURCE],
                required=False,
            ),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.is_sent:
            for field in self.texts[1:]:
                if self.has_error(field.name, "required"):
                    del self.errors[field.name]
                    data[field.name] = ""
        if data.get("is_dangerous_if_old") and data.get("significance") == Significance.TYPO:
            self.add_error(
                "is_dangerous_if_old", pgettext_lazy("staff", "Spelling or layout is never dangerous if old.")
            )
        return data

    @property
    def is_sent(self) -> bool:
        """For approval; otherwise it is kept as a draft."""
        return "submit" in self.data

    def text(self) -> dict[str, str]:
        return {field.name: self.cleaned_data[field.name] for field in self.texts}

    def circumstances(self) -> dict[str, Any]:
        """What `draft` wants to know beside the text."""
        beside = {"override_reason", *self.text()}
        return {name: value for name, value in self.cleaned_data.items() if name not in beside}

    @property
    def override_reason(self) -> str:
        return str(self.cleaned_data.get("override_reason", ""))

    def ask_for_reason(self, findings: Sequence[Finding]) -> None:
        """Say what the checks found; what does not block may be sent with a reason, for which there is a field now."""
        for finding in findings:
            self.add_error(finding.field or None, finding.message)
        if not any(finding.is_blocking for finding in findings):
            self._may_override()
            self.add_error("override_reason", pgettext_lazy("staff", "Mend it, or say why it is right as it stands."))

    def _may_override(self) -> None:
        self.fields["override_reason"] = forms.CharField(
            label=pgettext_lazy("staff", "Why it is right all the same"),
            help_text=pgettext_lazy("staff", "Whoever approves it reads this."),
            max_length=500,
            required=False,
            validators=[guard.validate],
        )

    def boxes(self, name: str) -> list[str]:
        """What stands in the boxes of a text, as it was sent, empty ones too."""
        assert isinstance(self.data, QueryDict)
        sent: list[str] = self.data.getlist(name)
        return sent


class SeenForm(forms.Form):
    """Knows what its writer had before their eyes, so that nobody overwrites what they have not seen."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def see(self, what: str) -> None:
        """Sent once more, it may replace this: its writer has been shown it."""
        sent: Any = self.data
        self.data = sent = sent.copy()  # with ** the values of a QueryDict are lists
        sent["seen"] = what


class ReasonForm(guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("reason",)

    reason = forms.CharField(
        label=pgettext_lazy("staff", "Why?"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class WithdrawForm(SeenForm, ReasonForm):
    """Why for colleagues, why for readers, what they get instead, and when."""

    because = forms.ChoiceField(
        label=pgettext_lazy("staff", "What readers are told"),
        choices=[("", pgettext_lazy("staff", "Nothing but that it was taken away")), *Because.choices],
        required=False,
    )
    at = forms.DateTimeField(
        label=pgettext_lazy("staff", "When"),
        help_text=pgettext_lazy("staff", "Empty: at once. Swedish time."),
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )

    def __init__(self, others: "QuerySet[Model] | None", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if others is None:
            del self.fields["because"]
        else:
            self.fields["successor"] = _Titles(
                others,
                label=pgettext_lazy("staff", "Send readers to this text instead"),
                empty_label=pgettext_lazy("staff", "None: they are told that the page was taken away"),
                required=False,
            )

    def clean_at(self) -> Any:
        return in_the_future(self.cleaned_data["at"])


class _Titles(forms.ModelChoiceField[Model]):
    def label_from_instance(self, obj: Any) -> str:
        return str(getattr(obj, languages.suffixed("title", languages.SOURCE)))


def in_the_future(moment: Any) -> Any:
    if moment is not None and moment <= timezone.now():
        raise forms.ValidationError(pgettext_lazy("staff", "That time has passed."))
    return moment


class ScheduleForm(forms.Form):
    at = forms.DateTimeField(
        label=pgettext_lazy("staff", "Publish at"),
        help_text=pgettext_lazy("staff", "Swedish time."),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )

    def clean_at(self) -> Any:
        return in_the_future(self.cleaned_data["at"])


class CommentForm(guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("text",)

    text = forms.CharField(
        label=pgettext_lazy("staff", "Comment"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class AssignForm(SeenForm, guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("note",)

    translator = forms.ModelChoiceField(label=pgettext_lazy("staff", "Who"), queryset=User.objects.none())
    due_on = forms.DateField(
        label=pgettext_lazy("staff", "Done by"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    note = forms.CharField(
        label=pgettext_lazy("staff", "Note"),
        help_text=pgettext_lazy("staff", "Stands in the mail."),
        max_length=300,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = Group.objects.filter(name__in=[Role.TRANSLATOR, Role.EDITOR])
        people = User.objects.filter(is_active=True, groups__in=roles).distinct().order_by("name")
        self.fields["translator"].queryset = people  # type: ignore[attr-defined]

    def clean_due_on(self) -> Any:
        day = self.cleaned_data["due_on"]
        if day < timezone.localdate():
            raise forms.ValidationError(pgettext_lazy("staff", "That day has passed."))
        return day
