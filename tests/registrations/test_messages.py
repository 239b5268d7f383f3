import re
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import formats, timezone, translation
from icalendar import Calendar

from events import actions as events
from events.models import Event
from events.registrations import actions, rules
from events.registrations.models import Need, Registration, State
from portal import languages
from portal.mail import actions as mail
from portal.mail.models import Delivery
from portal.mail.models import State as Sent
from portal.mail.rules import compose
from tests import factories
from tests.events.calendars import calendar_of
from tests.events.conftest import SECRET_LINK
from tests.programs.conftest import put_off
from tests.registrations.test_register import left, register, states

STARTS = datetime(2027, 11, 25, 14, 0, tzinfo=ZoneInfo("Europe/Stockholm"))
SOON = timedelta(days=3)


def everything_in(letter) -> str:
    """All that the recipient can see, whatever their program shows, with the lines of calendars unfolded."""
    parts = [str(letter["Subject"])]
    for part in letter.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True).decode()
            parts.append(unescape(payload).replace("\r\n ", ""))
    return "\n".join(parts)


def entry(letter):
    """The method and the one event of the calendar in a letter."""
    method, content = calendar_of(letter)
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return method, event


def tick():
    mail.deliver(seconds=20)


@pytest.mark.django_db(transaction=True)
def test_the_entry_in_the_calendar_follows_the_event_wherever_it_goes(make_event, inbox):
    event = make_event("sv", starts_in=SOON, place="Biblioteket", is_online=False)
    register(event, "Marker", email="bo@example.org")
    tick()
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def after_a_change(act, **values):
            act(event, by=factories.user(), **values)
            tick()
            told = len(inbox)
            clock.shift(actions.SETTLE)
            tick()
            # Nobody is told before it has settled.
            assert len(inbox) == told + 1

        later = {"starts_at": event.starts_at + timedelta(hours=2), "ends_at": event.ends_at + timedelta(hours=2)}
        after_a_change(events.edit, **later, registration_ends_at=None)
        after_a_change(events.edit, place="Kommunhuset")
        after_a_change(events.cancel, reason="Sjukdom")
        after_a_change(events.restore)
    entries = [entry(letter) for letter in inbox]
    assert [method for method, _entry in entries] == ["REQUEST", "REQUEST", "REQUEST", "CANCEL", "REQUEST"]
    assert [int(each["SEQUENCE"]) for _method, each in entries] == [0, 1, 2, 3, 4]
    assert len({str(each["UID"]) for _method, each in entries}) == 1
    assert str(entries[0][1]["UID"]) != str(event.uid)
    statuses = [str(each.get("STATUS")) for _method, each in entries]
    assert statuses == [*["CONFIRMED"] * 3, "CANCELLED", "CONFIRMED"]
    for _method, each in entries:
        assert str(each["ATTENDEE"]) == "mailto:bo@example.org"
        assert "Marker" not in str(each["ATTENDEE"].params)
        assert str(each["ORGANIZER"]).startswith("mailto:")
    assert "Before" not in everything_in(inbox[0])
    assert [str(each["LOCATION"]) for _m, each in entries] == ["Biblioteket", "Biblioteket", *["Kommunhuset"] * 3]
    assert all(SECRET_LINK not in everything_in(letter) for letter in inbox)


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_at_once_is_told_to_nobody_and_two_changes_are_one_message(make_event, inbox):
    event = make_event("sv", starts_in=SOON, place="Biblioteket")
    register(event)
    tick()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        events.edit(event, by=factories.user(), place="Fel plats")
        events.edit(event, by=factories.user(), place="Biblioteket")
        clock.shift(actions.SETTLE)
        tick()
        assert len(inbox) == 1
        events.edit(event, by=factories.user(), place="Kommunhuset")
        events.edit(event, by=factories.user(), starts_at=event.starts_at + timedelta(minutes=30))
        clock.shift(actions.SETTLE)
        tick()
        tick()
    assert len(inbox) == 2
    assert int(entry(inbox[1])[1]["SEQUENCE"]) == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [actions.CONFIRMATION, actions.OFFER])
