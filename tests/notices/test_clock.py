"""Nothing is lost and nothing told twice: two ticks at once, a tick that dies, rows that become visible late."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from portal.mail.models import Delivery
from rumors import actions as rumors
from rumors.models import Rumor
from rumors.notices.models import Bookmark, Letter, Notice
from rumors.vocabulary import Status
from tests.accounts.people import person
from tests.notices.conftest import at_once, tick, to
from tests.rumors.conftest import log

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(work):
    """Runs it with a connection of its own; `join` raises what it raised."""
    failed = []

    def run():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - it is looked at
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()

    def join():
        thread.join(30)
        assert not thread.is_alive()
        return failed

    return join


@pytest.fixture
def readers():
    return [at_once(person(Role.MANAGER)) for _ in range(5)]


@pytest.fixture
def rumor(readers):
    tick(-timedelta(hours=1))
    made = log()
    made.watchers.set(readers)
    return made


def screen(rumor):
    rumors.move(rumor, status=Status.SCREENED, by=rumor.logged_by)


def test_two_ticks_at_once_tell_everybody_once(rumor, readers):
    screen(rumor)
    start = threading.Barrier(4)

    def work():
        start.wait(10)
        tick()

    for join in [in_a_thread(work) for _ in range(4)]:
        assert join() == []
    tick(timedelta(minutes=1))
    assert [len(to(reader)) for reader in readers] == [1] * 5
    assert Notice.objects.count() == 5


def test_two_first_ticks_make_one_bookmark(readers):
    start = threading.Barrier(4)

    def work():
        start.wait(10)
        tick()

    for join in [in_a_thread(work) for _ in range(4)]:
        assert join() == []
    assert Bookmark.objects.count() == 1


def test_a_tick_whose_process_dies_in_the_middle_has_done_nothing(rumor, readers):
    screen(rumor)
    with transaction.atomic():
        # It can make its notices and letters, and waits where it promises the mail.
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE mail_delivery IN ACCESS EXCLUSIVE MODE")
        join = in_a_thread(tick)
        killed = 0
        while not killed:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
                )
                killed = cursor.fetchone()[0]
                cursor.execute("SELECT pg_stat_clear_snapshot()")
    (error,) = join()
    assert isinstance(error, OperationalError)
    assert not Notice.objects.exists()
    assert not Letter.objects.exists()
    tick()
    tick(timedelta(minutes=1))
    assert [len(to(reader)) for reader in readers] == [1] * 5


@pytest.mark.parametrize("open_for", [timedelta(), timedelta(hours=2)])
def test_what_becomes_visible_late_is_told_however_long_it_took(rumor, readers, open_for):
    """One transaction has written its row of the log and is still open while later rows are read."""
    written, may_end = threading.Event(), threading.Event()
    other = log()
    other.watchers.set(readers)

    def slow():
        with transaction.atomic():
            screen(other)
            written.set()
            may_end.wait(20)

    join = in_a_thread(slow)
    assert written.wait(10)
    screen(rumor)
    tick(open_for / 2)
    tick(open_for)
    assert Notice.objects.filter(rumor=other).count() == 0
    assert Notice.objects.filter(rumor=rumor).count() == 5
    may_end.set()
    assert join() == []
    late, early = (AuditEvent.objects.about(each).get(verb="move").pk for each in (other, rumor))
    assert late < early
    tick(open_for + timedelta(minutes=1))
    tick(open_for + timedelta(minutes=2))
    assert Notice.objects.filter(rumor=other).count() == 5
    assert Notice.objects.filter(rumor=rumor).count() == 5


def test_who_begins_to_follow_hears_nothing_of_what_was_read_before(rumor):
    screen(rumor)
    tick()
    late = at_once(person(Role.MANAGER))
    rumors.watch(rumor, by=late)
    tick(timedelta(seconds=30))
    assert to(late) == []


def test_the_bookmark_stays_small(rumor):
    for _ in range(3):
        rumors.sight(rumor, channel="sfi", seen_on=timezone.localdate(), by=rumor.logged_by)
    tick()
    assert len(Bookmark.objects.get().read) == 3
    tick(timedelta(minutes=20))
    tick(timedelta(minutes=21))
    assert Bookmark.objects.get().read == []


def test_a_tick_that_finds_nothing_writes_nothing(rumor, django_assert_max_num_queries):
    Rumor.objects.update(due_at=timezone.now() + timedelta(days=20))
    tick()
    with django_assert_max_num_queries(25):
        tick(timedelta(minutes=1))
    assert Delivery.objects.count() == 0
