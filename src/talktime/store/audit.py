"""Audit entries, in the control plane and in each cell. The caller opens and commits."""

import json

from talktime.core.audit import Actor, Change
from talktime.store.database import Connection, Row

_COLUMNS = "id, organisation_id, actor_kind, actor, place, action, subject, before, after, at_ms"
INSERT_CHANGE = f"INSERT INTO audit_entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
CHANGES_BEFORE = (
    f"SELECT {_COLUMNS} FROM audit_entry WHERE organisation_id = ? AND (at_ms, id) < (?, ?) "
    "ORDER BY at_ms DESC, id DESC LIMIT ?"
)


def insert_change(connection: Connection, change: Change) -> None:
    """Keep one change."""
    actor = change.actor
    values = (
        *(change.id, change.organisation_id, actor.kind, actor.name[:254], actor.place[:64]),
        *(change.action, change.subject[:254]),
        *(json.dumps(dict(change.before)), json.dumps(dict(change.after)), change.at_ms),
    )
    connection.run(INSERT_CHANGE, values)


def changes_before(
    connection: Connection, organisation_id: int, before: tuple[int, int], limit: int
) -> list[Change]:
    """An organisation's changes before (at_ms, id), the newest first."""
    params = (organisation_id, *before, limit)
    return [_change(row) for row in connection.rows(CHANGES_BEFORE, params)]


def _change(row: Row) -> Change:
    id_, organisation_id, kind, name, place, action, subject, before, after, at_ms = row
    actor = Actor(kind, name, place)
    facts = json.loads(before), json.loads(after)
    return Change(id_, organisation_id, actor, action, subject, *facts, at_ms)
