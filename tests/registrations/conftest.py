import pytest

from tests.events.conftest import form, make_event, public, staff

__all__ = ["form", "make_event", "no_valkey", "public", "staff"]


@pytest.fixture
def no_valkey(settings):
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}}
