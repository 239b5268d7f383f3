import re
from urllib.parse import urlsplit

import pytest

from portal.revisions import actions as revisions
from portal.revisions.models import Revision
from portal.revisions.readers import actions, rules
from portal.revisions.readers.models import ReaderCheck
from tests import factories
from tests.accounts.people import browser

ARABIC = {
    "title": "هل يأخذون طفلي؟",
    "summary": "نادراً. المحكمة تقرر.",
    "body": "## ماذا يحدث\n\nنتصل بك. تأتي إلينا خلال 1.8 ساعة.\n\n- نستمع إليك\n- اتصل {{phone:bris}} أو انتظر",
}
# The page cuts it into: the title, two of the summary, the heading, two of the paragraph, two list items.
SENTENCES = 8


@pytest.fixture
def public():
    """A phone without an account, behind an address of its own."""
    return browser(HTTP_SEC_FETCH_SITE="same-origin")


@pytest.fixture
def revision(db) -> Revision:
    """An Arabic text that waits for approval; the Swedish one is published."""
    fact = factories.published_fact()
    author = factories.user()
    return factories.send(revisions.draft(fact, language="ar", fields=ARABIC, by=author))


@pytest.fixture
def check(revision) -> ReaderCheck:
    return actions.ask(revision, by=factories.user(), days=21, label="native speaker, association")


def path_of(check: ReaderCheck) -> str:
    return urlsplit(rules.address(check)).path


def token_in(response) -> str:
    return re.search(r'name="token" value="([^"]+)"', response.content.decode())[1]


def send(client, url: str, **fields: str):
    """Opens the page and sends its form."""
    return client.post(url, {"token": token_in(client.get(url)), "is_understood": "yes", "comment": "", **fields})
