import re
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone, translation

from events.registrations import actions, rules
from events.registrations.models import Registration
from portal import languages
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.mail.rules import compose
from tests.events.conftest import SECRET_LINK

STARTS = datetime(2027, 11, 25, 14, 0, tzinfo=ZoneInfo("Europe/Stockholm"))


def everything_in(letter) -> str:
    """All that the recipient can see, whatever their program shows, with the lines of calendars unfolded."""
    parts = [str(letter["Subject"])]
    for part in letter.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True).decode()
            parts.append(unescape(payload).replace("\r\n ", ""))
    return "\n".join(parts)


@pytest.mark.django_db(transaction=True)
def test_a_registration_brings_a_confirmation_with_calendar_then_reminders_with_the_link(make_event, inbox):
    event = make_event("sv", starts_at=timezone.now().replace(microsecond=0) + timedelta(days=3))
    registration = actions.register(event, name="Marker Namn", email="bo@example.org", language="sv")
    private = rules.private_token(registration)
    mail.deliver(seconds=20)
    (confirmation,) = inbox
    assert "calendar" in {part.get_content_subtype() for part in confirmation.walk()}
    assert private in everything_in(confirmation)
    assert SECRET_LINK not in everything_in(confirmation)
    # Anybody can type anybody's address: nothing they type reaches it.
    assert "Marker" not in everything_in(confirmation)
    for before, count in ((timedelta(hours=23), 2), (timedelta(minutes=50), 3), (timedelta(minutes=1), 3)):
        with time_machine.travel(event.starts_at - before):
            mail.deliver(seconds=20)
        assert len(inbox) == count
    for reminder in inbox[1:]:
        assert SECRET_LINK in everything_in(reminder)
        assert private in everything_in(reminder)
        assert "calendar" not in {part.get_content_subtype() for part in reminder.walk()}


@pytest.mark.django_db(transaction=True)
def test_who_cancels_gets_that_confirmed_and_nothing_more(make_event, inbox):
    event = make_event("sv", starts_at=timezone.now().replace(microsecond=0) + timedelta(days=3))
    actions.cancel(actions.register(event, name="Bo", email="bo@example.org", language="sv"))
    for before in (timedelta(days=3), timedelta(hours=23), timedelta(minutes=50)):
        with time_machine.travel(event.starts_at - before):
            mail.deliver(seconds=20)
    (letter,) = inbox
    assert event.title_sv in everything_in(letter)
    assert SECRET_LINK not in everything_in(letter)


def rendered(registration, kind=actions.CONFIRMATION):
    render = {
        actions.CONFIRMATION: rules.confirmation,
        actions.REMINDER: rules.reminder,
        actions.CANCELLATION: rules.cancellation,
    }[kind]
    with translation.override(registration.language):
        return render(Delivery(context={"registration": registration.pk}, language=registration.language))


def test_an_arabic_message_keeps_its_times_from_left_to_right(make_event):
    event = make_event("sv", "ar", starts_at=STARTS)
    registration = actions.register(event, name="Bo", email="bo@example.org", language="ar")
    message = rendered(registration)
    assert event.title_ar in message.subject
    with translation.override("ar"):
        letter = compose(Delivery.objects.get(kind=actions.CONFIRMATION), message, now=timezone.now())
    assert "\u206614:00–15:30\u2069" in letter.get_body(("plain",)).get_content()
    assert re.search(
        r'<bdi dir="ltr"><bdi dir="ltr">14:00</bdi>\u2060–\u2060<bdi dir="ltr">15:30</bdi></bdi>', message.html
    )
    assert "/ar/events/" in message.text
    assert b"/ar/events/" in message.calendar.replace(b"\r\n ", b"")


def test_the_day_is_said_in_words_with_the_zone(make_event):
    event = make_event("sv", "en", starts_at=STARTS)
    message = rendered(actions.register(event, name="Bo", email="bo@example.org", language="en"))
    assert "Thursday Nov. 25, 2027\n14:00–15:30 (Swedish time)" in message.text


def test_a_title_that_is_not_translated_comes_in_swedish_and_says_so(make_event):
    event = make_event("sv", "en", starts_at=STARTS)
    notes = {}
    for code in ("en", "so"):
        registration = actions.register(event, name="Bo", email=f"{code}@example.org", language=code)
        message = rendered(registration)
        notes[code] = 'lang="sv" dir="ltr"' in message.html
        assert (event.title_en if code == "en" else event.title_sv) in message.subject
    assert notes == {"en": False, "so": True}


@pytest.mark.parametrize("kind", [actions.CONFIRMATION, actions.REMINDER])
def test_there_is_no_message_for_who_has_canceled_or_was_forgotten(make_event, kind):
    registration = actions.register(make_event("sv"), name="Bo", email="bo@example.org", language="sv")
    assert rendered(registration, kind) is not None
    actions.cancel(registration)
    assert rendered(registration, kind) is None
    Registration.objects.all().delete()
    assert rendered(registration, kind) is None


def test_whose_event_is_withdrawn_is_not_told_where_to_join(make_event):
    event = make_event(starts_at=STARTS)
    registration = actions.register(event, name="Bo", email="bo@example.org", language="ar")
    assert rendered(registration, actions.REMINDER) is None
    assert rendered(registration, actions.CONFIRMATION).subject.strip()


@pytest.mark.parametrize("code", [language.code for language in languages.ACTIVE])
@pytest.mark.parametrize("kind", [actions.CONFIRMATION, actions.REMINDER, actions.CANCELLATION])
def test_every_message_can_be_written_in_every_language(make_event, code, kind):
    event = make_event("sv", starts_at=STARTS, lasts=timedelta(days=1, hours=2))
    message = rendered(actions.register(event, name="Bo", email="bo@example.org", language=code), kind)
    assert message.subject.strip()
    assert "14:00" in message.text
    assert "16:00" in message.html
    assert "{" not in message.text + message.html
