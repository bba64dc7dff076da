"""The store's SQL fits the schema that the migrations make, on both databases."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from typing import Any

import pytest

import talktime.store
from talktime.store import (
    card_setups,
    endings,
    payments,
    post_statements,
    provider_events,
    refunds,
    tables,
    usage_days,
)
from talktime.store.database import Both, Connection
from talktime.store.notices import OUTBOX
from talktime.store.payments import PAYMENT_TABLES
from tests.stores import Store

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s")
KINDS = {
    "bigint": {"bigint", "integer"},  # SQLite's ids are its row numbers, of 64 bits
    "integer": {"integer"},
    "smallint": {"smallint"},
    "boolean": {"boolean", "bool"},
    "text": {"text", "character varying", "varchar"},
}
WRITES_BOOKS = re.compile(r'(UPDATE|INSERT INTO|DELETE FROM)\s+"?(wallet|lot|call|meter)\b"?')
TABLES = (*tables.CELL_TABLES, *PAYMENT_TABLES, OUTBOX)
POSTGRES_COLUMNS = (
    "SELECT column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name = ?"
)
SQLITE_COLUMNS = "SELECT name, type FROM pragma_table_info(?)"
POSTGRES_ALONE = {"postgres.PLAN_FOR_MUCH[0]"}
_numbers = count(1)


def columns_in(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table with their types, without lengths."""
    sql = POSTGRES_COLUMNS if connection.dialect == "postgres" else SQLITE_COLUMNS
    rows = connection.rows(sql, [table])
    return {name: kind.partition("(")[0].strip().lower() for name, kind in rows}


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_columns_of_a_table_are_those_of_the_migrated_schema(store: Store, table: tables.Table):
    there = columns_in(store.cell(), table.name)
    assert set(table.columns) == set(there)
    assert [
        column for column, kind in table.columns.items() if there[column] not in KINDS[kind]
    ] == []


def statements() -> Iterator[tuple[str, str | Both]]:
    """Every statement that a module of the store keeps under a name."""
    for module in pkgutil.iter_modules(talktime.store.__path__):
        members = vars(import_module(f"talktime.store.{module.name}"))
        for name, value in members.items():
            if name.startswith("_"):
                continue  # a piece of others
            kept = value if isinstance(value, dict | tuple) and not is_one(value) else {"": value}
            values = kept.values() if isinstance(kept, dict) else kept
            for number, each in enumerate(values):
                if is_one(each):
                    yield f"{module.name}.{name}[{number}]", each


def is_one(value: Any) -> bool:
    """Whether a value is a statement, in one spelling or two."""
    return isinstance(value, Both) or (
        isinstance(value, str) and STATEMENT.match(value) is not None
    )


def prepare(connection: Connection, statement: str | Both) -> None:
    """Let the database read the statement and find all that it names; run nothing."""
    both = isinstance(statement, Both)
    if connection.dialect == "postgres":
        text = statement.postgres if isinstance(statement, Both) else statement
        parameters = count(1)
        numbered = re.sub(r"\?", lambda _: f"${next(parameters)}", text.replace("%%", "%"))
        connection.run(f"PREPARE statement_{next(_numbers)} AS {numbered}")
        return
    text = statement.sqlite if isinstance(statement, Both) else statement
    spelled = Both("", f"EXPLAIN {text}") if both else f"EXPLAIN {text}"
    connection.run(spelled, [None] * text.count("?"))


@pytest.mark.layouts("sqlite", "postgres")
def test_every_statement_of_the_store_fits_the_schema(store: Store):
    """Of a cell, or of the control plane: on one of them it can be prepared."""
    control, cell = store.control(), store.cell()
    found, wrong = 0, {}
    for name, statement in statements():
        if store.kind == "sqlite" and name in POSTGRES_ALONE:
            continue
        found += 1
        errors = []
        for connection in (cell, control):
            try:
                prepare(connection, statement)
                break
            except Exception as error:  # noqa: BLE001 - whatever the driver says is shown
                errors.append(str(error))
        else:
            wrong[name] = errors
    assert wrong == {}
    assert found > 50


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (payments.WALLETS_ASKING, "wallet_attention"),
        (payments.PAYMENTS_DUE, "payment_due"),
        (refunds.REFUNDS_DUE, "refund_due"),
        (card_setups.DUE, "card_setup_due"),
        (provider_events.DUE, "provider_event_due"),
        (provider_events.TRY_OF_REF, "payment_try_by_ref"),
        (endings.CALLS_TO_END, "call_ending"),
    ],
    ids=lambda value: value if "_" in value and " " not in value else "",
)
def test_what_is_looked_for_several_times_a_second_is_found_by_its_index(
    store: Store, statement: str, index: str
):
    values = [0] * statement.count("?")
    plan = store.cell().rows(f"EXPLAIN QUERY PLAN {statement}", values)
    assert f"USING INDEX {index}" in plan[0][-1].replace("COVERING ", "")


@pytest.mark.layouts("sqlite")
def test_what_the_sums_have_passed_is_found_by_its_id(store: Store):
    """Every page of usage asks for it, of organisations with millions of records too."""
    plan = store.cell().rows(f"EXPLAIN QUERY PLAN {usage_days.PASSED}", [1, 1, 1])
    assert plan[0][-1] == "SEARCH usage_record USING INTEGER PRIMARY KEY (rowid=?)"


@pytest.mark.layouts("sqlite")
def test_running_calls_are_found_a_page_at_a_time_before_what_could_end_them(store: Store):
    """The job that looks at them does so every two seconds, at hundreds of thousands too."""
    plan = store.cell().rows(f"EXPLAIN QUERY PLAN {endings.RUNNING.sqlite}", [0, 0, 1])
    details = [row[-1] for row in plan]
    assert details[0] in ("MATERIALIZE c", "CO-ROUTINE c")
    assert details[1].startswith("SEARCH call USING INDEX call_due (sweep_ms>?")


@pytest.mark.layouts("sqlite")
def test_a_statement_of_a_month_reads_no_records_from_before_it(store: Store):
    """The wallet is locked meanwhile; on SQLite all calls of the cell wait."""
    for statement in (post_statements.UNBILLED_SUMS, post_statements.BILL_USAGE):
        values = [0] * statement.count("?")
        plan = store.cell().rows(f"EXPLAIN QUERY PLAN {statement}", values)
        assert plan[0][-1] == (
            "SEARCH u USING INDEX usage_by_start (organisation_id=? AND started_ms>?)"
        )


def test_an_organisations_books_are_written_where_their_version_is_counted_up():
    """Or what is kept of them (store/kept.py) would be used after it has changed. The others write
    what nothing is decided by: when a call is looked at next, calls that have ended, a new wallet.
    """
    found = {
        name.partition("[")[0]
        for name, statement in statements()
        for text in (statement if isinstance(statement, Both) else (statement,))
        if WRITES_BOOKS.search(text) and not name.startswith("save.")
    }
    new = {"organisations.INSERT_WALLET", "organisations.INSERT_MISSING_WALLET"}
    assert found == {"due.SWEEP_AT_DEADLINE", "due.FORGET_CALLS", *new}
