"""Who is told: people by e-mail, programs by webhook. The caller opens and commits transactions."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from talktime.store.database import Connection, Row

_RECIPIENT = "id, organisation_id, email, role, language, time_zone, created_ms"
INSERT_RECIPIENT = (
    f"INSERT INTO recipient ({_RECIPIENT}) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (organisation_id, email, role) DO NOTHING"
)
SET_READER = (
    "UPDATE recipient SET language = ?, time_zone = ? WHERE organisation_id = ? AND email = ?"
)
DELETE_ROLES = "DELETE FROM recipient WHERE organisation_id = ? AND email = ? AND role = ANY(?)"
RECIPIENTS = (
    f"SELECT {_RECIPIENT} FROM recipient WHERE organisation_id = ANY(?) "
    "ORDER BY organisation_id, email, role"
)

_ENDPOINT = (
    "id, organisation_id, url, state, detail, kinds, secret, old_secret, old_until_ms, "
    "created_ms, created_by"
)
INSERT_ENDPOINT = (
    f"INSERT INTO webhook_endpoint ({_ENDPOINT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_SECRETS = (
    "UPDATE webhook_endpoint SET secret = ?, old_secret = ?, old_until_ms = ? "
    "WHERE organisation_id = ? AND id = ?"
)
SET_KINDS = "UPDATE webhook_endpoint SET kinds = ? WHERE organisation_id = ? AND id = ?"
SET_ENDPOINT_STATE = (
    "UPDATE webhook_endpoint SET state = ?, detail = ? "
    "WHERE organisation_id = ? AND id = ? AND state = ?"
)
ENDPOINTS = (
    f"SELECT {_ENDPOINT} FROM webhook_endpoint "
    "WHERE organisation_id = ANY(?) AND state <> 'removed' ORDER BY id"
)
ENDPOINT_OF_ID = (
    f"SELECT {_ENDPOINT} FROM webhook_endpoint WHERE organisation_id = ? AND id = ? FOR UPDATE"
)
LOCK_WALLET = "SELECT organisation_id FROM wallet WHERE organisation_id = ? FOR UPDATE"


class Recipient(NamedTuple):
    """One role of one person who gets mail."""

    id: int
    organisation_id: int
    email: str
    role: str
    language: str
    time_zone: str
    created_ms: int


class Endpoint(NamedTuple):
    """Where an organisation's programs are told. `kinds` is empty for all; secrets are sealed."""

    id: int
    organisation_id: int
    url: str
    state: str
    detail: str
    kinds: tuple[str, ...]
    secret: str
    old_secret: str
    old_until_ms: int | None
    created_ms: int
    created_by: str


def lock_wallet(connection: Connection, organisation_id: int) -> bool:
    """Let nobody else change who is told until the transaction ends; whether there is a wallet."""
    return bool(connection.rows(LOCK_WALLET, (organisation_id,)))


def insert_recipient(connection: Connection, recipient: Recipient) -> None:
    """A new role of a person, unless they have it."""
    connection.run(INSERT_RECIPIENT, recipient)


def set_reader(
    connection: Connection, organisation_id: int, email: str, language: str, time_zone: str
) -> None:
    """The language and the clock of a person, in all roles."""
    connection.run(SET_READER, (language, time_zone, organisation_id, email))


def delete_roles(
    connection: Connection, organisation_id: int, email: str, roles: Iterable[str]
) -> int:
    """Take roles from a person; how many they had of these."""
    return connection.run(DELETE_ROLES, [organisation_id, email, list(roles)])


def recipients_of(connection: Connection, organisation_ids: Iterable[int]) -> list[Recipient]:
    """Everybody who gets mail of these organisations, by organisation, address and role."""
    rows = connection.rows(RECIPIENTS, [sorted(set(organisation_ids))])
    return [Recipient(*row) for row in rows]


def insert_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """A new endpoint."""
    values = (*endpoint[:5], json.dumps(endpoint.kinds), *endpoint[6:])
    connection.run(INSERT_ENDPOINT, values)


def set_secrets(connection: Connection, endpoint: Endpoint) -> None:
    """Write an endpoint's secrets and until when the old one signs."""
    values = (endpoint.secret, endpoint.old_secret, endpoint.old_until_ms)
    connection.run(SET_SECRETS, (*values, endpoint.organisation_id, endpoint.id))


def set_kinds(connection: Connection, endpoint: Endpoint) -> None:
    """Write of which kinds of notices an endpoint is told."""
    key = (endpoint.organisation_id, endpoint.id)
    connection.run(SET_KINDS, (json.dumps(endpoint.kinds), *key))


def set_endpoint_state(connection: Connection, endpoint: Endpoint, state: str, detail: str) -> bool:
    """Change an endpoint's state, unless somebody else did so first."""
    key = (endpoint.organisation_id, endpoint.id, endpoint.state)
    return connection.run(SET_ENDPOINT_STATE, (state, detail, *key)) == 1


def endpoints_of(connection: Connection, organisation_ids: Iterable[int]) -> list[Endpoint]:
    """The endpoints of these organisations, oldest first, without those that were removed."""
    rows = connection.rows(ENDPOINTS, [sorted(set(organisation_ids))])
    return [_endpoint(row) for row in rows]


def endpoint_of_id(
    connection: Connection, organisation_id: int, endpoint_id: int
) -> Endpoint | None:
    """The endpoint of this id, locked until the transaction ends; removed ones too."""
    rows = connection.rows(ENDPOINT_OF_ID, (organisation_id, endpoint_id))
    return _endpoint(rows[0]) if rows else None


def _endpoint(row: Row) -> Endpoint:
    id_, organisation_id, url, state, detail, kinds, *rest = row
    return Endpoint(id_, organisation_id, url, state, detail, tuple(json.loads(kinds)), *rest)
