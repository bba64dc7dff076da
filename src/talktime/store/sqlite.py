"""A connection to one SQLite file."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from talktime.config import Address
from talktime.store.log_file import LogFile
from talktime.store.outage import Outage, WithinAnother
from talktime.store.spelling import (
    STATEMENTS_PREPARED_MAX,
    Both,
    Params,
    Row,
    Statement,
    for_sqlite,
    sqlite_values,
)
from talktime.store.turns import turns_of

BUSY_MS_MAX = 5_000
CACHE_KIB = 16_384
CHECKPOINT_PAGES = 40_000

# Without these sqlite3 asks each None and each bool that is bound, in vain, for an adapter of its
# own: that takes longer than to write the row.
sqlite3.register_adapter(type(None), {None: None}.get)
sqlite3.register_adapter(bool, int)


class SqliteConnection:
    """A connection to one file: WAL, every commit on the disk before it returns, or (with
    `sync_apart`) once the log is synced."""

    dialect = "sqlite"

    def __init__(self, address: Address, *, sync_apart: bool = False) -> None:
        self._path = address.path or Path()
        self._turns = turns_of(self._path)
        self._inside = False
        self._failed = False
        try:
            with ExitStack() as opening:
                self._connection = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=rw",
                    uri=True,
                    isolation_level=None,
                    timeout=BUSY_MS_MAX / 1000,
                    check_same_thread=False,
                    cached_statements=STATEMENTS_PREPARED_MAX,
                )
                opening.callback(self._connection.close)
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute(f"PRAGMA synchronous={'NORMAL' if sync_apart else 'FULL'}")
                self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
                self._connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
                self._inode = self._path.stat().st_ino
                self.log: LogFile | None = self._open_log() if sync_apart else None
                opening.pop_all()
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

    def write_all(self, writes: Iterable[tuple[Both, list[Row]]]) -> list[int]:
        return [self._connection.executemany(both.sqlite, rows).rowcount for both, rows in writes]

    def data_version(self) -> int | None:
        version: int
        ((version,),) = self._connection.execute("PRAGMA data_version")
        return version

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._inside:
            raise WithinAnother
        with self._turns.turn(BUSY_MS_MAX) as held:
            if not held:
                raise Outage(f"{self._path.name} is locked by another writer")
            self._inside = True
            try:
                with self._between("BEGIN IMMEDIATE"):
                    yield
            finally:
                self._inside = False

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

    def checkpoint(self) -> int:
        pages: int
        try:
            self._must_be_in_place()
            ((_, pages, _),) = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            return pages
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

    def gone(self) -> bool:
        return False

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
