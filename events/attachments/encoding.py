"""Has a program of its own make a PDF anew from what was sent (`leaves`), and says in words why there is none."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import structlog
from django.core.exceptions import ValidationError
from django.utils.translation import pgettext_lazy

from events.attachments import leaves
from events.attachments.leaves import Rewritten

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 10
PROGRAM: Final = str(Path(leaves.__file__))

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

# One of them may take hundreds of megabytes for a moment: never two for one process of ours.
_one_at_a_time: Final = threading.Lock()


def encode(content: bytes) -> Rewritten:
    """The same for the same bytes. ValidationError, in a sentence for people, for what is no PDF of ours."""
    if len(content) > leaves.MOST_BYTES:
        raise refused("too_large")
    if not content.startswith(b"%PDF-"):
        raise refused("unknown")
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise refused("busy")
    try:
        line, _, kept = _made(content).partition(b"\n")
    finally:
        _one_at_a_time.release()
    about = json.loads(line)
    if "code" in about:
        raise refused(about["code"])
    return Rewritten(content=kept, **about)


def _made(content: bytes) -> bytes:
    try:
        # -I: nothing that is set around it, or lies where it starts, changes what it does; and it learns no secret.
        done = subprocess.run(  # noqa: S603 - the program is our own
            [sys.executable, "-I", PROGRAM],
            input=content,
            capture_output=True,
            timeout=leaves.MOST_SECONDS + 5,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise refused("damaged") from None
    except OSError as error:
        log.error("document_program_not_started", error=type(error).__name__)
        raise refused("busy") from None
    if done.returncode:
        # Over its limits, or broken by what it was given. Its last words may tell of the document.
        log.warning("document_program_died", status=done.returncode)
        raise refused("damaged")
    return done.stdout


def refused(code: str) -> ValidationError:
    figures = {"megabytes": leaves.MOST_BYTES // 1024**2, "pages": leaves.MOST_PAGES}
    return ValidationError(str(_WHY[code]) % figures, code=code)
