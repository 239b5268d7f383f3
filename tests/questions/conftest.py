import re
from datetime import timedelta
from uuid import uuid4

import time_machine
from django.utils import timezone

from portal.accounts.models import Role
from portal.questions import actions
from portal.questions.models import Door, Outcome, Question
from tests.accounts.people import browser, person

FORM = "/so/tell-us/"
LOOK_UP = "/so/tell-us/answer/"
CODE = re.compile(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}\b")


def opened(path: str = FORM, *, ago: timedelta = timedelta(minutes=1)) -> str:
    """The token of a form that was opened a while ago."""
    with time_machine.travel(timezone.now() - ago, tick=False):
        return token_in(browser().get(path).content.decode())


def token_in(html: str) -> str:
    return re.search(r'name="token" value="([^"]+)"', html)[1]


def tell(text: str = "Ma run baa in carruurta la qaato?", *, path: str = FORM, client=None, **sent):
    """Somebody tells something, as a browser does."""
    sent = {"token": sent.pop("token", None) or opened(path), "text": text} | sent
    return (client or browser()).post(path, sent)


def told(text: str = "Ma run baa in carruurta la qaato?") -> tuple[Question, str]:
    """A question from the public form, and the code of who asked."""
    response = tell(text)
    return Question.objects.order_by("-pk").first(), CODE.search(response.content.decode())[0]


def look_up(code: str, *, path: str = LOOK_UP, client=None):
    client = client or browser()
    token = token_in(client.get(path).content.decode())
    return client.post(path, {"token": token, "code": code})


def asked(
    text: str = "Hur går det till?", *, language: str = "sv", door: Door = Door.OUTREACH, has_code: bool = False
) -> Question:
    return actions.ask(text=text, language=language, door=door, form_id=uuid4(), has_code=has_code)


def proposed(question: Question | None = None, *, by=None, answer: str = "Nej, en domstol prövar det.") -> Question:
    return actions.settle(
        question or asked(has_code=True), outcome=Outcome.ANSWERED, answer=answer, by=by or person(Role.EDITOR)
    )
