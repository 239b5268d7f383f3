import pytest
from django.utils import timezone

from portal.accounts.models import Role
from rumors import actions
from rumors.models import Rebuttal, Rumor
from rumors.vocabulary import Channel
from tests import factories
from tests.accounts.people import person, sign_in

CLAIM = "Det sägs att barn tas utan att en domstol prövar det."


def log(*, by=None, **values) -> Rumor:
    told = {"claim": CLAIM, "channel": Channel.HOME_VISIT, "seen_on": timezone.localdate()} | values
    return actions.log(by=by or person(Role.REPORTER), **told)


def answer(rumor: Rumor | None = None, *, slug: str = "domstolen-beslutar", fact=None) -> Rebuttal:
    """A rebuttal without text."""
    fact = fact or factories.published_fact()
    return actions.link(rumor or log(), fact=fact, slug=slug, by=person(Role.EDITOR))


TEXT = {
    "title": "Domstolen beslutar om vård utan samtycke",
    "answer": "En domstol beslutar. Kommunen ansöker.",
    "claim": "Ryktet säger att ingen domstol behövs.",
    "explanation": "## Varför det vilseleder\n\nBara när föräldrarna säger ja behövs ingen domstol (2 §).",
}


def published(*codes: str, rumor: Rumor | None = None, slug: str = "domstolen-beslutar", fact=None) -> Rebuttal:
    """A rebuttal with a published text in Swedish and in `codes`; those name their language."""
    made = answer(rumor, slug=slug, fact=fact)
    factories.publish(made, **TEXT)
    for code in codes:
        factories.publish(made, code, **{name: f"{name} {code}" for name in TEXT})
    made.refresh_from_db()
    return made


@pytest.fixture
def reporter(db):
    return person(Role.REPORTER)


@pytest.fixture
def editor(db):
    return person(Role.EDITOR)


@pytest.fixture
def security(db):
    return person(Role.SECURITY)


@pytest.fixture
def as_reporter(reporter):
    return sign_in(reporter)


@pytest.fixture
def as_editor(editor):
    return sign_in(editor)
