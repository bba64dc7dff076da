"""Events of payment providers as they were posted, in the control plane, until a job reads them."""

from typing import NamedTuple

from talktime.store.database import Connection

INSERT = (
    "INSERT INTO payment_event_inbox (id, provider, body, headers, received_ms, due_ms) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
COUNT = "SELECT COUNT(*) FROM payment_event_inbox"
DUE = (
    "SELECT id, provider, body, headers, received_ms, due_ms FROM payment_event_inbox "
    "WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?"
)
CLAIM = "UPDATE payment_event_inbox SET due_ms = ? WHERE id = ? AND due_ms = ?"
DELETE = "DELETE FROM payment_event_inbox WHERE id = ?"


class Posted(NamedTuple):
    """One event as it came, its signature not looked at yet. `headers` is a JSON object."""

    id: int
    provider: str
    body: str
    headers: str
    received_ms: int
    due_ms: int


def insert_posted(control: Connection, posted: Posted) -> None:
    """Keep an event."""
    control.run(INSERT, posted)


def count_posted(control: Connection) -> int:
    """How many wait."""
    return int(control.rows(COUNT)[0][0])


def posted_due(control: Connection, now_ms: int, rows_max: int) -> list[Posted]:
    """A page of events to be read now, the first to be read first."""
    return [Posted(*row) for row in control.rows(DUE, [now_ms, rows_max])]


def claim_posted(control: Connection, posted: Posted, due_ms: int) -> bool:
    """Put an event off until `due_ms`, so that no other job reads it; False where one does."""
    return control.run(CLAIM, [due_ms, posted.id, posted.due_ms]) == 1


def delete_posted(control: Connection, posted_id: int) -> None:
    """An event was read."""
    control.run(DELETE, [posted_id])
