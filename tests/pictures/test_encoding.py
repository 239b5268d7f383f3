"""Whatever is sent, what is kept is a picture and nothing else."""

import io
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given
from hypothesis import settings as properties
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps

from portal.pictures import encoding, pixels
from portal.pictures.encoding import encode
from tests.pictures import images
from tests.pictures.images import file_of, opened, photograph, screenshot

ROOT = Path(__file__).resolve().parents[2]


def refused(content: bytes) -> str:
    """Why; and people are told in one or two sentences what to do."""
    with pytest.raises(ValidationError) as found:
        encode(content)
    (sentence,) = found.value.messages
    assert len(sentence) > 30
    return found.value.code


def differ(one: Image.Image, other: Image.Image) -> int:
    """By how much, in the channel and the pixel where they do most."""
    assert one.size == other.size
    bands = ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")).getextrema()
    return max(most for _least, most in bands)


# Kinds --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 98, "subsampling": 0}), ("PNG", {}), ("WEBP", {"lossless": True})],
)
def test_a_photograph_becomes_a_jpeg(kind, options):
    made = encode(file_of(photograph(), kind, **options))
    assert (made.kind, made.width, made.height) == ("jpeg", *images.SOFT)
    assert opened(made.content).format == "JPEG"
    assert differ(opened(made.content), photograph()) < 12


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("GIF", {})])
def test_a_screenshot_becomes_a_png_with_the_same_pixels(kind, options):
    made = encode(file_of(screenshot(), kind, **options))
    assert (made.kind, made.width, made.height) == ("png", *images.SOFT)
    assert differ(opened(made.content), screenshot()) == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_mode_of_png_keeps_its_pixels(mode):
    before = screenshot().convert("L").point(lambda value: value * 257, "I").convert("I;16") if mode == "I;16" else None
    before = before or screenshot(mode=mode)
    made = encode(file_of(before, "PNG"))
    expected = screenshot().convert("L") if mode == "I;16" else before
    assert made.kind == "png"
    assert differ(opened(made.content), expected) == 0


def test_sixteen_bits_a_channel_become_eight():
    rows = b"".join(b"\0" + struct.pack("!HHH", 0x1234, 0x8000, 0xFFFF) * 4 for _ in range(4))
    made = encode(images.png(4, 4, bits=16, rows=rows))
    assert opened(made.content).convert("RGB").getpixel((1, 1)) == (0x12, 0x80, 0xFF)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_what_can_be_seen_through_stays_so(kind):
    if kind == "WEBP":
        before, options = screenshot(mode="RGBA"), {"lossless": True}
        before.paste((0, 0, 0, 0), (5, 5, 20, 20))
    else:
        before = screenshot().quantize(8)
        options = {"transparency": before.getpixel((20, 6))}
    made = encode(file_of(before, kind, **options))
    after = opened(made.content)
    assert (made.kind, after.mode) == ("png", "RGBA")
    assert after.getpixel((15, 6)) == (0, 0, 0, 0)
    assert after.getpixel((1, 40)) == (255, 255, 255, 255)


def test_what_was_rubbed_out_with_transparency_is_not_there_below():
    before = photograph(mode="RGBA")
    before.paste((201, 99, 33, 255), (10, 10, 20, 20))
    alpha = Image.new("L", before.size, 255)
    alpha.paste(0, (10, 10, 20, 20))
    before.putalpha(alpha)
    sent = file_of(before, "PNG")
    assert opened(sent).getpixel((15, 15)) == (201, 99, 33, 0)
    after = opened(encode(sent).content)
    assert after.getpixel((15, 15)) == (0, 0, 0, 0)
    assert after.getpixel((40, 40)) == before.getpixel((40, 40))


def test_opaque_transparency_is_none():
    assert encode(file_of(photograph(mode="RGBA"), "PNG")).kind == "jpeg"


