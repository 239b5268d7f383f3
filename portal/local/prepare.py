"""Bring database, content and static files up to date, in one process: starting Django is what takes the time.

What the demo logins are goes to standard output; everything else the commands say goes to the log on standard error.
"""

import hashlib
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connection

from portal.local.place import SENTENCE, say


def prepare() -> None:
    django.setup()
    with redirect_stdout(sys.stderr):
        connection.ensure_connection()
        require_fit_database()
        call_command("migrate", interactive=False, verbosity=1)
        call_command("load_pages")
        if os.environ.get("KLARLAGT_DEMO"):
            call_command("load_starter")
        collect_static_files()
    if os.environ.get("KLARLAGT_DEMO"):
        call_command("demo_logins")


def require_fit_database() -> None:
    """What `manage.py migrate` checks first; `call_command` does not."""
    if errors := [found for found in run_checks(tags=[Tags.database], databases=["default"]) if found.is_serious()]:
        raise SystemCheckError(f"{errors[0].msg} {errors[0].hint}")


def collect_static_files() -> None:
    """Compressing the fonts takes seconds, so it is done when a file has changed, not at every start."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected-from"
    sources = [
        (path, Path(storage.path(path)).stat().st_mtime_ns, storage.size(path))
        for finder in get_finders()
        for path, storage in finder.list(None)
    ]
    words = json.dumps([sorted(sources), settings.STORAGES["staticfiles"], settings.STATIC_URL], default=str)
    digest = hashlib.sha256(words.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(digest)


if __name__ == "__main__":
    try:
        prepare()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        say(f"The database does not let us in ({reason}): start it, correct DATABASE_URL, or unset it.")
        sys.exit(SENTENCE)
    except SystemCheckError as error:
        say(str(error))
        sys.exit(SENTENCE)
