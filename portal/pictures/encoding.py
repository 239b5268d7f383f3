"""Has a program of its own make a new picture from what was sent (`pixels`), and says in words why there is none."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import structlog
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext

from portal.pictures import pixels
from portal.pictures.pixels import MOST_BYTES, MOST_PIXELS, Encoded

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 10
PROGRAM: Final = str(Path(pixels.__file__))

_BEGINNINGS: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
_HEIC: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF: Final = {b"avif", b"avis"}

# A large picture takes hundreds of megabytes while it is unpacked: never two of them for one process of ours.
_one_at_a_time: Final = threading.Lock()


def encode(content: bytes) -> Encoded:
    """The same for the same bytes. ValidationError, in a sentence for people, for what is no picture of ours."""
    name = format_of(content)
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise _busy()
    try:
        # -I: nothing that is set around it, or lies where it starts, changes what it does; and it learns no secret.
        done = subprocess.run(  # noqa: S603 - the program is our own
            [sys.executable, "-I", PROGRAM, name],
            input=content,
            capture_output=True,
            timeout=pixels.MOST_SECONDS + 5,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise damaged() from None
    except OSError as error:
        log.error("picture_program_not_started", error=type(error).__name__)
        raise _busy() from None
    finally:
        _one_at_a_time.release()
    if done.returncode:
        # Over its limits, or broken by what it was given. Its last words may tell of the picture.
        log.warning("picture_program_died", status=done.returncode)
        raise damaged()
    return _understood(done.stdout)


def _understood(answer: bytes) -> Encoded:
    line, _, files = answer.partition(b"\n")
    about = json.loads(line)
    if about.get("code") == "too_many_pixels":
        raise too_many_pixels()
    if "code" in about:
        raise damaged()
    length = about.pop("length")
    return Encoded(content=files[:length], preview=files[length:], **about)


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


def format_of(content: bytes) -> str:
    """Pillow's name for it, by how it begins; what it is called and said to be does not count."""
    for beginning, name in _BEGINNINGS.items():
        if content.startswith(beginning):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
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


def _busy() -> ValidationError:
    sentence = pgettext(
        "staff", "Many pictures are being sent just now. Choose the picture again in a minute, and send it."
    )
    return ValidationError(sentence, code="busy")
