"""Connections that die at a chosen statement: before it, or after it was done."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from talktime.store.database import Both, Connection, Params, Row, Statement


class Killed(BaseException):
    """The process ended here: nothing after it was run, no exception was handled."""


class Fuse:
    """Burns down statement by statement; at its end the process is killed."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        """One more step was reached."""
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            raise Killed


class MortalConnection:
    """A connection whose every statement, and every commit, burns the fuse before and after it."""

    def __init__(self, connection: Connection, fuse: Fuse) -> None:
        self._connection, self._fuse = connection, fuse
        self.dialect = connection.dialect

    def rows(self, statement: Statement, params: Params = ()) -> list[Row]:
        self._fuse.burn()
        found = self._connection.rows(statement, params)
        self._fuse.burn()
        return found

    def rows_of_all(self, queries: Sequence[tuple[Statement, Params]]) -> list[list[Row]]:
        self._fuse.burn()
        found = self._connection.rows_of_all(queries)
        self._fuse.burn()
        return found

    def run(self, statement: Statement, params: Params = ()) -> int:
        self._fuse.burn()
        touched = self._connection.run(statement, params)
        self._fuse.burn()
        return touched

    def write_all(self, writes: Sequence[tuple[Both, list[Row]]]) -> list[int]:
        touched = []
        for write in writes:
            self._fuse.burn()
            touched += self._connection.write_all([write])
        self._fuse.burn()
        return touched

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._connection.transaction():
            self._fuse.burn()
            yield
            self._fuse.burn()
        self._fuse.burn()  # committed, and nobody knows

    def reading(self) -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = self._connection.reading()
        return context

    def snapshot(self) -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = self._connection.snapshot()
        return context

    def checkpoint(self) -> None:
        self._connection.checkpoint()

    def close(self) -> None:
        self._connection.close()


def mortal(connection: Connection, fuse: Fuse) -> Any:
    """The connection, mortal."""
    return MortalConnection(connection, fuse)
