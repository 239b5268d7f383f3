import os
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from celery import current_app
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from hypothesis import settings as properties
from playwright.sync_api import sync_playwright

from portal import languages
from portal.revisions.glossary import rules as glossary
from tests.stories.browser import chromium

# The same code gets the same answer every time; to look for new examples, give a profile with a larger number of them.
properties.register_profile("steady", derandomize=True, deadline=None)
properties.load_profile("steady")

# Playwright runs a loop of its own in this thread, which Django takes for an asynchronous view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for all stories of a worker."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Some tables refuse to be emptied, which is how Django cleans up after tests with real transactions."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_refuse_truncate")
        cursor.execute("ALTER TABLE pages_purge DISABLE TRIGGER pages_refuse_truncate_of_purges")


@pytest.fixture(autouse=True)
def _clean_place(settings, tmp_path) -> Iterator[None]:
    """Production's rules, an empty cache and a media folder of its own for every test."""
    settings.DEMO = False
    settings.MAILBOX_DIR = None
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.CONTACTS_FILE = settings.MEDIA_ROOT / "contacts.json"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    # Every test empties the cache; another worker's must not lose its stored pages and counts in between.
    number = 1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 14
    location = f"{settings.REDIS_URL.rpartition('/')[0]}/{number}"
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": location}}
    current_app.conf.broker_url = location
    settings.EMAIL_BACKEND = "portal.mail.backend.Rows"
    cache.clear()
    glossary.forget()
    ContentType.objects.clear_cache()
    with translation.override(languages.SOURCE):
        yield
    # These settings made a cache of their own, and it keeps its connection as long as the process lives.
    cache._cache.get_client().connection_pool.disconnect()


class Inbox:
    def __init__(self):
        self.letters = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


class AnyPort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def inbox(settings):
    """The letters that have really arrived by SMTP."""
    inbox = Inbox()
    server = AnyPort(inbox, hostname="127.0.0.1", port=0)
    server.start()
    settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}?timeout=5"
    yield inbox.letters
    server.stop()


@pytest.fixture
def example_content(db) -> None:
    """Everything that the demo shows."""
    from portal.pages import starter

    starter.load_pages()
    starter.load()
