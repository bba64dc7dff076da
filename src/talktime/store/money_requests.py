"""SQL for what programs asked for under an idempotency key, and how they were answered."""

from typing import NamedTuple

from talktime.store.database import Connection

INSERT = (
    "INSERT INTO money_request (organisation_id, idempotency_key, body_hash, answer, asked_ms) "
    "VALUES (?, ?, ?, '', ?) ON CONFLICT (organisation_id, idempotency_key) DO NOTHING"
)
SELECT = (
    "SELECT body_hash, answer FROM money_request WHERE organisation_id = ? AND idempotency_key = ?"
)
ANSWER = (
    "UPDATE money_request SET answer = ? WHERE organisation_id = ? AND idempotency_key = ? "
    "AND answer = ''"
)
FORGET = (
    "DELETE FROM money_request WHERE organisation_id = ? AND idempotency_key = ? AND answer = ''"
)
FORGET_OLD = "DELETE FROM money_request WHERE organisation_id = ? AND asked_ms < ?"


class KeptRequest(NamedTuple):
    """What was asked (its hash) and answered under a key; '' while it is worked on."""

    body_hash: int
    answer: str


def reserve(
    connection: Connection, organisation_id: int, key: str, body_hash: int, now_ms: int
) -> KeptRequest:
    """Take the key for this request, where it is free; the request that has it now."""
    connection.run(INSERT, [organisation_id, key, body_hash, now_ms])
    [row] = connection.rows(SELECT, [organisation_id, key])
    return KeptRequest(*row)


def keep_answer(connection: Connection, organisation_id: int, key: str, answer: str) -> None:
    """Keep how a request was answered, once."""
    connection.run(ANSWER, [answer, organisation_id, key])


def forget_request(connection: Connection, organisation_id: int, key: str) -> None:
    """Free the key of a request that came to nothing."""
    connection.run(FORGET, [organisation_id, key])


def forget_requests_before(connection: Connection, organisation_id: int, before_ms: int) -> None:
    """Free the keys of old requests."""
    connection.run(FORGET_OLD, [organisation_id, before_ms])
