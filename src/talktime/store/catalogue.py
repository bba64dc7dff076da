"""The catalogue in the control plane: its dated entries, a row each, read whole and written.

It is small and read as one: whoever writes moves the counter `catalogue` in the same transaction,
and readers that see it moved read all of it again.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from talktime.core.catalogue import Catalogues, Entry
from talktime.core.limits import CATALOGUES_CACHED_MAX
from talktime.store.catalogue_bodies import body_text, parsed_body
from talktime.store.database import Connection, Row
from talktime.store.revisions import bump
from talktime.store.tables import Table

CATALOGUE = "catalogue"

CATALOGUE_ROW = Table(
    "catalogue_row",
    {
        "id": "bigint",
        "kind": "text",
        "code": "text",
        "valid_from_ms": "bigint",
        "body": "text",
        "revision": "bigint",
    },
)

ENTRIES = "SELECT kind, code, valid_from_ms, body FROM catalogue_row"
SET_ENTRY = (
    "UPDATE catalogue_row SET body = ?, revision = ? "
    "WHERE kind = ? AND code = ? AND valid_from_ms = ?"
)


def load_catalogues(connection: Connection) -> Catalogues:
    """All entries, whenever they begin.

    The same object for the same rows, however often they are read: what is worked out by a
    catalogue (core/entitlements.py) is worked out once, and does not keep one for each request.
    """
    return _catalogues_of(tuple(connection.rows(ENTRIES)))


@lru_cache(CATALOGUES_CACHED_MAX)
def _catalogues_of(rows: tuple[Row, ...]) -> Catalogues:
    return Catalogues(
        Entry(kind, code, valid_from_ms, parsed_body(kind, body))
        for kind, code, valid_from_ms, body in rows
    )


def write_entries(
    connection: Connection,
    new: Iterable[Entry],
    replaced: Iterable[Entry],
    next_id: Callable[[], int],
) -> None:
    """Add entries, and write others anew that are there with the same start.

    The caller has locked the counter (`store.revisions.lock`) and holds the transaction.
    """
    revision = bump(connection, CATALOGUE)
    added = [(next_id(), *entry[:3], body_text(entry.value), revision) for entry in new]
    if added:
        connection.write_all([(CATALOGUE_ROW.insert(), added)])
    for entry in replaced:
        connection.run(SET_ENTRY, (body_text(entry.value), revision, *entry[:3]))
