"""A round table and the one after it: somebody who plans it, a contact of a faith community, and who comes instead."""

import re
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from events.agreements.models import Agreement
from events.invitations.models import Invitation
from events.models import Event
from events.reminders.models import Rule
from events.series.models import Series
from portal.accounts.models import Role
from portal.questions.models import Door, Question
from portal.revisions.models import Revision
from tests import factories
from tests.actors.conftest import actor, contact
from tests.stories.conftest import DESK
from tests.stories.test_seminar import celery, letters, mail_server, wait_for
from tests.traces import tables

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = re.compile(r"https?://[^\s\"<>]+")
BY_CLOCK = {"pages_heartbeat", "django_session", "mail_delivery"}
"""Tables that worker and beat write whatever anybody does."""


def scan(letter) -> None:
    """Fetch every address in a mail, as a mail server does before anybody reads it."""
    words = "".join(part.get_payload(decode=True).decode() for part in letter.walk() if not part.is_multipart())
    addresses = {address.rstrip(".") for address in ADDRESS.findall(words)}
    assert len([address for address in addresses if "/invitation/" in address]) >= 2
    for address in addresses:
        with urlopen(Request(address, headers={"User-Agent": "LinkScanner"}), timeout=20) as page:
            assert b"<h1" in page.read()


def plain(letter) -> str:
    return letter.get_body(("plain",)).get_content()


def own_link(letter) -> str:
    """The first link is in the language of whoever is invited."""
    return re.search(r"https?://\S+/invitation/\S+/", plain(letter))[0]


def standing() -> dict[str, list]:
    return {table: rows for table, rows in tables().items() if table not in BY_CLOCK}


def invite(desk, event, *names: str) -> None:
    desk.goto(f"/staff/events/{event.pk}/invitations/invite/")
    for name in names:
        desk.get_by_label(name).check()
    desk.get_by_role("button", name="Invite those who are chosen").click()
    desk.wait_for_url("**/invitations/")


