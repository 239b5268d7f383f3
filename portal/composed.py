"""Queries that are composed once, and answers that are read once.

The ORM takes several times as long to write the SQL of a page as PostgreSQL takes to answer it (ADR 0007). What every
reader asks for, and what is done for every message, keeps its SQL and fills in only what differs from one time to the
next. What thousands of messages read alike is read once a second.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, Generic, TypeVar, TypeVarTuple

from django.db import connection
from django.db.models import Model, QuerySet, Value
from django.db.models.sql import UpdateQuery

M = TypeVar("M", bound=Model)
R = TypeVar("R")
Ts = TypeVarTuple("Ts")

SECONDS: Final = 1.0
"""For so long what was `read_once` is shared."""


class Slot(str):
    """Stands in a query for what is given when it is asked; beside a column that is no text, as `Value(Slot(name))`."""

    __slots__ = ()


def _filled(params: Sequence[Any], values: Mapping[str, Any]) -> list[Any]:
    return [values[param] if isinstance(param, Slot) else param for param in params]


class Composed(Generic[M]):
    """A query for whole objects of one table, and what it annotates them with."""

    def __init__(self, query: "QuerySet[M]") -> None:
        # The proxy, which is another connection in each thread.
        self._compiler = query.query.get_compiler(connection=connection)
        self._sql, self._params = self._compiler.as_sql()
        columns: Any = [expression for expression, _sql, _alias in self._compiler.select]
        own: Any = self._compiler.klass_info
        self._model, self._fields = own["model"], slice(own["select_fields"][0], own["select_fields"][-1] + 1)
        self._names = frozenset(column.target.attname for column in columns[self._fields])
        self._annotations = list(self._compiler.annotation_col_map.items())
        self._converters = self._compiler.get_converters(columns)

    def ask(self, **values: Any) -> list[M]:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, _filled(self._params, values))
            rows = cursor.fetchall()
        return [self._object(row) for row in self._compiler.apply_converters(rows, self._converters)]

    def _object(self, row: Any) -> M:
        found: M = self._model.from_db(connection.alias, self._names, row[self._fields])
        for name, position in self._annotations:
            setattr(found, name, row[position])
        return found


class ComposedUpdate:
    """Sets the same columns of what a query finds; their names are those of its slots, too."""

    def __init__(self, query: "QuerySet[Any]", *columns: str) -> None:
        self._columns = [query.model._meta.get_field(column) for column in columns]
        update: Any = query.query.chain(UpdateQuery)
        update.add_update_values({column: Value(Slot(column)) for column in columns})
        self._sql, self._params = update.get_compiler(connection=connection).as_sql()

    def run(self, **values: Any) -> int:
        """How many rows were changed."""
        ready = {column.name: column.get_db_prep_save(values[column.name], connection) for column in self._columns}
        with connection.cursor() as cursor:
            cursor.execute(self._sql, _filled(self._params, values | ready))
            changed: int = cursor.rowcount
        return changed


class _Reads:
    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._forget_at = 0.0

    def get(self, key: Any, read: Callable[[], R]) -> R:
        if time.monotonic() > self._forget_at:
            self._known.clear()
            self._forget_at = time.monotonic() + SECONDS
        if key not in self._known:
            self._known[key] = read()
        found: R = self._known[key]
        return found


_reads: ContextVar[_Reads | None] = ContextVar("reads", default=None)


@contextmanager
def shared_reads() -> Iterator[None]:
    """In which `read_once` reads once a second."""
    token = _reads.set(_Reads())
    try:
        yield
    finally:
        _reads.reset(token)


def read_once(read: Callable[[*Ts], R]) -> Callable[[*Ts], R]:
    """For what nobody changes who is given it. Outside of `shared_reads` it reads each time."""

    @wraps(read)
    def shared(*args: *Ts) -> R:
        known = _reads.get()
        return read(*args) if known is None else known.get((read, args), lambda: read(*args))

    return shared
