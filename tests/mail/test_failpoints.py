"""A worker that is killed with SIGKILL at each point at which it matters, and what the others make of it."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.mail import send_mail
from django.db import connection
from django.utils import timezone

from portal.mail import actions, ledger
from portal.mail.models import LEASE, Delivery, State

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Path(__file__).with_name("failpoint.py")


@pytest.fixture
def journal(post, settings, tmp_path):
    """What the server of these tests has taken, as a mailbox that reaches from long before to long after."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "journal" / name).mkdir(parents=True)
    settings.MAIL_LEDGER = f"journal:maildir:{tmp_path}/journal"

    def write():
        for number, letter in enumerate(post.letters):
            (tmp_path / "journal" / "new" / str(number)).write_bytes(bytes(letter))
        for name, moment in (("before", -ledger.EARLIER), ("after", ledger.JOURNAL_PATIENCE)):
            path = tmp_path / "journal" / "new" / name
            path.touch()
            at = (timezone.now() + moment + timedelta(minutes=1) * (1 if moment > timedelta() else -1)).timestamp()
            os.utime(path, (at, at))

    return write


def die_at(point, post):
    database = connection.settings_dict
    password = f":{quote(database['PASSWORD'], safe='')}" if database["PASSWORD"] else ""
    host = quote(database["HOST"], safe="")
    url = f"postgres://{database['USER']}{password}@{host}:{database['PORT']}/{quote(database['NAME'])}"
    around = os.environ | {"DATABASE_URL": url, "EMAIL_URL": post.url, "PYTHONPATH": "."}
    died = subprocess.run([sys.executable, SCRIPT, point], env=around, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr


@pytest.mark.parametrize(
    ("point", "left_as", "taken", "recovered_as"),
    [
        ("claim", State.QUEUED, 0, State.RETRY),
        ("fence", State.SENDING, 0, State.UNCERTAIN),
        ("answer", State.SENDING, 1, State.UNCERTAIN),
    ],
)
def test_a_worker_killed_at_a_point_leaves_what_others_can_put_right(
    post, journal, monkeypatch, point, left_as, taken, recovered_as
):
    monkeypatch.setattr(actions, "_watch", actions._Watch())
    send_mail("About 1", "text", None, ["a@example.org"])
    die_at(point, post)
    row = Delivery.objects.get()
    assert (row.state, bool(row.fenced_at), row.attempts) == (left_as, left_as == State.SENDING, 1)
    assert len(post.letters) == taken
    assert actions.deliver() == {}, "while the lease holds nobody touches it"
    assert actions.recover(now=row.lease_until) == 1
    assert Delivery.objects.get().state == recovered_as
    journal()
    for _ in range(2):
        actions.reconcile(now=timezone.now())
        actions._watch.since = {row.message_id: time.monotonic() - ledger.PATIENCE.total_seconds()}
    Delivery.objects.filter(state=State.RETRY).update(retry_at=timezone.now())
    actions.deliver()
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.payload) == (State.SENT, 1 if point == "answer" else 2, {})
    assert [letter["Message-ID"] for letter in post.letters] == [row.message_id]
    assert row.sent_at >= row.fenced_at


def test_the_lease_is_renewed_at_the_fence(post):
    """So that a slow answer has a whole lease again, however long the message waited in its batch."""
    send_mail("About 1", "text", None, ["a@example.org"])
    die_at("fence", post)
    row = Delivery.objects.get()
    assert row.lease_until - row.fenced_at == LEASE
