"""What somebody sent may have been made to break whoever opens it: a program of its own does so, never the site."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import structlog
from django.core.exceptions import ValidationError

from portal.confined import inside

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 10
MORE_SECONDS: Final = 5
"""Than it may take of a processor: for starting it, and for a machine that does other things beside."""


class Program:
    """A module of ours (`inside` says what it has) as a program: it is given what was sent and no secret, writes no
    file, starts no process, and takes at most its MOST_MEMORY bytes and MOST_SECONDS of a processor. It is no
    sandbox: it runs as the same user."""

    def __init__(self, module: ModuleType, why: Mapping[str, Any], *, died: str, **figures: int) -> None:
        """`why` has a sentence for each code with which something is refused, "busy" among them, and `figures` are
        named in it; `died` is the code of what broke the program or went over its limits."""
        self._module, self._why, self._died, self._figures = module, why, died, figures
        # One may take hundreds of megabytes for a moment: never two of a kind for one process of ours.
        self._one_at_a_time = threading.Lock()

    def run(self, content: bytes, *words: str) -> tuple[dict[str, Any], bytes]:
        """What it says of it, and what it made of it. ValidationError, in a sentence for people, when it makes none."""
        if not self._one_at_a_time.acquire(timeout=WAIT_SECONDS):
            raise self.refused("busy")
        try:
            line, _, made = self._answer(content, *words).partition(b"\n")
        finally:
            self._one_at_a_time.release()
        about = json.loads(line)
        if "code" in about:
            raise self.refused(about["code"])
        return about, made

    def refused(self, code: str) -> ValidationError:
        return ValidationError(str(self._why[code]) % self._figures, code=code)

    def command(self, *words: str) -> list[str]:
        # -I: nothing that is set around it, or lies where it starts, changes what it does.
        program = [str(self._module.__file__), str(self._module.MOST_MEMORY), str(self._module.MOST_SECONDS)]
        return [sys.executable, "-I", str(Path(inside.__file__)), *program, *words]

    def _answer(self, content: bytes, *words: str) -> bytes:
        name = self._module.__name__
        try:
            done = subprocess.run(  # noqa: S603 - the program is our own
                self.command(*words),
                input=content,
                capture_output=True,
                timeout=self._module.MOST_SECONDS + MORE_SECONDS,
                env={},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self.refused(self._died) from None
        except OSError as error:
            log.error("program_not_started", program=name, error=type(error).__name__)
            raise self.refused("busy") from None
        if done.returncode:
            # Its last words may tell of what was sent.
            log.warning("program_died", program=name, status=done.returncode)
            raise self.refused(self._died)
        return done.stdout
