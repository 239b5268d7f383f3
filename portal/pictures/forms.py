from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext, pgettext_lazy

from portal.pictures import encoding, pixels

ACCEPT: Final = "image/jpeg,image/png,image/webp"


class PictureField(forms.FileField):
    """A screenshot. What it really is, `actions.keep` finds out."""

    widget = forms.FileInput

    def __init__(self, **options: Any) -> None:
        usual: dict[str, Any] = {
            "label": pgettext_lazy("staff", "Screenshot"),
            "help_text": pgettext_lazy(
                "staff",
                "JPEG, PNG or WebP, 10 MB at most. Place, time, device and everything else that is hidden in the "
                "file is removed. What can be seen stays: cut off names and faces of private persons first.",
            ),
            "required": False,
            "error_messages": {
                "empty": pgettext_lazy("staff", "The file is empty. Choose the picture again."),
                "invalid": pgettext_lazy("staff", "No picture has arrived. Choose it again."),
            },
        }
        super().__init__(**usual | options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"accept": ACCEPT}

    def clean(self, data: Any, initial: Any = None) -> Any:
        found = super().clean(data, initial)
        if found and found.size > pixels.MOST_BYTES:
            raise encoding.too_large()
        return found


class WithPicture(forms.Form):
    """Mixed into a form that a screenshot may come with. A form that comes back has lost its file, and says so."""

    picture = PictureField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "picture" not in (self.field_order or ()):
            self.fields["picture"] = self.fields.pop("picture")  # after what the form is about

    def clean_picture(self) -> Any:
        """Sent again after the session had ended, it comes without the file."""
        file = self.cleaned_data["picture"]
        if not file and self.data.get(f"{self.add_prefix('picture')}_lost"):
            raise ValidationError(pgettext("staff", "Choose the picture again, or send the form without it."))
        return file

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        faults = self.errors.get("picture")
        if faults is None and self.add_prefix("picture") in self.files:
            sentence = pgettext("staff", "Choose the picture again: it does not stay in a form that comes back.")
            super().add_error("picture", ValidationError(sentence, code="again"))
        elif faults is not None and len(faults.data) > 1:
            faults.data = [fault for fault in faults.data if getattr(fault, "code", "") != "again"]
