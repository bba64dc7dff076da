"""Statements in one round trip. Mirrors src/talktime/store/postgres_pipeline.py."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from talktime.store.database import Both, Connection, Keys, Outage, Row, connect
from tests.stores import Store

pytestmark = pytest.mark.layouts("postgres")
MANY = 30_000
ECHO = Both(
    "SELECT k.number, k.name FROM unnest(?::bigint[], ?::text[]) AS k(number, name) "
    "ORDER BY k.number",
    "",
)
INTO = "INSERT INTO kept_apart (number) SELECT unnest(?::bigint[])"
BACKEND = "SELECT pg_backend_pid() FROM unnest(?::bigint[])"
LOCK = Both("SELECT pg_advisory_xact_lock(k.number) FROM unnest(?::bigint[]) AS k(number)", "")
LOCKED = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = ? AND granted"
BEGUN_SECONDS_MAX = 60
READ = "SELECT number FROM kept_apart WHERE number = ANY(?) ORDER BY number"


def test_much_goes_both_ways_at_once(store: Store) -> None:
    """More than what the sockets hold: neither side waits for the other to read."""
    rows = Keys((number, f"name {number} 'é\\\" {{}}") for number in range(MANY))
    with (connection := store.cell()).transaction():
        read = connection.rows_of_all([(ECHO, [rows])] * 5)
    assert read == [list(rows)] * 5


def test_a_statement_that_fails_takes_those_after_it_along_and_the_connection_goes_on(
    store: Store,
) -> None:
    """It may be one that could not even be prepared; it can be, once what it names is there."""
    connection = store.cell()
    for _ in range(2):
        with pytest.raises(Outage, match="kept_apart"), connection.transaction():
            connection.rows_of_all([(ECHO, [Keys([(1, "a")])]), (READ, [[1]])])
    with connection.transaction():
        connection.run("CREATE TABLE kept_apart (number bigint PRIMARY KEY)")
    write = Both(INTO, "")
    with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
        connection.write_all([(write, [(1,)]), (write, [(1,)]), (write, [(2,)])])
    with connection.transaction():
        assert connection.write_all([(write, [(3,), (4,)]), (write, [(5,)])]) == [2, 1]
        assert connection.rows_of_all([(READ, [[1, 2, 3, 4]])]) == [[(3,), (4,)]]
    # Among what psycopg's own cursors do.
    assert connection.rows("SELECT COUNT(*) FROM kept_apart WHERE number > ?", [3]) == [(2,)]
    with connection.transaction():
        connection.run("DROP TABLE kept_apart")


def test_the_server_begins_on_a_statement_while_the_next_is_made(store: Store) -> None:
    connection, other = connect(store.settings.cells["main"]), store.cell()

    def writes() -> Iterator[tuple[Both, list[Row]]]:
        yield LOCK, [(20_261_130,)]
        give_up_at = time.monotonic() + BEGUN_SECONDS_MAX
        while other.rows(LOCKED, [20_261_130]) == [(0,)]:
            assert time.monotonic() < give_up_at
        yield ECHO, [(1, "a")]

    with connection.transaction():
        assert connection.write_all(writes()) == [1, 1]
    connection.close()


def test_of_what_cannot_be_made_to_its_end_nothing_is_written(store: Store) -> None:
    connection, other = connect(store.settings.cells["main"]), store.cell()
    other.run("CREATE TABLE kept_apart (number bigint PRIMARY KEY)")

    def writes() -> Iterator[tuple[Both, list[Row]]]:
        yield Both(INTO, ""), [(1,)]
        raise LookupError

    with pytest.raises(LookupError), connection.transaction():
        connection.write_all(writes())
    assert not connection.settled()
    assert other.rows(READ, [[1]]) == []
    other.run("DROP TABLE kept_apart")


def write_after_the_end(connection: Connection, other: Connection) -> None:
    """Of the connection, in the midst of its transaction."""
    with connection.transaction():
        [[(number,)]] = connection.rows_of_all([(BACKEND, [[1]])])
        other.rows("SELECT pg_terminate_backend(?)", [number])
        connection.write_all([(ECHO, [(1, "a")])])


def test_a_connection_that_is_ended_meanwhile_is_an_outage(store: Store) -> None:
    connection = connect(store.settings.cells["main"])
    with pytest.raises(Outage):
        write_after_the_end(connection, store.cell())
    assert not connection.settled()
    assert not connection.answers()
    connection.close()


def test_nothing_and_what_is_absent_are_told_apart(store: Store) -> None:
    rows = Keys([(1, ""), (2, None), (3, "NULL"), (4, "{}")])
    assert store.cell().rows_of_all([(ECHO, [rows])]) == [list(rows)]
