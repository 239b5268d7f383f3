from typing import Any, ClassVar

from django import forms
from django.utils.translation import pgettext, pgettext_lazy

from events.attachments import encoding, leaves
from portal import guard, languages


class AttachmentForm(guard.GuardedForm):
    guarded: ClassVar[tuple[str, ...]] = ("title",)

    file = forms.FileField(
        label=pgettext_lazy("staff", "PDF"),
        help_text=pgettext_lazy(
            "staff",
            "At most 5 MB and 200 pages. Form fields, comments, films and files in it are taken out, and so is who "
            "wrote it. Text, pictures, links and bookmarks stay.",
        ),
        widget=forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
        error_messages={
            "required": pgettext_lazy("staff", "Choose the PDF."),
            "empty": pgettext_lazy("staff", "The file is empty. Choose it again."),
            "invalid": pgettext_lazy("staff", "No file has arrived. Choose it again."),
        },
    )
    title = forms.CharField(
        label=pgettext_lazy("staff", "Title"),
        help_text=pgettext_lazy("staff", "What it is, in the language of the document. Readers choose by it."),
        max_length=120,
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("staff", "Language of the document"),
        choices=languages.CHOICES,
        initial=languages.SOURCE,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > leaves.MOST_BYTES:
            raise encoding.too_large()
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors and "file" not in self.errors:
            self.add_error(
                "file", pgettext("staff", "Choose the PDF again: it does not stay in a form that comes back.")
            )
        return data
