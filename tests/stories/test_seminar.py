"""A seminar, from planning to the reminder in a mailbox, with a real worker, a real beat and a real mail server."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from events.models import Event
from events.reminders import actions as reminders
from events.reminders.models import Rule
from portal.accounts.models import Role
from portal.local.mailbox import serve
from portal.revisions.models import Revision
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
ROOM = "https://meeting.example.org/secret-room"
DESK = {"width": 1280, "height": 800}


@contextmanager
def celery(settings, tmp_path, email_url, live_server):
    """Worker and beat on the test's own database, as `make run` starts them."""
    place = connection.settings_dict
    where = f"/{place['NAME']}?host={place['HOST']}" if place["HOST"].startswith("/") else ""
    where = where or f"{place['HOST']}:{place['PORT']}/{place['NAME']}"
    address = f"postgres://{place['USER']}:{place['PASSWORD']}@{where}"
    environment = os.environ | {
        "DATABASE_URL": address,
        "REDIS_URL": settings.CACHES["default"]["LOCATION"],
        "EMAIL_URL": email_url,
        "PUBLIC_URL": live_server.url,
    }
    logs = [(tmp_path / "worker.log").open("wb"), (tmp_path / "beat.log").open("wb")]
    parts = [
        ["portal", "worker", "-c", "1", "--without-gossip", "--without-mingle"],
        ["portal.beat", "beat", "-s", str(tmp_path / "schedule")],
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", *part],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        for part, log in zip(parts, logs, strict=True)
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            # A worker that is told to stop while it ends a task can take half a minute to notice.
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
            process.wait()
        for log in logs:
            log.close()


@contextmanager
def mail_server(folder: Path):
    """The sink of `make run`, in a thread; yields its EMAIL_URL."""
    folder.mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    running = loop.create_task(serve(listener, folder))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([running])), daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(running.cancel)
        thread.join(10)
        loop.close()


def letters(folder: Path, to: str) -> list:
    found = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
    return [letter for letter in found if to in (letter["To"] or "")]


def wait_for(what, seconds=90):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {seconds} s: {what}"
        time.sleep(0.25)
    return found


def register(page, event, *, name: str, email: str, language: str = "so") -> None:
    page.goto(f"/{language}/events/{event.slug}/register/")
    page.locator("[name=name]").fill(name)
    page.locator("[name=email]").fill(email)
    deadline = time.monotonic() + 30
    # Whoever is faster than a person is asked to read it once more, and sends it again.
    while not page.url.endswith("/thanks/"):
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.locator("main form button").click()
        page.wait_for_load_state()


def everything_in(letter) -> str:
    parts = [part.get_payload(decode=True).decode() for part in letter.walk() if not part.is_multipart()]
    return "\n".join(parts).replace("\r\n ", "")


def entry_of(letter) -> str:
    (calendar,) = (part for part in letter.walk() if part.get_content_type() == "text/calendar")
    return calendar.get_payload(decode=True).decode().replace("\r\n ", "")


def private_link(letter) -> str:
    return re.search(r"https?://\S+/registration/[\w-]+/", letter.get_body(("plain",)).get_content())[0]


