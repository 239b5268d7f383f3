"""Has a program of its own make a new picture from what was sent (`pixels`), and says in words why there is none."""

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import pgettext_lazy

from portal.confined import Program
from portal.pictures import pixels
from portal.pictures.pixels import MOST_BYTES, MOST_PIXELS, Encoded

_WHY: Final = {
    "too_large": pgettext_lazy(
        "staff", "The picture is larger than %(megabytes)d MB. Take a screenshot of it, and choose that one."
    ),
    "too_many_pixels": pgettext_lazy(
        "staff", "The picture has more than %(millions)d million pixels. Take a screenshot of it, and choose that one."
    ),
    "damaged": pgettext_lazy(
        "staff",
        "The picture is damaged or not whole. If you can open it, take a screenshot of it and choose that one.",
    ),
    "heic": pgettext_lazy(
        "staff",
        "This is a HEIC picture, as iPhones make them. On the phone, press it long in Files, choose Quick Actions, "
        "Convert Image, JPEG, and choose the new file here.",
    ),
    "unknown": pgettext_lazy(
        "staff",
        "This is no picture of a kind that we take (JPEG, PNG, WebP, GIF). Take a screenshot of it, and choose that "
        "one.",
    ),
    "busy": pgettext_lazy(
        "staff", "Many pictures are being sent just now. Choose the picture again in a minute, and send it."
    ),
}
_PROGRAM: Final = Program(pixels, _WHY, died="damaged", megabytes=MOST_BYTES // 1024**2, millions=MOST_PIXELS // 10**6)

_BEGINNINGS: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
_HEIC: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF: Final = {b"avif", b"avis"}


def encode(content: bytes) -> Encoded:
    """The same for the same bytes. ValidationError, in a sentence for people, for what is no picture of ours."""
    about, files = _PROGRAM.run(content, format_of(content))
    length = about.pop("length")
    return Encoded(content=files[:length], preview=files[length:], **about)


def too_large() -> ValidationError:
    return _PROGRAM.refused("too_large")


def format_of(content: bytes) -> str:
    """Pillow's name for it, by how it begins; what it is called and said to be does not count."""
    for beginning, name in _BEGINNINGS.items():
        if content.startswith(beginning):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    brands = {content[place : place + 4] for place in range(8, 64, 4)} if content[4:8] == b"ftyp" else set()
    raise _PROGRAM.refused("heic" if brands & _HEIC and not brands & _AVIF else "unknown")
