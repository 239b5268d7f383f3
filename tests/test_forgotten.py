"""People come in through every door and are written to; when their time is over, nothing that the site leaves behind
tells of them: no row, no key, no file and no line of its logs."""

import base64
import hashlib
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from events.actors import actions as actors
from events.attendance import rules as attendance
from events.invitations.models import Invitation
from events.outreach import actions as outreach
from events.programs import actions as programs
from events.programs.models import Speaker
from events.registrations import rules as registrations
from events.registrations.models import Registration
from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.facts.models import Audience
from portal.facts.packs import actions as packs
from portal.facts.packs.models import Follower
from portal.mail import actions as mail
from portal.mail import rules as mail_rules
from portal.mail.models import Delivery, Reason, Suppression, address_hash
from portal.pages import actions as pages
from portal.public import FAST_SECONDS, form_token
from portal.search import actions as search
from tests import factories
from tests.accounts.people import browser, person, sign_in
from tests.actors.conftest import actor, agreed
from tests.events.conftest import make_event
from tests.invitations.conftest import instead, page_of, sent
from tests.mail.test_bounces import report
from tests.mail.test_mailboxes import Folder
from tests.outreach.conftest import sent as visit_form
from tests.pictures.images import file_of, photograph
from tests.programs.conftest import line
from tests.programs.conftest import person as speaks
from tests.questions.conftest import tell
from tests.traces import files, keys, tables

__all__ = ["make_event", "visit_form"]
pytestmark = pytest.mark.django_db(transaction=True)


def word() -> str:
    """Like no other one, without a digit in which the guard would find something."""
    return "".join(random.choices("bdfghjkmnprtvz", k=12)) + "q"


@dataclass(frozen=True)
class Somebody:
    first: str = field(default_factory=lambda: word().title())
    last: str = field(default_factory=lambda: word().title())
    local: str = field(default_factory=word)
    domain: str = field(default_factory=word)
    phone: str = field(default_factory=lambda: f"079{random.randrange(10**7):07}")  # no day of birth begins so
    words: str = field(default_factory=word)
    """In what they say or what is said of them."""
    asks: str = field(default_factory=word)
    """In what they ask, which is kept apart from who asked it."""

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"{self.local.title()}@{self.domain}.example.org"

    def traces(self) -> set[str]:
        """What would tell of them, in small letters. A domain that is written backwards holds its word as well."""
        plain = {self.first, self.last, self.local, self.domain, self.phone, self.words, self.asks}
        digests = set()
        for address in (self.email, self.email.lower()):
            for kind in ("md5", "sha1", "sha256", "sha512"):
                digest = hashlib.new(kind, address.encode())
                digests |= {digest.hexdigest(), base64.b64encode(digest.digest()).decode()[:20]}
        inside = {text.encode().hex() for word in plain for text in (word, word.lower())}
        return {text.lower() for text in plain | digests | inside}


class Town(dict):
    """Everybody who comes, by the door through which."""

    def __missing__(self, door: str) -> Somebody:
        self[door] = Somebody()
        return self[door]


@pytest.fixture
def town():
    return Town()


@pytest.fixture
def logged(caplog) -> Iterator[StringIO]:
    """What the process writes, by the handler and the format that its settings give it."""
    caplog.set_level(logging.WARNING, "mail.log")  # of the mail server in the test, which is no part of the site
    (console,) = (h for h in logging.getLogger().handlers if h.get_name() == "console")
    kept = StringIO()
    before = console.setStream(kept)
    yield kept
    console.setStream(before)


def dump(logged: StringIO) -> dict[str, str]:
    """All that the site leaves behind, by where it stands, in small letters."""
    found = {f"table {name}": "\n".join(rows) for name, rows in tables().items()}
    found |= {f"key {name}": f"{name} {value}" for name, value in keys().items()}
    found |= {f"file {name}": f"{name} {content.decode('latin-1')}" for name, (_mode, content) in files().items()}
    return {place: text.lower() for place, text in (found | {"log": logged.getvalue()}).items()}


def places(left: dict[str, str], *people: Somebody) -> set[str]:
    traces = {trace for each in people for trace in each.traces()}
    return {place for place, text in left.items() if any(trace in text for trace in traces)}


def register(event, who: Somebody, **fields) -> str:
    """As a browser sends the form; returns the address of their own page."""
    with time_machine.travel(timezone.now() - timedelta(seconds=FAST_SECONDS + 1)):
        token = form_token("register")
    form = {"name": who.name, "email": who.email, "language": "so", "party_size": "1", "website": ""}
    form |= {"interpreter": "ti", "access": who.words, "question": f"Vad gäller {who.asks}?"}
    answer = browser().post(f"/so/events/{event.slug}/register/", {"token": token} | form | fields)
    assert answer.status_code == 302, answer.content.decode()
    made = Registration.objects.get(name=who.name)
    return f"/so/events/{event.slug}/registration/{registrations.private_token(made)}/"


