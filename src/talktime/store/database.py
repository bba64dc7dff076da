"""Connections to SQLite and PostgreSQL that take the same statements.

What each does is in `store/sqlite.py` and `store/postgres.py`; how a statement is written is told
in `store/spelling.py`.
"""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from talktime.config import Address
from talktime.store.log_file import LogFile
from talktime.store.outage import Outage as Outage
from talktime.store.spelling import Both as Both
from talktime.store.spelling import Keys as Keys
from talktime.store.spelling import Params as Params
from talktime.store.spelling import Row as Row
from talktime.store.spelling import Statement as Statement
from talktime.store.sqlite import SqliteConnection

if TYPE_CHECKING:
    from talktime.store.postgres import PostgresConnection


class Connection(Protocol):
    """What the store needs of a database. Not for two threads at once."""

    dialect: str
    log: LogFile | None
    """Where there is one, a commit is on the disk only once this is synced."""

    def rows(self, statement: Statement, params: Params = ()) -> list[Row]:
        """Run one statement and return its rows."""

    def rows_of_all(self, queries: Sequence[tuple[Statement, Params]]) -> list[list[Row]]:
        """Run several reads, in order, in one round trip where the database can."""

    def run(self, statement: Statement, params: Params = ()) -> int:
        """Run one statement and return how many rows it touched."""

    def write_all(self, writes: Iterable[tuple[Both, list[Row]]]) -> list[int]:
        """Run bulk writes, each with its rows of bound values; returns the rows each touched. The
        next is asked for when the one before is on its way."""

    def data_version(self) -> int | None:
        """Within a transaction: a number that stays the same as long as no other connection writes
        to the database; None where the database does not count that."""

    def transaction(self) -> Any:
        """A context manager: commits at its end, rolls back on an exception; Outage where the
        database fails, WithinAnother where one is open already."""

    def reading(self) -> Any:
        """A context manager around reads alone: takes no lock; Outage where the database fails."""

    def snapshot(self) -> Any:
        """A context manager around reads of much: all see one moment, none can write, no lock is
        taken."""

    def checkpoint(self) -> int:
        """Move what was committed from the log to its place, beside other writers; Outage where the
        database fails. Returns how many pages the log has, moved or not. PostgreSQL does so by
        itself, and says 0."""

    def settled(self) -> bool:
        """Whether it may be used for something else: it has met no outage, and nothing of a
        transaction is left. Asks nothing of the database."""

    def answers(self) -> bool:
        """Whether its database is still there, after a while without use."""

    def gone(self) -> bool:
        """Whether the server has ended it while nothing was asked of it, as far as is known. Asks
        nothing of the database."""

    def close(self) -> None:
        """Close it; never fails."""


def connect(
    address: Address, *, sync_apart: bool = False
) -> "PostgresConnection | SqliteConnection":
    """Open a connection; Outage, with the reason, where that fails. With `sync_apart` who answers
    for a commit syncs its `log` first, where there is one."""
    if address.dialect == "postgres":
        from talktime.store.postgres import PostgresConnection

        return PostgresConnection(address)
    return SqliteConnection(address, sync_apart=sync_apart)


def load_driver(address: Address) -> None:
    """Load what `connect` needs for this address and otherwise loads with the first connection: a
    shell command on SQLite would take half as long again with PostgreSQL's."""
    if address.dialect == "postgres":
        import_module("talktime.store.postgres")
