"""Queries that are composed once.

The ORM takes several times as long to write the SQL of a page as PostgreSQL takes to answer it (ADR 0007). What every
reader asks for keeps its SQL and fills in only what differs from one request to the next.
"""

from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


class Slot(str):
    """Stands in a query for what is given when it is asked; beside a column that is no text, as `Value(Slot(name))`."""

    __slots__ = ()


class Composed(Generic[M]):
    def __init__(self, query: "QuerySet[M]") -> None:
        self._model = query.model
        self._sql, self._params = query.query.sql_with_params()
        self._annotations = [
            (name, expression, converters)
            for name, expression in query.query.annotation_select.items()
            if (converters := expression.get_db_converters(connection))
        ]

    def ask(self, **values: Any) -> list[M]:
        params = [values[param] if isinstance(param, Slot) else param for param in self._params]
        found = list(self._model._base_manager.raw(self._sql, params))
        for name, expression, converters in self._annotations:
            for thing in found:
                value = getattr(thing, name)
                for convert in converters:
                    value = convert(value, expression, connection)
                setattr(thing, name, value)
        return found