def test_what_was_to_leave_when_an_event_was_canceled_for_a_moment_leaves_afterwards(make_event, inbox, kind):
    event = make_event("sv", starts_in=SOON, capacity=1)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        seated = register(event, "a")
        if kind == actions.OFFER:
            register(event, "b")
            tick()
            inbox.clear()
            actions.cancel(seated)
            actions.keep(timezone.now())
        promised = Delivery.objects.waiting().get(kind=kind)
        events.cancel(event, by=factories.user(), reason="Fel knapp")
        tick()
        assert promised.recipient not in [letter["To"] for letter in inbox]
        clock.shift(timedelta(seconds=90))
        events.restore(event, by=factories.user())
        clock.shift(actions.SETTLE)
        tick()
    promised.refresh_from_db()
    assert promised.state == Sent.SENT
    told = [letter["Subject"] for letter in inbox if letter["To"] == promised.recipient]
    with translation.override("sv"):
        assert told == [RENDER[kind](promised).subject]


@pytest.mark.django_db(transaction=True)
def test_a_change_of_text_is_no_news_for_calendars(make_event, inbox):
    event = make_event("sv", starts_in=SOON)
    register(event)
    tick()
    events.edit(event, by=factories.user(), contact_content="Ny kontakt, ny@example.org", capacity=7)
    with time_machine.travel(timezone.now() + actions.SETTLE):
        tick()
    assert len(inbox) == 1
    event.refresh_from_db()
    assert event.sequence == 0


@pytest.mark.django_db(transaction=True)
def test_a_change_that_was_held_back_was_told_to_nobody(make_event, inbox):
    event = make_event("sv", starts_in=SOON, place="Biblioteket", is_online=False)
    register(event)
    tick()
    inbox.clear()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail.pause(prefix=event.mail_prefix, reason="Salen har brunnit", by=factories.user())
        for place in ("Fel plats", "Kommunhuset"):
            events.edit(event, by=factories.user(), place=place)
            clock.shift(actions.SETTLE)
            tick()
        mail.resume(prefix=event.mail_prefix, by=factories.user())
        tick()
        (letter,) = inbox
        assert "Biblioteket" in everything_in(letter)
        assert "Kommunhuset" in everything_in(letter)
        assert "Fel plats" not in everything_in(letter)
        # Back to what they know: nothing is left to tell.
        mail.pause(prefix=event.mail_prefix, reason="Igen", by=factories.user())
        for place in ("Fel plats", "Kommunhuset"):
            events.edit(event, by=factories.user(), place=place)
            clock.shift(actions.SETTLE)
            tick()
        mail.resume(prefix=event.mail_prefix, by=factories.user())
        tick()
    assert len(inbox) == 1


def test_a_change_that_waits_is_told_also_when_a_slip_after_it_is_being_mended(make_event):
    event = make_event("sv", starts_at=STARTS)
    registration = register(event)
    left(actions.CONFIRMATION)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        put_off(event, hours=2)
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
        promised = Delivery.objects.get(kind=actions.CHANGE)
        for by in (1, -1):
            put_off(Event.objects.get(), hours=by)
        message = rendered(registration, actions.CHANGE, **{"from": promised.context["from"]})
        assert "16:00–17:30" in message.text
        assert "14:00–15:30" in message.text
        # What left meanwhile says what holds now, and nothing is left to tell.
        left(actions.CHANGE)
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
        assert Delivery.objects.get(kind=actions.CHANGE) == promised
        # Back to what they knew before: there is nothing that it could say.
        put_off(Event.objects.get(), hours=-2)
        assert rendered(registration, actions.CHANGE, **{"from": promised.context["from"]}) is None


def test_what_has_left_after_a_change_has_told_of_it(make_event):
    event = make_event("sv", starts_at=STARTS)
    register(event)
    left(actions.CONFIRMATION)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        put_off(event, hours=2)
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
        put_off(Event.objects.get(), hours=1)
        # It fell due between the look at what has changed and the look at what is due.
        clock.shift(actions.SETTLE)
        left(actions.CHANGE)
        actions.keep(timezone.now())
    assert Delivery.objects.filter(kind=actions.CHANGE).count() == 1