def test_cmyk_becomes_rgb():
    made = encode(file_of(photograph(mode="CMYK"), "JPEG", quality=98))
    after = opened(made.content)
    assert after.mode == "RGB"
    assert differ(after, photograph(mode="CMYK").convert("RGB")) < 16


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_kept(kind):
    first = screenshot()
    others = [Image.new("RGB", images.SOFT, color) for color in ("red", "lime")]
    options = {"lossless": True} if kind == "WEBP" else {}
    sent = file_of(first, kind, save_all=True, append_images=others, duration=50, **options)
    assert opened(sent).n_frames == 3
    assert differ(opened(encode(sent).content), first) == 0


def test_a_long_picture_is_made_smaller_and_keeps_its_shape():
    made = encode(file_of(screenshot((5000, 1000)), "PNG"))
    assert (made.width, made.height) == opened(made.content).size == (4096, 819)
    assert opened(made.preview).size == (480, 96)


@pytest.mark.parametrize(("width", "height", "kept"), [(1_000_000, 1, (4096, 1)), (1, 60_000, (1, 4096))])
def test_a_picture_of_one_line_does_not_vanish(width, height, kept):
    rows = b"".join(b"\0" + b"\x80\x10\x10" * width for _ in range(height))
    made = encode(images.png(width, height, rows=rows))
    assert (made.width, made.height) == kept
    assert min(opened(made.preview).size) == 1


def test_a_small_picture_stays_as_large_as_it_is():
    made = encode(file_of(photograph((3, 2)), "PNG"))
    assert (made.width, made.height) == opened(made.preview).size == (3, 2)


def test_a_picture_that_would_be_a_huge_png_becomes_a_jpeg_on_white():
    noise = Image.frombytes("RGBA", (2000, 2000), os.urandom(16_000_000))
    noise.paste((9, 9, 9, 0), (0, 0, 500, 500))
    made = encode(file_of(noise, "PNG", compress_level=0))
    assert made.kind == "jpeg"
    assert len(made.content) < pixels.MOST_BYTES
    assert min(opened(made.content).getpixel((200, 200))) > 250


def test_the_same_file_is_encoded_to_the_same_bytes():
    for make in images.TOLD.values():
        assert encode(make()) == encode(make())


