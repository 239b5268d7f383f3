from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import pgettext_lazy

from portal.accounts.models import User
from portal.guard import GuardedForm


class AssignForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("note",)

    assignee = forms.ModelChoiceField(
        label=pgettext_lazy("staff", "Who takes care of it?"),
        queryset=User.objects.none(),
        required=False,
        empty_label=pgettext_lazy("staff", "Nobody"),
    )
    note = forms.CharField(
        label=pgettext_lazy("staff", "What is to be done"),
        help_text=pgettext_lazy("staff", "For the one who takes care of it. No names of clients."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, handlers: "QuerySet[User]", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser = self.fields["assignee"]
        assert isinstance(chooser, forms.ModelChoiceField)
        chooser.queryset = handlers
