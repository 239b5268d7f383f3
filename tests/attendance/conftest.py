from tests.events.conftest import make_event, public, staff

__all__ = ["make_event", "public", "staff"]
