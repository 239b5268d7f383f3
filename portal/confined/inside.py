"""Runs one of our programs on what somebody sent, within its limits; `portal.confined` starts it.

A program is a module that imports nothing of the site but this one, and has `answer`: given the bytes, and words that
the site adds, it returns what is to be said of them, which JSON can hold, and the bytes that it made; or it raises
RefusedError.
"""

import importlib.util
import json
import resource
import sys
from types import ModuleType

KNOWN_AS = "portal.confined.inside"


class RefusedError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def main() -> None:
    path, memory, seconds, *words = sys.argv[1:]
    program = _loaded(path)
    # Only now, for they hold for the program: what it is made of has been read.
    for limit, most in (
        (resource.RLIMIT_AS, int(memory)),
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    try:
        about, made = program.answer(sys.stdin.buffer.read(), *words)
    except RefusedError as error:
        about, made = {"code": error.code}, b""
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n" + made)


def _loaded(path: str) -> ModuleType:
    # By the name that the program imports. Nothing else of the site can be found from here.
    sys.modules[KNOWN_AS] = sys.modules[__name__]
    spec = importlib.util.spec_from_file_location("program", path)
    assert spec
    assert spec.loader
    program = importlib.util.module_from_spec(spec)
    sys.modules["program"] = program
    spec.loader.exec_module(program)
    return program


if __name__ == "__main__":
    main()
