"""SQL for what programs had made under an idempotency key. It is kept beside the thing, in the
control plane or in a cell. The caller opens and commits the transaction, in which the thing itself
is made too."""

from typing import NamedTuple

from talktime.store.database import Connection
from talktime.store.recipients import lock_wallet
from talktime.store.revisions import KEYS, lock


class Creation(NamedTuple):
    """What was asked for (its hash) under a key, and the answer without its secret."""

    idempotency_key: str
    body_hash: int
    answer: str
    asked_ms: int


_COLUMNS = ", ".join(Creation._fields)
INSERT = f"INSERT INTO creation (owner_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
SELECT = f"SELECT {_COLUMNS} FROM creation WHERE owner_id = ? AND idempotency_key = ?"
FORGET_OLD = "DELETE FROM creation WHERE asked_ms < ?"
INSERT_IN_CELL = f"INSERT INTO creation (organisation_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
SELECT_IN_CELL = (
    f"SELECT {_COLUMNS} FROM creation WHERE organisation_id = ? AND idempotency_key = ?"
)
FORGET_OLD_IN_CELL = "DELETE FROM creation WHERE organisation_id = ? AND asked_ms < ?"


class Creations(NamedTuple):
    """What one owner had made in one database: an organisation, or 0 for the operator, whose things
    are in the control plane alone."""

    connection: Connection
    owner_id: int
    in_cell: bool

    def wait(self) -> None:
        """Let nobody else of the same owner make anything until the transaction ends. What makes a
        thing takes this lock too."""
        if self.in_cell:
            lock_wallet(self.connection, self.owner_id)
        else:
            lock(self.connection, KEYS)

    def keep(self, creation: Creation) -> None:
        """Keep what was made."""
        self.connection.run(INSERT_IN_CELL if self.in_cell else INSERT, (self.owner_id, *creation))

    def of_key(self, key: str) -> Creation | None:
        """What was made under this key."""
        statement = SELECT_IN_CELL if self.in_cell else SELECT
        rows = self.connection.rows(statement, (self.owner_id, key))
        return Creation(*rows[0]) if rows else None

    def forget_before(self, before_ms: int) -> None:
        """Free the keys of what was made long ago."""
        if self.in_cell:
            self.connection.run(FORGET_OLD_IN_CELL, (self.owner_id, before_ms))
        else:
            self.connection.run(FORGET_OLD, (before_ms,))