def press(page: str, do: str, **fields) -> None:
    answer = browser().post(page, {"token": form_token("registration"), "do": do} | fields)
    assert answer.status_code in {200, 302}, answer.content.decode()


def posted(client, path: str, **form) -> None:
    answer = client.post(path, form)
    assert answer.status_code == 302, (answer.context or {}).get("form").errors


def everybody_comes(town: Town, make_event, visit_form, settings, tmp_path):
    """Through every door there is; returns the seminar and the round table."""
    office = sign_in(person(*Role))
    lines = [line("09:00-10:00", "Lagen", speaks(town["speaker"].name))]
    seminar = make_event(
        "sv", "so", capacity=3, largest_party=2, are_speakers_public=True, place="Biblioteket", program=lines
    )
    # Who registers, waits, is offered a seat, changes, and goes again.
    changing = register(seminar, town["registered"], party_size="2")
    leaving = register(seminar, town["erased"])
    offered = register(seminar, town["offered"])
    register(seminar, town["waiting"])
    register(seminar, town["without an address"], email="")
    press(changing, "change", language="sv", interpreter="so", access=town["registered"].words, party_size="2")
    # Who is invited, comes or sends somebody else.
    table = make_event("sv", kind="round_table", registration_ends_at=None, place="Folkets hus")
    group = actor(email="")
    for door in ("invited", "sends somebody"):
        who = town[door]
        by_hand = {"name": who.name, "email": who.email, "language": "sv", "actor": group.pk, "note": who.words}
        posted(office, f"/staff/events/{table.pk}/invitations/invite-by-hand/", **by_hand)
    comes, sends = (Invitation.objects.get(name=town[door].name) for door in ("invited", "sends somebody"))
    yes = sent("yes", access=town["invited"].words, question=f"Vad gäller {town['invited'].asks}?")
    posted(browser(), page_of(comes), **yes)
    posted(browser(), page_of(sends), **instead(name=town["substitute"].name, email=town["substitute"].email))
    posted(browser(), page_of(Invitation.objects.get(stands_in_for=sends)), **sent("yes"))
    # Whom staff know.
    for door, path, more in [
        ("contact", f"/staff/events/actors/{group.pk}/contacts/new/", {}),
        ("helper", "/staff/events/actors/helpers/new/", {"kind": "interpreter", "languages": ["ti"]}),
    ]:
        who = town[door]
        known = agreed(name=who.name, email=who.email, phone=who.phone, consent_note=who.words)
        posted(office, path, **known, **more)
    speaker = Speaker.objects.get()
    photo = SimpleUploadedFile("photo.jpg", file_of(photograph(size=(300, 400)), "JPEG"))
    shown = {"name": town["speaker"].name, "email": town["speaker"].email, "photo": photo, "is_photo_agreed": "on"}
    posted(office, f"/staff/events/{seminar.pk}/speakers/{speaker.pk}/", **shown, title="", organization="")
    draft = make_event(program=())
    programs.write(draft, [line("09:00-10:00", "Ett", speaks(town["never spoke"].name))], by=factories.user())
    programs.write(draft, [line("09:00-10:00", "Ett")], by=factories.user())
    # Who follows a pack.
    fact = factories.published_fact("en", audience=Audience.EMBASSIES)
    packs.make(facts=[fact], codes=["en"], by=factories.user())
    for door in ("follower", "never confirmed", "unsubscribed"):
        form = {"email": town[door].email, "token": form_token("follow")}
        posted(browser(), "/en/embassies/packs/1/follow/", **form)
        if door != "never confirmed":
            packs.confirm(Follower.objects.get(email__iexact=town[door].email))
    factories.publish(fact, "en", title="New?", summary="New.", body="New.")
    packs.tell(now=timezone.now())
    # Who asks, and who is met on a visit.
    assert tell(f"Är det sant om {town['asks'].asks}?").status_code == 200
    for _again in range(2):
        browser().get("/sv/search/", {"q": town["searches"].words})
        browser().get("/sv/search/", {"q": town["searches"].email})
    search.flush()
    visited = town["visited"]
    log = {"safety_note": f"{visited.name} {visited.phone}", "questions_1": f"Vad gäller {visited.asks}?"}
    posted(office, "/staff/events/outreach/log/", **visit_form(**log, guard_reason="no_client"))
    outreach.keep(form_id=uuid4(), data={"safety_note": town["draft"].name}, by=factories.user())
    # They are written to, and one of the letters comes back.
    mail.deliver()
    delivery = Delivery.objects.get(recipient__iexact=town["waiting"].email)
    mailbox = Folder(tmp_path / "bounces")
    mailbox.put(report(delivery, to=town["waiting"].email))
    settings.BOUNCES = mailbox.url
    assert mail.read_bounces() == {"failed": 1}
    news = Delivery.objects.get(recipient__iexact=town["unsubscribed"].email, kind=packs.CHANGED)
    url = reverse("unsubscribe", args=[mail_rules.unsubscribe_token(news)])
    assert browser().post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    # One wants to be forgotten, and the seat goes to the next.
    asked = browser().post(leaving, {"token": form_token("registration"), "do": "ask_erase"})
    press(leaving, "erase", token=asked.context["erase_token"])
    mail.deliver()
    press(offered, "accept")
    mail.deliver()
    # And staff look them up.
    who = town["registered"]
    office.get(f"/staff/events/{seminar.pk}/check-in/", {"q": who.first})
    office.get(f"/staff/events/{seminar.pk}/registrations/export/")
    for path in ("/staff/mail/history/", "/staff/mail/stopped/"):
        assert office.post(path, {"address": who.email}).status_code == 200
    return seminar, table


