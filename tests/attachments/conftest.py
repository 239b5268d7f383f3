import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from events.attachments import actions
from events.attachments.models import Attachment
from tests import factories
from tests.accounts.people import person, sign_in
from tests.attachments import pdfs
from tests.events.conftest import make_event, public

__all__ = ["make_event", "public"]


def pdf(*words: str, content: bytes = b"", name: str = "program.pdf") -> SimpleUploadedFile:
    """What a browser sends."""
    return SimpleUploadedFile(name, content or pdfs.plain(*words), "application/pdf")


def attach(event, title: str = "Program", language: str = "sv", **more) -> Attachment:
    """One that is unlike all others, for a document is put to an event once."""
    values = {"file": pdf(title.encode("ascii", "ignore").decode() + language), "by": factories.user()} | more
    return actions.add(event, title=title, language=language, **values)


@pytest.fixture
def event(make_event):
    return make_event("sv", "ar")


@pytest.fixture
def staff(db):
    """A signed-in browser of somebody with these roles, who reads English."""
    return lambda *roles: sign_in(person(*roles, language="en"))
