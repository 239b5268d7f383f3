from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


class SearchConfig(AppConfig):
    name = "portal.search"


@register(Tags.database)
def the_database_knows_letters(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """pg_trgm reads letters by the character type of the database, and C has only the English ones."""
    return [
        Error(
            "The database has the character type C, where Arabic has no trigrams: search would find nothing in it.",
            hint="Make a database with TEMPLATE template0 LOCALE 'C.UTF-8' ENCODING 'UTF8', and bring what the old one "
            "holds over with `make backup` and `make restore`.",
            id="search.E001",
        )
        for alias in databases or ()
        if not _knows_letters(alias)
    ]


def _knows_letters(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('show_trgm(text)') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT show_trgm('الخدمات') <> '{}'")
        else:  # before the first migration: what pg_trgm itself goes by
            cursor.execute("SELECT datctype NOT IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database()")
        return bool(cursor.fetchone() == (True,))
