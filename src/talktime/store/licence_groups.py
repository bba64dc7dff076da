"""Groups of users with licences, in the organisation's cell. The caller opens and commits the
transaction; `lock(connection, USERS)` comes first, for a group's licences are its members'."""

import json

from talktime.core.licensing import LicenceGroup
from talktime.store.database import Connection, Row
from talktime.store.users import words_text

INSERT_GROUP = "INSERT INTO licence_group (id, organisation_id, name, licences) VALUES (?, ?, ?, ?)"
SET_GROUP = "UPDATE licence_group SET licences = ? WHERE organisation_id = ? AND id = ?"
DELETE_GROUP = "DELETE FROM licence_group WHERE organisation_id = ? AND id = ?"
GROUPS_BY_NAME = (
    "SELECT id, organisation_id, name, licences FROM licence_group WHERE organisation_id = ? "
    "ORDER BY name"
)


def insert_group(connection: Connection, group: LicenceGroup) -> None:
    """A new group, without members."""
    values = (*group[:3], words_text(group.licences))
    connection.run(INSERT_GROUP, values)


def update_group(connection: Connection, group: LicenceGroup) -> None:
    """Write a group's licences: the rest stays."""
    values = (words_text(group.licences), group.organisation_id, group.id)
    connection.run(SET_GROUP, values)


def delete_group(connection: Connection, group: LicenceGroup) -> None:
    """Forget a group; its members are written by the caller."""
    connection.run(DELETE_GROUP, (group.organisation_id, group.id))


def groups_by_name(connection: Connection, organisation_id: int) -> list[LicenceGroup]:
    """All groups of an organisation, by name."""
    return [_group(row) for row in connection.rows(GROUPS_BY_NAME, (organisation_id,))]


def _group(row: Row) -> LicenceGroup:
    id_, organisation_id, name, licences = row
    return LicenceGroup(id_, organisation_id, name, frozenset(json.loads(licences)))
