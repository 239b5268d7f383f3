"""Files as people and attackers send them, and parsers of our own for what is kept: Pillow is not asked of itself."""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

MARK = b"HIDDEN-57.7089N"
"""Stands wherever a file can hold words that nobody sees."""
SOFT = (64, 48)


def photograph(size: tuple[int, int] = SOFT, mode: str = "RGB") -> Image.Image:
    """Many colors that change slowly."""
    across, down = Image.linear_gradient("L").rotate(90).resize(size), Image.linear_gradient("L").resize(size)
    round_ = Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (across, down, round_)).convert(mode)


def screenshot(size: tuple[int, int] = SOFT, mode: str = "RGB") -> Image.Image:
    """Few colors with hard edges."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((5, 5, size[0] // 2, size[1] // 2), fill=(200, 30, 30))
    draw.line((0, 0, *size), fill=(0, 0, 120))
    return image.convert(mode)


def corners() -> Image.Image:
    """Looks different whichever way it is turned."""
    image = Image.new("RGB", (24, 16), "white")
    image.paste((255, 0, 0), (0, 0, 12, 8))
    image.paste((0, 0, 255), (12, 0, 24, 8))
    return image


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


# What is hidden -----------------------------------------------------------------------------------------------------


def exif(turn: int = 1) -> bytes:
    told = Image.Exif()
    told[0x0112] = turn
    told[0x010E] = MARK.decode()
    told[0x0110] = "Phone of " + MARK.decode()
    told.get_ifd(0x8825)[29] = MARK.decode()
    return told.tobytes()


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><t>' + MARK + b"</t></x:xmpmeta>"


def profile(*, is_swapped: bool = False, words: bytes = b"") -> bytes:
    """sRGB; when swapped, what it calls red is green."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if is_swapped:
        made = made.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)
    return made + words


def told_jpeg() -> bytes:
    thumbnail = file_of(screenshot((16, 16)), "JPEG", comment=MARK)
    content = file_of(
        photograph(), "JPEG", exif=exif(), xmp=XMP, comment=MARK, icc_profile=profile(words=MARK), dpi=(72, 72)
    )
    app13 = b"\xff\xed" + struct.pack("!H", 2 + len(MARK) + len(thumbnail)) + MARK + thumbnail
    return content[:2] + app13 + content[2:]


def told_png() -> bytes:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", MARK.decode())
    words.add_text("Packed", MARK.decode() * 9, zip=True)
    words.add_itxt("XML:com.adobe.xmp", XMP.decode())
    words.add(b"prVt", MARK)
    words.add(b"tIME", struct.pack("!HBBBBB", 2026, 11, 28, 12, 0, 0))
    return file_of(screenshot(), "PNG", pnginfo=words, exif=exif(), icc_profile=profile(words=MARK), dpi=(72, 72))


def told_webp() -> bytes:
    return file_of(photograph(), "WEBP", exif=exif(), xmp=XMP, icc_profile=profile(words=MARK))


def told_gif() -> bytes:
    return file_of(screenshot(), "GIF", comment=MARK)


TOLD = {"jpeg": told_jpeg, "png": told_png, "webp": told_webp, "gif": told_gif}


# Made by hand -------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("!L", len(content)) + kind + content + struct.pack("!L", zlib.crc32(kind + content))


def png(width: int, height: int, *, bits: int = 8, color: int = 2, rows: bytes = b"", extra: bytes = b"") -> bytes:
    header = struct.pack("!LLBBBBB", width, height, bits, color, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + data + chunk(b"IEND", b"")


def vast() -> dict[str, bytes]:
    """A few bytes that say how very large they are."""
    jpeg = file_of(photograph(), "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    gif = file_of(screenshot(), "GIF")
    frame = gif.index(b"\x2c\0\0\0\0") + 5
    webp = b"VP8X" + struct.pack("<L", 10) + b"\0" * 4 + (16383).to_bytes(3, "little") * 2
    return {
        "png": png(100_000, 100_000, rows=b"\0" * 1000),
        "png of the largest size": png(2**31 - 1, 2**31 - 1),
        "jpeg": jpeg[:place] + struct.pack("!HH", 65_500, 65_500) + jpeg[place + 4 :],
        "gif": gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:],
        "gif with a frame larger than itself": gif[:frame] + struct.pack("<HH", 65_535, 65_535) + gif[frame + 4 :],
        "webp": b"RIFF" + struct.pack("<L", 4 + len(webp)) + b"WEBP" + webp,
        "one pixel too many": png(40_000_001, 1),
    }


# What is kept -------------------------------------------------------------------------------------------------------


def png_chunks(content: bytes) -> Iterator[bytes]:
    """The names of all chunks; fails when anything else is in the file."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place = 8
    while place < len(content):
        (length,) = struct.unpack_from("!L", content, place)
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert struct.unpack_from("!L", content, place + 8 + length)[0] == zlib.crc32(kind + data)
        yield kind
        place += 12 + length
    assert kind == b"IEND"
    assert place == len(content)


def jpeg_segments(content: bytes) -> Iterator[int]:
    """The markers of all segments; fails when anything else is in the file."""
    assert content[:2] == b"\xff\xd8"
    assert content[-2:] == b"\xff\xd9"
    place = 2
    while content[place + 1] != 0xDA:
        assert content[place] == 0xFF
        yield content[place + 1]
        place += 2 + struct.unpack_from("!H", content, place + 2)[0]
    # Pixels: a marker in them is one that Pillow does not write, or the end.
    assert content.index(b"\xff\xd9", place) == len(content) - 2
    yield 0xDA


def is_bare(content: bytes) -> bool:
    """Pixels, what is needed to read them, and nothing else."""
    if content.startswith(b"\x89PNG"):
        return set(png_chunks(content)) == {b"IHDR", b"IDAT", b"IEND"}
    # JFIF, tables, size, codes, pixels.
    return set(jpeg_segments(content)) == {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
