"""What `make` needs before anything else: Python, the locked packages in .venv, and programs of the system.

Run as a file, before there is a .venv, so it imports nothing of ours.
"""

import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = CHECKOUT / "requirements" / "dev.lock"
VENV = CHECKOUT / ".venv"


def main(wanted: list[str]) -> None:
    require_system([name for name in wanted if not name.endswith("?")], needed=True)
    require_system([name[:-1] for name in wanted if name.endswith("?")], needed=False)
    install_packages()


def require_system(names: list[str], *, needed: bool) -> None:
    """Install what is missing when we are root on a system with apt-get; otherwise say what to install."""
    missing = [(what, packages) for what, is_there, packages in (PROGRAMS[name] for name in names) if not is_there()]
    if not missing:
        return
    what, packages = ", ".join(what for what, _ in missing), " ".join(packages for _, packages in missing)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {packages} with apt-get ...")
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages.split()]
        # The lists of packages may be missing or old: then once more with new ones.
        if succeeds(install) or (succeeds(["apt-get", "update", "--quiet"]) and succeeds(install, loud=True)):
            return
    sentence = f"Missing: {what}. On Debian or Ubuntu, install with: sudo apt-get install {packages}"
    if needed:
        fail(sentence)
    say(sentence)


def has_chromium() -> bool:
    return any(map(shutil.which, filter(None, [os.environ.get("CHROMIUM"), "chromium", "google-chrome"])))


def has_gettext() -> bool:
    return shutil.which("msgfmt") is not None


def has_pango() -> bool:
    try:
        for library in ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"):
            ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_libical() -> bool:
    try:
        ctypes.CDLL("libical.so.3")
    except OSError:
        return False
    return True


def has_venv() -> bool:
    return find_spec("ensurepip") is not None  # Debian ships it apart from Python


PROGRAMS: dict[str, tuple[str, Callable[[], bool], str]] = {
    "venv": ("Python's venv", has_venv, "python3-venv"),
    "chromium": ("Chromium for the browser tests (CHROMIUM may name its path)", has_chromium, "chromium"),
    "gettext": ("msgfmt", has_gettext, "gettext"),
    "pango": ("Pango for the PDF handouts", has_pango, "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"),
    "libical": ("libical for the tests of calendar files", has_libical, "libical3"),
}


def install_packages() -> None:
    """Bring .venv to what the lock says; nothing to do when it was made from the same lock, Python and folder."""
    if VENV.is_symlink():
        fail(f"{VENV} is a link, and what it leads to would be emptied: remove the link, then try again.")
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make run` and `make test` may both be here
        state = hashlib.sha256(f"{VENV} {sys.version} {sys.prefix}".encode() + lock.read()).hexdigest()
        stamp = VENV / "installed"
        if stamp.is_file() and stamp.read_text() == state and succeeds([VENV / "bin" / "python", "-c", ""]):
            return
        require_system(["venv"], needed=True)
        say("Installing the locked packages into .venv ...")
        stamp.unlink(missing_ok=True)
        python = VENV / "bin" / "python"
        if not succeeds([sys.executable, "-m", "venv", "--clear", VENV], loud=True):
            fail(f"{VENV} cannot be made: remove it, look at the lines above, then try again.")
        # uv takes about a second where pip takes forty. It comes from the same lock, and pip can do without it.
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as uv_only:
            uv_only.writelines(re.findall(r"^uv==.*(?:\n +.*)*", LOCK.read_text(), re.MULTILINE))
            uv_only.flush()
            pip: list[str | Path] = [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--disable-pip-version-check",
            ]
            uv: list[str | Path] = [
                python,
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--python",
                python,
            ]
            done = succeeds([*pip, "-r", uv_only.name]) and succeeds([*uv, "-r", LOCK])
        if not done and not succeeds([*pip, "-r", LOCK], loud=True):
            fail("The packages could not be installed: see that PyPI can be reached, then try again.")
        stamp.write_text(state)


def succeeds(command: Sequence[str | Path], *, loud: bool = False) -> bool:
    """Run a command silently; when it is loud, what it said follows a failure."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(  # noqa: S603 - every command is our own
            list(map(str, command)),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    except OSError:
        return False
    if done.returncode and loud:
        sys.stderr.write(done.stdout.decode(errors="replace")[-2000:])
    return done.returncode == 0


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def fail(sentence: str) -> NoReturn:
    sys.exit(sentence)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
