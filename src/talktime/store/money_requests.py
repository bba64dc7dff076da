"""SQL for what programs asked for under an idempotency key, and how they were answered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from talktime.store.database import Both, Connection

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
# Held by the connection, over its transactions, until it is given back or the connection ends.
LOCK = Both("SELECT 1 FROM (SELECT pg_advisory_lock(CAST(? AS BIGINT))) l", "SELECT ?")
UNLOCK = Both("SELECT 1 FROM (SELECT pg_advisory_unlock(CAST(? AS BIGINT))) l", "SELECT ?")
_doing: dict[int, tuple[threading.Lock, int]] = {}
_doing_lock = threading.Lock()


class KeptRequest(NamedTuple):
    """What was asked (its hash) and answered under a key; '' while it is worked on."""

    body_hash: int
    answer: str


@contextmanager
def one_at_a_time(connection: Connection, number: int) -> Iterator[None]:
    """Let only one at a time do what has this number, over several transactions: in this process,
    and on PostgreSQL in all of them. (A SQLite file is one process's.) Others wait. Raises Outage.
    """
    with _doing_lock:
        lock, waiting = _doing.get(number, (threading.Lock(), 0))
        _doing[number] = lock, waiting + 1
    try:
        with lock:
            with connection.reading():
                connection.rows(LOCK, [number])
            try:
                yield
            finally:
                with connection.reading():
                    connection.rows(UNLOCK, [number])
    finally:
        with _doing_lock:
            lock, waiting = _doing.pop(number)
            if waiting > 1:
                _doing[number] = lock, waiting - 1


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
