"""The peers of switches in the control plane. The caller opens and commits transactions."""

from ipaddress import ip_network

from talktime.core.peers import Peer
from talktime.store.database import Connection, Row
from talktime.store.revisions import KEYS, bump

_COLUMNS = (
    "id, switch_id, protocol, name, realm, addresses, tls, plus, disconnect_to, created_ms, "
    "revoked_ms, made_by"
)
INSERT_PEER = (
    f"INSERT INTO peer ({_COLUMNS}, sealed_secret) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
REVOKE_PEER = "UPDATE peer SET revoked_ms = ? WHERE id = ?"
PEERS = f"SELECT {_COLUMNS}, sealed_secret FROM peer WHERE revoked_ms IS NULL ORDER BY id LIMIT ?"
PEERS_BY_ID = f"SELECT {_COLUMNS} FROM peer WHERE id > ? ORDER BY id LIMIT ?"
PEERS_OF_SWITCH = f"SELECT {_COLUMNS} FROM peer WHERE switch_id = ? AND id > ? ORDER BY id LIMIT ?"
PEER_OF_ID = f"SELECT {_COLUMNS} FROM peer WHERE id = ?"


def insert_peer(connection: Connection, peer: Peer, sealed_secret: str) -> None:
    """A new peer. The caller holds `lock(connection, KEYS)`."""
    networks = ",".join(map(str, peer.networks))
    connection.run(INSERT_PEER, (*peer[:5], networks, *peer[6:12], sealed_secret))
    bump(connection, KEYS)


def revoke_peer(connection: Connection, peer_id: int, now_ms: int) -> None:
    """From now on it is nobody's. The caller holds `lock(connection, KEYS)`."""
    connection.run(REVOKE_PEER, (now_ms, peer_id))
    bump(connection, KEYS)


def peers_in_use(connection: Connection, rows_max: int) -> list[tuple[Peer, str]]:
    """All peers that are not revoked, each with its sealed secret."""
    return [(_peer(row), row[-1]) for row in connection.rows(PEERS, (rows_max,))]


def peers_by_id(connection: Connection, after: int, limit: int) -> list[Peer]:
    """Peers after this id, oldest first."""
    return [_peer(row) for row in connection.rows(PEERS_BY_ID, (after, limit))]


def peers_of_switch(
    connection: Connection, switch_id: int, rows_max: int, *, after: int = 0
) -> list[Peer]:
    """The peers of a switch after this id, oldest first."""
    rows = connection.rows(PEERS_OF_SWITCH, (switch_id, after, rows_max))
    return [_peer(row) for row in rows]


def peer_of_id(connection: Connection, peer_id: int) -> Peer | None:
    """The peer of this id."""
    rows = connection.rows(PEER_OF_ID, (peer_id,))
    return _peer(rows[0]) if rows else None


def _peer(row: Row) -> Peer:
    id_, switch_id, protocol, name, realm, addresses, tls, plus, *rest = row[:12]
    networks = tuple([ip_network(text) for text in addresses.split(",") if text])
    return Peer(id_, switch_id, protocol, name, realm, networks, bool(tls), bool(plus), *rest)