def test_a_contact_sends_somebody_else_and_what_they_agree_on_is_told_next_time(
    open_browser, is_accessible, settings, tmp_path, live_server
):
    # Given a register with a faith community, its contact, and an association
    mosque = actor("Exempelmoskén", kind="faith_community", email="kansli@moske.example", languages=["ar"])
    contact(mosque, name="Salim Nordvik", email="salim@moske.example")
    actor("Föreningen Bron", email="info@bron.example", languages=["sv"])
    desk = open_browser(Role.EVENTS, viewport=DESK)

    # When somebody who plans events makes a series with a standing circle
    desk.goto("/staff/events/series/new/")
    desk.locator("[name=name]").fill("Rundabord om trygghet")
    desk.get_by_label("Föreningen Bron").check()
    desk.locator("main form button").first.click()
    desk.wait_for_url(re.compile(r"/series/\d+/"))
    is_accessible(desk)
    # And plans its first sitting, for which nobody can register
    starts = timezone.localtime(timezone.now() + timedelta(days=9))
    desk.get_by_role("link", name="Plan the first sitting").click()
    desk.locator("[name=kind]").select_option("round_table")
    desk.locator("[name=title]").fill("Rundabord om barn och trygghet")
    desk.locator("[name=summary]").fill("Vi samtalar om vad familjer oroar sig för.")
    desk.locator("[name=theme]").fill("Oro i skolan")
    desk.locator("[name=starts_at]").fill(starts.strftime("%Y-%m-%dT17:30"))
    desk.locator("[name=ends_at]").fill(starts.strftime("%Y-%m-%dT19:30"))
    desk.locator("[name=place]").fill("Folkets hus, sal 2")
    desk.locator("[name=answers_due_at]").fill((starts - timedelta(days=2)).strftime("%Y-%m-%dT12:00"))
    desk.locator("main form button").first.click()
    desk.wait_for_url(re.compile(r"/staff/events/\d+/"))
    event = Event.objects.get(kind="round_table")
    assert (event.series, event.registration_ends_at) == (Series.objects.get(), None)
    # And invites the circle, which is chosen already, and the contact
    invite(desk, event, "Exempelmoskén: Salim Nordvik")
    assert set(Invitation.objects.values_list("email", "language")) == {
        ("info@bron.example", "sv"),
        ("salim@moske.example", "ar"),
    }
    is_accessible(desk)

    with mail_server(tmp_path / "mail") as email_url, celery(settings, tmp_path, email_url, live_server):

        def mails(to: str, subject: str = ""):
            found = letters(tmp_path / "mail", to)
            return [letter for letter in found if subject in letter["Subject"]]

        # When it is handed in and somebody else approves text and event
        desk.goto(f"/staff/events/{event.pk}/")
        desk.get_by_role("button", name="Hand in for approval").click()
        approver = open_browser(Role.APPROVER, Role.EVENTS, viewport=DESK)
        approver.goto(f"/staff/revisions/{Revision.objects.of(event).get().pk}/")
        approver.locator("button[name=publish]").click()
        approver.wait_for_load_state()
        # (a translator has written it in Arabic)
        factories.publish(event, "ar", title="مائدة مستديرة", summary="نتحدث عن الأمان.", body="أهلًا بكم.")
        assert mails("salim@moske.example") == []
        approver.goto(f"/staff/events/{event.pk}/")
        approver.get_by_role("button", name="Approve and publish").click()
        # Then the contact is written to in Arabic, with the Swedish below
        invitation = wait_for(lambda: mails("salim@moske.example"))[0]
        words = plain(invitation)
        assert invitation["Content-Language"].startswith("ar")
        assert words.index("مائدة مستديرة") < words.index("Rundabord om barn och trygghet")
        assert "Folkets hus, sal 2" in words
        wait_for(lambda: mails("info@bron.example"))
        # And the public page neither names the place nor lets anybody register
        reader = open_browser()
        reader.goto(f"/sv/events/{event.slug}/")
        assert "Folkets hus" not in reader.content()
        assert "/register/" not in reader.content()

        # When their mail server fetches every link of it first
        before = standing()
        scan(invitation)
        # Then nothing is answered
        assert standing() == before

        # When the contact opens the link on a small phone, in Arabic, and cannot come
        phone = open_browser()
        phone.goto(own_link(invitation))
        assert phone.locator("html").get_attribute("dir") == "rtl"
        assert "Folkets hus, sal 2" in phone.locator("main").inner_text()
        is_accessible(phone)
        phone.locator("details:has([name=instead-name]) > summary").click()
        phone.locator("[name=instead-name]").fill("Mira")
        phone.locator("[name=instead-email]").fill("mira@moske.example")
        phone.locator("[name=instead-language]").select_option("so")
        is_accessible(phone)
        # (one thing forgotten, and nothing typed is lost)
        phone.locator("button[value=substitute]").click()
        phone.get_by_role("alert").wait_for()
        assert phone.locator("[name=instead-email]").input_value() == "mira@moske.example"
        is_accessible(phone)
        phone.locator("[name=instead-is_agreed]").check()
        phone.locator("button[value=substitute]").click()
        phone.wait_for_function("!document.querySelector('[role=alert]')")
        assert Invitation.objects.get(email="salim@moske.example").answer == "substitute"
        is_accessible(phone)
        # Then they get a receipt, and whoever comes instead a mail of their own, in their language
        wait_for(lambda: mails("salim@moske.example")[1:])
        substitute = wait_for(lambda: mails("mira@moske.example"))[0]
        assert substitute["Content-Language"].startswith("so")
        assert own_link(substitute) != own_link(invitation)
        scan(substitute)
        assert Invitation.objects.get(email="mira@moske.example").answer == ""

        # When that person says yes, with what they need and a question
        other = open_browser()
        other.goto(own_link(substitute))
        assert other.locator("html").get_attribute("lang") == "so"
        is_accessible(other)
        other.locator("[name=interpreter]").select_option("ar")
        other.locator("[name=access]").fill("Hiss till våning 2")
        other.locator("[name=question]").fill("Kan vi tala om skolan först?")
        other.locator("button[value=yes]").click()
        other.wait_for_function("!document.querySelector('button[value=yes]:is(details[open] *)')")
        is_accessible(other)
        wait_for(lambda: "BEGIN:VCALENDAR" in "".join(map(str, mails("mira@moske.example"))))
        assert Question.objects.get().door == Door.REGISTRATION
        # And the association comes, too
        bridge = open_browser()
        bridge.goto(own_link(mails("info@bron.example")[0]))
        bridge.locator("button[value=yes]").click()
        bridge.wait_for_load_state()

        # Then the desk sees the newest answers first, who comes instead of whom, and what they need
        desk.goto(f"/staff/events/{event.pk}/invitations/")
        who = desk.locator("tbody th")
        expect(who.locator("a")).to_have_text(["Föreningen Bron", "Mira", "Salim Nordvik"])
        assert "comes instead of Salim Nordvik" in who.nth(1).inner_text()
        is_accessible(desk)
        desk.goto("/staff/events/needs/")
        assert "Hiss till våning 2" in desk.locator("main").inner_text()

        # When the evening has come (the event is moved, nothing else), and they are at the door
        now = timezone.now()
        Rule.objects.all().delete()
        Event.objects.filter(pk=event.pk).update(
            starts_at=now - timedelta(hours=2), ends_at=now - timedelta(minutes=5), answers_due_at=None
        )
        door = open_browser(Role.EVENTS)
        door.goto(f"/staff/events/{event.pk}/check-in/?q=mir")
        door.get_by_role("button", name="Here").click()
        door.wait_for_load_state()
        is_accessible(door)
        # Then it is known of the organizations who came, and of nobody else
        desk.goto("/staff/events/actors/coverage/")
        reached = desk.locator("tbody tr")
        assert "Comes" in reached.filter(has_text="Exempelmoskén").inner_text()
        assert "never came" in reached.filter(has_text="Föreningen Bron").inner_text()
        # And minutes and an agreement are written down
        desk.goto(f"/staff/events/{event.pk}/minutes/")
        desk.locator("[name=text]").fill("## Vad vi talade om\n\nOro i skolan, och vem som svarar.")
        desk.locator("main form button").first.click()
        desk.wait_for_url("**/agreements/")
        desk.get_by_text("Write down an agreement").click()
        desk.locator("[name=what]").fill("Vi tar fram ett blad på arabiska.")
        desk.locator("[name=owner]").fill("Skolförvaltningen")
        due_on = timezone.localdate() + timedelta(days=30)
        desk.locator("[name=due_on]").fill(str(due_on))
        desk.locator("details button").click()
        desk.wait_for_load_state()
        is_accessible(desk)
        # (it was to be in two languages)
        desk.get_by_role("link", name="Change, or say what became of it").click()
        is_accessible(desk)
        desk.locator("[name=what]").fill("Vi tar fram ett blad på arabiska och somaliska.")
        desk.locator("main form button").first.click()
        desk.wait_for_url("**/agreements/")
        assert Agreement.objects.get().due_on == due_on

        # When the next sitting is planned, a copy of this one, and the contact is invited to it
        desk.goto(Series.objects.get().get_absolute_url())
        desk.get_by_role("link", name="Plan the next sitting").click()
        desk.locator("[name=starts_at]").fill((starts + timedelta(days=30)).strftime("%Y-%m-%dT17:30"))
        desk.locator("main form button").first.click()
        desk.wait_for_url(re.compile(r"/staff/events/\d+/"))
        following = Event.objects.exclude(pk=event.pk).get()
        factories.publish(following, title="Rundabord om trygghet", summary="Vi ses igen.", body="Välkommen.")
        factories.put_out(following)
        invite(desk, following, "Exempelmoskén: Salim Nordvik")
        # Then the invitation says, in Arabic and in Swedish, what was agreed last time and who does it by when
        again = wait_for(lambda: mails("salim@moske.example")[2:])[0]
        assert plain(again).count("Vi tar fram ett blad på arabiska och somaliska.") == 2
        assert plain(again).count("Skolförvaltningen") == 2
        assert "Det här kom vi överens om förra gången" in plain(again)
        phone.goto(own_link(again))
        assert "Vi tar fram ett blad på arabiska och somaliska." in phone.locator("main").inner_text()
        is_accessible(phone)
