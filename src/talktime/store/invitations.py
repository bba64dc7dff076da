"""Invitations to look after an organisation. The caller opens and commits the transaction."""

from typing import NamedTuple

from talktime.store.database import Connection

_COLUMNS = (
    "id, organisation_id, email, role, secret_hash, invited_by, created_ms, expires_ms, "
    "accepted_ms, revoked_ms"
)
INSERT_INVITATION = f"INSERT INTO invitation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INVITATION_OF_HASH = f"SELECT {_COLUMNS} FROM invitation WHERE secret_hash = ? FOR UPDATE"
INVITATION_OF_ID = (
    f"SELECT {_COLUMNS} FROM invitation WHERE organisation_id = ? AND id = ? FOR UPDATE"
)
OPEN_INVITATIONS = (
    f"SELECT {_COLUMNS} FROM invitation WHERE organisation_id = ? "
    "AND accepted_ms IS NULL AND revoked_ms IS NULL ORDER BY created_ms DESC, id DESC LIMIT ?"
)
OPEN_BY_EMAIL = (
    f"SELECT {_COLUMNS} FROM invitation WHERE email = ? AND expires_ms > ? "
    "AND accepted_ms IS NULL AND revoked_ms IS NULL ORDER BY id"
)
INVITED_SINCE = "SELECT COUNT(*) FROM invitation WHERE organisation_id = ? AND created_ms >= ?"
ACCEPT = "UPDATE invitation SET accepted_ms = ? WHERE id = ?"
REVOKE = "UPDATE invitation SET revoked_ms = ? WHERE id = ?"


class Invitation(NamedTuple):
    """Somebody was asked by mail; of the link's secret only the SHA-256 is kept."""

    id: int
    organisation_id: int
    email: str
    role: str
    secret_hash: str
    invited_by: str
    created_ms: int
    expires_ms: int
    accepted_ms: int | None = None
    revoked_ms: int | None = None

    def is_open(self, now_ms: int) -> bool:
        """Whether it can be accepted."""
        over = self.accepted_ms is not None or self.revoked_ms is not None
        return not over and now_ms < self.expires_ms


def insert_invitation(connection: Connection, invitation: Invitation) -> None:
    """A new invitation."""
    connection.run(INSERT_INVITATION, invitation)


def invitation_of_hash(connection: Connection, secret_hash: str) -> Invitation | None:
    """The invitation whose link has the secret of this hash."""
    rows = connection.rows(INVITATION_OF_HASH, (secret_hash,))
    return Invitation(*rows[0]) if rows else None


def invitation_of_id(connection: Connection, organisation_id: int, id_: int) -> Invitation | None:
    """One invitation of an organisation."""
    rows = connection.rows(INVITATION_OF_ID, (organisation_id, id_))
    return Invitation(*rows[0]) if rows else None


def waiting_invitations(
    connection: Connection, organisation_id: int, limit: int
) -> list[Invitation]:
    """Those neither accepted nor revoked, expired ones too, the newest first."""
    return [Invitation(*row) for row in connection.rows(OPEN_INVITATIONS, (organisation_id, limit))]


def open_invitations_of(connection: Connection, email: str, now_ms: int) -> list[Invitation]:
    """All that somebody can accept now."""
    return [Invitation(*row) for row in connection.rows(OPEN_BY_EMAIL, (email, now_ms))]


def invited_since(connection: Connection, organisation_id: int, since_ms: int) -> int:
    """How many invitations an organisation sent since then."""
    return int(connection.rows(INVITED_SINCE, (organisation_id, since_ms))[0][0])


def accept_invitation(connection: Connection, id_: int, now_ms: int) -> None:
    """It was accepted."""
    connection.run(ACCEPT, (now_ms, id_))


def revoke_invitation(connection: Connection, id_: int, now_ms: int) -> None:
    """It is not to be accepted any more."""
    connection.run(REVOKE, (now_ms, id_))
