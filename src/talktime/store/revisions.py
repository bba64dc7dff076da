"""What has changed: the counters that whoever keeps rows in memory follows.

Each kind of row has a counter in table `revision`. Whoever changes a row moves the counter in the
same transaction and stamps the row with its value. The counter's row stays locked until the commit,
so revisions become visible in their order, and a reader that has seen one has seen all before it.

The caller opens and commits the transaction; before it looks at what is there and decides to write,
it calls `lock`, so that nobody else does the same in between.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from talktime.store.database import Both, Connection, Row

DIRECTORY, KEYS, USERS = "directory", "keys", "users"
DOCUMENTS = "documents"
"""Counts the documents of a cell: the number that the latest has."""

READ_ROWS = 20_000
# Far fewer than a page: rows of one revision are read together, so what a page has of its last
# revision is read once more with the next page.
WRITE_ROWS = 1_000

REVISIONS = "SELECT name, value FROM revision"
LOCK_REVISION = "SELECT value FROM revision WHERE name = ? FOR UPDATE"
BUMP_REVISION = "UPDATE revision SET value = value + 1 WHERE name = ? RETURNING value"

Value = TypeVar("Value")


class Page(NamedTuple, Generic[Value]):
    """Rows that changed, in the order of their revisions; all up to `revision` are in."""

    rows: list[Value]
    revision: int


def revisions(connection: Connection) -> dict[str, int]:
    """All counters of one database: cheap to ask for, and moved by every change."""
    return dict(connection.rows(REVISIONS))


def lock(connection: Connection, counter: str) -> None:
    """Let nobody else change rows of this counter until the transaction ends."""
    connection.rows(LOCK_REVISION, (counter,))


def bump(connection: Connection, counter: str) -> int:
    """Move a counter on and return its new value, the revision of the rows written with it."""
    return int(connection.rows(BUMP_REVISION, (counter,))[0][0])


def pages_after(
    connection: Connection,
    statement: str,
    seen: int,
    value_of: Callable[[Row], Value],
    rows_max: int = READ_ROWS,
) -> Iterator[Page[Value]]:
    """Rows above the revision `seen`, some thousands at a time; never a part of one revision."""
    full = True
    while full:
        rows = connection.rows(statement, (seen, rows_max))
        full = len(rows) == rows_max
        if full:
            last = rows[-1][-1]
            rows = [row for row in rows if row[-1] != last]
            if not rows:
                raise ValueError(f"{rows_max} rows of revision {last}: more than are read at once")
        if rows:
            seen = rows[-1][-1]
            yield Page([value_of(row) for row in rows], seen)


def write_rows(
    connection: Connection,
    statement: Both,
    counter: str,
    rows: Iterable[tuple[Any, ...]],
    rows_max: int = WRITE_ROWS,
) -> None:
    """Write many rows, each with its revision as its last column, in revisions of some thousands.

    Raises RuntimeError where other rows were touched than bound.
    """
    remaining = iter(rows)
    while chunk := list(islice(remaining, rows_max)):
        revision = bump(connection, counter)
        [touched] = connection.write_all([(statement, [(*row, revision) for row in chunk])])
        if touched != len(chunk):
            raise RuntimeError(f"{touched} rows were written, not {len(chunk)}")


@lru_cache(65_536)
def one_of_equals(organisation_id: int) -> int:
    """The same object for the same id: a million users then share a few thousand."""
    return organisation_id
