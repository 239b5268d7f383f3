"""A row and its files come and go together; what an accident leaves is found."""

import hashlib
import os
import re
import resource
import stat
import tarfile
import threading
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as properties
from hypothesis import strategies as st

from portal.accounts.models import Role, User
from portal.audit.models import AuditEvent
from portal.local import backup
from portal.pages import actions as pages
from portal.pictures import actions, encoding, pixels, storage
from portal.pictures.models import Picture
from tests.accounts.people import person
from tests.pictures import images
from tests.pictures.conftest import sent
from tests.pictures.images import file_of, opened, photograph, screenshot

ROOT = Path(__file__).resolve().parents[2]
PNG = file_of(screenshot(), "PNG")
LATER = timedelta(hours=25)


def names(picture: Picture) -> list[str]:
    return [picture.name, f"{picture.name}.preview"]


def refused(file, *, by) -> str:
    with pytest.raises(ValidationError) as found:
        actions.keep(file, by=by)
    assert len(found.value.messages) == 1
    return found.value.code


def test_a_row_says_what_lies_on_the_disk(reporter, files):
    content = images.told_jpeg()
    picture = actions.keep(sent(content, "../../etc/passwd.svg", "text/html"), by=reporter)
    kept, preview = files()
    assert [kept.name, preview.name] == names(picture)
    assert (picture.kind, picture.media_type, picture.extension) == ("jpeg", "image/jpeg", "jpg")
    assert picture.bytes == kept.stat().st_size
    assert picture.sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert picture.sent_sha256 == hashlib.sha256(content).hexdigest()
    assert (picture.width, picture.height) == opened(kept.read_bytes()).size
    assert max(opened(preview.read_bytes()).size) <= 480
    assert (picture.kept_by, AuditEvent.objects.about(picture).get().verb) == (reporter, "keep_picture")
    assert images.MARK not in kept.read_bytes()


def test_the_name_is_random_and_says_nothing(reporter, files):
    kept = [actions.keep(sent(PNG), by=reporter) for _ in range(3)]
    assert len({picture.name for picture in kept}) == 3
    assert len({picture.sha256 for picture in kept}) == 1
    assert all(re.fullmatch("[0-9a-f]{32}", picture.name) for picture in kept)
    assert {path.parent.name for path in files()} == {picture.name[:2] for picture in kept}


def test_nobody_else_on_the_machine_may_read_it(reporter, files, settings):
    before = os.umask(0)
    try:
        actions.keep(sent(PNG), by=reporter)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (Path(settings.MEDIA_ROOT) / "pictures").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


@pytest.mark.parametrize("who", ["next picture", "clock"])
def test_a_folder_that_a_restored_backup_left_open_is_closed(
    picture, reporter, settings, who, django_capture_on_commit_callbacks
):
    root = Path(settings.MEDIA_ROOT) / "pictures"
    root.chmod(0o755)
    with django_capture_on_commit_callbacks(execute=True):
        if who == "clock":
            actions.purge(now=timezone.now())
        else:
            actions.keep(sent(PNG), by=reporter)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_the_database_takes_no_name_that_leads_elsewhere(picture):
    for name in ("../contacts.json", "", "A" * 32, picture.name[:31] + "/"):
        with pytest.raises(IntegrityError, match="picture_has_a_random_name"), transaction.atomic():
            Picture.objects.update(name=name)
        with pytest.raises(ValueError, match="name"):
            storage.read(name)


# What goes wrong ----------------------------------------------------------------------------------------------------


class Unread(sent(b"").__class__):
    def read(self, *_args):
        raise AssertionError("nobody reads what is too large")


def test_what_is_too_large_is_refused_unread(reporter, files):
    file = Unread("a.png", b"", "image/png")
    file.size = pixels.MOST_BYTES + 1
    assert refused(file, by=reporter) == "too_large"
    assert files() == []


def test_what_is_larger_than_it_says_is_refused(reporter, files):
    file = sent(PNG + b"\0" * pixels.MOST_BYTES)
    file.size = 100
    assert refused(file, by=reporter) == "too_large"
    assert files() == []


def test_ten_megabytes_are_not_too_large(reporter):
    whole = PNG + b"\0" * (pixels.MOST_BYTES - len(PNG))
    assert actions.keep(sent(whole), by=reporter).bytes < 5000


