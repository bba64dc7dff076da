"""Reports that people keep under a name. The caller opens and commits the transaction."""

from typing import NamedTuple

from talktime.store.database import Connection

_COLUMNS = "id, organisation_id, name, page, query, created_by, created_ms"
INSERT_VIEW = f"INSERT INTO saved_view ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
VIEWS = (
    f"SELECT {_COLUMNS} FROM saved_view WHERE organisation_id = ? AND page = ? ORDER BY name, id"
)
DELETE_VIEW = "DELETE FROM saved_view WHERE organisation_id = ? AND id = ?"
LOCK_OWNER = "SELECT organisation_id FROM wallet WHERE organisation_id = ? FOR UPDATE"


class SavedView(NamedTuple):
    """The filters and columns of a page, as its address has them."""

    id: int
    organisation_id: int
    name: str
    page: str
    query: str
    created_by: str
    created_ms: int


def lock_views(connection: Connection, organisation_id: int) -> None:
    """Nobody else saves a view of the organisation until the transaction ends."""
    connection.rows(LOCK_OWNER, [organisation_id])


def insert_view(connection: Connection, view: SavedView) -> None:
    """A new view."""
    connection.run(INSERT_VIEW, list(view))


def views_of(connection: Connection, organisation_id: int, page: str) -> list[SavedView]:
    """An organisation's views of a page, by name."""
    return [SavedView(*row) for row in connection.rows(VIEWS, [organisation_id, page])]


def delete_view(connection: Connection, organisation_id: int, view_id: int) -> None:
    """Take a view away."""
    connection.run(DELETE_VIEW, [organisation_id, view_id])
