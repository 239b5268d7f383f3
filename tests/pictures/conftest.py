from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from PIL import ImageFile

from portal.accounts.models import Role
from portal.pictures import actions
from portal.pictures.models import Picture
from tests.accounts.people import person
from tests.pictures import images


def sent(content: bytes, name: str = "IMG_0042.PNG", content_type: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


@pytest.fixture(autouse=True)
def _no_weasyprint(monkeypatch):
    """It tells Pillow to make do with half a picture; the program that unpacks pictures never loads it."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)


@pytest.fixture
def files(settings) -> Callable[[], list[Path]]:
    """Every file that there is, below the folder of media."""
    return lambda: sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if not path.is_dir())


@pytest.fixture
def reporter(db):
    return person(Role.REPORTER)


@pytest.fixture
def picture(reporter) -> Picture:
    return actions.keep(sent(images.file_of(images.screenshot(), "PNG")), by=reporter)


@pytest.fixture
def note(transactional_db):
    """A model of an app above, which knows pictures and which they do not know."""

    class Note(models.Model):
        shows = models.ForeignKey("pictures.Picture", models.SET_NULL, null=True, related_name="+")

        class Meta:
            app_label = "pictures"

    with connection.schema_editor() as editor:
        editor.create_model(Note)
    yield Note
    with connection.schema_editor() as editor:
        editor.delete_model(Note)
    del apps.all_models["pictures"]["note"]
    apps.clear_cache()
