"""SQL for what programs had made under an idempotency key, in the control plane. The caller opens
and commits the transaction, in which the thing itself is made too."""

from typing import NamedTuple

from talktime.store.database import Connection


class Creation(NamedTuple):
    """What was asked for (its hash) under a key, and the answer without its secret. `owner_id` is
    an organisation's, or 0 for what is the operator's."""

    owner_id: int
    idempotency_key: str
    body_hash: int
    answer: str
    asked_ms: int


_COLUMNS = ", ".join(Creation._fields)
INSERT = f"INSERT INTO creation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
SELECT = f"SELECT {_COLUMNS} FROM creation WHERE owner_id = ? AND idempotency_key = ?"
FORGET_OLD = "DELETE FROM creation WHERE asked_ms < ?"


def insert_creation(control: Connection, creation: Creation) -> None:
    """Keep what was made."""
    control.run(INSERT, creation)


def creation_of_key(control: Connection, owner_id: int, key: str) -> Creation | None:
    """What was made under this key."""
    rows = control.rows(SELECT, (owner_id, key))
    return Creation(*rows[0]) if rows else None


def forget_creations_before(control: Connection, before_ms: int) -> None:
    """Free the keys of what was made long ago."""
    control.run(FORGET_OLD, (before_ms,))