@pytest.mark.parametrize(("is_place_public", "told"), [(False, []), (True, ["b@example.org"])])
def test_who_waits_is_told_of_another_place_only_where_everybody_may_read_it(make_event, is_place_public, told):
    event = make_event("sv", capacity=1, place="Salen", is_online=False)
    if is_place_public:
        Event.objects.update(is_place_public=True, risk_approved_at=timezone.now())
    for name in "ab":
        register(event, name)
    left(actions.CONFIRMATION)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        events.edit(Event.objects.get(), by=factories.user(), place="Biblioteket")
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
    promised = Delivery.objects.filter(kind=actions.CHANGE).values_list("recipient", flat=True)
    assert sorted(promised) == ["a@example.org", *told]


@pytest.mark.parametrize("what", ["moved", "canceled"])
def test_what_was_taken_back_while_its_mail_was_leaving_is_told_to_nobody(make_event, what):
    event, by = make_event("sv"), factories.user()
    register(event)
    Delivery.objects.all().delete()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        put_off(event, days=1) if what == "moved" else events.cancel(event, by=by, reason="Sjukdom.")
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
        told = Delivery.objects.get(kind=actions.CHANGE)
        put_off(Event.objects.get(), days=-1) if what == "moved" else events.restore(event, by=by)
        clock.shift(actions.SETTLE)
        # A worker takes it between two looks of the clock.
        with translation.override("sv"):
            assert rules.change(told) is None
        Delivery.objects.update(state=Sent.CANCELED, ended_at=timezone.now())
        actions.keep(timezone.now())
    assert not Delivery.objects.waiting().exists()


def test_who_registers_just_before_it_moves_gets_the_new_time_in_one_mail(make_event):
    event = make_event("sv")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        register(event)
        put_off(event, days=1)
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
    assert [each.kind for each in Delivery.objects.all()] == [actions.CONFIRMATION]


def test_a_new_link_is_mailed_to_nobody_before_its_time(make_event):
    event = make_event("sv", starts_in=timedelta(minutes=30))
    held = register(event)
    assert actions.reveal(held) == SECRET_LINK
    new = "https://meeting.example.org/the-new-room"
    events.edit(event, by=factories.user(), join_url=new)
    event = put_off(Event.objects.get(), days=30)
    actions.keep(timezone.now())
    message = rendered(held, actions.NEW_LINK)
    assert new not in message.text + message.html
    opens_at = timezone.localtime(event.join_opens_at)
    for said in (formats.date_format(opens_at, "j F Y"), f"{opens_at:%H:%M}"):
        assert said in message.text
        assert said in message.html
    held.refresh_from_db()
    # They have none now, like everybody else.
    assert held.told_join == 0
    with time_machine.travel(event.starts_at - timedelta(minutes=30)):
        assert actions.reveal(Registration.objects.select_related("event").get()) == new


@pytest.mark.parametrize("mail_leaves", ["before the link may be shown", "after that"])
def test_who_was_mailed_the_link_is_told_another_one_however_long_the_mail_had_waited(make_event, mail_leaves):
    event = make_event("sv", starts_in=timedelta(hours=2))
    held = register(event)
    is_late = mail_leaves == "after that"
    with time_machine.travel(event.starts_at - timedelta(minutes=30 if is_late else 90)):
        assert (SECRET_LINK in rendered(held, actions.CONFIRMATION).text) == is_late
    with time_machine.travel(event.starts_at - timedelta(minutes=20)):
        events.edit(event, by=factories.user(), join_url="https://meeting.example.org/another-room")
        actions.keep(timezone.now())
    assert Delivery.objects.filter(kind=actions.NEW_LINK).exists() == is_late


