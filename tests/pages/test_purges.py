"""What the clock deletes, what it says of it, and what it would delete."""

import logging
import os
import threading
import tomllib
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from events.registrations.models import Need, Registration
from portal import VERSION
from portal.accounts.models import Role
from portal.pages import actions
from portal.pages.models import Purge
from portal.pictures import actions as pictures
from portal.questions.models import Question
from rumors.exports import actions as exports
from rumors.exports import tasks as export_tasks
from tests.accounts.people import person, sign_in
from tests.actors.conftest import contact
from tests.events.conftest import make_event
from tests.outreach.conftest import visit
from tests.pictures.conftest import sent
from tests.pictures.images import file_of, screenshot
from tests.questions.conftest import asked, told
from tests.registrations.test_register import register
from tests.rumors.conftest import log
from tests.traces import files, keys, tables

__all__ = ["make_event"]

LATE = timedelta(days=3 * 365)
PAGE = "/staff/purges/"


def purge(*arguments: str) -> str:
    """What the command says."""
    out = StringIO()
    call_command("purge", *arguments, stdout=out)
    return out.getvalue()


def left_by_a_crash(settings, name: str) -> Path:
    """A file that no row knows of, in a folder that a restored backup has left open."""
    path = Path(settings.MEDIA_ROOT) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    long_ago = timezone.now().timestamp() - 40 * 86400
    os.utime(path, (long_ago, long_ago))
    path.parent.parent.chmod(0o755)
    return path


@pytest.fixture
def full(make_event, settings):
    """A site with something to forget in rows, in files and in what hangs on them."""
    need = {"kind": Need.Kind.ACCESS, "detail": "Hiss"}
    register(make_event("sv", starts_in=timedelta(hours=2)), "mira", needs=[need])
    contact()
    visit(safety_note="Hotfullt")
    told()
    editor = person(Role.EDITOR)
    log(claim="Det sägs att domstolen inte frågas.")
    exports.order(what="rumors", kind="csv", level=1, columns=["number"], query="", form_id=uuid4(), by=editor)
    export_tasks.work()
    pictures.keep(sent(file_of(screenshot(), "PNG")), by=editor)
    sign_in(editor).get("/staff/")
    left_by_a_crash(settings, "exports/ab/lost")
    left_by_a_crash(settings, f"pictures/ab/ab{'0' * 30}")
    cache.clear()  # what is kept for seconds would end on its own meanwhile
    cache.set("stays", "as it is", None)


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_changes_no_row_file_or_key_and_says_what_the_purge_then_does(full):
    with time_machine.travel(timezone.now() + LATE, tick=False):
        before = tables(), keys(), files()
        said = purge("--dry-run")
        assert (tables(), keys(), files()) == before
        assert purge() == said
    counts = Purge.objects.get().counts
    assert {part for part, number in counts.items() if number} >= {
        "questions",
        "needs",
        "registrations",
        "contacts and helpers",
        "safety notes and drafts of visits",
        "exports",
        "pictures",
        "sessions",
    }
    assert counts["pictures"] == 2  # the one that nobody refers to, and the one without a row
    assert not Registration.objects.exists()
    assert not [name for name, (_mode, content) in files().items() if content]
    assert {mode & 0o077 for name, (mode, _content) in files().items() if name in {"exports", "pictures"}} == {0}


def test_a_dry_run_tells_what_goes_by_the_end_of_a_day(make_event):
    event = make_event("sv")
    register(event, "mira", needs=[{"kind": Need.Kind.ACCESS, "detail": "Hiss"}])
    last = timezone.localdate(event.ends_at)
    found = {days: purge("--dry-run", "--at", str(last + timedelta(days=days))) for days in (6, 8, 29, 31)}
    assert {days: ("needs" in said, "registrations" in said) for days, said in found.items()} == {
        6: (False, False),
        8: (True, False),
        29: (True, False),
        31: (True, True),
    }
    assert found[6] == "Nothing is old enough.\n"
    with pytest.raises(CommandError, match="--at needs --dry-run"):
        purge("--at", str(last))
    assert not Purge.objects.exists()


