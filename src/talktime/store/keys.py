"""Switches and their API keys in the control plane. The caller opens and commits transactions."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from talktime.core.keys import ApiKey
from talktime.store.database import Connection, Row
from talktime.store.revisions import KEYS, Page, bump, pages_after

INSERT_SWITCH = "INSERT INTO switch (id, name, operator, created_ms) VALUES (?, ?, ?, ?)"
SWITCH_OF_NAME = "SELECT id, name, operator, created_ms FROM switch WHERE name = ?"
SWITCH_OF_ID = "SELECT id, name, operator, created_ms FROM switch WHERE id = ?"
SWITCHES_BY_NAME = (
    "SELECT id, name, operator, created_ms FROM switch WHERE name > ? ORDER BY name LIMIT ?"
)

_KEY_COLUMNS = (
    "id, switch_id, name, secret_hash, scopes, expires_ms, revoked_ms, organisation_id, used_ms, "
    "made_by"
)
INSERT_KEY = (
    f"INSERT INTO api_key ({_KEY_COLUMNS}, created_ms, revision) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_KEY = "UPDATE api_key SET expires_ms = ?, revoked_ms = ?, revision = ? WHERE id = ?"
KEY_OF_ID = f"SELECT {_KEY_COLUMNS} FROM api_key WHERE id = ?"
CREATED_OF_KEY = "SELECT created_ms FROM api_key WHERE id = ?"
KEY_OF_HASH = f"SELECT {_KEY_COLUMNS} FROM api_key WHERE secret_hash = ?"
KEYS_BY_ID = f"SELECT {_KEY_COLUMNS} FROM api_key WHERE id > ? ORDER BY id LIMIT ?"
KEYS_OF_ORGANISATION = (
    f"SELECT {_KEY_COLUMNS} FROM api_key WHERE organisation_id = ? AND id < ? "
    "ORDER BY id DESC LIMIT ?"
)
KEYS_OF_SWITCH = (
    f"SELECT {_KEY_COLUMNS} FROM api_key WHERE switch_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
)
SET_USED = "UPDATE api_key SET used_ms = ? WHERE id = ? AND (used_ms IS NULL OR used_ms <= ?)"
KEYS_OF_SWITCHES = f"SELECT {_KEY_COLUMNS} FROM api_key WHERE switch_id = ANY(?) ORDER BY id"
KEYS_AFTER = (
    f"SELECT {_KEY_COLUMNS}, revision FROM api_key WHERE revision > ? ORDER BY revision LIMIT ?"
)


class Switch(NamedTuple):
    """A switch or conference bridge, and the operator whose it is."""

    id: int
    name: str
    operator: str
    created_ms: int


def keys_after(connection: Connection, seen: int) -> Iterator[Page[ApiKey]]:
    """Keys changed since the `keys` revision `seen` (0: all)."""
    return pages_after(connection, KEYS_AFTER, seen, _key)


def insert_switch(connection: Connection, switch: Switch) -> None:
    """A new switch. The caller holds `lock(connection, KEYS)`."""
    connection.run(INSERT_SWITCH, switch)


def switch_named(connection: Connection, name: str) -> Switch | None:
    """The switch of exactly this name."""
    rows = connection.rows(SWITCH_OF_NAME, (name,))
    return Switch(*rows[0]) if rows else None


def switch_of_id(connection: Connection, switch_id: int) -> Switch | None:
    """The switch of this id."""
    rows = connection.rows(SWITCH_OF_ID, (switch_id,))
    return Switch(*rows[0]) if rows else None


def switches_by_name(connection: Connection, after: str, limit: int) -> list[Switch]:
    """Switches whose names come after this one, by name."""
    return [Switch(*row) for row in connection.rows(SWITCHES_BY_NAME, (after, limit))]


def insert_key(connection: Connection, key: ApiKey, created_ms: int) -> None:
    """A new key."""
    values = (*key[:4], json.dumps(sorted(key.scopes)), *key[5:])
    connection.run(INSERT_KEY, (*values, created_ms, bump(connection, KEYS)))


def update_key(connection: Connection, key: ApiKey) -> None:
    """Write when a key expires and when it was revoked: the rest of a key stays."""
    values = (key.expires_ms, key.revoked_ms, bump(connection, KEYS), key.id)
    connection.run(SET_KEY, values)


def key_of_id(connection: Connection, key_id: int) -> ApiKey | None:
    """The key of this id."""
    rows = connection.rows(KEY_OF_ID, (key_id,))
    return _key(rows[0]) if rows else None


def created_of(connection: Connection, key_id: int) -> int:
    """When the key of this id was made, in ms since the epoch."""
    ((created_ms,),) = connection.rows(CREATED_OF_KEY, (key_id,))
    return int(created_ms)


def key_of_hash(connection: Connection, secret_hash: str) -> ApiKey | None:
    """The key whose text has this SHA-256 (hex)."""
    rows = connection.rows(KEY_OF_HASH, (secret_hash,))
    return _key(rows[0]) if rows else None


def keys_by_id(connection: Connection, after: int, limit: int) -> list[ApiKey]:
    """Keys after this id, oldest first."""
    return [_key(row) for row in connection.rows(KEYS_BY_ID, (after, limit))]


def keys_of_organisation(
    connection: Connection, organisation_id: int, before: int, limit: int
) -> list[ApiKey]:
    """An organisation's own keys before this id, the newest first."""
    rows = connection.rows(KEYS_OF_ORGANISATION, (organisation_id, before, limit))
    return [_key(row) for row in rows]


def keys_of_switch(connection: Connection, switch_id: int, before: int, limit: int) -> list[ApiKey]:
    """A switch's keys before this id, the newest first."""
    return [_key(row) for row in connection.rows(KEYS_OF_SWITCH, (switch_id, before, limit))]


def set_used(connection: Connection, key_id: int, used_ms: int, unless_after_ms: int) -> None:
    """Write when a key was last used, unless that was written since then. Nobody who keeps keys in
    memory is told."""
    connection.run(SET_USED, (used_ms, key_id, unless_after_ms))


def keys_of_switches(connection: Connection, switch_ids: Iterable[int]) -> list[ApiKey]:
    """The keys of these switches, oldest first."""
    return [_key(row) for row in connection.rows(KEYS_OF_SWITCHES, [sorted(switch_ids)])]


def _key(row: Row) -> ApiKey:
    id_, switch_id, name, secret_hash, scopes, *rest = row
    return ApiKey(id_, switch_id, name, secret_hash, frozenset(json.loads(scopes)), *rest[:5])
