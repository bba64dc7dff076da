"""Several statements in one round trip to PostgreSQL, without a cursor for each.

A cursor of psycopg takes about as much of the processor as a statement of a batch does. Here the
statements, prepared once, are handed to libpq's pipeline mode (psycopg.pq, its wrapper of libpq)
and their results are read together. Bound values are text or absent; the server finds their types.
"""

import select
from collections.abc import Iterable, Sequence

import psycopg
from psycopg import errors
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from talktime.store.spelling import Row

Bound = tuple[str, Sequence[str | None]]
"""A statement with $1, $2, …, and the values."""


class Pipeline:
    """Sends statements over one connection of psycopg, beside its cursors."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        self._names: dict[str, bytes] = {}
        self._prepared = 0
        self._poll = select.poll()
        self._rows = Transformer(connection)

    def run(self, statements: Iterable[Bound]) -> list[PGresult]:
        """Run the statements in order; a result of each. Raises psycopg's errors: where one fails,
        those after it were not run."""
        libpq = self._connection.pgconn
        new: dict[str, bytes] = {}
        prepared: dict[int, str] = {}
        """By the place of its result: a statement that is prepared on the way."""
        try:
            libpq.enter_pipeline_mode()
            for at, (text, values) in enumerate(statements):
                name = self._names.get(text) or new.get(text)
                if name is None:
                    self._prepared += 1
                    name = new[text] = f"talktime_{self._prepared}".encode()
                    prepared[at + len(prepared)] = text
                    libpq.send_prepare(name, text.encode())
                libpq.send_query_prepared(name, [_encoded(value) for value in values])
                # The server begins on it while the next one's values are made.
                libpq.flush()
            libpq.pipeline_sync()
            results = self._results()
            libpq.exit_pipeline_mode()
        except BaseException:
            # What is still on its way would be taken for the answer to something else.
            self._connection.close()
            raise
        for at, result in enumerate(results):
            if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
                raise errors.error_from_result(result)
            if at in prepared:
                self._names[prepared[at]] = new[prepared[at]]
        return [result for at, result in enumerate(results) if at not in prepared]

    def forget(self) -> None:
        """After a rollback, and where something was dropped or altered, as psycopg does: the server
        may have forgotten what was prepared, and now has."""
        if self._names:
            self._names.clear()
            self._connection.execute("DEALLOCATE ALL")

    def rows(self, result: PGresult) -> list[Row]:
        """The rows of a result, as Python values."""
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    def _results(self) -> list[PGresult]:
        libpq = self._connection.pgconn
        self._poll.register(libpq.socket, select.POLLIN | select.POLLOUT)
        while libpq.flush():
            # Both ways: the server may have to be read from before it reads on.
            if any(event & select.POLLIN for _, event in self._poll.poll()):
                libpq.consume_input()
        self._poll.modify(libpq.socket, select.POLLIN)
        results: list[PGresult] = []
        while True:
            while libpq.is_busy():
                self._poll.poll()
                libpq.consume_input()
            result = libpq.get_result()
            if result is None:
                continue  # the end of one statement's results
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)


def _encoded(value: str | None) -> bytes | None:
    return None if value is None else value.encode()
