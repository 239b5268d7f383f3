from typing import ClassVar
from uuid import uuid4

from django import forms
from django.utils.translation import pgettext_lazy

from portal.guard import GuardedForm


class CommentForm(GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("text",)

    form_id = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    text = forms.CharField(
        label=pgettext_lazy("staff", "Comment"),
        help_text=pgettext_lazy("staff", "For colleagues. No names of clients, no numbers."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
