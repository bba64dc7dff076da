"""The sandbox's webhooks in the control plane. The caller opens and commits the transaction."""

from typing import NamedTuple

from talktime.store.database import Connection

_EVENT = "id, event_ref, kind, body, tries, created_ms, due_ms, sent_ms"
INSERT_EVENT = f"INSERT INTO sandbox_event ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
DUE_EVENTS = (
    f"SELECT {_EVENT} FROM sandbox_event WHERE due_ms IS NOT NULL AND due_ms <= ? "
    "ORDER BY due_ms, id LIMIT ?"
)
EVENTS_BEFORE = f"SELECT {_EVENT} FROM sandbox_event WHERE id < ? ORDER BY id DESC LIMIT ?"
SENT = "UPDATE sandbox_event SET tries = tries + 1, due_ms = NULL, sent_ms = ? WHERE id = ?"
PUT_OFF = (
    "UPDATE sandbox_event SET tries = tries + 1, due_ms = ? WHERE id = ? AND due_ms IS NOT NULL"
)
DELETE_EVENTS = "DELETE FROM sandbox_event WHERE created_ms < ? AND due_ms IS NULL"


class SandboxEvent(NamedTuple):
    """One sending of an event: due, sent, or (neither) never to be sent."""

    id: int
    event_ref: str
    kind: str
    body: str
    tries: int
    created_ms: int
    due_ms: int | None
    sent_ms: int | None


def insert_event(connection: Connection, event: SandboxEvent) -> None:
    """A new sending."""
    connection.run(INSERT_EVENT, event)


def due_sendings(connection: Connection, now_ms: int, limit: int) -> list[SandboxEvent]:
    """What is to be sent by now, oldest first."""
    return [SandboxEvent(*row) for row in connection.rows(DUE_EVENTS, (now_ms, limit))]


def events_before(connection: Connection, before: int, limit: int) -> list[SandboxEvent]:
    """Sendings before this id, newest first."""
    return [SandboxEvent(*row) for row in connection.rows(EVENTS_BEFORE, (before, limit))]


def mark_sent(connection: Connection, event_id: int, now_ms: int) -> None:
    """It was taken."""
    connection.run(SENT, (now_ms, event_id))


def put_off(connection: Connection, event_id: int, due_ms: int) -> None:
    """It was not taken: send it again at a time."""
    connection.run(PUT_OFF, (due_ms, event_id))


def delete_events(connection: Connection, before_ms: int) -> int:
    """Forget what was made before a time and is not to be sent any more; how many."""
    return connection.run(DELETE_EVENTS, (before_ms,))
