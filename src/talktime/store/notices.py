"""The outbox: what somebody is to be told, written in the transaction in which it happened.

The caller opens and commits the transaction.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from talktime.core.notices import Notice
from talktime.store.database import Both, Connection, Row
from talktime.store.tables import Table

OUTBOX = Table(
    "outbox",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "kind": "text",
        "key": "text",
        "at_ms": "bigint",
        "facts": "text",
        "spread_ms": "bigint",
    },
)


# Of rows that are bound, those whose key was there already are not touched, nor counted.
INSERT_NOTICES = OUTBOX.insert_new("organisation_id", "key")

_COLUMNS = "id, organisation_id, kind, key, at_ms, facts, spread_ms"
_TO_SPREAD = f"SELECT {_COLUMNS} FROM outbox WHERE spread_ms IS NULL ORDER BY id LIMIT ?"
NOTICES_TO_SPREAD = Both(f"{_TO_SPREAD} FOR UPDATE SKIP LOCKED", _TO_SPREAD)
ANYTHING_TO_SPREAD = "SELECT 1 FROM outbox WHERE spread_ms IS NULL LIMIT 1"
SET_SPREAD = (
    "UPDATE outbox SET spread_ms = ? "
    "WHERE organisation_id = ANY(?) AND id = ANY(?) AND spread_ms IS NULL"
)
NOTICES_OF_IDS = (
    f"SELECT {_COLUMNS} FROM outbox WHERE organisation_id = ANY(?) AND id = ANY(?) ORDER BY id"
)
NOTICES_SINCE = (
    f"SELECT {_COLUMNS} FROM outbox WHERE organisation_id = ? AND at_ms >= ? "
    "ORDER BY at_ms, id LIMIT ?"
)
LATEST_NOTICES = f"""
    SELECT {_COLUMNS} FROM outbox o
    WHERE organisation_id = ? AND id < ? AND (CAST(? AS text) = '' OR kind = ?)
        AND (CAST(? AS text) = '' OR EXISTS (SELECT 1 FROM delivery d
            WHERE d.outbox_id = o.id AND (CAST(? AS text) = '' OR d.state = ?)
            AND (CAST(? AS text) = '' OR d.target = ?)))
    ORDER BY id DESC LIMIT ?"""
OWNERS_NOT_SPREAD = (
    "SELECT DISTINCT organisation_id FROM outbox "
    "WHERE spread_ms IS NULL AND organisation_id = ANY(?) AND at_ms < ?"
)
BALANCES = "SELECT organisation_id, balance_micros FROM wallet WHERE organisation_id = ANY(?)"


class Only(NamedTuple):
    """Which notices are looked for: of a kind, with a delivery in a state, or to a target (an
    address, an endpoint's id); '' for any."""

    kind: str = ""
    state: str = ""
    target: str = ""


class StoredNotice(NamedTuple):
    """A notice with its id, and when it was given to those who are told (None: not yet)."""

    id: int
    notice: Notice
    spread_ms: int | None


def notice_row(id_: int, notice: Notice) -> Row:
    """The notice as a bound row of INSERT_NOTICES, not yet spread."""
    organisation_id, kind, key, at_ms, facts = notice
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
    return (id_, organisation_id, kind, key, at_ms, text, None)


def insert_notices(
    connection: Connection, notices: Iterable[Notice], next_id: Callable[[], int]
) -> int:
    """Write notices to be told, but those whose key was told before; how many are new."""
    rows = [notice_row(next_id(), notice) for notice in notices]
    return connection.write_all([(INSERT_NOTICES, rows)])[0] if rows else 0


def insert_spread(connection: Connection, stored: StoredNotice) -> bool:
    """Write a notice whose deliveries the caller writes itself; False where its key was told
    before, and nothing is written."""
    row = (*notice_row(stored.id, stored.notice)[:-1], stored.spread_ms)
    return connection.write_all([(INSERT_NOTICES, [row])])[0] == 1


def anything_to_spread(connection: Connection) -> bool:
    """Whether there is a notice that nobody was told of. Takes no lock."""
    return bool(connection.rows(ANYTHING_TO_SPREAD))


def notices_to_spread(connection: Connection, rows_max: int) -> list[StoredNotice]:
    """A page of notices that nobody was told of, locked until the transaction ends."""
    return [_stored(row) for row in connection.rows(NOTICES_TO_SPREAD, [rows_max])]


def set_spread(connection: Connection, notices: Sequence[StoredNotice], now_ms: int) -> int:
    """Note that these were given to those who are told; how many were."""
    owners = sorted({each.notice.organisation_id for each in notices})
    return connection.run(SET_SPREAD, [now_ms, owners, sorted(each.id for each in notices)])


def notices_of_ids(
    connection: Connection, organisation_ids: Iterable[int], ids: Iterable[int]
) -> dict[int, StoredNotice]:
    """The notices of these ids, by id."""
    params = [sorted(set(organisation_ids)), sorted(set(ids))]
    rows = connection.rows(NOTICES_OF_IDS, params)
    return {row[0]: _stored(row) for row in rows}


def notices_since(
    connection: Connection, organisation_id: int, since_ms: int, rows_max: int
) -> list[Notice]:
    """An organisation's notices since a moment, the oldest first."""
    rows = connection.rows(NOTICES_SINCE, [organisation_id, since_ms, rows_max])
    return [_stored(row).notice for row in rows]


def latest_notices(
    connection: Connection, organisation_id: int, before_id: int, rows_max: int, only: Only
) -> list[StoredNotice]:
    """An organisation's notices below an id, the newest first."""
    kind, state, target = only
    of_delivery = (state + target, state, state, target, target)
    params = [organisation_id, before_id, kind, kind, *of_delivery, rows_max]
    rows = connection.rows(LATEST_NOTICES, params)
    return [_stored(row) for row in rows]


def owners_not_spread(
    connection: Connection, organisation_ids: Iterable[int], before_ms: int
) -> set[int]:
    """Those of the organisations with notices older than a moment that nobody was told of."""
    rows = connection.rows(OWNERS_NOT_SPREAD, [sorted(set(organisation_ids)), before_ms])
    return {row[0] for row in rows}


def balances(connection: Connection, organisation_ids: Iterable[int]) -> dict[int, int]:
    """The balance of each organisation that has a wallet, as it is now."""
    return dict(connection.rows(BALANCES, [sorted(set(organisation_ids))]))


def _stored(row: Row) -> StoredNotice:
    id_, organisation_id, kind, key, at_ms, facts, spread_ms = row
    return StoredNotice(
        id_, Notice(organisation_id, kind, key, at_ms, json.loads(facts)), spread_ms
    )