def test_a_file_that_was_read_before_is_kept_whole(reporter):
    file = sent(PNG)
    file.read()
    assert actions.keep(file, by=reporter).sent_sha256 == hashlib.sha256(PNG).hexdigest()


@contextmanager
def disk_with_room_for(size: int):
    """What the operating system says of a file that outgrows a limit comes from the same call as of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 100, "preview only"])
def test_a_full_disk_leaves_nothing_behind_and_says_so(reporter, files, room):
    content = file_of(photograph((900, 900)), "JPEG")
    made = encoding.encode(content)
    if room == "preview only":
        room = len(made.preview)
        assert room < len(made.content)
    with disk_with_room_for(room):
        assert refused(sent(content), by=reporter) == "full"
    assert files() == []
    assert not Picture.objects.exists()
    assert actions.keep(sent(content), by=reporter)


def test_a_folder_that_cannot_be_written_to_is_said_to_be_no_fault_of_the_picture(reporter, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file"
    assert refused(sent(PNG), by=reporter) == "not_kept"
    settings.MEDIA_ROOT = Path("/proc/media")
    assert refused(sent(PNG), by=reporter) == "not_kept"
    assert not Picture.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_cannot_be_written_takes_its_files_with_it(files):
    with pytest.raises(IntegrityError):
        actions.keep(sent(PNG), by=User(pk=987654321))
    assert files() == []
    assert not Picture.objects.exists()


@properties(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.integers(0, len(PNG) - 1).map(lambda length: PNG[:length]))
def test_what_is_refused_leaves_no_file_and_no_row(reporter, files, content):
    try:
        picture = actions.keep(sent(content), by=reporter)
    except ValidationError:
        assert files() == []
        assert not Picture.objects.exists()
    else:
        assert [path.name for path in files()] == names(picture)
        actions.remove(picture, by=reporter)
        for path in files():  # this whole test is one transaction, which is not going to be committed
            path.unlink()


# Going --------------------------------------------------------------------------------------------------------------


def test_the_files_go_when_it_is_certain_that_the_row_does(
    picture, files, reporter, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.remove(picture, by=reporter)
        assert len(files()) == 2
    assert files() == []
    assert not Picture.objects.exists()
    event = AuditEvent.objects.about(picture).first()
    assert (event.verb, event.by) == ("remove_picture", reporter)


@pytest.mark.django_db(transaction=True)
def test_a_removal_that_is_taken_back_keeps_the_files(files):
    reporter = person(Role.REPORTER)
    picture = actions.keep(sent(PNG), by=reporter)
    with transaction.atomic():
        actions.remove(picture, by=reporter)
        transaction.set_rollback(True)
    assert Picture.objects.get() == picture
    assert [path.name for path in files()] == names(picture)


def test_what_was_removed_once_is_not_removed_again(picture, reporter):
    assert actions.remove(picture, by=reporter)
    picture.pk = AuditEvent.objects.filter(verb="remove_picture").get().object_id
    assert not actions.remove(picture, by=reporter)
    assert AuditEvent.objects.filter(verb="remove_picture").count() == 1


def at_once(*works):
    """All of them in threads of their own; what they return."""
    start, found = threading.Barrier(len(works)), []

    def run(work):
        start.wait(10)
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 - the test wants to see it
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


@pytest.mark.django_db(transaction=True)
def test_two_who_remove_at_once_remove_it_once(files):
    reporter = person(Role.REPORTER)
    for _ in range(5):
        picture = actions.keep(sent(PNG), by=reporter)
        found = at_once(*[lambda kept=picture: actions.remove(kept, by=reporter)] * 3)
        assert sorted(found) == [False, False, True]
        assert AuditEvent.objects.about(picture).filter(verb="remove_picture").count() == 1
    assert files() == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_who_purge_at_once_remove_each_picture_once(files):
    reporter = person(Role.REPORTER)
    kept = [actions.keep(sent(PNG), by=reporter) for _ in range(6)]
    found = at_once(*[lambda: actions.purge(now=timezone.now() + LATER)] * 3)
    assert not Picture.objects.exists()
    assert files() == []
    assert all(isinstance(number, int) for number in found), found
    assert AuditEvent.objects.filter(verb="purge").count() == len(kept)


# What nobody refers to ----------------------------------------------------------------------------------------------


def test_a_picture_that_something_shows_is_no_orphan(note, reporter):
    shown, forgotten = (actions.keep(sent(PNG), by=reporter) for _ in range(2))
    row = note.objects.create(shows=shown)
    now = timezone.now()
    assert not Picture.objects.orphans(now).exists()
    assert list(Picture.objects.orphans(now + LATER)) == [forgotten]
    assert actions.purge(now=now + LATER) == 1
    assert list(Picture.objects.all()) == [shown]
    note.objects.update(shows=None)
    assert list(Picture.objects.unused()) == [shown]
    row.delete()


def test_what_shows_a_picture_outlives_it(note, picture, reporter):
    row = note.objects.create(shows=picture)
    actions.remove(picture, by=reporter)
    row.refresh_from_db()
    assert row.shows is None


@pytest.mark.django_db(transaction=True)
def test_the_clock_purges_pictures(picture, files):
    assert pages.purge(now=timezone.now()).counts["pictures"] == 0
    assert pages.purge(now=timezone.now() + LATER).counts["pictures"] == 1
    assert files() == []
    assert AuditEvent.objects.about(picture).first().by is None


def test_files_without_a_row_are_swept_after_a_day(picture, note, files, settings):
    note.objects.create(shows=picture)
    with transaction.atomic():
        actions.keep(sent(PNG), by=picture.kept_by)
        transaction.set_rollback(True)
    half = Path(settings.MEDIA_ROOT) / "pictures" / "ab" / f"ab{'0' * 30}.preview.part"
    half.parent.mkdir(exist_ok=True)
    half.touch()
    assert len(files()) == 5
    assert actions.purge(now=timezone.now() + timedelta(hours=23)) == 0
    assert len(files()) == 5
    assert actions.purge(now=timezone.now() + LATER) == 2
    assert [path.name for path in files()] == names(picture)


def test_the_sweep_touches_nothing_that_is_not_ours(db, settings, files):
    root = Path(settings.MEDIA_ROOT) / "pictures"
    outside = Path(settings.MEDIA_ROOT) / ("ab" + "1" * 30)
    strangers = [root / "ab" / "notes.txt", root / "cd" / ("ab" + "1" * 30), root / ("ab" + "1" * 30), outside]
    for path in strangers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "ef").symlink_to(Path(settings.MEDIA_ROOT))
    assert actions.purge(now=timezone.now() + LATER) == 0
    assert {path for path in files() if not path.is_symlink()} == set(strangers)


def test_a_place_without_pictures_is_swept_without_ado(db, settings):
    assert actions.purge(now=timezone.now()) == 0
    assert not (Path(settings.MEDIA_ROOT) / "pictures").exists()


# Around it ----------------------------------------------------------------------------------------------------------


def test_pictures_are_in_the_backup(picture, files, settings, tmp_path):
    with tarfile.open(tmp_path / "backup.tar", "w") as tar:
        sums = backup.add_media(tar, Path(settings.MEDIA_ROOT))
    folder = f"media/pictures/{picture.name[:2]}"
    assert set(sums) == {f"{folder}/{name}" for name in names(picture)}
    assert sums[f"{folder}/{picture.name}"] == picture.sha256


def test_no_address_leads_to_the_folder(picture, client, settings):
    inside = f"pictures/{picture.name[:2]}/{picture.name}"
    for address in (f"/{inside}", f"/media/{inside}", f"/static/{inside}", f"/static/../media/{inside}"):
        response = client.get(address)
        assert response.status_code == 404, address
        assert b"".join(response)[:4] != b"\x89PNG"
    assert not settings.MEDIA_URL.strip("/")
    assert not Path(settings.MEDIA_ROOT).is_relative_to(settings.STATIC_ROOT)
    proxy = (ROOT / "deploy/nginx.conf").read_text("utf-8")
    assert not re.search("media|pictures|alias|sendfile", proxy.replace("client_max_body_size", ""))
    assert re.findall(r"root (\S+);", proxy) == ["/etc/nginx/away"]
