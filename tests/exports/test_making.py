"""A file is made by a worker, fetched by its maker alone, logged, and gone after a week."""

import errno
import os
import stat
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.accounts.models import Role
from portal.audit.models import AuditEvent
from rumors.exports import actions, documents, storage
from rumors.exports.forms import filtered
from rumors.exports.models import Export, State
from rumors.models import Rumor
from tests.accounts.people import person, sign_in
from tests.exports.conftest import CLAIM, Exporter, log, work


@pytest.fixture
def files(settings):
    root = Path(settings.MEDIA_ROOT) / "exports"
    return lambda: sorted(path for path in root.rglob("*") if path.is_file())


def test_the_page_says_how_far_it_is_then_that_it_is_ready(editor, files):
    log()
    editor.order()
    assert "Filen görs" in editor.page()
    assert editor.fetch().status_code == 302
    assert work() == 1
    page = editor.page()
    assert "Filen är klar" in page
    assert 'http-equiv="refresh"' not in page
    answer = editor.fetch()
    assert CLAIM in b"".join(answer.streaming_content).decode()
    assert answer["Content-Disposition"] == f'attachment; filename="rykten-{timezone.localdate()}.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert "sandbox" in answer["Content-Security-Policy"]
    (path,) = files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:2]} == {0o700}
    assert work() == 0


def test_each_export_and_each_download_is_logged_with_its_filter_and_how_many_rows(editor):
    log(channel="tiktok")
    editor.content({"channel": "tiktok"})
    b"".join(editor.fetch().streaming_content)
    b"".join(editor.client.head(f"/staff/rumors/export/{editor.export().pk}/file/").streaming_content)
    events = AuditEvent.objects.filter(kind="exports.export").order_by("pk")
    assert [event.verb for event in events] == ["export", "download", "download"]
    assert {event.by for event in events} == {editor.user}
    for event in events:
        assert (
            event.note == "Rykten. CSV med semikolon, som Excel på svenska läser det. För kollegor. 1 rad. Var: TikTok"
        )
        assert CLAIM not in event.note


def test_a_form_that_is_sent_twice_makes_one_file(editor):
    form_id = str(uuid4())
    first, second = (editor.order(form_id=form_id)["Location"] for _ in range(2))
    assert first == second
    assert Export.objects.count() == 1


def test_the_same_form_with_other_choices_makes_another_file(editor):
    form_id = str(uuid4())
    orders = [{}, {"kind": "json"}, {"level": "1"}, {"what": "sightings"}, {"rumor_columns": ["claim"]}]
    places = {editor.order(form_id=form_id, **said)["Location"] for said in orders}
    places.add(editor.order({"priority": "high"}, form_id=form_id)["Location"])
    assert len(places) == Export.objects.count() == len(orders) + 1


def test_a_file_is_its_makers_alone(editor):
    log()
    editor.content()
    others = sign_in(person(*Role))
    for place in ("", "file/"):
        answer = others.get(f"/staff/rumors/export/{editor.export().pk}/{place}")
        assert answer["Location"] == "/staff/rumors/export/"
    others.post(f"/staff/rumors/export/{editor.export().pk}/forget/")
    assert Export.objects.count() == 1
    assert f"/export/{editor.export().pk}/" not in others.get("/staff/rumors/export/").content.decode()


def test_who_may_not_any_more_gets_nothing_though_it_is_there(security):
    log()
    security.content(level="3", with_secret="on")
    security.user.groups.clear()
    assert security.fetch().status_code == 403
    security.user.groups.add(*person(Role.MANAGER).groups.all())
    answer = security.fetch()
    assert answer.status_code == 302
    assert "Filen är inte för dig längre" in security.page()
    assert AuditEvent.objects.filter(verb="download").count() == 1


def test_who_may_not_any_more_when_it_is_made_gets_none(editor, files):
    editor.order(level="3")
    editor.user.groups.clear()
    assert work() == 0
    assert Export.objects.get().state == State.REFUSED
    assert files() == []
    assert not AuditEvent.objects.filter(verb="export").exists()


def test_a_manager_cannot_order_everything(manager):
    assert manager.order(level="3").status_code == 422
    assert not Export.objects.exists()


def test_what_becomes_secret_before_it_is_made_is_not_in_it(editor):
    rumor = log()
    editor.order(level="3")
    Rumor.objects.filter(pk=rumor.pk).update(sensitivity="secret")
    work()
    assert CLAIM not in b"".join(editor.fetch().streaming_content).decode()