def test_a_link_that_changes_twice_before_anybody_was_told_is_one_mail(make_event):
    event = make_event("sv", starts_in=timedelta(minutes=30))
    rendered(register(event), actions.CONFIRMATION)
    for number in (2, 3):
        events.edit(Event.objects.get(), by=factories.user(), join_url=f"https://meeting.example.org/{number}")
        actions.keep(timezone.now())
    promised = Delivery.objects.filter(kind=actions.NEW_LINK).waiting().get()
    with translation.override("sv"):
        assert "https://meeting.example.org/3" in rules.new_link(promised).text


@pytest.mark.django_db(transaction=True)
def test_mail_that_waits_leaves_in_the_language_that_was_chosen_meanwhile(make_event, inbox):
    event = make_event("sv", "ar", starts_in=SOON)
    held = register(event)
    (claimed,) = mail.claim(limit=9, now=timezone.now())
    actions.change(held, language="ar", party_size=1, needs=[])
    tick()
    claimed.refresh_from_db()
    (letter,) = inbox
    assert event.title_ar in letter["Subject"]
    assert claimed.language == "ar"


@pytest.fixture
def offered(make_event, inbox):
    """Somebody who is to be offered the only seat of an event in thirty days by the next tick; somebody else waits
    after them."""
    event = make_event("sv", starts_in=timedelta(days=30), capacity=1)
    seated, first, _second = (register(event, name) for name in "abc")
    tick()
    inbox.clear()
    actions.cancel(seated)
    return first


def hours(clock, number):
    """They go by, and each time what is due leaves."""
    for _hour in range(number):
        clock.shift(timedelta(hours=1))
        tick()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prefix", ["", "event"])
def test_as_long_as_mail_is_held_back_nobody_is_offered_a_seat(offered, inbox, prefix):
    prefix, by = prefix and offered.event.mail_prefix, factories.user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail.pause(prefix=prefix, reason="Salen har brunnit", by=by)
        hours(clock, 60)
        assert states(offered.event) == {"a": State.CANCELED, "b": State.WAITING, "c": State.WAITING}
        mail.resume(prefix=prefix, by=by)
        tick()
    assert states(offered.event)["b"] == State.OFFERED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_held_back", [True, False])
def test_the_time_of_an_offer_begins_when_its_mail_has_left(offered, inbox, settings, is_held_back):
    server, by = settings.EMAIL_URL, factories.user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        actions.keep(timezone.now())
        if is_held_back:
            mail.pause(prefix=offered.event.mail_prefix, reason="Salen har brunnit", by=by)
        else:
            settings.EMAIL_URL = "smtp://127.0.0.1:9?timeout=5"
        hours(clock, 60)
        assert states(offered.event) == {"a": State.CANCELED, "b": State.OFFERED, "c": State.WAITING}
        mail.resume(prefix=offered.event.mail_prefix, by=by)
        settings.EMAIL_URL = server
        hours(clock, 1)
        offered.refresh_from_db()
        left_at = Delivery.objects.get(kind=actions.OFFER).sent_at
        assert offered.offered_until == rules.offer_ends(offered.event, left_at)
        hours(clock, 73)
    assert states(offered.event)["b"] == State.LAPSED
    assert [letter["To"] for letter in inbox if "b@" in letter["To"]] == ["b@example.org"] * 2


@pytest.mark.django_db(transaction=True)
def test_who_asks_for_the_mail_of_an_offer_again_has_no_more_time_for_it(offered):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tick()
        offered.refresh_from_db()
        until = offered.offered_until
        clock.shift(timedelta(hours=5))
        register(offered.event, "b")
        tick()
    offered.refresh_from_db()
    assert offered.offered_until == until


@pytest.mark.django_db(transaction=True)
def test_who_had_an_offer_when_an_event_was_canceled_is_offered_the_seat_anew_when_it_is_held_after_all(offered, inbox):
    event, by = offered.event, factories.user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tick()
        events.cancel(event, by=by, reason="Sjukdom")
        hours(clock, 100)
        inbox.clear()
        events.restore(event, by=by)
        hours(clock, 1)
        offered.refresh_from_db()
        assert states(event) == {"a": State.CANCELED, "b": State.OFFERED, "c": State.WAITING}
        assert offered.offered_until > timezone.now() + timedelta(hours=46)
    assert "Det finns en plats till dig" in " ".join(letter["Subject"] for letter in inbox if "b@" in letter["To"])


