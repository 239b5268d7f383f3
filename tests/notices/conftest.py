from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.utils import timezone, translation

from portal.accounts.models import Role, User
from portal.mail import actions as mail
from portal.mail import rules as mail_rules
from portal.mail.models import Delivery
from rumors.notices import actions
from rumors.notices.models import How
from tests.accounts.people import person


def tick(after: timedelta = timedelta()) -> int:
    return actions.keep(now=timezone.now() + after)


def at_once(user: User) -> User:
    actions.choose(how=How.AT_ONCE, by=user)
    return user


def letter(delivery: Delivery) -> EmailMessage | None:
    """As it would leave now."""
    with translation.override(delivery.language):
        message = mail._kinds[delivery.kind].render(delivery)
        return mail_rules.compose(delivery, message, now=timezone.now()) if message else None


def said(delivery: Delivery) -> str:
    """Subject and text; empty when nothing would leave."""
    made = letter(delivery)
    return f"{made['Subject']}\n{made.get_body(('plain',)).get_content()}" if made else ""


def to(user: User, *, kind: str = "") -> list[str]:
    """What has been promised to somebody so far."""
    found = Delivery.objects.filter(recipient=user.email).order_by("pk")
    return [said(delivery) for delivery in (found.filter(kind=f"rumor_{kind}") if kind else found)]


def stockholm(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def editor(db):
    return person(Role.EDITOR)


@pytest.fixture
def watcher(db):
    """Wants to hear of everything at once."""
    return at_once(person(Role.MANAGER))


@pytest.fixture
def started(db) -> Iterator[None]:
    """The clock has run before. It is noon: the hour after half past seven brings the mail of the day as well."""
    with time_machine.travel(timezone.localtime().replace(hour=12, minute=0)):
        tick(-timedelta(hours=1))
        yield


class Days:
    """A clock that is moved by hand, ticks, and lets the mail leave."""

    def __init__(self, clock, inbox):
        self.clock, self.inbox = clock, inbox

    def promise(self, **by: float) -> None:
        self.clock.shift(timedelta(**by))
        tick()

    def pass_by(self, **by: float) -> None:
        self.promise(**by)
        mail.deliver()

    def heard(self, user: User) -> list[str]:
        """What has arrived."""
        letters = [letter for letter in self.inbox if letter["To"] == user.email]
        return [f"{letter['Subject']}\n{letter.get_body(('plain',)).get_content()}" for letter in letters]


@pytest.fixture
def days(inbox, db):
    """Noon of a Tuesday."""
    with time_machine.travel(stockholm(2026, 11, 10, 12, 0), tick=False) as clock:
        tick()
        yield Days(clock, inbox)
