"""Where the browser is."""

import os
import shutil


def chromium() -> str:
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    raise RuntimeError("No browser found. Install chromium (Debian: apt-get install chromium) or set CHROMIUM.")
