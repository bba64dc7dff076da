"""All rows of a database, to show that a refusal changed nothing."""

from typing import Any

from talktime.store.database import Connection
from talktime.store.tables import WALLET

CONTROL_TABLES = (
    *("organisation", "number", "number_reservation", "switch", "api_key", "rate_card", "rate"),
    "revision",
)
CELL_TABLES = (
    *("wallet", "lot", "call", "answer", "transfer", "usage_record", "person", "licence_group"),
    "revision",
)

# How often a wallet was written says nothing of what is in it.
COLUMNS = {"wallet": ", ".join(column for column in WALLET.columns if column != "version")}

Contents = dict[str, list[tuple[Any, ...]]]


def control_contents(connection: Connection) -> Contents:
    """The rows of a control plane, by table."""
    return _rows(connection, CONTROL_TABLES)


def cell_contents(connection: Connection) -> Contents:
    """The rows of a cell, by table."""
    return _rows(connection, CELL_TABLES)


def _rows(connection: Connection, tables: tuple[str, ...]) -> Contents:
    with connection.reading():
        return {
            table: sorted(
                connection.rows(f'SELECT {COLUMNS.get(table, "*")} FROM "{table}"'), key=repr
            )
            for table in tables
        }
