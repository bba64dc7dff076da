"""Grants that wait for a second operator. The caller opens and commits the transaction, and has
locked the organisation's wallet."""

from typing import NamedTuple

from talktime.store.database import Connection


class GrantRequest(NamedTuple):
    """A grant above the limit, or (`source`) a purchase entered by hand. `state` is asked, approved
    or rejected, and to whoever looks (operations/grants.py) also expired; times in ms."""

    id: int
    organisation_id: int
    state: str
    amount_micros: int
    promotional: bool
    lasts_until_ms: int | None
    idempotency_key: str
    body_hash: int
    reason: str
    asked_by: str
    asked_ms: int
    decided_by: str = ""
    decided_ms: int | None = None
    lot_id: int | None = None
    source: str = "grant"


_COLUMNS = ", ".join(GrantRequest._fields)
INSERT_REQUEST = (
    f"INSERT INTO grant_request ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
REQUEST_OF_ID = f"SELECT {_COLUMNS} FROM grant_request WHERE organisation_id = ? AND id = ?"
REQUEST_OF_KEY = (
    f"SELECT {_COLUMNS} FROM grant_request WHERE organisation_id = ? AND idempotency_key = ?"
)
LOT_OF_KEY = "SELECT 1 FROM lot WHERE organisation_id = ? AND idempotency_key = ?"
REQUESTS_OF = (
    f"SELECT {_COLUMNS} FROM grant_request WHERE organisation_id = ? ORDER BY id DESC LIMIT ?"
)
DECIDE_REQUEST = (
    "UPDATE grant_request SET state = ?, decided_by = ?, decided_ms = ?, lot_id = ? "
    "WHERE organisation_id = ? AND id = ? AND state = 'asked'"
)


def insert_request(connection: Connection, request: GrantRequest) -> None:
    """A new request."""
    connection.run(INSERT_REQUEST, tuple(request))


def request_of_id(
    connection: Connection, organisation_id: int, request_id: int
) -> GrantRequest | None:
    """One request."""
    return _one(connection.rows(REQUEST_OF_ID, (organisation_id, request_id)))


def request_of_key(connection: Connection, organisation_id: int, key: str) -> GrantRequest | None:
    """The request that was made with this idempotency key."""
    return _one(connection.rows(REQUEST_OF_KEY, (organisation_id, key)))


def was_given(connection: Connection, organisation_id: int, key: str) -> bool:
    """Whether there is a lot of this idempotency key: the limit may have changed since."""
    return bool(connection.rows(LOT_OF_KEY, (organisation_id, key)))


def requests_of(connection: Connection, organisation_id: int, rows_max: int) -> list[GrantRequest]:
    """An organisation's requests, the latest first."""
    return [_request(row) for row in connection.rows(REQUESTS_OF, (organisation_id, rows_max))]


def decide_request(connection: Connection, request: GrantRequest) -> int:
    """Write what was decided; how many rows were still waiting for it."""
    values = (
        *(request.state, request.decided_by, request.decided_ms, request.lot_id),
        *(request.organisation_id, request.id),
    )
    return connection.run(DECIDE_REQUEST, values)


def _one(rows: list[tuple[object, ...]]) -> GrantRequest | None:
    return _request(rows[0]) if rows else None


def _request(row: tuple[object, ...]) -> GrantRequest:
    request = GrantRequest(*row)  # type: ignore[arg-type]
    return request._replace(promotional=bool(request.promotional))