def test_a_seminar_from_planning_to_the_entry_in_a_calendar(
    open_browser, is_accessible, settings, tmp_path, live_server
):
    # Given somebody who plans a seminar, in one form
    desk = open_browser(Role.EVENTS, viewport=DESK)
    starts = timezone.localtime(timezone.now() + timedelta(days=3)).replace(hour=8, minute=30)
    desk.goto("/staff/events/new/")
    desk.locator("[name=title]").fill("Nätföreläsning om orosanmälan")
    desk.locator("[name=summary]").fill("Vi berättar vad som händer efter en orosanmälan.")
    desk.locator("[name=starts_at]").fill(starts.strftime("%Y-%m-%dT08:30"))
    desk.locator("[name=ends_at]").fill(starts.strftime("%Y-%m-%dT10:00"))
    desk.locator("[name=is_online]").check()
    desk.locator("[name=join_url]").fill(ROOM)
    desk.locator("[name=capacity]").fill("1")
    desk.locator("[name=registration_ends_at]").fill(starts.strftime("%Y-%m-%dT08:00"))
    is_accessible(desk)
    desk.locator("main form button").first.click()
    desk.wait_for_url(re.compile(r"/staff/events/\d+/"))
    is_accessible(desk)
    event = Event.objects.get(slug="natforelasning-om-orosanmalan")
    # When they hand it in, and somebody else approves the text and then the event
    desk.get_by_role("button", name=re.compile("Hand in|Lämna in")).click()
    approver = open_browser(Role.APPROVER, Role.EVENTS, viewport=DESK)
    text = Revision.objects.of(event).get()
    approver.goto(f"/staff/revisions/{text.pk}/")
    approver.locator("button[name=publish]").click()
    approver.wait_for_load_state()
    approver.goto(f"/staff/events/{event.pk}/")
    approver.locator("form[action$='/publish/'] button").click()
    factories.publish(event, "so", title="Casharka khadka", summary="Waan sharxaynaa.", body="Soo dhowow.")

    # Then the public page shows when it is and how to register, and never the link
    phone = open_browser()
    phone.goto(f"/so/events/{event.slug}/")
    assert "08:30" in phone.locator("main").inner_text()
    assert "secret-room" not in phone.content()
    is_accessible(phone)

    with mail_server(tmp_path / "mail") as email_url, celery(settings, tmp_path, email_url, live_server):
        # When a participant registers, in Somali
        register(phone, event, name="Hodan", email="hodan@example.org")
        is_accessible(phone)
        # Then a confirmation in Somali with an entry for their calendar arrives, without the link to join
        confirmation = wait_for(lambda: letters(tmp_path / "mail", "hodan@example.org"))[0]
        assert confirmation["Content-Language"] == "so"
        assert "METHOD:REQUEST" in entry_of(confirmation)
        assert "secret-room" not in everything_in(confirmation)

        # And whoever comes next waits
        other = open_browser()
        register(other, event, name="Bo", email="bo@example.org", language="sv")
        waiting = wait_for(lambda: letters(tmp_path / "mail", "bo@example.org"))[0]
        assert "BEGIN:VCALENDAR" not in everything_in(waiting)

        # When the participant cancels with the link in the mail
        phone.goto(private_link(confirmation))
        is_accessible(phone)
        phone.locator("button[value=cancel]").click()
        # Then the entry leaves their calendar, and the seat is offered to who waits
        farewell = wait_for(lambda: letters(tmp_path / "mail", "hodan@example.org")[1:])[0]
        assert "METHOD:CANCEL" in entry_of(farewell)
        offer = wait_for(lambda: letters(tmp_path / "mail", "bo@example.org")[1:])[0]
        other.goto(private_link(offer))
        is_accessible(other)
        other.locator("button[value=accept]").click()
        taken = wait_for(lambda: letters(tmp_path / "mail", "bo@example.org")[2:])[0]
        assert "METHOD:REQUEST" in entry_of(taken)

        # When a day before the start has come (the event is moved nearer, nothing else)
        soon = timezone.now() + timedelta(hours=23, minutes=59)
        Rule.objects.all().delete()
        reminders.add(by=event.created_by, audience="registered", anchor="start", days=1)
        Rule.objects.update(timed_at=timezone.now() - timedelta(days=9))
        Event.objects.filter(pk=event.pk).update(
            starts_at=soon,
            ends_at=soon + timedelta(hours=1),
            time_set_at=timezone.now() - timedelta(days=9),
            registration_ends_at=None,
        )
        event.registrations.update(registered_at=timezone.now() - timedelta(days=2))
        # Then the reminder comes over SMTP; the link is on their own page, and not before its time
        reminder = wait_for(lambda: letters(tmp_path / "mail", "bo@example.org")[3:])[0]
        assert "secret-room" not in everything_in(reminder)
        Event.objects.filter(pk=event.pk).update(starts_at=timezone.now() + timedelta(minutes=30))
        other.goto(private_link(reminder))
        assert "secret-room" not in other.content()
        other.locator("button[value=reveal]").click()
        assert ROOM in other.content()
        is_accessible(other)
