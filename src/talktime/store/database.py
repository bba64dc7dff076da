"""Connections to SQLite and PostgreSQL that take the same statements.

On PostgreSQL several statements travel in one round trip (pipeline mode): BEGIN with the first
reads. How a statement is written is told in `store/spelling.py`.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from talktime.config import Address
from talktime.store.log_file import LogFile
from talktime.store.postgres_pipeline import Bound, Pipeline
from talktime.store.spelling import Both as Both
from talktime.store.spelling import Keys as Keys
from talktime.store.spelling import Params as Params
from talktime.store.spelling import Row as Row
from talktime.store.spelling import Statement as Statement
from talktime.store.spelling import (
    array_literal,
    for_postgres,
    for_sqlite,
    numbered,
    postgres_values,
    sqlite_values,
)
from talktime.store.turns import turns_of

CONNECT_SECONDS_MAX = 5
BUSY_MS_MAX = 5_000
UNACKNOWLEDGED_MS_MAX = 10_000
"""A server that hangs without closing its connections is an outage after this."""
STATEMENTS_PREPARED_MAX = 256
SQLITE_CACHE_KIB = 16_384
SQLITE_CHECKPOINT_PAGES = 40_000


PLAN_FOR_MUCH = (
    "SELECT set_config(setting, value, true) FROM (VALUES ('enable_seqscan', 'on'), "
    "('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'), "
    "('plan_cache_mode', 'force_custom_plan'), ('work_mem', '64MB')) s(setting, value)"
)
"""Until the transaction ends, plans for reading whole tables: a connection's own are for few rows
by key."""


# Without these sqlite3 asks each None and each bool that is bound, in vain, for an adapter of its
# own: that takes longer than to write the row.
sqlite3.register_adapter(type(None), {None: None}.get)
sqlite3.register_adapter(bool, int)


class Outage(Exception):
    """The database cannot take the transaction now: away, read-only, full, or of another version.
    Nothing was changed, or (when a commit's answer was lost) asking again with the same key
    tells."""


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

    def write_all(self, writes: Sequence[tuple[Both, list[Row]]]) -> list[int]:
        """Run bulk writes, each with its rows of bound values; returns the rows each touched."""

    def data_version(self) -> int | None:
        """Within a transaction: a number that stays the same as long as no other connection writes
        to the database; None where the database does not count that."""

    def transaction(self) -> Any:
        """A context manager: commits at its end, rolls back on an exception; Outage where the
        database fails."""

    def reading(self) -> Any:
        """A context manager around reads alone: takes no lock; Outage where the database fails."""

    def snapshot(self) -> Any:
        """A context manager around reads of much: all see one moment, none can write, no lock is
        taken."""

    def checkpoint(self) -> None:
        """Move what was committed from the log to its place, beside other writers; Outage where the
        database fails. PostgreSQL does so by itself."""

    def settled(self) -> bool:
        """Whether it may be used for something else: it has met no outage, and nothing of a
        transaction is left. Asks nothing of the database."""

    def answers(self) -> bool:
        """Whether its database is still there, after a while without use."""

    def close(self) -> None:
        """Close it; never fails."""


class PostgresConnection:
    """A connection whose search_path holds one schema alone."""

    dialect = "postgres"
    log: LogFile | None = None

    def __init__(self, address: Address) -> None:
        options = (
            f"-c search_path={address.schema} -c plan_cache_mode=force_generic_plan"
            " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
            " -c jit=off -c timezone=UTC"
            # What the proofs rest on, whatever the server's own defaults are.
            " -c default_transaction_isolation=read\\ committed -c synchronous_commit=on"
        )
        try:
            self._connection = psycopg.connect(
                address.url or "",
                autocommit=True,
                options=options,
                client_encoding="utf8",
                connect_timeout=CONNECT_SECONDS_MAX,
                tcp_user_timeout=UNACKNOWLEDGED_MS_MAX,
            )
        except psycopg.Error as error:
            raise Outage(f"cannot connect to PostgreSQL: {_first_line(error)}") from error
        self._connection.prepare_threshold = 0
        self._connection.prepared_max = STATEMENTS_PREPARED_MAX
        self._pipeline = Pipeline(self._connection)
        self._begin_pending = False
        self._failed = False

    def rows(self, statement: Statement, params: Params = ()) -> list[Row]:
        if self._begin_pending:
            return self.rows_of_all([(statement, params)])[0]
        values = postgres_values(params)
        return self._connection.execute(for_postgres(statement), values).fetchall()

    def rows_of_all(self, queries: Sequence[tuple[Statement, Params]]) -> list[list[Row]]:
        if not all(type(value) in (list, Keys) for _, params in queries for value in params):
            return self._rows_by_cursors(queries)
        bound = [(numbered(statement), postgres_values(params)) for statement, params in queries]
        return [self._pipeline.rows(result) for result in self._run_with_begin(bound)]

    def _rows_by_cursors(self, queries: Sequence[tuple[Statement, Params]]) -> list[list[Row]]:
        """Where the values have types that psycopg has to tell the server."""
        cursors = []
        with self._connection.pipeline():
            self._begin()
            for statement, params in queries:
                values = postgres_values(params)
                cursors.append(self._connection.execute(for_postgres(statement), values))
        return [cursor.fetchall() for cursor in cursors]

    def run(self, statement: Statement, params: Params = ()) -> int:
        self._begin()
        cursor = self._connection.execute(for_postgres(statement), postgres_values(params))
        if (cursor.statusmessage or "").startswith(("DROP", "ALTER")):
            self._pipeline.forget()
        return cursor.rowcount

    def write_all(self, writes: Sequence[tuple[Both, list[Row]]]) -> list[int]:
        bound = [
            (numbered(statement), [array_literal(column) for column in zip(*rows, strict=True)])
            for statement, rows in writes
        ]
        return [result.command_tuples or 0 for result in self._run_with_begin(bound)]

    def data_version(self) -> int | None:
        return None

    def _run_with_begin(self, bound: Sequence[Bound]) -> list[PGresult]:
        if not self._begin_pending:
            return self._pipeline.run(bound)
        self._begin_pending = False
        return self._pipeline.run([("BEGIN", ()), *bound])[1:]

    def _begin(self) -> None:
        if self._begin_pending:
            self._begin_pending = False
            self._connection.execute("BEGIN")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._begin_pending = True
        try:
            yield
            if self._begin_pending:
                self._begin_pending = False
            else:
                self._pipeline.run([("COMMIT", ())])
        except psycopg.Error as error:
            self._roll_back()
            if self._meets_outage(error):
                raise Outage(_first_line(error)) from error
            raise
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if self._meets_outage(error):
                raise Outage(_first_line(error)) from error
            raise

    def _meets_outage(self, error: psycopg.Error) -> bool:
        outage = _is_outage(error)
        self._failed = self._failed or outage
        return outage

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.transaction():
            self._begin_pending = False
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._connection.execute(PLAN_FOR_MUCH)
            yield

    def checkpoint(self) -> None:
        pass

    def _roll_back(self) -> None:
        self._begin_pending = False
        try:
            self._connection.rollback()
            self._pipeline.forget()
        except psycopg.Error:
            self.close()

    def settled(self) -> bool:
        connection = self._connection.pgconn
        return (
            not self._failed
            and connection.transaction_status == TransactionStatus.IDLE
            and connection.pipeline_status == PipelineStatus.OFF
        )

    def answers(self) -> bool:
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        self._connection.close()


def _is_outage(error: psycopg.Error) -> bool:
    # Classes of SQLSTATE: 08 connection, 25006 read-only, 53 out of disk or memory, 57P shutting
    # down, 58 system. 42P01, 42703, 3F000: a table, column or schema is missing: it is of another
    # version. No SQLSTATE: the connection is gone.
    state = error.sqlstate or ""
    return (
        not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    ) or state.startswith(("08", "25006", "53", "57P", "58", "42P01", "42703", "3F000"))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class SqliteConnection:
    """A connection to one file: WAL, every commit on the disk before it returns, or (with
    `sync_apart`) once the log is synced."""

    dialect = "sqlite"

    def __init__(self, address: Address, *, sync_apart: bool = False) -> None:
        self._path = address.path or Path()
        self._turns = turns_of(self._path)
        self._failed = False
        try:
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=BUSY_MS_MAX / 1000,
                check_same_thread=False,
                cached_statements=STATEMENTS_PREPARED_MAX,
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(f"PRAGMA synchronous={'NORMAL' if sync_apart else 'FULL'}")
            self._connection.execute(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")
            self._connection.execute(f"PRAGMA wal_autocheckpoint={SQLITE_CHECKPOINT_PAGES}")
            self._inode = self._path.stat().st_ino
            self.log: LogFile | None = self._open_log() if sync_apart else None
        except (sqlite3.Error, OSError) as error:
            raise Outage(f"cannot open {self._path.name}: {error}") from error

    def _open_log(self) -> LogFile:
        self._connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # it is there from now
        return LogFile(self._path)

    def rows(self, statement: Statement, params: Params = ()) -> list[Row]:
        return self._connection.execute(for_sqlite(statement), sqlite_values(params)).fetchall()

    def rows_of_all(self, queries: Sequence[tuple[Statement, Params]]) -> list[list[Row]]:
        return [self.rows(statement, params) for statement, params in queries]

    def run(self, statement: Statement, params: Params = ()) -> int:
        return self._connection.execute(for_sqlite(statement), sqlite_values(params)).rowcount

    def write_all(self, writes: Sequence[tuple[Both, list[Row]]]) -> list[int]:
        return [self._connection.executemany(both.sqlite, rows).rowcount for both, rows in writes]

    def data_version(self) -> int | None:
        version: int
        ((version,),) = self._connection.execute("PRAGMA data_version")
        return version

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._turns.turn(BUSY_MS_MAX) as held:
            if not held:
                raise Outage(f"{self._path.name} is locked by another writer")
            with self._between("BEGIN IMMEDIATE"):
                yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._between("BEGIN"):
            yield

    def snapshot(self) -> AbstractContextManager[None]:
        return self.reading()

    @contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        try:
            self._must_be_in_place()
            self._connection.execute(begin)
            yield
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            self._roll_back()
            # The parent class itself: the file is no database, or is damaged.
            if type(error) in (sqlite3.DatabaseError, sqlite3.OperationalError):
                self._failed = True
                raise Outage(str(error)) from error
            raise
        except BaseException:
            self._roll_back()
            raise

    def checkpoint(self) -> None:
        try:
            self._must_be_in_place()
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.DatabaseError as error:
            raise Outage(str(error)) from error

    def _must_be_in_place(self) -> None:
        """A file that was removed would take every write, and lose it with the connection."""
        if not self.answers():
            raise Outage(f"{self._path.name} was removed or replaced")

    def settled(self) -> bool:
        return not self._failed and not self._connection.in_transaction

    def answers(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._inode
        except OSError:
            return False

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


def connect(address: Address, *, sync_apart: bool = False) -> PostgresConnection | SqliteConnection:
    """Open a connection; Outage, with the reason, where that fails. With `sync_apart` who answers
    for a commit syncs its `log` first, where there is one."""
    if address.dialect == "postgres":
        return PostgresConnection(address)
    return SqliteConnection(address, sync_apart=sync_apart)
