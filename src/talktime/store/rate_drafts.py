"""Rate files that were checked and wait to be published, in the control plane. The caller opens and
commits the transaction."""

from typing import NamedTuple

from talktime.store.database import Connection

_ABOUT = "id, name, currency, source, valid_from_ms, row_count, made_ms, made_by"
INSERT_DRAFT = f"INSERT INTO rate_draft ({_ABOUT}, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
DRAFT_OF_ID = f"SELECT {_ABOUT} FROM rate_draft WHERE id = ?"
LOCKED_DRAFT = f"{DRAFT_OF_ID} FOR UPDATE"
DRAFTS = f"SELECT {_ABOUT} FROM rate_draft ORDER BY id DESC LIMIT ?"
CONTENT = "SELECT content FROM rate_draft WHERE id = ?"
DELETE_DRAFT = "DELETE FROM rate_draft WHERE id = ?"


class RateDraft(NamedTuple):
    """A file without its content. `valid_from_ms`: None for when it is published."""

    id: int
    name: str
    currency: str
    source: str
    valid_from_ms: int | None
    row_count: int
    made_ms: int
    made_by: str


def insert_draft(connection: Connection, draft: RateDraft, content: str) -> None:
    """Keep a draft."""
    connection.run(INSERT_DRAFT, (*draft, content))


def draft_of_id(connection: Connection, draft_id: int, *, locked: bool = False) -> RateDraft | None:
    """One draft; `locked` until the transaction ends."""
    rows = connection.rows(LOCKED_DRAFT if locked else DRAFT_OF_ID, [draft_id])
    return RateDraft(*rows[0]) if rows else None


def drafts(connection: Connection, rows_max: int) -> list[RateDraft]:
    """The drafts there are, the latest first."""
    return [RateDraft(*row) for row in connection.rows(DRAFTS, [rows_max])]


def content_of(connection: Connection, draft_id: int) -> str:
    """The content of a draft; empty where it is gone."""
    rows = connection.rows(CONTENT, [draft_id])
    return str(rows[0][0]) if rows else ""


def delete_draft(connection: Connection, draft_id: int) -> int:
    """Throw a draft away; how many there were."""
    return connection.run(DELETE_DRAFT, [draft_id])
