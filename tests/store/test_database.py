"""Connections that take the same statements, and say when a database is away.

Mirrors src/talktime/store/database.py. How the service meets outages: tests/gateways/test_outages.
"""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.config import Address
from talktime.store.database import Both, Connection, Keys, Outage, connect
from talktime.store.outage import WithinAnother
from talktime.store.spelling import array_literal
from tests.databases import Cluster
from tests.stores import ADD_WALLET, Store, Stores

BOTH = pytest.mark.layouts("sqlite", "postgres")
WALLETS = "SELECT organisation_id FROM wallet ORDER BY organisation_id"
PAIRS = Both(
    "SELECT k.a, k.b FROM unnest(?::bigint[], ?::text[]) AS k(a, b) ORDER BY 1, 2",
    "SELECT k.value ->> 0, k.value ->> 1 FROM json_each(?) k ORDER BY 1, 2",
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


class Stop(Exception):
    """Something went wrong in the caller's own code."""


@BOTH
def test_a_list_is_bound_for_any_of_it(store: Store):
    for number in (1, 2, 3):
        store.add_wallet(number, cell="main")
    found = store.cell().rows(
        "SELECT organisation_id FROM wallet WHERE organisation_id = ANY(?) "
        "ORDER BY organisation_id FOR UPDATE",
        [[3, 1, 9]],
    )
    assert found == [(1,), (3,)]


@BOTH
def test_an_empty_list_finds_nothing(store: Store):
    store.add_wallet(1, cell="main")
    found = store.cell().rows(
        "SELECT organisation_id FROM wallet WHERE organisation_id = ANY(?)", [[]]
    )
    assert found == []


@BOTH
def test_rows_to_join_with_are_bound_in_one_value(store: Store):
    connection = store.cell()

    @given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), texts), min_size=1, max_size=6))
    def check(pairs: list[tuple[int, str]]) -> None:
        with connection.reading():
            found = connection.rows(PAIRS, [Keys(pairs)])
        assert sorted(found) == sorted(pairs)

    check()


@pytest.mark.layouts("postgres")
def test_an_array_literal_holds_any_text(store: Store):
    connection = store.cell()

    @given(st.lists(texts, max_size=6))
    def check(values: list[str]) -> None:
        with connection.reading():
            ((found,),) = connection.rows("SELECT ?::text[]", [array_literal(values)])
        assert found == values

    check()


@BOTH
def test_a_transaction_commits_at_its_end_and_not_before(store: Store):
    writer, reader = store.cell(), store.cell()
    with writer.transaction():
        writer.run(ADD_WALLET, [1, "USD"])
        assert reader.rows(WALLETS) == []
    assert reader.rows(WALLETS) == [(1,)]


@BOTH
def test_an_exception_of_the_caller_rolls_back_and_goes_on_up(store: Store):
    connection = store.cell()
    with pytest.raises(Stop), connection.transaction():
        raise_after(connection.run, ADD_WALLET, [1, "USD"])
    assert connection.rows(WALLETS) == []
    with connection.transaction():
        connection.run(ADD_WALLET, [2, "USD"])
    assert connection.rows(WALLETS) == [(2,)]


@BOTH
def test_a_transaction_within_another_is_refused_and_nothing_is_committed(store: Store):
    connection, reader = store.cell(), store.cell()
    with pytest.raises(WithinAnother), connection.transaction():
        write_twice(connection)
    assert reader.rows(WALLETS) == []
    open_and_write(connection)
    assert reader.rows(WALLETS) == [(2,)]


def write_twice(connection: Connection) -> None:
    connection.run(ADD_WALLET, [1, "USD"])
    open_and_write(connection)


def open_and_write(connection: Connection) -> None:
    with connection.transaction():
        connection.run(ADD_WALLET, [2, "USD"])


def raise_after(act: Callable[..., object], *arguments: object) -> None:
    """Act, then fail."""
    act(*arguments)
    raise Stop


@BOTH
def test_a_breach_of_a_constraint_is_no_outage_and_the_connection_goes_on(store: Store):
    """In the midst of a bulk write too: neighbours' rows are rolled back with it."""
    store.add_wallet(1, cell="main")
    connection = store.cell()
    begin = (
        "INSERT INTO wallet "
        "(organisation_id, currency, balance_micros, held_micros, debt_micros, version)"
    )
    insert = Both(
        f"{begin} SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[], ?::bigint[], "
        "?::bigint[], ?::bigint[])",
        f"{begin} VALUES (?, ?, ?, ?, ?, ?)",
    )
    rows = [(2, "USD", 0, 0, 0, 0), (1, "USD", 0, 0, 0, 0)]
    with (
        pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)),
        connection.transaction(),
    ):
        connection.write_all([(insert, rows[:1]), (insert, rows[1:]), (insert, rows[:1])])
    assert connection.rows(WALLETS) == [(1,)]
    with connection.transaction():
        assert connection.write_all([(insert, [(3, "EUR", 0, 0, 0, 0)])]) == [1]
    assert connection.rows(WALLETS) == [(1,), (3,)]