def test_it_is_gone_after_a_week_with_its_file(editor, files):
    log()
    editor.content()
    assert actions.purge(now=timezone.now() + timedelta(days=6)) == 0
    Export.objects.update(asked_at=timezone.now() - timedelta(days=7, minutes=1))
    assert editor.client.get(f"/staff/rumors/export/{editor.export().pk}/file/")["Location"] == "/staff/rumors/export/"
    assert len(files()) == 1


def test_the_purge_takes_row_and_file(editor, files, django_capture_on_commit_callbacks):
    log()
    editor.content()
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.purge(now=timezone.now() + timedelta(days=7, minutes=1)) == 1
    assert not Export.objects.exists()
    assert files() == []


def test_it_can_be_deleted_at_once(editor, files, django_capture_on_commit_callbacks):
    log()
    editor.content()
    with django_capture_on_commit_callbacks(execute=True):
        editor.client.post(f"/staff/rumors/export/{editor.export().pk}/forget/")
    assert files() == []


def test_files_without_a_row_are_swept_and_those_of_today_are_not(editor, files, django_capture_on_commit_callbacks):
    log()
    editor.content()
    (kept,) = files()
    old, new, parts = storage.begin(storage.new_name()), storage.begin(storage.new_name()), kept.parent / "tmpabc"
    parts.mkdir()
    (parts / "x").write_text("x")
    long_ago = timezone.now().timestamp() - 2 * 86400
    for path in (kept, old, parts):
        os.utime(path, (long_ago, long_ago))
    with django_capture_on_commit_callbacks(execute=True):
        actions.purge(now=timezone.now())
    assert set(files()) == {kept, new}
    assert not parts.exists()


# Accidents -------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_is_followed_by_the_next_when_its_time_is_over(editor, files, monkeypatch):
    log()
    editor.order(kind="xlsx")
    real = documents.Reader.of

    def dies(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(documents.Reader, "of", dies)
    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.setattr(documents.Reader, "of", real)
    assert Export.objects.get().state == State.MAKING
    assert files() == []
    assert work() == 0
    Export.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert work() == 1
    assert editor.export().rows_count == 1


def test_what_kills_every_worker_is_given_up_and_says_so(editor, monkeypatch):
    log()
    editor.order()

    def dies(*_args):
        raise RuntimeError

    monkeypatch.setattr(documents.Reader, "of", dies)
    for _ in range(Export.MOST_ATTEMPTS):
        with pytest.raises(RuntimeError):
            work()
        Export.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert work() == 0
    assert editor.export().state == State.FAILED
    assert "Filen gjordes inte" in editor.page()


def test_who_was_thought_dead_and_comes_back_does_not_disturb(editor, files, monkeypatch):
    """Somebody else has taken it over while it slept."""
    log()
    editor.order()
    real = documents.Reader.of

    def sleeps(*args):
        Export.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        monkeypatch.setattr(documents.Reader, "of", real)
        assert work() == 1
        return real(*args)

    monkeypatch.setattr(documents.Reader, "of", sleeps)
    assert work() == 0
    assert len(files()) == 1
    assert AuditEvent.objects.filter(verb="export").count() == 1
    assert CLAIM in b"".join(editor.fetch().streaming_content).decode()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_a_full_disk_says_so_on_the_page(editor, files, kind):
    """With a real limit of the size of files, which is what a full disk looks like from here."""
    import resource
    import signal

    for number in range(300):
        log(f"Det sägs att nummer {number} är sant och mycket mer än så.")
    editor.order(kind=kind)
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        assert work() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert editor.export().state == State.FULL
    assert "Disken är full" in editor.page()
    assert files() == []


def test_a_file_that_is_lost_is_no_error(editor, files):
    log()
    editor.content()
    files()[0].unlink()
    answer = editor.client.get(f"/staff/rumors/export/{editor.export().pk}/file/", follow=True)
    assert "Filen är borta" in answer.content.decode()
    assert AuditEvent.objects.filter(verb="download").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_a_file_once(files):
    from concurrent.futures import ThreadPoolExecutor

    editor = Exporter(Role.EDITOR)
    for number in range(5):
        log(f"Det sägs att {number} är sant.")
    editor.order()
    pk = editor.export().pk

    def one() -> bool:
        try:
            return actions.make(pk, filtered=filtered)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        done = [future.result() for future in [pool.submit(one) for _ in range(3)]]
    assert done.count(True) == 1
    assert len(files()) == 1
    assert errno.ENOSPC in actions._FULL


def test_queries_do_not_grow_with_the_rumors(editor, monkeypatch):
    counts = []
    for more in (2, 30):
        for number in range(more):
            log(f"Det sägs att {number} av {more} är sant.")
        editor.order(what="sightings", level="3")
        with CaptureQueriesContext(connection) as queries:
            assert work() == 1
        counts.append(len(queries))
    assert counts[0] == counts[1]
