"""Who speaks is reminded of their part, if there is an address."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone, translation

from events import actions as events
from events.programs import actions
from events.reminders import actions as reminders
from events.reminders import rules
from events.reminders.models import Audience, Rule
from portal.accounts.models import Role
from portal.mail import actions as mail
from portal.mail.models import Delivery
from tests import factories
from tests.events.conftest import SECRET_LINK
from tests.programs.conftest import line, named, person, rewrite

STOCKHOLM = ZoneInfo("Europe/Stockholm")
STARTS = datetime(2027, 4, 22, 9, tzinfo=STOCKHOLM)
NILS, MIRA = person("Nils Fjällvind", "jurist", "kommunen"), person("Mira Sandhav", "kommunikatör", "kommunen")

PROGRAM = (line("09:00-10:00", "Lagen", NILS), line("10:00-11:00", "Mötet", NILS, MIRA), line("11:00-12:00", "Slut"))


@pytest.fixture
def event(make_event):
    """In ten weeks, with two who speak, one of whom has an address."""
    with time_machine.travel(STARTS - timedelta(days=70)):
        Rule.objects.all().delete()
        made = make_event(
            "sv",
            starts_at=STARTS,
            lasts=timedelta(hours=3),
            place="Biblioteket",
            program=PROGRAM,
        )
        actions.describe(named("Nils Fjällvind"), by=made.created_by, email="nils@example.org")
        reminders.add(by=made.created_by, audience=Audience.SPEAKERS, anchor="start", days=1, text="Kom i god tid.")
        yield made


def at_the_day_before():
    return time_machine.travel(STARTS - timedelta(days=1), tick=False)


def planned() -> list[str]:
    return list(Delivery.objects.filter(kind=reminders.REMINDER).values_list("key", flat=True))


def letter() -> str:
    (delivery,) = Delivery.objects.filter(kind=reminders.REMINDER)
    with translation.override(delivery.language):
        message = rules.reminder(delivery)
    return message.text + message.html if message else ""


def test_who_speaks_and_has_an_address_is_reminded_once_of_their_part(event):
    with at_the_day_before():
        for _worker in range(2):
            reminders.keep(timezone.now())
        nils = named("Nils Fjällvind")
        assert [key.rpartition(":reminder:")[0] for key in planned()] == [f"event:{event.pk}:speaker:{nils.pk}"]
        text = letter()
    for said in ("Kom i god tid.", "Lagen", "Mötet", "09:00–10:00", "Biblioteket", SECRET_LINK, event.title_sv):
        assert said in text
    assert "Slut" not in text
    assert "Mira" not in text


def test_who_speaks_is_told_no_time_of_a_program_that_has_not_moved_with_its_event(event):
    events.edit(event, ends_at=STARTS + timedelta(hours=2), by=factories.user())
    with at_the_day_before():
        reminders.keep(timezone.now())
        text = letter()
    assert "Lagen" in text
    assert "09:00–10:00" not in text


def test_it_arrives(event, inbox):
    with at_the_day_before():
        mail.deliver()
    assert [one["To"] for one in inbox] == ["nils@example.org"]
    assert "Lagen" in inbox[0].get_body(("plain",)).get_content()


def test_who_is_left_out_of_the_program_before_it_leaves_hears_nothing(event):
    with at_the_day_before():
        reminders.keep(timezone.now())
        assert letter()
        rewrite(event, lambda rows: [row.update(speakers=[]) for row in rows])
        assert letter() == ""


def test_who_stands_in_a_draft_alone_is_not_reminded_yet(event):
    rows = [line("09:00-10:00", "Annat", person("Ny Talare", "lärare", "skolan"))]
    actions.write(event, rows, by=event.created_by)
    actions.describe(named("Ny Talare"), by=event.created_by, email="ny@example.org")
    with at_the_day_before():
        reminders.keep(timezone.now())
    reminded = Delivery.objects.filter(kind=reminders.REMINDER).values_list("recipient", flat=True)
    assert list(reminded) == ["nils@example.org"]


def test_nobody_is_reminded_of_what_is_canceled(event):
    events.cancel(event, by=factories.user(), reason="Sjuk")
    with at_the_day_before():
        reminders.keep(timezone.now())
    assert planned() == []


def test_staff_see_beforehand_what_it_says(staff, event):
    rule = Rule.objects.get()
    page = staff(Role.EVENTS).get(f"/staff/events/{event.pk}/reminders/{rule.pk}/sv/").content.decode()
    assert "Kom i god tid." in page
    assert "Lagen" in page