def they_come(town: Town, seminar, table) -> None:
    office = sign_in(person(*Role))
    for event, door in [(seminar, "registered"), (seminar, "offered"), (table, "invited")]:
        seat = event.registrations.get(name=town[door].name)
        posted(office, reverse("check_in", args=[event.pk, seat.pk]))


def they_say_what_they_think(town: Town, seminar) -> None:
    with time_machine.travel(timezone.now() - timedelta(seconds=FAST_SECONDS + 1)):
        token = form_token("feedback")
    marks = {"learned": "4", "understood": "3", "welcome": "4", "text": town["thinks"].words, "website": ""}
    posted(browser(), f"/sv/events/{seminar.slug}/feedback/", token=token, **marks)


def the_clock(*, now) -> None:
    mail.deliver()
    actors.remind(today=timezone.localdate(now))
    assert pages.purge(now=now).failed == []


QUESTIONS = "table questions_question"
WRITTEN_TO = [
    "registered",
    "erased",
    "offered",
    "waiting",
    "invited",
    "sends somebody",
    "substitute",
    "follower",
    "never confirmed",
    "unsubscribed",
]


def test_when_their_time_is_over_nothing_tells_of_anybody_and_the_numbers_stay(
    town, make_event, visit_form, settings, tmp_path, inbox, logged
):
    seminar, table = everybody_comes(town, make_event, visit_form, settings, tmp_path)
    assert {str(letter["To"]).lower() for letter in inbox} >= {town[door].email.lower() for door in WRITTEN_TO}
    now = dump(logged)
    assert places(now, town["erased"]) == {QUESTIONS}, "forgotten at once, but for what was asked"
    known = {door: places(now, who) for door, who in town.items()}
    assert [door for door, found in known.items() if not found] == [], "a door that leaves nothing proves nothing"
    assert set().union(*known.values()).isdisjoint({"log", "table audit_auditevent"})

    with time_machine.travel(seminar.starts_at, tick=False):
        they_come(town, seminar, table)
    with time_machine.travel(seminar.ends_at + timedelta(hours=1)):
        they_say_what_they_think(town, seminar)
        mail.deliver()
    came = attendance.attendance(seminar).best, attendance.attendance(table).best
    told = Delivery.objects.filter(state="sent").count()
    assert came == ("3", "1")

    with time_machine.travel(seminar.ends_at + timedelta(days=40)):
        the_clock(now=timezone.now())
        left = dump(logged)
    gone = ["registered", "offered", "waiting", "without an address", "invited", "sends somebody", "substitute"]
    assert places(left, *(town[door] for door in gone)) == {QUESTIONS}, "what was asked stays a year, without a name"
    assert "table mail_delivery" not in places(left, *town.values())
    assert Delivery.objects.filter(state="sent").count() >= told
    assert not Registration.objects.exists()

    with time_machine.travel(seminar.ends_at + timedelta(days=800)):
        the_clock(now=timezone.now())
        left = dump(logged)
    by_design = {"speaker"}
    assert {door: found for door in town.keys() - by_design if (found := places(left, town[door]))} == {}
    assert (attendance.attendance(seminar).best, attendance.attendance(table).best) == came
    answers = sorted((each.answer, each.came) for each in Invitation.objects.all())
    assert answers == [("substitute", False), ("yes", False), ("yes", True)]
    # By their own wish, for good, and so that nobody can try addresses without our key.
    kept = Suppression.objects.get()
    assert (kept.address_hash, kept.reason) == (address_hash(town["unsubscribed"].email), Reason.UNSUBSCRIBED)
    # Who stands in a published program, and has agreed to it.
    speaker = Speaker.objects.get()
    assert (speaker.name, speaker.email) == (town["speaker"].name, "")
    assert places(left, town["speaker"]) == {"table programs_programversion", "table events_speaker"}
    programs.take_back(speaker, by=seminar.created_by)
    assert places(dump(logged), town["speaker"]) == {"table events_speaker"}
    assert AuditEvent.objects.filter(verb="erase").exists()
