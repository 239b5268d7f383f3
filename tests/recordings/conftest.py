from tests.events.conftest import form, make_event, public, staff

__all__ = ["form", "make_event", "public", "staff"]