@pytest.fixture
def broken_questions(db):
    """The database refuses to delete questions, and names somebody when it says so."""
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'mira@example.org stands here'; END $$;
            CREATE TRIGGER refuse_it BEFORE DELETE ON questions_question
            FOR EACH ROW EXECUTE FUNCTION refuse_it();"""
        )


def repair() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse_it ON questions_question")


@pytest.mark.usefixtures("broken_questions")
def test_a_part_that_fails_keeps_no_other_from_its_work_and_is_tried_again(make_event, caplog):
    register(make_event("sv", starts_in=timedelta(hours=2)), "mira")
    asked()
    with time_machine.travel(timezone.now() + LATE):
        with caplog.at_level(logging.ERROR), pytest.raises(CommandError, match="questions"):
            purge()
        row = Purge.objects.get()
        assert (row.failed, "questions" in row.counts, row.counts["registrations"]) == (["questions"], False, 1)
        assert (Question.objects.count(), Registration.objects.count()) == (1, 0)
        logged = str([record.msg for record in caplog.records])
        assert "purge_failed" in logged
        assert "portal/questions/actions.py" in logged
        assert "mira" not in logged
        repair()
        purge()
    assert not Question.objects.exists()
    assert list(Purge.objects.whole()) == [Purge.objects.first()]


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_does_not_wait_for_who_works_on_a_row(make_event):
    held = register(make_event("sv", starts_in=timedelta(hours=2)), "mira")
    has_it, may_go = threading.Event(), threading.Event()

    def work():
        with transaction.atomic():
            list(Registration.objects.select_for_update(of=("self",)).filter(pk=held.pk))
            has_it.set()
            may_go.wait(30)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert has_it.wait(30)
        found = actions.rehearse(now=timezone.now() + LATE)
    finally:
        may_go.set()
        worker.join()
    assert found.failed == ["registrations"]
    assert actions.rehearse(now=timezone.now() + LATE).counts["registrations"] == 1


# The record ------------------------------------------------------------------------------------------------------


def test_a_purge_of_nothing_is_a_record_too(db):
    assert purge() == "Nothing is old enough.\n"
    row = Purge.objects.get()
    assert (set(row.counts.values()), row.failed, row.version) == ({0}, [], VERSION)
    assert row.began_at <= row.ended_at <= timezone.now()


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_every_part_has_a_word_for_people(db):
    assert list(actions.purge(now=timezone.now()).counts) == list(Purge.PARTS)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE pages_purge SET counts = '{}'",
        "DELETE FROM pages_purge",
        "TRUNCATE pages_purge",
        """DO $$ BEGIN
        DELETE FROM pages_purge; -- PL/pgSQL function pages_forget_purges(timestamp with time zone)
        END $$""",
    ],
)
def test_the_database_refuses_to_change_a_record(db, change):
    actions.purge(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pages_purge ENABLE TRIGGER pages_refuse_truncate_of_purges")
        with pytest.raises(DatabaseError, match="told for five years"), transaction.atomic():
            cursor.execute(change)
    assert set(Purge.objects.get().counts.values()) == {0}


def test_a_record_is_kept_for_five_years(db):
    for days in (0, 1824, 1826):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            last = actions.purge(now=timezone.now())
            assert (Purge.objects.count(), last.counts["purges"]) == {0: (1, 0), 1824: (2, 0), 1826: (2, 1)}[days]


# The page --------------------------------------------------------------------------------------------------------


def page_of(*roles: Role, method: str = "get", path: str = PAGE) -> str:
    """As somebody who has just signed in: a purge of tomorrow takes today's sessions."""
    client = sign_in(person(*(roles or [Role.AUDITOR]), language="en"))
    return getattr(client, method)(path).content.decode()


def test_the_page_says_what_went_and_when_the_next_one_is_due(make_event):
    assert "Nothing has been purged yet." in page_of()
    register(make_event("sv", starts_in=timedelta(hours=2)), "mira")
    actions.purge(now=timezone.now() + LATE)
    page = page_of()
    assert "Registrations: 1" in page
    assert "Questions of the public" not in page  # none went
    due = timezone.localtime(Purge.objects.get().began_at + timedelta(hours=6))
    assert f"{due:%H:%M}" in page.partition("The next one is due")[2].partition("</dl>")[0]
    for role, path in [(Role.AUDITOR, "/staff/reports/"), (Role.ADMIN, "/staff/")]:
        assert f'href="{PAGE}"' in page_of(role, path=path)
    assert f'href="{PAGE}"' not in page_of(Role.MANAGER, path="/staff/reports/")


@pytest.mark.usefixtures("broken_questions")
def test_the_page_marks_what_failed():
    actions.purge(now=timezone.now())
    assert "Failed" not in page_of()
    asked()
    actions.purge(now=timezone.now() + LATE)
    page = page_of()
    assert "Failed" in page
    assert "Questions of the public" in page


def test_what_would_go_by_tonight_is_shown_and_stays(make_event):
    ends_at = timezone.localtime().replace(hour=23, minute=30) - timedelta(days=30)
    with time_machine.travel(ends_at - timedelta(hours=5)):
        register(make_event("sv", starts_at=ends_at - timedelta(hours=1), ends_at=ends_at), "mira")
    assert "Registrations: 1" not in page_of()
    assert "Registrations: 1" in page_of(method="post")
    assert Registration.objects.count() == 1
    assert not Purge.objects.exists()


def test_staff_read_until_when_they_can_take_the_list_out(make_event):
    event = make_event("sv")
    page = sign_in(person(Role.EVENTS)).get(f"/staff/events/{event.pk}/registrations/").content.decode()
    for days in (7, 30):
        assert f'datetime="{timezone.localdate(event.ends_at + timedelta(days=days))}"' in page
