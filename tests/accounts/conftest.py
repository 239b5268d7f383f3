import os

import pytest


@pytest.fixture(autouse=True)
def _own_valkey(settings):
    """Every test empties the cache; another worker's must not take the count of failed sign-ins away in between."""
    number = 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    location = f"{settings.REDIS_URL.rpartition('/')[0]}/{number}"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": location}}
