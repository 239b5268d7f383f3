"""The settings as mypy sees them: without modeltranslation, so that `fact.title_ar` in code is an error."""

import os

for name, value in {
    "SECRET_KEY": "types",
    "PUBLIC_URL": "http://localhost:8000",
    "DATABASE_URL": "postgres://localhost/types",
    "REDIS_URL": "redis://localhost/0",
}.items():
    os.environ.setdefault(name, value)

from portal.settings import *  # noqa: E402, F403
from portal.settings import INSTALLED_APPS  # noqa: E402

INSTALLED_APPS.remove("modeltranslation")