# What is hidden -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", images.TOLD.values(), ids=images.TOLD)
def test_nothing_but_pixels_is_kept(make):
    sent = make()
    assert images.MARK in sent
    made = encode(sent)
    for content in (made.content, made.preview):
        assert images.is_bare(content)
        assert images.MARK not in content
        assert set(opened(content).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_stands_upright_however_the_camera_was_held(kind, turn):
    options = {"lossless": True} if kind == "WEBP" else {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
    sent = file_of(images.corners(), kind, exif=images.exif(turn), **options)
    made = encode(sent)
    assert differ(opened(made.content), ImageOps.exif_transpose(opened(sent))) < 8
    assert (made.width, made.height) == ((16, 24) if turn > 4 else (24, 16))


@pytest.mark.parametrize("told", [b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40])
def test_exif_that_makes_no_sense_is_no_hindrance(told):
    made = encode(file_of(photograph(), "JPEG", exif=b"Exif\0\0" + told))
    assert (made.width, made.height) == images.SOFT


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colors_are_shown_as_their_profile_means_them(mode):
    red = Image.new("RGB", (8, 8), (255, 0, 0)).convert(mode)
    if mode == "RGBA":
        red.putpixel((0, 0), (0, 0, 0, 0))
    after = opened(encode(file_of(red, "PNG", icc_profile=images.profile(is_swapped=True))).content)
    shown = after.convert("RGB").getpixel((5, 5))
    assert shown[1] > 240
    assert max(shown[0], shown[2]) < 16


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "profile", [b"", b"x", b"\0" * 200, images.profile()[:300], images.profile()], ids=lambda p: f"{len(p)} bytes"
)
def test_a_profile_that_is_broken_or_meant_for_other_colors_is_left_out(mode, profile):
    made = encode(file_of(photograph(mode=mode), "JPEG", quality=98, icc_profile=profile))
    assert differ(opened(made.content), photograph(mode=mode).convert("RGB")) < 16


# Two things at once -------------------------------------------------------------------------------------------------

PAGE = b"<html><script>alert(document.domain)</script></html>"


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("run.js", PAGE)
    return file.getvalue()


@pytest.mark.parametrize(
    "behind",
    [PAGE, archive(), b"%PDF-1.7", b"<?php system($_GET[1]);"],
    ids=["a page", "an archive", "a document", "a program"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_hangs_on_behind_a_picture_is_left_behind(kind, behind):
    sent = file_of(screenshot(), kind) + behind
    made = encode(sent)
    assert images.is_bare(made.content)
    assert behind[:12] not in made.content
    assert not zipfile.is_zipfile(io.BytesIO(made.content))


def test_a_page_in_a_comment_of_a_picture_is_left_behind():
    made = encode(file_of(photograph(), "JPEG", comment=PAGE))
    assert b"script" not in made.content


# What is no picture of ours -----------------------------------------------------------------------------------------

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
OTHERS = {
    "nothing": b"",
    "svg": SVG,
    "svg without a head": SVG[21:],
    "page": PAGE,
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "archive": archive(),
    "program": b"\x7fELF\x02\x01\x01",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "bmp": file_of(screenshot(), "BMP"),
    "tiff": file_of(screenshot(), "TIFF"),
    "ico": file_of(screenshot(), "ICO"),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "avif": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B",
    "film": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41",
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_what_is_no_picture_of_ours_is_refused(content):
    assert refused(content) == "unknown"


@pytest.mark.parametrize(
    "brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic", b"heix\0\0\0\0", b"msf1\0\0\0\0hevc"]
)
def test_the_iphone_s_own_kind_is_refused_with_the_way_to_a_jpeg(brands):
    with pytest.raises(ValidationError, match="JPEG") as found:
        encode(b"\0\0\0\x18ftyp" + brands + b"\0" * 100)
    assert found.value.code == "heic"


@pytest.mark.parametrize(
    "beginning", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WEBPVP8 "]
)
def test_a_beginning_alone_makes_no_picture(beginning):
    assert refused(beginning) == "damaged"
    assert refused(beginning + SVG * 20) == "damaged"


@pytest.mark.parametrize("content", images.vast().values(), ids=images.vast())
def test_a_picture_that_says_it_is_huge_is_refused(content):
    assert refused(content) in {"too_many_pixels", "damaged"}


def test_the_limit_of_pixels_is_exact():
    assert refused(images.vast()["one pixel too many"]) == "too_many_pixels"
    assert refused(images.png(40_000_000, 1)) == "damaged"  # not too large: it has no pixels


@pytest.mark.parametrize(
    "bomb",
    [
        chunk_ := b"Comment\0\0" + zlib.compress(b"\0" * 50_000_000, 9),
        b"icc\0\0" + zlib.compress(b"\0" * 50_000_000, 9),
    ],
    ids=["text", "profile"],
)
def test_words_that_unpack_to_millions_of_letters_are_not_unpacked(bomb):
    kind = b"zTXt" if bomb is chunk_ else b"iCCP"
    assert refused(images.png(1, 1, rows=b"\0\1\2\3", extra=images.chunk(kind, bomb))) == "damaged"


# What is not whole --------------------------------------------------------------------------------------------------

WHOLE = {
    "jpeg": file_of(photograph(), "JPEG"),
    "progressive": file_of(photograph(), "JPEG", progressive=True),
    "png": file_of(screenshot(), "PNG"),
    "interlaced": file_of(photograph(), "PNG"),
    "gif": file_of(screenshot(), "GIF"),
    "webp": file_of(photograph(), "WEBP"),
    "lossless": file_of(screenshot(), "WEBP", lossless=True),
}
SEARCH = properties(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(content: bytes) -> pixels.Encoded | None:
    """None when it was refused. Nothing else may happen. Here, and not in a program of its own: there are many."""
    try:
        return pixels.encode(content, encoding.format_of(content))
    except (ValidationError, pixels.RefusedError):
        return None


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_picture_that_was_cut_off_is_refused_unless_no_pixel_is_missing(content):
    whole = outcome(content)
    for length in range(0, len(content), 7):
        assert outcome(content[:length]) in {None, whole}, length
    assert outcome(content[: len(content) // 2]) is None
    assert outcome(content[: len(content) * 9 // 10]) is None


@SEARCH
@given(st.binary(max_size=2000))
def test_random_bytes_are_refused(content):
    assert outcome(content) is None


@SEARCH
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_picture_with_random_bytes_in_it_is_kept_bare_or_refused(name, data):
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    made = outcome(bytes(content))
    if made:
        assert images.is_bare(made.content)
        assert images.is_bare(made.preview)
        assert max(made.width, made.height) <= 4096


@SEARCH
@given(st.sampled_from(sorted(WHOLE)), st.sampled_from(sorted(WHOLE)), st.data())
def test_two_halves_of_pictures_make_one_that_is_bare_or_none(one, other, data):
    cut = data.draw(st.integers(0, len(WHOLE[one])))
    made = outcome(WHOLE[one][:cut] + WHOLE[other][data.draw(st.integers(0, len(WHOLE[other]))) :])
    if made:
        assert images.is_bare(made.content)


# Memory and time ----------------------------------------------------------------------------------------------------

MEASURE = """
import re, resource, sys
from pathlib import Path
from portal.pictures import pixels
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
try:
    made = pixels.encode(Path(sys.argv[1]).read_bytes(), sys.argv[2])
    print(f"{made.width}x{made.height}", peak() - before)
except pixels.RefusedError as error:
    print(error.code, peak() - before)
"""
LARGEST = {
    "jpeg": ("RGB", "JPEG", {}, 420),
    "png": ("RGB", "PNG", {"compress_level": 1}, 420),
    "transparent png": ("RGBA", "PNG", {"compress_level": 1}, 600),
    "webp": ("RGB", "WEBP", {"method": 0, "quality": 10}, 800),
}


def megabytes(tmp_path: Path, content: bytes) -> tuple[str, int]:
    """What became of it, and how much memory it took at most."""
    file = tmp_path / "sent"
    file.write_bytes(content)
    command = [sys.executable, "-c", MEASURE, str(file), encoding.format_of(content)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    what, taken = done.stdout.split()
    return what, int(taken)


@pytest.mark.parametrize(("mode", "kind", "options", "most"), LARGEST.values(), ids=LARGEST)
def test_the_largest_picture_takes_memory_within_bounds(tmp_path, mode, kind, options, most):
    image = screenshot((8000, 5000), mode)
    if mode == "RGBA":
        image.putpixel((0, 0), (0, 0, 0, 0))
    sent = file_of(image, kind, **options)
    what, taken = megabytes(tmp_path, sent)
    assert what == "4096x2560"
    assert taken < most
    assert encode(sent).width == 4096  # and the limit lets it through


@pytest.mark.parametrize("content", images.vast().values(), ids=images.vast())
def test_a_picture_that_says_it_is_huge_takes_no_memory(tmp_path, content):
    _what, taken = megabytes(tmp_path, content)
    assert taken < 40


def long_scans() -> bytes:
    """Sixty bytes for each time that all of a large picture is gone through once more: two hours in ten megabytes."""
    whole = file_of(Image.new("L", (6000, 6000)), "JPEG", progressive=True)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + scan * 20_000 + whole[-2:]


def test_a_picture_that_takes_for_ever_is_given_up(monkeypatch):
    # Nobody waits twenty seconds for a test.
    monkeypatch.setattr(pixels, "MOST_SECONDS", 2)
    sent = long_scans()
    assert len(sent) < pixels.MOST_BYTES
    started = time.monotonic()
    assert refused(sent) == "damaged"
    assert time.monotonic() - started < 12
