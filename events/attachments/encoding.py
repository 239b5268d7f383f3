"""Has a program of its own make a PDF anew from what was sent (`leaves`), and says in words why there is none."""

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import pgettext_lazy

from events.attachments import leaves
from events.attachments.leaves import Rewritten
from portal.confined import Program

_WHY: Final = {
    "too_large": pgettext_lazy(
        "staff", "The PDF is larger than %(megabytes)d MB. Save it with smaller pictures, or divide it."
    ),
    "too_many_pages": pgettext_lazy("staff", "The PDF has more than %(pages)d pages. Divide it."),
    "too_large_unpacked": pgettext_lazy(
        "staff",
        "The PDF is far too large once it is unpacked: a phone could not open it. Save it with smaller pictures.",
    ),
    "password": pgettext_lazy("staff", "The PDF is locked with a password. Save it without one."),
    "unknown": pgettext_lazy(
        "staff", "This is no PDF. In the program that it was written with, choose to save or export it as PDF."
    ),
    "damaged": pgettext_lazy(
        "staff", "The PDF is damaged or not whole. Save it once more as PDF in the program that it was written with."
    ),
    "busy": pgettext_lazy("staff", "Many files are being read just now. Send it again in a minute."),
}

_PROGRAM: Final = Program(leaves, _WHY, died="damaged", megabytes=leaves.MOST_BYTES // 1024**2, pages=leaves.MOST_PAGES)


def encode(content: bytes) -> Rewritten:
    """The same for the same bytes. ValidationError, in a sentence for people, for what is no PDF of ours."""
    if len(content) > leaves.MOST_BYTES:
        raise too_large()
    if not content.startswith(b"%PDF-"):
        raise _PROGRAM.refused("unknown")
    about, kept = _PROGRAM.run(content)
    return Rewritten(content=kept, **about)


def too_large() -> ValidationError:
    return _PROGRAM.refused("too_large")