@BOTH
def test_a_transaction_in_which_nothing_happens_is_fine(store: Store):
    connection = store.cell()
    with connection.transaction():
        pass
    with connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])
    assert connection.rows(WALLETS) == [(1,)]


@BOTH
def test_a_snapshot_sees_one_moment_and_cannot_write(store: Store):
    reader, writer = store.cell(), store.cell()
    with reader.snapshot():
        assert reader.rows(WALLETS) == []
        with writer.transaction():
            writer.run(ADD_WALLET, [1, "USD"])
        assert reader.rows(WALLETS) == []
    assert reader.rows(WALLETS) == [(1,)]


@BOTH
def test_a_table_that_is_missing_is_an_outage(store: Store):
    connection = store.cell()
    with pytest.raises(Outage, match="no_such_table"), connection.transaction():
        connection.rows_of_all([(WALLETS, []), ("SELECT * FROM no_such_table", []), (WALLETS, [])])
    with pytest.raises(Outage, match="no_such_table"), connection.reading():
        connection.rows("SELECT * FROM no_such_table")
    with connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])


def test_a_file_that_is_not_there_is_an_outage_and_is_not_made(tmp_path: Path):
    path = tmp_path / "cell_main.sqlite3"
    with pytest.raises(Outage, match=r"cannot open cell_main\.sqlite3"):
        connect(Address("sqlite", path=path))
    assert not path.exists()


def test_a_file_that_is_no_database_is_an_outage(tmp_path: Path):
    path = tmp_path / "cell_main.sqlite3"
    path.write_text("This is a letter, and a rather long one. " * 100)
    with pytest.raises(Outage, match="not a database") as told:
        connect(Address("sqlite", path=path))
    assert told.value.__cause__  # who tried is still known, and holds nothing open
    assert str(path) not in {os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()}


@pytest.mark.layouts("sqlite")
def test_a_file_that_was_replaced_is_an_outage(store: Store):
    connection = store.cell()
    path = store.settings.cells["main"].path
    assert path is not None
    kept = path.read_bytes()
    path.unlink()
    path.write_bytes(kept)
    with pytest.raises(Outage, match="removed or replaced"), connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])


@pytest.mark.layouts("postgres")
def test_a_database_that_only_reads_is_an_outage(store: Store):
    connection = store.cell()
    connection.run("SET default_transaction_read_only = on")
    with pytest.raises(Outage, match="read-only"), connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])


@pytest.mark.layouts("postgres")
def test_a_connection_that_the_server_has_ended_is_an_outage(store: Store):
    connection, other = store.cell(), store.cell()
    ((number,),) = connection.rows("SELECT pg_backend_pid()")
    other.rows("SELECT pg_terminate_backend(?)", [number])
    with pytest.raises(Outage), connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])
    with pytest.raises(Outage), connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])
    connection.close()


@pytest.mark.layouts("postgres")
def test_a_connection_that_the_server_has_ended_is_known_to_be_gone(store: Store):
    """Not one that was told something: that one is used as before."""
    connection, other = store.cell(), store.cell()
    connection.run("LISTEN told")
    assert not connection.gone()
    other.run("NOTIFY told, 'something'")
    assert not connection.gone()
    with connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])
    ((number,),) = connection.rows("SELECT pg_backend_pid()")
    other.rows("SELECT pg_terminate_backend(?, 5000)", [number])
    assert connection.gone()
    assert connection.gone()
    assert not other.gone()
    connection.close()


def test_a_server_that_is_away_is_an_outage(new_cluster: Callable[..., Cluster], tmp_path: Path):
    """On a connection that was open, and when opening one; no password is told."""
    cluster = new_cluster()
    store = Stores(tmp_path, lambda _: cluster).make("postgres")
    connection, address = store.cell(), store.settings.cells["main"]
    cluster.kill()
    with pytest.raises(Outage), connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])
    with_password = replace(address, url=address.url.replace("talktime@", "talktime:secret@"))
    with pytest.raises(Outage, match="cannot connect") as told:
        connect(with_password)
    assert "secret" not in str(told.value)
    store.close()


@pytest.mark.layouts("postgres")
def test_a_schema_that_is_missing_is_an_outage(store: Store):
    address = replace(store.settings.cells["main"], schema="cell_nowhere")
    connection = connect(address)
    with pytest.raises(Outage), connection.transaction():
        connection.run(ADD_WALLET, [1, "USD"])
    connection.close()


@BOTH
def test_what_proofs_rest_on_does_not_depend_on_the_servers_defaults(store: Store):
    connection = store.cell()
    if store.kind == "sqlite":
        assert connection.rows("PRAGMA journal_mode") == [("wal",)]
        assert connection.rows("PRAGMA synchronous") == [(2,)]
        return
    assert connection.rows("SHOW transaction_isolation") == [("read committed",)]
    assert connection.rows("SHOW synchronous_commit") == [("on",)]
    assert connection.rows("SHOW search_path") == [("cell_main",)]
