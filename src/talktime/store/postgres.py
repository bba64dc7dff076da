"""A connection to PostgreSQL.

Several statements travel in one round trip (pipeline mode): BEGIN with the first reads.
"""

import select
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import psycopg
from psycopg.pq import ConnStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from talktime.config import Address
from talktime.store.log_file import LogFile
from talktime.store.outage import Outage, WithinAnother
from talktime.store.postgres_pipeline import Bound, Pipeline
from talktime.store.spelling import (
    STATEMENTS_PREPARED_MAX,
    Both,
    Keys,
    Params,
    Row,
    Statement,
    array_literal,
    for_postgres,
    numbered,
    postgres_values,
)

CONNECT_SECONDS_MAX = 5
UNACKNOWLEDGED_MS_MAX = 10_000
"""A server that hangs without closing its connections is an outage after this."""
PLAN_FOR_MUCH = (
    "SELECT set_config(setting, value, true) FROM (VALUES ('enable_seqscan', 'on'), "
    "('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'), "
    "('plan_cache_mode', 'force_custom_plan'), ('work_mem', '64MB')) s(setting, value)"
)
"""Until the transaction ends, plans for reading whole tables: a connection's own are for few rows
by key."""


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
        self._poll = select.poll()
        self._poll.register(self._connection.fileno(), select.POLLIN)
        self._begin_pending = False
        self._inside = False
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

    def write_all(self, writes: Iterable[tuple[Both, list[Row]]]) -> list[int]:
        bound = (
            (numbered(statement), [array_literal(column) for column in zip(*rows, strict=True)])
            for statement, rows in writes
        )
        return [result.command_tuples or 0 for result in self._run_with_begin(bound)]

    def data_version(self) -> int | None:
        return None

    def _run_with_begin(self, bound: Iterable[Bound]) -> list[PGresult]:
        if not self._begin_pending:
            return self._pipeline.run(bound)
        self._begin_pending = False
        return self._pipeline.run(chain([("BEGIN", ())], bound))[1:]

    def _begin(self) -> None:
        if self._begin_pending:
            self._begin_pending = False
            self._connection.execute("BEGIN")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._inside:
            raise WithinAnother
        self._inside = self._begin_pending = True
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
        finally:
            self._inside = False

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

    def checkpoint(self) -> int:
        return 0

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

    def gone(self) -> bool:
        # Between statements a server sends nothing but notices, and its farewell.
        try:
            while self._poll.poll(0):
                self._connection.pgconn.consume_input()
        except psycopg.Error:
            return True
        return self._connection.pgconn.status != ConnStatus.OK

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
