"""What people gave alone, and limits of that which somebody asks to be raised. In the control
plane, for a person gives to organisations of all cells.

The caller opens and commits the transaction, and has locked the catalogue.
"""

from typing import NamedTuple

from talktime.store.database import Connection


class LimitRequest(NamedTuple):
    """A currency's entry (its text, as of a catalogue file) that would let one person give more.
    `state` is asked, approved or rejected; times in ms."""

    id: int
    code: str
    valid_from_ms: int
    entry_text: str
    state: str
    asked_by: str
    asked_ms: int
    decided_by: str = ""
    decided_ms: int | None = None


class Given(NamedTuple):
    """What a person set out to give alone: to whom, for which request, when."""

    id: int
    person: str
    organisation_id: int
    idempotency_key: str
    currency: str
    amount_micros: int
    at_ms: int


_GIVEN = ", ".join(Given._fields)
# What the same request was counted with before is not counted less.
PUT_GIVEN = (
    f"INSERT INTO given_alone ({_GIVEN}) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (person, organisation_id, idempotency_key) DO UPDATE SET "
    "amount_micros = CASE WHEN given_alone.amount_micros > excluded.amount_micros "
    "THEN given_alone.amount_micros ELSE excluded.amount_micros END, at_ms = excluded.at_ms"
)
GIVEN_SINCE = (
    "SELECT currency, CAST(SUM(amount_micros) AS BIGINT) FROM given_alone "
    "WHERE person = ? AND at_ms > ? AND NOT (organisation_id = ? AND idempotency_key = ?) "
    "GROUP BY currency"
)
FORGET_GIVEN = "DELETE FROM given_alone WHERE at_ms <= ?"

_LIMIT = ", ".join(LimitRequest._fields)
INSERT_LIMIT = f"INSERT INTO limit_request ({_LIMIT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
LIMIT_OF_ID = f"SELECT {_LIMIT} FROM limit_request WHERE id = ? FOR UPDATE"
ASKED_LIMITS = f"SELECT {_LIMIT} FROM limit_request WHERE state = 'asked' ORDER BY id LIMIT ?"
DECIDE_LIMIT = "UPDATE limit_request SET state = ?, decided_by = ?, decided_ms = ? WHERE id = ?"


def put_given(control: Connection, given: Given) -> None:
    """Count what a person gives; the same request again counts once."""
    control.run(PUT_GIVEN, given)


def given_since(
    control: Connection, person: str, since_ms: int, organisation_id: int, idempotency_key: str
) -> dict[str, int]:
    """What a person gave alone after a time, by currency, but for one request."""
    params = (person, since_ms, organisation_id, idempotency_key)
    return dict(control.rows(GIVEN_SINCE, params))


def forget_given(control: Connection, until_ms: int) -> None:
    """Forget what does not count any more."""
    control.run(FORGET_GIVEN, (until_ms,))


def insert_limit(control: Connection, request: LimitRequest) -> None:
    """A new request."""
    control.run(INSERT_LIMIT, request)


def limit_of_id(control: Connection, request_id: int) -> LimitRequest | None:
    """One request, locked."""
    rows = control.rows(LIMIT_OF_ID, (request_id,))
    return LimitRequest(*rows[0]) if rows else None


def asked_limits(control: Connection, rows_max: int) -> list[LimitRequest]:
    """The requests that wait, the oldest first."""
    return [LimitRequest(*row) for row in control.rows(ASKED_LIMITS, (rows_max,))]


def decide_limit(control: Connection, request: LimitRequest) -> None:
    """Write what was decided."""
    values = (request.state, request.decided_by, request.decided_ms, request.id)
    control.run(DECIDE_LIMIT, values)
