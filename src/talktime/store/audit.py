"""Audit entries, in the control plane and in each cell. The caller opens and commits."""

import json
import re
from typing import NamedTuple

from talktime.core.audit import Actor, Change
from talktime.core.ids import ID_MAX
from talktime.store.database import Connection, Row

_COLUMNS = "id, organisation_id, actor_kind, actor, place, action, subject, before, after, at_ms"
LAST = (ID_MAX, ID_MAX)
"""After all moments and ids."""
INSERT_CHANGE = f"INSERT INTO audit_entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SOUGHT = (
    "(at_ms, id) < (?, ?) AND at_ms >= ? AND (CAST(? AS text) = '' OR action = ?) "
    "AND LOWER(actor) LIKE ? ESCAPE '!' ORDER BY at_ms DESC, id DESC LIMIT ?"
)
CHANGES_OF = f"SELECT {_COLUMNS} FROM audit_entry WHERE organisation_id = ? AND {_SOUGHT}"
CHANGES = f"SELECT {_COLUMNS} FROM audit_entry WHERE {_SOUGHT}"
# A fact's name in its JSON quotes is found in no value: there the quotes are escaped.
SWITCHED = (
    f"SELECT {_COLUMNS} FROM audit_entry WHERE organisation_id = ? AND at_ms >= ? "
    "AND (at_ms, id) < (?, ?) AND (action = 'user.changed' AND after LIKE ? "
    "OR action = 'user.created' AND after LIKE ?) ORDER BY at_ms DESC, id DESC LIMIT ?"
)


class Sought(NamedTuple):
    """Which changes are looked for: those of an organisation (None: all there are), of an action
    and of actors whose name holds a text ('': all), from a moment on and before another."""

    organisation_id: int | None
    action: str = ""
    actor: str = ""
    from_ms: int = 0
    before: tuple[int, int] = LAST


def insert_change(connection: Connection, change: Change) -> None:
    """Keep one change."""
    actor = change.actor
    values = (
        *(change.id, change.organisation_id, actor.kind, actor.name[:254], actor.place[:64]),
        *(change.action, change.subject[:254]),
        *(json.dumps(dict(change.before)), json.dumps(dict(change.after)), change.at_ms),
    )
    connection.run(INSERT_CHANGE, values)


def changes_before(connection: Connection, sought: Sought, limit: int) -> list[Change]:
    """What is looked for before (at_ms, id), the newest first."""
    name = re.sub("([!%_])", r"!\1", sought.actor.lower())
    params = (*sought.before, sought.from_ms, sought.action, sought.action, f"%{name}%", limit)
    if sought.organisation_id is None:
        return [_change(row) for row in connection.rows(CHANGES, params)]
    rows = connection.rows(CHANGES_OF, (sought.organisation_id, *params))
    return [_change(row) for row in rows]


def users_switched_before(
    connection: Connection, organisation_id: int, from_ms: int, before: tuple[int, int], limit: int
) -> list[Change]:
    """The changes that switched a user off or on, those who were made switched off too, since a
    moment and before (at_ms, id), the newest first."""
    switched, made_off = '%"active": %', '%"active": false%'
    params = (organisation_id, from_ms, *before, switched, made_off, limit)
    return [_change(row) for row in connection.rows(SWITCHED, params)]


def _change(row: Row) -> Change:
    id_, organisation_id, kind, name, place, action, subject, before, after, at_ms = row
    actor = Actor(kind, name, place)
    facts = json.loads(before), json.loads(after)
    return Change(id_, organisation_id, actor, action, subject, *facts, at_ms)
