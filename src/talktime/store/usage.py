"""Read one call and its usage records."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from talktime.core.calls import Call, UsageRecord
from talktime.core.limits import CALLS_NAMED_MAX
from talktime.store.database import Connection, Keys
from talktime.store.load import CALLS, OWNERS, call_of_row
from talktime.store.tables import USAGE_RECORD

_USAGE_COLUMNS = ", ".join(USAGE_RECORD.columns)
USAGE_OF_CALL = (
    f"SELECT {_USAGE_COLUMNS} FROM usage_record "
    "WHERE organisation_id = ? AND call_id = ? ORDER BY id"
)

ANSWERS = (
    "SELECT sequence, status, body, at_ms FROM answer "
    "WHERE call_id = ? AND organisation_id = ? ORDER BY sequence"
)


NAMED_AGAIN = (
    "SELECT id, call_key, organisation_id, state, started_ms FROM call "
    "WHERE switch_id = ? AND call_key = ? UNION ALL SELECT * FROM ("
    "SELECT id, call_key, organisation_id, state, started_ms FROM call "
    # Between the two may stand what begins otherwise (letters of both cases side by side in the
    # index) or ends otherwise (a key of the switch's own making).
    "WHERE switch_id = ? AND call_key > ? AND call_key < ? AND length(call_key) = ? "
    "AND rtrim(call_key, '0123456789abcdef') = ? "
    "ORDER BY call_key DESC LIMIT ?) AS latest"
)


class NamedCall(NamedTuple):
    """A call of a name that is used again; when it began (ms since the epoch)."""

    id: int
    call_key: str
    organisation_id: int
    state: str
    started_ms: int


class Told(NamedTuple):
    """What a switch was answered."""

    sequence: int
    status: int
    body: str
    at_ms: int


def owner_of_call(connection: Connection, switch_id: int, call_key: str) -> int | None:
    """The organisation whose call this is; None where this cell has no such call."""
    rows = connection.rows(OWNERS, [Keys([(switch_id, call_key)])])
    return int(rows[0][2]) if rows else None


def read_call(connection: Connection, switch_id: int, call_key: str) -> Call | None:
    """One call of a switch, as it stands."""
    rows = connection.rows(CALLS, [Keys([(switch_id, call_key)])])
    return call_of_row(rows[0]) if rows else None


def calls_named(
    connection: Connection, switch_id: int, call_key: str, again: str
) -> list[NamedCall]:
    """A switch's call of this key, and the last of those, at most CALLS_NAMED_MAX, whose keys are
    `again`, which ends with none, and 16 hexadecimal digits (of lower case), by these."""
    others = (switch_id, again, f"{again}g", len(again) + 16, again, CALLS_NAMED_MAX)
    rows = connection.rows(NAMED_AGAIN, (switch_id, call_key, *others))
    return [NamedCall._make(row) for row in rows]


def read_usage_of_call(
    connection: Connection, organisation_id: int, call_id: int
) -> Sequence[UsageRecord]:
    """The usage record of a call, and its corrections, in the order in which they were made."""
    rows = connection.rows(USAGE_OF_CALL, (organisation_id, call_id))
    return [UsageRecord._make((*row[:-2], *map(_texts, row[-2:]))) for row in rows]


def answers_of_call(connection: Connection, organisation_id: int, call_id: int) -> list[Told]:
    """What the switch of a call was told, by its sequence; nothing of a call that is forgotten."""
    return [Told(*row) for row in connection.rows(ANSWERS, (call_id, organisation_id))]


def _texts(column: str) -> tuple[str, ...]:
    return tuple(json.loads(column))
