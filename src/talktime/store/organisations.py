"""Organisations in the control plane, and their wallets in the cells.

The caller opens and commits the transaction (store/revisions.py).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from talktime.core.directory import NO_RULES, CallingRules, Organisation
from talktime.store.database import Connection, Row
from talktime.store.revisions import DIRECTORY, Page, bump, pages_after

ORGANISATION_COLUMNS = (
    "id, name, cell, currency, time_zone, country, commerce_model, active, rate_card, calling_rules"
)
INSERT_ORGANISATION = (
    f"INSERT INTO organisation ({ORGANISATION_COLUMNS}, created_ms, revision) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_ORGANISATION = (
    "UPDATE organisation SET time_zone = ?, commerce_model = ?, active = ?, rate_card = ?, "
    "calling_rules = ?, revision = ? WHERE id = ?"
)
ORGANISATION_OF_ID = f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE id = ?"
ORGANISATIONS_OF_IDS = f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE id = ANY(?)"
ORGANISATION_OF_NAME = f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE name = ?"
ORGANISATIONS_BY_NAME = (
    f"SELECT {ORGANISATION_COLUMNS} FROM organisation WHERE name > ? ORDER BY name LIMIT ?"
)
CURRENCIES_IN_CELL = "SELECT id, currency FROM organisation WHERE cell = ?"
ORGANISATIONS_AFTER = (
    f"SELECT {ORGANISATION_COLUMNS}, revision FROM organisation WHERE revision > ? "
    "ORDER BY revision LIMIT ?"
)

INSERT_WALLET = (
    "INSERT INTO wallet "
    "(organisation_id, currency, balance_micros, held_micros, debt_micros, version) "
    "VALUES (?, ?, 0, 0, 0, 0)"
)

INSERT_MISSING_WALLET = (
    "INSERT INTO wallet "
    "(organisation_id, currency, balance_micros, held_micros, debt_micros, version, no_buying) "
    "VALUES (?, ?, 0, 0, 0, 0, ?) ON CONFLICT (organisation_id) DO NOTHING"
)
WALLET_HERE = "SELECT currency, no_buying FROM wallet WHERE organisation_id = ?"

WALLETS = (
    "SELECT w.organisation_id, w.currency, "
    "EXISTS (SELECT 1 FROM lot l WHERE l.organisation_id = w.organisation_id) FROM wallet w"
)
BLOCKED_AFTER_USE = "SELECT id FROM organisation WHERE calling_rules LIKE ?"
_BLOCKED = '%"post_usage_blocked":true%'
ON_THE_MOVE = (
    "SELECT id FROM organisation WHERE commerce_model = 'draining' "
    "OR (commerce_model = 'prepaid' AND calling_rules LIKE ?)"
)
_MOVED = '%"moved":true%'
MARKED_WALLETS = "SELECT organisation_id FROM wallet WHERE no_buying = ANY(?)"
PREPAID_AMONG = "SELECT id FROM organisation WHERE id = ANY(?) AND commerce_model = 'prepaid'"
WALLETS_HERE = "SELECT organisation_id FROM wallet WHERE organisation_id = ANY(?)"
FIRST_FUNDED = "SELECT first_funded_ms FROM wallet WHERE organisation_id = ?"


def organisations_after(connection: Connection, seen: int) -> Iterator[Page[Organisation]]:
    """Organisations changed since the `directory` revision `seen` (0: all)."""
    return pages_after(connection, ORGANISATIONS_AFTER, seen, organisation_row)


def insert_wallet(connection: Connection, organisation_id: int, currency: str) -> None:
    """An empty wallet in the organisation's cell."""
    connection.run(INSERT_WALLET, (organisation_id, currency))


def insert_missing_wallet(
    connection: Connection, organisation_id: int, currency: str, no_buying: str | None
) -> bool:
    """An empty wallet where the cell has none of the organisation; `no_buying` is why nothing can
    be bought, None where it can. Whether there was none."""
    values = (organisation_id, currency, no_buying)
    return connection.run(INSERT_MISSING_WALLET, values) == 1


def wallet_here(connection: Connection, organisation_id: int) -> tuple[str, str | None] | None:
    """The currency of the organisation's wallet in this cell, and why nothing can be bought (None:
    it can); None where it has none."""
    rows = connection.rows(WALLET_HERE, (organisation_id,))
    return (rows[0][0], rows[0][1]) if rows else None


def insert_organisation(
    connection: Connection, organisation: Organisation, created_ms: int
) -> None:
    """A new organisation."""
    revision = bump(connection, DIRECTORY)
    values = (*organisation[:-1], rules_text(organisation.rules), created_ms, revision)
    connection.run(INSERT_ORGANISATION, values)


