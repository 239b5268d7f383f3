"""The embedded services, with real processes: each test has a place of its own and must leave nothing running."""

import io
import json
import os
import re
import resource
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest
import redis

from portal.local import place as places
from portal.local import postgres
from portal.local.processes import as_user, started_at

# What a test run, or a .env, says about other servers. An empty value counts as none.
NOT_INHERITED = (
    *("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "MAILBOX_DIR", "MEDIA_ROOT", "PUBLIC_URL", "PORT", "SECRET_KEY"),
    *("KLARLAGT_DEMO", "KLARLAGT_LOCAL"),
)
SQL = "import os, psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']); c.autocommit = True; k = c.cursor();"


@dataclass
class Home:
    """The place of a pretended checkout."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def place(self) -> places.Place:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KLARLAGT_LOCAL", str(self.folder / ".local"))
            return places.kept_place()

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        env = {key: value for key, value in os.environ.items() if key != "MAKELEVEL"} | dict.fromkeys(NOT_INHERITED, "")
        env |= {"KLARLAGT_LOCAL": str(self.folder / ".local"), "STATIC_ROOT": str(self.folder / "static")} | variables
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.local", *arguments],
            cwd=places.CHECKOUT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def local(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def python(self, code: str, *options: str) -> str:
        done = self.local("exec", *options, "--", sys.executable, "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def hold(self, *options: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        """Servers that stay up, and the environment that a command gets."""
        code = "import json, os, time; print(json.dumps(dict(os.environ)), flush=True); time.sleep(100)"
        process = self.start("exec", *options, "--", sys.executable, "-c", code)
        assert process.stdout
        return process, json.loads(process.stdout.readline())

    def processes(self) -> list[str]:
        """Every process that works in this place or says its name."""
        signs = [bytes(self.place.local), bytes(self.place.services)]
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                about = (entry / "cmdline").read_bytes() + bytes((entry / "cwd").readlink())
            except OSError:
                continue
            if started_at(int(entry.name)) and any(sign in about for sign in signs):
                found.append(f"{entry.name} {about.replace(bytes(1), b' ').decode()}")
        return found

    def is_quiet(self) -> bool:
        return not self.processes()


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(how)
    process.communicate(timeout=60)
    return process.returncode


def is_one_sentence(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stdout


@contextmanager
def homes_in(folder: Path) -> Iterator[Callable[[str], Home]]:
    homes: list[Home] = []

    def make(name: str) -> Home:
        home = Home(folder / name)
        home.folder.mkdir(parents=True)
        homes.append(home)
        return home

    yield make
    for home in homes:
        for process in home.started:  # those of a test that failed half-way
            if process.poll() is None:
                end(process)
        left = home.processes()
        # Outside the folder: as root all of it, otherwise the folder of the socket, since these paths are long.
        if home.place.services.exists():
            shutil.rmtree(postgres.socket_folder(home.place, None))
            shutil.rmtree(home.place.services)
        assert not left


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[Callable[[str], Home]]:
    with homes_in(tmp_path) as make:
        yield make


@pytest.fixture
def home(make_home: Callable[[str], Home]) -> Home:
    return make_home("checkout")


@pytest.mark.parametrize("options", [(), ("--fresh",)], ids=["kept", "fresh"])
def test_a_command_gives_its_exit_code_and_no_process_stays(home: Home, options: Sequence[str]) -> None:
    done = home.local("exec", *options, "--", "sh", "-c", "test -n $DATABASE_URL && exit 7")
    assert (done.returncode, done.stderr) == (7, "")
    assert home.is_quiet()


def test_a_signal_is_forwarded_to_the_command(home: Home) -> None:
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(9)); print('up', flush=True); time.sleep(100)"
    )
    process = home.start("exec", "--", sys.executable, "-c", code)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    assert end(process) == 9
    assert home.is_quiet()


def test_data_is_kept_between_starts(home: Home) -> None:
    home.python(SQL + "k.execute('create table kept as select 42 as n')")
    home.python("import os, redis; redis.from_url(os.environ['REDIS_URL']).lpush('queue', 'task')")
    assert home.python(SQL + "k.execute('select n from kept'); print(k.fetchone()[0])") == "42"
    assert home.python("import os, redis; print(redis.from_url(os.environ['REDIS_URL']).llen('queue'))") == "1"


def test_fresh_servers_touch_neither_kept_data_nor_given_servers(home: Home) -> None:
    home.python(SQL + "k.execute('create table kept as select 42 as n')")
    code = SQL + "k.execute('select count(*) from pg_tables where tablename = %s', ['kept']); print(k.fetchone()[0])"
    done = home.local("exec", "--fresh", "--", sys.executable, "-c", code, DATABASE_URL="postgres://x@127.0.0.1:1/x")
    assert done.stdout == "0\n"


def test_after_kill_9_nothing_stays_and_the_next_start_finds_the_data(home: Home) -> None:
    process, env = home.hold()
    with psycopg2.connect(env["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept as select 42 as n")
    connection.close()
    end(process, signal.SIGKILL)
    assert until(home.is_quiet)
    assert home.python(SQL + "k.execute('select n from kept'); print(k.fetchone()[0])") == "42"


def test_after_kill_9_of_everything_the_next_start_works(home: Home) -> None:
    process, _ = home.hold()
    process.kill()
    for found in home.processes():
        with suppress(ProcessLookupError):
            os.kill(int(found.split()[0]), signal.SIGKILL)
    process.communicate()
    assert home.python(SQL + "k.execute('select 42'); print(k.fetchone()[0])") == "42"


def test_a_lock_whose_number_now_belongs_to_another_process_is_no_obstacle(home: Home) -> None:
    home.python("")
    lock = home.place.services / "postgres" / "postmaster.pid"
    # A process of the server's own user, which is the one that PostgreSQL would take for itself.
    user = postgres.server_user()
    with subprocess.Popen(["sleep", "100"], **as_user(user)) as stranger:
        lock.write_text(f"{stranger.pid}\n{lock.parent}\n1700000000\n5432\n/nowhere\n\n\n")
        if user:
            os.chown(lock, user.uid, user.gid)
        home.python("")
        assert stranger.poll() is None
        stranger.kill()


def test_no_folder_that_is_not_ours_changes_its_permissions(make_home: Callable[[str], Home]) -> None:
    home = make_home("closed/inside/checkout")
    closed = home.folder.parents[1]
    closed.chmod(0o700)
    home.folder.chmod(0o750)
    before = {path: path.stat().st_mode for path in [home.folder, *home.folder.parents]}
    assert home.python(SQL + "k.execute('select 42'); print(k.fetchone()[0])") == "42"
    assert {path: path.stat().st_mode for path in before} == before
    data = home.place.services / "postgres"
    assert data.stat().st_mode & 0o777 == 0o700
    assert data.stat().st_uid != 0  # PostgreSQL is never root


def test_a_checkout_with_a_long_path_works(make_home: Callable[[str], Home]) -> None:
    home = make_home("a-folder-with-a-long-name/" * 6)
    assert home.python(SQL + "k.execute('select 42'); print(k.fetchone()[0])") == "42"


def test_two_places_at_once_do_not_meet(make_home: Callable[[str], Home]) -> None:
    held = [home.hold() for home in (make_home("one"), make_home("two"))]
    assert len({env["DATABASE_URL"] for _, env in held}) == 2
    assert len({env["REDIS_URL"] for _, env in held}) == 2
    for number, (_, env) in enumerate(held):
        redis.from_url(env["REDIS_URL"]).set("place", number)
    assert [redis.from_url(env["REDIS_URL"]).get("place") for _, env in held] == [b"0", b"1"]
    for process, _ in held:
        end(process)


def test_a_second_command_joins_and_the_first_waits_for_it(home: Home) -> None:
    first, env = home.hold()
    second, same = home.hold()
    assert same["DATABASE_URL"] == env["DATABASE_URL"]
    first.terminate()
    time.sleep(1)
    psycopg2.connect(env["DATABASE_URL"]).close()
    end(second)
    first.communicate(timeout=30)
    assert home.is_quiet()


def test_the_database_knows_letters_outside_ascii(home: Home) -> None:
    code = (
        SQL
        + "k.execute('create extension pg_trgm'); k.execute('select show_trgm(%s)', ['الخدمات']); print(k.fetchone())"
    )
    assert "{}" not in home.python(code, "--fresh")


def test_both_servers_ask_for_a_password(home: Home) -> None:
    process, env = home.hold("--fresh")
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(env["DATABASE_URL"].replace("klarlagt:", "klarlagt:wrong"))
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(env["DATABASE_URL"].replace("//klarlagt:", "//postgres:"))
    port = env["REDIS_URL"].rpartition(":")[2].partition("/")[0]
    with pytest.raises(redis.AuthenticationError):
        redis.from_url(f"redis://127.0.0.1:{port}/0").ping()
    assert end(process) == 128 + signal.SIGTERM


def test_secrets_and_sockets_are_for_their_owner_only(home: Home) -> None:
    process, env = home.hold()
    place = home.place
    arguments = "".join(home.processes())
    for name in ("postgres-password", "valkey-password", "postgres-superuser-password"):
        assert (place.services / name).stat().st_mode & 0o777 == 0o600
        assert (place.services / name).read_text() not in arguments
    sockets = Path(unquote(urlsplit(env["DATABASE_URL"]).hostname or ""))
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert (place.local / "secret-key").stat().st_mode & 0o777 == 0o600
    assert env["SECRET_KEY"] == (place.local / "secret-key").read_text()
    end(process)


def test_mail_stays_here(home: Home) -> None:
    process, env = home.hold("--fresh")
    host, port = env["EMAIL_URL"].removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port), timeout=20) as smtp:
        smtp.sendmail("from@example.org", ["to@example.org"], "Subject: Hej\r\n\r\nمرحبا\r\n".encode())
    (message,) = Path(env["MAILBOX_DIR"]).glob("*.eml")
    assert b"X-Envelope-To: to@example.org" in message.read_bytes()
    assert "مرحبا" in message.read_text()
    assert message.stat().st_mode & 0o777 == 0o600
    end(process)


def test_demo_mode_is_only_for_the_embedded_database(home: Home) -> None:
    process, env = home.hold()
    assert env["KLARLAGT_DEMO"] == "1"
    given = {name: env[name] for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL")}
    code = "import os; print(sorted({'KLARLAGT_DEMO', 'MAILBOX_DIR'} & set(os.environ)))"
    done = home.local("exec", "--", sys.executable, "-c", code, **given, KLARLAGT_DEMO="1", MAILBOX_DIR="/nowhere")
    assert done.stdout == "[]\n"
    end(process)


@pytest.mark.parametrize(
    ("command", "name", "address"),
    [
        (("run",), "DATABASE_URL", "postgres://x:secret@127.0.0.1:1/x"),
        (("exec", "--", "true"), "DATABASE_URL", "postgres://x:secret@%2Fnowhere:5432/x"),
        (("backup",), "DATABASE_URL", "postgres://x:secret@127.0.0.1:1/x"),
        (("restore", __file__), "DATABASE_URL", "postgres://x:secret@127.0.0.1:1/x"),
        (("exec", "--", "true"), "DATABASE_URL", "mysql://x:secret@127.0.0.1/x"),
        (("run",), "REDIS_URL", "redis://:secret@127.0.0.1:1/0"),
    ],
)
def test_a_server_that_is_down_is_said_in_one_sentence(
    home: Home, command: Sequence[str], name: str, address: str
) -> None:
    done = home.local(*command, **{name: address})
    assert is_one_sentence(done), done.stderr
    assert "secret" not in done.stderr
    assert home.is_quiet()


def test_a_taken_port_is_said_in_one_sentence(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = home.local("run", PORT=str(port))
    assert is_one_sentence(done)
    assert done.stderr.startswith(f"Port {port} is taken by another program")


def test_a_missing_program_is_said_in_one_sentence(home: Home) -> None:
    done = home.local("exec", "--", "no-such-program")
    assert is_one_sentence(done)
    assert "no-such-program" in done.stderr


def test_a_missing_program_of_the_system_is_named_with_its_package(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, places.CHECKOUT / "portal" / "local" / "install.py", "chromium"],
        env={"PATH": str(tmp_path)},  # where root's apt-get is missing too
        capture_output=True,
        text=True,
        check=False,
    )
    assert is_one_sentence(done)
    assert "apt-get install chromium" in done.stderr


def test_what_a_linked_venv_leads_to_is_left_alone(tmp_path: Path) -> None:
    installer, theirs = tmp_path / "mine" / "portal" / "local" / "install.py", tmp_path / "theirs"
    installer.parent.mkdir(parents=True)
    theirs.mkdir()
    (theirs / "installed").touch()
    (tmp_path / "mine" / ".venv").symlink_to(theirs)
    shutil.copy(places.CHECKOUT / "portal" / "local" / "install.py", installer)
    (tmp_path / "mine" / "requirements").mkdir()
    (tmp_path / "mine" / "requirements" / "dev.lock").touch()
    done = subprocess.run([sys.executable, installer], capture_output=True, text=True, check=False)
    assert is_one_sentence(done), done.stderr
    assert "is a link" in done.stderr
    assert [path.name for path in theirs.iterdir()] == ["installed"]


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(home: Home) -> None:
    done = home.local("exec", "--", "true", KLARLAGT_LOCAL="/proc/1/no-such-folder")
    assert is_one_sentence(done), done.stderr


# Backup and restore ---------------------------------------------------------------------------------------------

TABLES = """
k.execute("create table people (id int primary key, name text)")
k.execute("insert into people select n, 'Åsa ' || n from generate_series(1, 500) n")
k.execute("create schema other")
k.execute('create table other."odd | name" (id int)')
k.execute("create extension pg_trgm")
k.execute("create index on people using gin (name gin_trgm_ops)")
"""
SUM = "k.execute('select md5(string_agg(id || name, chr(10) order by id)) from people'); print(k.fetchone()[0])"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A place with data and media, and a backup of it beside it."""
    folder = tmp_path_factory.mktemp("backups")
    with homes_in(folder) as make:
        home = make("saved")
        home.python(SQL + TABLES)
        (home.place.media / "contacts").mkdir(parents=True)
        (home.place.media / "contacts" / "أرقام.json").write_bytes(os.urandom(100_000))
        done = home.local("backup", str(folder / "saved.tar"))
        assert done.returncode == 0, done.stderr
        yield home


@pytest.fixture
def backup_file(saved: Home, tmp_path: Path) -> Path:
    return Path(shutil.copy2(saved.folder.parent / "saved.tar", tmp_path))


def test_a_backup_is_restored_as_it_was(home: Home, saved: Home, backup_file: Path) -> None:
    assert backup_file.stat().st_mode & 0o777 == 0o600
    done = home.local("restore", str(backup_file))
    assert (done.returncode, done.stderr) == (0, "")
    assert home.python(SQL + SUM) == saved.python(SQL + SUM)
    name = "contacts/أرقام.json"
    assert (home.place.media / name).read_bytes() == (saved.place.media / name).read_bytes()
    with tarfile.open(backup_file) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    assert manifest["rows"] == {"public.people": 500, "other.odd | name": 0}
    assert set(manifest["sha256"]) == {"database.dump", f"media/{name}"}

    again = home.local("restore", str(backup_file))
    assert is_one_sentence(again)
    assert "holds" in again.stderr


def test_a_place_with_media_alone_is_not_empty(home: Home, backup_file: Path) -> None:
    home.place.media.mkdir()
    (home.place.media / "mine.txt").write_text("mine")
    done = home.local("restore", str(backup_file))
    assert is_one_sentence(done)
    assert [path.name for path in home.place.media.iterdir()] == ["mine.txt"]


def flip_a_byte_of_the_dump(content: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        place = tar.getmember("database.dump").offset_data + 400
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def add_a_file_that_climbs_out(content: bytes) -> bytes:
    """With a manifest that names it and a checksum that fits, so only its name is wrong."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar, tarfile.open(fileobj=made, mode="w") as copy:
        for member in tar.getmembers():
            body = (tar.extractfile(member) or io.BytesIO()).read()
            if member.name == "manifest.json":
                manifest = json.loads(body)
                manifest["sha256"]["media/../../climbed"] = (
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
                )
                body = json.dumps(manifest).encode()
                member.size = len(body)
            copy.addfile(member, io.BytesIO(body))
        copy.addfile(tarfile.TarInfo("media/../../climbed"))
    return made.getvalue()


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("damage", [flip_a_byte_of_the_dump, add_a_file_that_climbs_out, cut_short])
def test_a_damaged_backup_changes_nothing(home: Home, backup_file: Path, damage: Callable[[bytes], bytes]) -> None:
    backup_file.write_bytes(damage(backup_file.read_bytes()))
    done = home.local("restore", str(backup_file))
    assert is_one_sentence(done), done.stderr
    assert not home.place.media.exists()
    assert home.python(SQL + "k.execute('select count(*) from pg_tables where schemaname = %s', ['public']); print(*k)")
    assert "people" not in home.python(SQL + "k.execute('select relname from pg_class'); print([*k])")


def test_a_backup_of_a_newer_release_is_refused(make_home: Callable[[str], Home], tmp_path: Path) -> None:
    saved, home = make_home("saved"), make_home("restored")
    saved.python(
        SQL + "k.execute('create table django_migrations as select %s as app, %s as name', ['facts', '9999_x'])"
    )
    assert saved.local("backup", str(tmp_path / "newer.tar")).returncode == 0
    done = home.local("restore", str(tmp_path / "newer.tar"))
    assert is_one_sentence(done), done.stderr
    assert "facts.9999_x" in done.stderr
    assert has_nothing(home)


def test_a_full_disk_restores_nothing(home: Home, backup_file: Path) -> None:
    server, _ = home.hold()  # whose own files have no limit
    process = home.start("restore", str(backup_file))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (50_000, 50_000))  # enough for the dump, not for the media
    out, err = process.communicate(timeout=60)
    done = subprocess.CompletedProcess([], process.returncode, out, err)
    assert is_one_sentence(done), err
    assert "Make room" in err
    assert has_nothing(home)
    end(server)


def test_a_restore_that_is_killed_has_restored_nothing_and_may_be_repeated(home: Home, backup_file: Path) -> None:
    server, env = home.hold()
    with psycopg2.connect(env["DATABASE_URL"]) as other, other.cursor() as cursor:
        cursor.execute("create table people (id int)")  # not committed: the restore gets as far as this name, and waits
        restoring = home.start("restore", str(backup_file))
        assert until(lambda: is_waiting(env["DATABASE_URL"]))
        assert (home.place.media / "unfinished").is_dir()
        second = home.local("restore", str(backup_file))
        assert is_one_sentence(second), second.stderr
        assert "is running here" in second.stderr

        end(restoring, signal.SIGKILL)
        assert until(lambda: not is_waiting(env["DATABASE_URL"]))
        other.rollback()
    other.close()
    assert has_nothing(home)

    again = home.local("restore", str(backup_file))
    assert (again.returncode, again.stderr) == (0, "")
    assert [path.name for path in home.place.media.rglob("*.*")] == ["أرقام.json"]
    assert not (home.place.local / "unfinished").exists()
    end(server)


def is_waiting(address: str) -> bool:
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select from pg_stat_activity where application_name = 'pg_restore' and wait_event_type = 'Lock'"
        )
        found = cursor.rowcount
    connection.close()
    return bool(found)


def has_nothing(home: Home) -> bool:
    """No table, and no media file where the site would look for it."""
    media = home.place.media
    files = [path for path in media.rglob("*") if path.is_file() and media / "unfinished" not in path.parents]
    count = "k.execute('select count(*) from pg_tables where schemaname = %s', ['public']); print(k.fetchone()[0])"
    return not files and home.python(SQL + count) == "0"


# Every table's rows, and what else a schema is made of, as one line each.
CONTENT = """
k.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
for table, in k.fetchall():
    k.execute(f'select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from "{table}" t')
    print(table, *k.fetchone())
k.execute("select sequencename, last_value from pg_sequences order by 1")
print(*k.fetchall(), sep=chr(10))
k.execute("select tablename, indexname from pg_indexes where schemaname = 'public' order by 1, 2")
print(*k.fetchall(), sep=chr(10))
k.execute("select conrelid::regclass::text, conname, convalidated from pg_constraint order by 1, 2")
print(*k.fetchall(), sep=chr(10))
k.execute("select tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(oid) from pg_trigger order by 1, 2, 4")
print(*[row for row in k.fetchall() if "_ConstraintTrigger" not in row[1]], sep=chr(10))
k.execute("select extname, extversion from pg_extension order by 1")
print(*k.fetchall(), sep=chr(10))
"""


EXAMPLE_CONTENT = """
import django
from django.core.management import call_command

django.setup()
for command in ("migrate", "load_pages", "load_starter"):
    call_command(command)
"""


def test_the_whole_site_is_restored_row_by_row(make_home: Callable[[str], Home], tmp_path: Path) -> None:
    saved, home, file = make_home("saved"), make_home("restored"), tmp_path / "site.tar"
    saved.python(EXAMPLE_CONTENT)
    saved.place.media.mkdir(exist_ok=True)
    (saved.place.media / "contacts.json").write_text('{"bris": "116 111"}')
    assert saved.local("backup", str(file)).returncode == 0
    before = saved.python(SQL + CONTENT)
    assert int(re.search(r"^facts_fact (\d+)", before, re.MULTILINE)[1]) >= 10
    assert "audit_refuse_truncate" in before

    done = home.local("restore", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert home.python(SQL + CONTENT) == before
    assert (home.place.media / "contacts.json").read_text() == '{"bris": "116 111"}'


# make run -------------------------------------------------------------------------------------------------------


def get(port: int, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "localhost"} | headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def answers(port: int) -> bool:
    try:
        return get(port, "/healthz")[0].status == 200
    except (OSError, HTTPException):
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def start_run(home: Home, port: int) -> tuple[subprocess.Popen[str], list[str]]:
    """A run that has said that it is up, and what it said."""
    process = home.start("run", PORT=str(port))
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if " is up " in line:
            return process, said
    pytest.fail("".join(said) + process.communicate()[1])


def test_run_serves_until_it_is_told_to_stop_or_a_child_dies(home: Home) -> None:
    port = free_port()
    process, said = start_run(home, port)
    assert f"http://localhost:{port}" in said[-1]
    assert answers(port)
    # A header that would be put before every link of a page that is then kept for others.
    for path, status in (("/evil/sv/parents/", 404), ("/sv/parents/", 200)):
        response, body = get(port, path, SCRIPT_NAME="/evil")
        assert (response.status, b'href="/evil' in body) == (status, False)

    second = home.local("run", PORT=str(port))
    assert is_one_sentence(second)
    assert f"It is already running at http://localhost:{port}" in second.stderr

    process.kill()
    process.communicate()
    assert until(home.is_quiet)
    process, _ = start_run(home, port)
    assert answers(port)
    assert end(process, signal.SIGINT) == 0
    assert home.is_quiet()
    assert not answers(port)

    # And with any of its children: half a site would be found out late.
    process, _ = start_run(home, port)
    facts = json.loads((home.place.local / "run.json").read_text())
    (worker,) = [pid for name, pid, *_ in facts["processes"] if name == "worker"]
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("worker has ended")
    assert home.is_quiet()
