"""A database whose character type knows English letters only is refused before anything is put into it."""

import os
import secrets
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from portal.local.place import CHECKOUT


@pytest.fixture
def english_only():
    """The address of an empty database with LC_CTYPE C."""
    name = f"english_{secrets.token_hex(4)}"
    address = urlsplit(os.environ["DATABASE_URL"])
    with psycopg2.connect(os.environ["DATABASE_URL"]) as server:
        pass
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'")
    yield urlunsplit(address._replace(path=f"/{name}"))
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def run(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def tables(address: str) -> int:
    with psycopg2.connect(address) as server, server.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        (count,) = cursor.fetchone()
    server.close()
    return count


@pytest.mark.parametrize("has_trigrams", [False, True])
def test_it_is_refused_before_the_first_migration_and_after(english_only, has_trigrams):
    if has_trigrams:
        with psycopg2.connect(english_only) as server, server.cursor() as cursor:
            cursor.execute("CREATE EXTENSION pg_trgm")
        server.close()
    done = run("manage.py", "migrate", "--noinput", database=english_only)
    assert done.returncode == 1
    assert "search.E001" in done.stderr
    assert "LOCALE 'C.UTF-8'" in done.stderr
    assert tables(english_only) == 0


def test_make_run_says_it_in_one_sentence_and_changes_nothing(english_only):
    done = run("-m", "portal.local.prepare", database=english_only)
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 1
    assert "LOCALE 'C.UTF-8'" in done.stdout
    assert tables(english_only) == 0


@pytest.mark.django_db
def test_the_database_of_the_tests_knows_arabic():
    assert run_checks(tags=[Tags.database], databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT show_trgm('الخدمات') <> '{}'")
        assert cursor.fetchone() == (True,)