@pytest.mark.django_db(transaction=True)
def test_an_offer_does_not_lapse_while_it_is_canceled_by_a_slip(offered):
    event, by = offered.event, factories.user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tick()
        offered.refresh_from_db()
        clock.move_to(offered.offered_until - timedelta(seconds=10))
        events.cancel(event, by=by, reason="Fel knapp")
        clock.shift(timedelta(seconds=15))
        tick()
    assert states(event)["b"] == State.OFFERED


def test_an_offer_ends_when_its_event_starts_wherever_that_has_moved(make_event):
    event = make_event("sv", starts_in=timedelta(days=30), capacity=1)
    seated, waiting = register(event, "a"), register(event, "b")
    actions.cancel(seated)
    actions.keep(timezone.now())
    Delivery.objects.all().delete()
    starts_at = timezone.now() + timedelta(hours=3)
    ends_at = starts_at + timedelta(hours=1)
    events.edit(event, by=factories.user(), starts_at=starts_at, ends_at=ends_at, registration_ends_at=starts_at)
    actions.keep(timezone.now())
    waiting.refresh_from_db()
    assert waiting.offered_until == starts_at


@pytest.mark.django_db(transaction=True)
def test_who_waits_is_told_of_a_change_without_an_entry_for_the_calendar(make_event, inbox):
    event = make_event("sv", starts_in=SOON, capacity=1)
    register(event, "a")
    register(event, "b")
    events.cancel(event, by=factories.user(), reason="Sjukdom")
    with time_machine.travel(timezone.now() + actions.SETTLE):
        tick()
    calendars = {
        letter["To"]: [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
        for letter in inbox
        if (event.title_sv in letter["Subject"] and "Inst" in letter["Subject"]) or "Cancel" in letter["Subject"]
    }
    assert {to: len(parts) for to, parts in calendars.items()} == {"a@example.org": 1, "b@example.org": 0}


@pytest.mark.django_db(transaction=True)
def test_a_new_link_goes_to_who_had_the_old_one_and_only_to_them(make_event, inbox):
    event = make_event("sv", starts_in=timedelta(minutes=50))
    seen, other = register(event, "seen"), register(event, "other")
    tick()
    Registration.objects.update(told_join=0)
    assert actions.reveal(seen) == SECRET_LINK
    assert seen.reveals.get().join_version == 1
    before = len(inbox)
    new = "https://meeting.example.org/the-new-room"
    events.edit(event, by=factories.user(), join_url=new)
    tick()
    tick()
    (letter,) = inbox[before:]
    assert letter["To"] == "seen@example.org"
    assert new in everything_in(letter)
    assert SECRET_LINK not in everything_in(letter)
    other.refresh_from_db()
    assert actions.reveal(other) == new


def test_the_link_is_shown_to_nobody_too_early_too_late_or_without_a_seat(make_event):
    event = make_event("sv", starts_in=timedelta(minutes=90), capacity=1)
    seated, waiting = register(event, "a"), register(event, "b")
    shown = {}
    for minutes in (-61, -59, 89, 91):
        with time_machine.travel(event.starts_at + timedelta(minutes=minutes)):
            shown[minutes] = [bool(actions.reveal(each)) for each in (seated, waiting)]
    assert shown == {-61: [False, False], -59: [True, False], 89: [True, False], 91: [False, False]}
    events.cancel(event, by=factories.user(), reason="Sjukdom")
    with time_machine.travel(event.starts_at - timedelta(minutes=5)):
        seated = Registration.objects.select_related("event").get(pk=seated.pk)
        assert actions.reveal(seated) == ""


@pytest.mark.django_db(transaction=True)
def test_who_cancels_gets_that_confirmed_and_nothing_more(make_event, inbox):
    event = make_event("sv", starts_in=SOON)
    actions.cancel(register(event))
    for before in (timedelta(days=3), timedelta(hours=23), timedelta(minutes=50)):
        with time_machine.travel(event.starts_at - before):
            tick()
    (letter,) = inbox
    assert event.title_sv in everything_in(letter)
    assert SECRET_LINK not in everything_in(letter)
    assert entry(letter)[0] == "CANCEL"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_canceled_again", [False, True])
def test_who_regrets_too_late_for_the_seat_has_no_entry_left_in_the_calendar(make_event, inbox, is_canceled_again):
    event = make_event("sv", starts_in=SOON, capacity=1)
    registration = register(event, "a")
    tick()
    put_in = entry(inbox[-1])[1]
    inbox.clear()
    # All of it before the next mail leaves.
    actions.cancel(registration)
    register(event, "b")
    assert actions.regret(registration).state == State.WAITING
    if is_canceled_again:
        actions.cancel(registration)
    tick()
    (letter,) = [each for each in inbox if each["To"] == "a@example.org"]
    method, taken_out = entry(letter)
    assert (method, taken_out["UID"]) == ("CANCEL", put_in["UID"])
    assert taken_out["SEQUENCE"] > put_in["SEQUENCE"]


@pytest.mark.django_db(transaction=True)
def test_a_seat_that_comes_after_all_is_a_later_entry_than_the_one_that_was_taken_out(make_event, inbox):
    event = make_event("sv", starts_in=SOON, capacity=1)
    registration = register(event, "a")
    actions.cancel(registration)
    tick()
    taken_out = entry(inbox[-1])[1]
    other = register(event, "b")
    actions.regret(registration)
    actions.cancel(other)
    tick()
    inbox.clear()
    actions.accept(registration)
    tick()
    (letter,) = inbox
    method, put_in = entry(letter)
    assert (method, put_in["UID"]) == ("REQUEST", taken_out["UID"])
    assert put_in["SEQUENCE"] > taken_out["SEQUENCE"]


def test_who_never_had_a_seat_is_sent_nothing_for_the_calendar(make_event):
    event = make_event("sv", capacity=1)
    register(event, "a")
    waiting = register(event, "b")
    assert not rendered(waiting).calendar
    for times in (1, 2):
        actions.cancel(waiting)
        receipt = Delivery.objects.waiting().get(kind=actions.CANCELLATION, recipient="b@example.org")
        with translation.override("sv"):
            assert not rules.cancellation(receipt).calendar, times
        actions.regret(waiting)
        waiting.refresh_from_db()
        assert not rendered(waiting).calendar


def rendered(registration, kind=actions.CONFIRMATION, **context):
    delivery = Delivery(context={"registration": registration.pk} | context, language=registration.language)
    with translation.override(registration.language):
        return RENDER[kind](delivery)


RENDER = {
    actions.CONFIRMATION: rules.confirmation,
    actions.CANCELLATION: rules.cancellation,
    actions.OFFER: rules.offer,
    actions.LAPSE: rules.lapse,
    actions.CHANGE: rules.change,
    actions.NEW_LINK: rules.new_link,
}


def test_an_arabic_message_keeps_its_times_from_left_to_right(make_event):
    event = make_event("sv", "ar", starts_at=STARTS)
    registration = register(event, language="ar")
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
    message = rendered(register(event, language="en"))
    assert "Thursday Nov. 25, 2027\n14:00–15:30 (Swedish time)" in message.text


def test_a_title_that_is_not_translated_comes_in_swedish_and_says_so(make_event):
    event = make_event("sv", "en", starts_at=STARTS)
    notes = {}
    for code in ("en", "so"):
        message = rendered(register(event, code, language=code))
        notes[code] = 'lang="sv" dir="ltr"' in message.html
        assert (event.title_en if code == "en" else event.title_sv) in message.subject
    assert notes == {"en": False, "so": True}


def test_a_place_that_is_not_public_is_told_to_who_has_a_seat_alone(make_event):
    event = make_event("sv", starts_at=STARTS, place="Hemliga salen", access_note="Ring på", capacity=1)
    seated, waiting = rendered(register(event, "a")), rendered(register(event, "b"))
    for word in ("Hemliga salen", "Ring på"):
        assert word in seated.text
        assert word in seated.html
        assert word not in waiting.text + waiting.html
    assert b"Hemliga salen" in seated.calendar


def test_there_is_no_message_for_who_has_canceled_or_was_forgotten(make_event):
    registration = register(make_event("sv"))
    assert rendered(registration) is not None
    actions.cancel(registration)
    assert rendered(registration) is None
    assert rendered(registration, actions.CANCELLATION) is not None
    Registration.objects.all().delete()
    assert {rendered(registration, kind) for kind in RENDER if kind != actions.CHANGE} == {None}


def standing(event, kind, code):
    """Somebody in the state in which a message of this kind is about them, and what it needs to know."""
    registration = register(event, email=f"{code}@example.org", language=code)
    state = {actions.OFFER: State.OFFERED, actions.LAPSE: State.LAPSED, actions.CANCELLATION: State.CANCELED}.get(kind)
    now = timezone.now()
    if state:
        event.registrations.filter(pk=registration.pk).update(
            state=state,
            offered_until=now if state == State.OFFERED else None,
            canceled_at=now if state == State.CANCELED else None,
        )
    if kind == actions.CHANGE:
        events.edit(event, by=factories.user(), place="Biblioteket", starts_at=event.starts_at - timedelta(days=1))
        return registration, {"from": 0, "to": 1}
    return registration, {}


@pytest.mark.parametrize("code", [language.code for language in languages.ACTIVE])
@pytest.mark.parametrize("kind", list(RENDER))
def test_every_message_can_be_written_in_every_language(make_event, code, kind):
    event = make_event("sv", starts_at=STARTS, lasts=timedelta(days=1, hours=2))
    registration, context = standing(event, kind, code)
    message = rendered(registration, kind, **context)
    assert message.subject.strip()
    assert "14:00" in message.text
    assert "16:00" in message.html
    assert "{" not in message.text + message.html
    assert "<" not in message.text


def test_what_somebody_typed_is_in_no_message(make_event):
    """Anybody can type anybody's address: nothing they type reaches it."""
    event = make_event("sv", starts_at=STARTS)
    need = [{"kind": Need.Kind.ACCESS, "detail": "Marker sak"}]
    registration = register(event, "Marker Namn", email="bo@example.org", needs=need, question="Marker fråga")
    message = rendered(registration)
    assert "Marker" not in message.subject + message.text + message.html + message.calendar.decode()


@pytest.mark.django_db(transaction=True)
def test_who_needs_an_interpreter_is_told_what_became_of_it_and_nothing_is_said_of_their_body(make_event, inbox):
    event = make_event("sv", "ar", starts_in=timedelta(days=9))
    wanted = [{"kind": "interpreter", "language": "ti"}, {"kind": "access", "detail": "Plats för rullstol"}]
    needs = register(event, "bo", language="ar", needs=wanted).needs.order_by("kind").reverse()
    tick()
    confirmation = everything_in(inbox.pop())
    assert confirmation.count("نحن نعمل على ذلك") == 4  # two, in text and HTML
    assert "ትግርኛ" in confirmation
    by = factories.user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        # A slip of the finger, mended within the two minutes, and what is only booked, are no news.
        actions.settle_need(needs[0], state=Need.State.FAILED, by=by)
        actions.settle_need(needs[0], state=Need.State.BOOKED, by=by)
        clock.shift(actions.SETTLE)
        tick()
        assert inbox == []
        actions.settle_need(needs[0], state=Need.State.CONFIRMED, by=by)
        actions.settle_need(needs[1], state=Need.State.FAILED, by=by)
        clock.shift(actions.SETTLE)
        tick()
        arranged, failed = (everything_in(letter) for letter in inbox)
        assert "ትግርኛ" in arranged
        assert "ትግርኛ" not in failed
        assert "/registration/" in failed
        # It cannot be had after all: that is news once more.
        actions.settle_need(needs[0], state=Need.State.BOOKED, by=by)
        actions.settle_need(needs[0], state=Need.State.FAILED, by=by)
        clock.shift(actions.SETTLE)
        tick()
        assert len(inbox) == 3
    assert not any("rullstol" in everything_in(letter) for letter in inbox)
    assert "rullstol" not in confirmation


@pytest.mark.parametrize("kind", ["confirmation", "offer", "lapse", "new_link"])
def test_who_was_to_be_told_of_a_seat_hears_nothing_of_it_when_the_event_is_canceled(make_event, kind):
    event = make_event("sv", capacity=1, starts_in=timedelta(minutes=30))
    register(event, "other")
    held = register(event)
    state = {"confirmation": State.WAITING, "offer": State.OFFERED, "lapse": State.LAPSED, "new_link": State.CONFIRMED}
    until = {"offered_until": event.starts_at} if kind == "offer" else {}
    Registration.objects.filter(pk=held.pk).update(state=state[kind], **until)
    delivery = Delivery(kind="x", language="sv", context={"registration": held.pk})
    assert getattr(rules, kind)(delivery)
    events.cancel(event, by=factories.user(), reason="Sjukdom")
    assert getattr(rules, kind)(delivery) is None


def test_a_link_that_was_taken_away_is_no_new_link(make_event):
    event = make_event("sv", starts_in=timedelta(minutes=30))
    register(event)
    events.edit(event, by=factories.user(), join_url="")
    actions.keep(timezone.now())
    delivery = Delivery.objects.filter(kind=actions.NEW_LINK).first()
    assert delivery is None or rules.new_link(delivery) is None


def test_a_confirmation_that_waits_while_its_event_is_put_off_waits_as_long_as_that(make_event):
    event = make_event("sv", starts_in=SOON)
    register(event)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail.pause(prefix=event.mail_prefix, reason="Fel", by=factories.user())
        event = put_off(event, days=10)
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
        clock.shift(SOON * 2)
        mail.expire(now=timezone.now())
        held = Delivery.objects.waiting().get()
    assert (held.kind, held.expires_at) == (actions.CONFIRMATION, event.ends_at)


def test_a_link_that_is_new_while_the_event_is_canceled_is_told_when_it_is_held_after_all(make_event):
    event, by = make_event("sv", starts_in=timedelta(minutes=50)), factories.user()
    register(event)
    assert actions.reveal(event.registrations.select_related("event").get())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        events.cancel(event, by=by, reason="Sjukdom")
        clock.shift(actions.SETTLE)
        events.edit(event, by=by, join_url="https://meeting.example.org/2")
        actions.keep(timezone.now())
        assert not Delivery.objects.filter(kind=actions.NEW_LINK).exists()
        events.restore(event, by=by)
        clock.shift(actions.SETTLE)
        actions.keep(timezone.now())
    assert rules.new_link(Delivery.objects.get(kind=actions.NEW_LINK))


def test_a_confirmation_that_left_with_the_new_time_before_the_clock_looked_has_told_it(make_event):
    event = make_event("sv")
    register(event)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        put_off(event, hours=1)
        clock.shift(actions.SETTLE)
        moments = dict.fromkeys(("fenced_at", "sent_at", "ended_at"), timezone.now())
        Delivery.objects.update(state=Sent.SENT, **moments)
        actions.keep(timezone.now())
    assert not Delivery.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_a_new_link_whose_mail_waited_when_the_event_was_canceled_is_told_once_when_it_is_held_after_all(
    make_event, inbox
):
    event, by = make_event("sv", starts_in=timedelta(minutes=50)), factories.user()
    register(event)
    tick()
    assert actions.reveal(event.registrations.select_related("event").get())
    new = "https://meeting.example.org/2"
    events.edit(event, by=by, join_url=new)
    actions.keep(timezone.now())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for act in (lambda: events.cancel(event, by=by, reason="Sjukdom"), lambda: events.restore(event, by=by)):
            act()
            clock.shift(actions.SETTLE)
            for _again in range(2):
                tick()
    assert [new in everything_in(letter) for letter in inbox].count(True) == 1
