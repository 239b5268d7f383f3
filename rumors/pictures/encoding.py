"""Makes a new picture from the pixels of one that was sent. Nothing else of the file is kept: no place, no device, no
comment, no thumbnail, nothing that hangs on behind. What is sent may have been made to harm us: it is known by its
content alone, measured before it is unpacked, and refused when it is not whole.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import pgettext
from PIL import Image, ImageCms, WebPImagePlugin

from rumors.pictures.models import Kind, Picture

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_PIXELS: Final = 40_000_000
PREVIEW_SIDE: Final = 480
FEW_COLORS: Final = 1024
FEW_GRAYS: Final = 128
"""A photograph has nearly all of them."""
WAIT_SECONDS: Final = 15

# Pillow warns from this number on and raises an error from twice as many. It asks this itself wherever a file names a
# size a second time, and is a limit for the whole process, which makes no larger pictures.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2

_BEGINNINGS: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
_HEIC: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF: Final = {b"avif", b"avis"}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What EXIF says of how the camera was held."""
_ORIENTATION: Final = 0x0112

# A large picture takes hundreds of megabytes while it is unpacked: never two of them in one process.
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Encoded:
    kind: Kind
    content: bytes
    preview: bytes
    """Of the same kind."""
    width: int
    height: int


def encode(content: bytes) -> Encoded:
    """The same for the same bytes. ValidationError, in one sentence for people, for what is no picture of ours."""
    name = _format(content)
    with _turn():
        try:
            return _encoded(content, name)
        except Image.DecompressionBombError:
            raise too_many_pixels() from None
        except ValidationError:
            raise
        except Exception:  # noqa: BLE001 - a file that was made to break a decoder may do so in any way
            raise damaged() from None


def too_large() -> ValidationError:
    sentence = pgettext(
        "staff", "The picture is larger than %(megabytes)d MB. Take a screenshot of it, and choose that one."
    )
    return ValidationError(sentence % {"megabytes": MOST_BYTES // 1024**2}, code="too_large")


def too_many_pixels() -> ValidationError:
    sentence = pgettext(
        "staff", "The picture has more than %(millions)d million pixels. Take a screenshot of it, and choose that one."
    )
    return ValidationError(sentence % {"millions": MOST_PIXELS // 10**6}, code="too_many_pixels")


def damaged() -> ValidationError:
    sentence = pgettext(
        "staff", "The picture is damaged or not whole. If you can open it, take a screenshot of it and choose that one."
    )
    return ValidationError(sentence, code="damaged")


def _format(content: bytes) -> str:
    for beginning, name in _BEGINNINGS.items():
        if content.startswith(beginning):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile.format
    brands = {content[place : place + 4] for place in range(8, 64, 4)} if content[4:8] == b"ftyp" else set()
    if brands & _HEIC and not brands & _AVIF:
        raise ValidationError(
            pgettext(
                "staff",
                "This is a HEIC picture, as iPhones make them. On the phone, press it long in Files, choose Quick "
                "Actions, Convert Image, JPEG, and choose the new file here.",
            ),
            code="heic",
        )
    raise ValidationError(
        pgettext(
            "staff",
            "This is no picture of a kind that we take (JPEG, PNG, WebP, GIF). Take a screenshot of it, and choose "
            "that one.",
        ),
        code="unknown",
    )


@contextmanager
def _turn() -> Iterator[None]:
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise ValidationError(
            pgettext(
                "staff", "Many pictures are being sent just now. Choose the picture again in a minute, and send it."
            ),
            code="busy",
        )
    try:
        # Pillow tells of odd metadata, which is thrown away in any case.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _one_at_a_time.release()


def _encoded(content: bytes, name: str) -> Encoded:
    image = _decoded(content, name)
    profile, turn = image.info.get("icc_profile"), _turn_of(image)
    image = _simple(image)
    has_few_colors = image.getcolors(FEW_GRAYS if image.mode == "L" else FEW_COLORS) is not None
    image.thumbnail((Picture.LONGEST, Picture.LONGEST), Image.Resampling.LANCZOS)
    image = _bare(_in_srgb(image, profile))
    if turn is not None:
        image = image.transpose(turn)
    kind = Kind.PNG if has_few_colors or image.mode == "RGBA" else Kind.JPEG
    made = _written(image, kind)
    if len(made) > MOST_BYTES and kind == Kind.PNG:
        image, kind = _on_white(image), Kind.JPEG
        made = _written(image, kind)
    width, height = image.size
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return Encoded(kind, made, _written(image, kind), width, height)


def _decoded(content: bytes, name: str) -> Image.Image:
    """The first frame. Its size is known, and has been looked at, before any of it is unpacked."""
    image = Image.open(io.BytesIO(content), formats=[name])
    if image.width * image.height > MOST_PIXELS:
        raise too_many_pixels()
    image.load()
    return image


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - EXIF that cannot be read says nothing of how the camera was held
        return None


def _simple(image: Image.Image) -> Image.Image:
    """In one of four modes: L, RGB, RGBA, CMYK."""
    if image.mode.startswith("I"):
        # 16 bits of gray. The one that stands for transparency has 16 bits as well, and is left out.
        image.info.pop("transparency", None)
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in {"L", "CMYK"} else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """As the colors were meant, for a picture that says nothing of them any more."""
    mode = "RGB" if image.mode == "CMYK" else image.mode
    if profile:
        try:
            meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            shown = ImageCms.createProfile("sRGB")
            target = "RGB" if mode == "L" else mode
            image = ImageCms.profileToProfile(image, meant, shown, outputMode=target) or image
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # broken, or meant for other colors than these
    return image if image.mode == mode else image.convert(mode)


def _bare(image: Image.Image) -> Image.Image:
    """What was rubbed out until nothing of it could be seen is still there below: it is taken away."""
    if image.mode != "RGBA":
        return image
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert("RGB")
    bare = Image.new("RGBA", image.size)
    bare.paste(image, mask=alpha.point(lambda value: 255 if value else 0))
    return bare


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _written(image: Image.Image, kind: Kind) -> bytes:
    image.info = {}  # comments and profiles would be written from here
    file = io.BytesIO()
    if kind == Kind.PNG:
        image.save(file, "PNG", compress_level=6)
    else:
        # Without subsampling small colored letters stay legible.
        image.save(file, "JPEG", quality=85, subsampling=0)
    return file.getvalue()
