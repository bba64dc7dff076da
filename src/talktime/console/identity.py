"""Ids that the application makes: their column, and where pages and requests get new ones."""

import secrets

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from talktime.clock import now_ms
from talktime.core.ids import NODES, Ids


def new_ids() -> Ids:
    """A maker of ids for one request."""
    return Ids(secrets.randbelow(NODES), now_ms)


class Id(models.BigIntegerField):  # type: ignore[type-arg]
    """A 64-bit primary key without a sequence behind it.

    SQLite keeps a table in the order of its key only when the column's type is spelled `integer`;
    `bigint` would cost a second tree for each table.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)