def update_organisation(connection: Connection, organisation: Organisation) -> None:
    """Write time zone, commerce model, `active`, rate card and rules: the rest stays."""
    revision = bump(connection, DIRECTORY)
    values = (
        *(organisation.time_zone, organisation.commerce_model),
        *(organisation.active, organisation.rate_card),
        *(rules_text(organisation.rules), revision, organisation.id),
    )
    connection.run(SET_ORGANISATION, values)


def organisation_of_id(connection: Connection, organisation_id: int) -> Organisation | None:
    """The organisation of this id."""
    rows = connection.rows(ORGANISATION_OF_ID, (organisation_id,))
    return organisation_row(rows[0]) if rows else None


def organisations_of_ids(
    connection: Connection, organisation_ids: Iterable[int]
) -> dict[int, Organisation]:
    """The organisations of these ids, by id."""
    rows = connection.rows(ORGANISATIONS_OF_IDS, [sorted(organisation_ids)])
    return {row[0]: organisation_row(row) for row in rows}


def organisation_named(connection: Connection, name: str) -> Organisation | None:
    """The organisation of exactly this name."""
    rows = connection.rows(ORGANISATION_OF_NAME, (name,))
    return organisation_row(rows[0]) if rows else None


def organisations_by_name(connection: Connection, after: str, limit: int) -> list[Organisation]:
    """Organisations whose names come after this one, by name."""
    return [organisation_row(row) for row in connection.rows(ORGANISATIONS_BY_NAME, (after, limit))]


def currencies_in_cell(connection: Connection, cell: str) -> dict[int, str]:
    """The currency of every organisation that has its wallet in this cell, by id."""
    return dict(connection.rows(CURRENCIES_IN_CELL, (cell,)))


def wallets_of_cell(connection: Connection) -> dict[int, tuple[str, bool]]:
    """Every wallet of a cell by its organisation's id: its currency, and whether it has lots."""
    return {row[0]: (row[1], bool(row[2])) for row in connection.rows(WALLETS)}


def blocked_organisations(connection: Connection) -> set[int]:
    """Organisations whose rules say that nothing is paid after use for now, in all cells."""
    return {row[0] for row in connection.rows(BLOCKED_AFTER_USE, [_BLOCKED])}


def organisations_on_the_move(connection: Connection) -> set[int]:
    """Organisations that are draining, or were moved by their reseller and are prepaid still."""
    return {row[0] for row in connection.rows(ON_THE_MOVE, [_MOVED])}


def prepaid_among(connection: Connection, organisation_ids: Iterable[int]) -> set[int]:
    """Which of these organisations are prepaid."""
    ids = sorted(organisation_ids)
    return {row[0] for row in connection.rows(PREPAID_AMONG, [ids])} if ids else set()


def marked_wallets(connection: Connection, marks: Sequence[str]) -> set[int]:
    """Organisations whose wallet in this cell has one of these marks in `no_buying`."""
    return {row[0] for row in connection.rows(MARKED_WALLETS, [list(marks)])}


def wallets_here(connection: Connection, organisation_ids: Iterable[int]) -> set[int]:
    """Which of these organisations have their wallet in this cell."""
    ids = sorted(organisation_ids)
    return {row[0] for row in connection.rows(WALLETS_HERE, [ids])} if ids else set()


def first_funded_ms(connection: Connection, organisation_id: int) -> int | None:
    """When the organisation's wallet, in this cell, was funded for the first time."""
    rows = connection.rows(FIRST_FUNDED, (organisation_id,))
    return rows[0][0] if rows else None


def organisation_row(row: Row) -> Organisation:
    """An organisation of its columns (ORGANISATION_COLUMNS)."""
    organisation = Organisation(*row[:9])
    return organisation._replace(active=bool(organisation.active), rules=parsed_rules(row[9]))


def rules_text(rules: CallingRules) -> str:
    """An organisation's rules as their column keeps them: a JSON object of what is not default."""
    fields = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in rules._asdict().items()
        if value != getattr(NO_RULES, name)
    }
    return json.dumps(fields, separators=(",", ":"), sort_keys=True)


@lru_cache(4_096)
def parsed_rules(text: str) -> CallingRules:
    """Read back what `rules_text` wrote."""
    fields: dict[str, Any] = json.loads(text)
    for name, value in fields.items():
        if isinstance(value, list):
            fields[name] = frozenset(value)
    return CallingRules(**fields)
