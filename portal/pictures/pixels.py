"""Makes a new picture from the pixels of one that was sent. Nothing else of the file is kept: no place, no device, no
comment, no thumbnail, nothing that hangs on behind.

A program of its own (`portal.confined`): it imports nothing of the site.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Final, Literal

# All of them now: nothing is loaded once a file has been looked at.
from PIL import GifImagePlugin, Image, ImageCms, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

from portal.confined.inside import RefusedError

FORMATS: Final = {
    plugin.format
    for plugin in (
        GifImagePlugin.GifImageFile,
        JpegImagePlugin.JpegImageFile,
        MpoImagePlugin.MpoImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
    )
}
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_PIXELS: Final = 40_000_000
LONGEST: Final = 4096
"""Pixels of the longer side of what is kept."""
PREVIEW_SIDE: Final = 480
FEW_COLORS: Final = 1024
FEW_GRAYS: Final = 128
"""A photograph has nearly all of them."""
MOST_MEMORY: Final = 1024**3
MOST_SECONDS: Final = 20

# Pillow warns from this number on, and raises an error from twice as many, wherever a file names a size.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2

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

Kind = Literal["jpeg", "png"]


@dataclass(frozen=True, slots=True)
class Encoded:
    kind: Kind
    content: bytes
    preview: bytes
    """Of the same kind."""
    width: int
    height: int


def encode(content: bytes, name: str) -> Encoded:
    """The same for the same bytes; `name` is Pillow's for what the file begins like."""
    if name not in FORMATS:
        raise RefusedError("damaged")
    with warnings.catch_warnings():
        # Pillow tells of odd metadata, which is thrown away in any case.
        warnings.simplefilter("ignore")
        try:
            return _encoded(content, name)
        except RefusedError:
            raise
        except Image.DecompressionBombError:
            raise RefusedError("too_many_pixels") from None
        except Exception:  # noqa: BLE001 - a file that was made to break a decoder may do so in any way
            raise RefusedError("damaged") from None


def answer(content: bytes, name: str) -> tuple[dict[str, object], bytes]:
    made = encode(content, name)
    about: dict[str, object] = {
        "kind": made.kind,
        "width": made.width,
        "height": made.height,
        "length": len(made.content),
    }
    return about, made.content + made.preview


def _encoded(content: bytes, name: str) -> Encoded:
    image = _decoded(content, name)
    profile, turn = image.info.get("icc_profile"), _turn_of(image)
    image = _simple(image)
    has_few_colors = image.getcolors(FEW_GRAYS if image.mode == "L" else FEW_COLORS) is not None
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    image = _bare(_in_srgb(image, profile))
    if turn is not None:
        image = image.transpose(turn)
    kind: Kind = "png" if has_few_colors or image.mode == "RGBA" else "jpeg"
    made = _written(image, kind)
    if len(made) > MOST_BYTES and kind == "png":
        image, kind = _on_white(image), "jpeg"
        made = _written(image, kind)
    width, height = image.size
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return Encoded(kind, made, _written(image, kind), width, height)


def _decoded(content: bytes, name: str) -> Image.Image:
    """The first frame. Its size is known, and has been looked at, before any of it is unpacked."""
    image = Image.open(io.BytesIO(content), formats=[name])
    if image.width * image.height > MOST_PIXELS:
        raise RefusedError("too_many_pixels")
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
    if kind == "png":
        image.save(file, "PNG", compress_level=6)
    else:
        # Without subsampling small colored letters stay legible.
        image.save(file, "JPEG", quality=85, subsampling=0)
    return file.getvalue()
