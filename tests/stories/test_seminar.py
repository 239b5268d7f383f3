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
from events.registrations.models import Registration
from portal.accounts.models import Role
from portal.local.mailbox import serve
from portal.mail.models import Delivery
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
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


def test_a_seminar_from_planning_to_the_reminder(open_browser, is_accessible, settings, tmp_path, live_server):
    # Given somebody who plans events
    desk = open_browser(Role.EVENTS, viewport=DESK)
    starts = timezone.localtime(timezone.now() + timedelta(days=3)).replace(hour=8, minute=30)
    desk.goto("/staff/events/new/")
    desk.locator("[name=kind]").select_option("seminar")
    desk.locator("[name=slug]").fill("orosanmalan")
    desk.locator("[name=starts_at]").fill(starts.strftime("%Y-%m-%dT08:30"))
    desk.locator("[name=ends_at]").fill(starts.strftime("%Y-%m-%dT10:00"))
    desk.locator("[name=is_online]").check()
    desk.locator("[name=join_url]").fill("https://meeting.example.org/secret-room")
    desk.locator("[name=capacity]").fill("1")
    desk.locator("[name=registration_ends_at]").fill((starts - timedelta(days=1)).strftime("%Y-%m-%dT12:00"))
    is_accessible(desk)
    # When they save it, write the text, and a second person approves it
    desk.locator("main form button").first.click()
    desk.wait_for_url(re.compile(r"/texts/event/\d+/sv/|/staff/events/\d+/"))
    event = Event.objects.get(slug="orosanmalan")
    factories.publish(event, title="Nätföreläsning om orosanmälan", summary="Vi berättar.", body="Välkommen.")
    factories.publish(event, "so", title="Casharka khadka", summary="Waan sharxaynaa.", body="Soo dhowow.")

    # Then the public page shows when it is and how to register, and never the link
    phone = open_browser()
    phone.goto("/so/events/orosanmalan/")
    assert "08:30" in phone.locator("main").inner_text()
    assert "secret-room" not in phone.content()
    is_accessible(phone)

    with mail_server(tmp_path / "mail") as email_url, celery(settings, tmp_path, email_url, live_server):
        # When a participant registers, in Somali
        phone.goto("/so/events/orosanmalan/register/")
        phone.locator("[name=name]").fill("Hodan")
        phone.locator("[name=email]").fill("hodan@example.org")
        phone.locator("main form button").click()
        phone.wait_for_url("**/thanks/")
        is_accessible(phone)
        # Then a confirmation in Somali with a calendar file arrives, without the link to join
        confirmation = wait_for(lambda: letters(tmp_path / "mail", "hodan@example.org"))[0]
        whole = str(confirmation)
        calendars = [p for p in confirmation.walk() if p.get_content_type() == "text/calendar"]
        assert confirmation["Content-Language"] == "so"
        assert "BEGIN:VEVENT" in calendars[0].get_content()
        assert (
            "secret-room"
            not in "".join(str(p.get_content()) for p in confirmation.walk() if p.get_content_maintype() == "text")
            + whole
        )

        # And the only seat is taken
        other = open_browser()
        other.goto("/sv/events/orosanmalan/register/")
        assert other.locator("main form [name=email]").count() == 0

        # When a day before the start has come (the clock of the row is moved, nothing else)
        reminders = Delivery.objects.filter(kind="event_reminder").order_by("due_at")
        assert reminders.count() == 2
        first = reminders.first()
        assert first.due_at == event.starts_at - timedelta(days=1)
        Delivery.objects.filter(pk=first.pk).update(due_at=timezone.now())
        # Then the reminder comes over SMTP, and it has the link
        reminder = wait_for(lambda: letters(tmp_path / "mail", "hodan@example.org")[1:])[0]
        assert "https://meeting.example.org/secret-room" in reminder.get_body(("plain",)).get_content()
        wait_for(lambda: Delivery.objects.get(pk=first.pk).state == "sent")
        assert Registration.objects.get().email == "hodan@example.org"
