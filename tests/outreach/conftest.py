from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from events.outreach import actions
from events.outreach.models import Session
from tests import factories
from tests.events.conftest import make_event, staff

__all__ = ["make_event", "sent", "staff", "visit"]


def visit(host: str = "SFI Centrum", *, by=None, **fields) -> Session:
    """One that was made yesterday."""
    starts_at = timezone.now().replace(microsecond=0) - timedelta(days=1)
    values = {
        "form_id": uuid4(),
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "heads": {"method": "band", "number": 25},
        "spoken": ["sv", "so"],
    } | fields
    return actions.log(by=by or factories.user(), host=host, **values)


@pytest.fixture
def sent():
    """What a browser sends from the form in the corridor."""

    def filled(**fields):
        return {
            "form_id": str(uuid4()),
            "on": str(timezone.localdate()),
            "host": "SFI Centrum",
            "band": "25",
            "spoken": ["sv", "so"],
            "questions_1": "",
        } | fields

    return filled
