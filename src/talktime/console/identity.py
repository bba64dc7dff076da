"""The column of an id that the application makes."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class Id(models.BigIntegerField):  # type: ignore[type-arg]
    """A 64-bit primary key without a sequence behind it.

    SQLite keeps a table in the order of its key only when the column's type is spelled `integer`;
    `bigint` would cost a second tree for each table.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)
