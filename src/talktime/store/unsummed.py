"""Which rows are not in sums that have passed their ids (table `unsummed`).

Sums follow the ids of what they are the sums of: they hold all up to their mark, but those noted
here. Ids carry time, so rows with lower ids come where a clock was set back, or is behind another.
Whoever adds rows notes, after them and in the same transaction, those at or below the sums' *line*.
The line is put before the sums go there; they go once no transaction is left that may not have seen
it, for which stands the *fence*: a transaction that began to write when the line was there.

The caller opens and commits the transaction.
"""

from collections.abc import Sequence

import msgspec

from talktime.store.database import Both, Connection, Row
from talktime.store.work_marks import (
    LEDGER,
    USAGE_DAY,
    WALLET_HOUR,
    fence_of,
    line_of,
    lock_mark,
    mark,
    put_mark,
)


def but_unsummed(name: str, id_column: str) -> str:
    """A condition: the row of this id is not noted as not being in these sums."""
    return f"NOT EXISTS (SELECT 1 FROM unsummed n WHERE n.name = '{name}' AND n.id = {id_column})"


# Ids travel as one text, so that it is one row for each of the sums, however many rows were added.
NOTE_UNSUMMED = Both(
    """
    INSERT INTO unsummed (name, id)
    SELECT b.name, CAST(i.id AS BIGINT)
    FROM unnest(?::text[], ?::text[], ?::bigint[], ?::text[]) AS b(name, line, first_id, ids)
        JOIN work_mark m ON m.name = b.line AND m.value >= b.first_id
        CROSS JOIN LATERAL json_array_elements_text(CAST(b.ids AS json)) AS i(id)
    WHERE CAST(i.id AS BIGINT) <= m.value""",
    """
    INSERT INTO unsummed (name, id)
    SELECT ?1, i.value FROM work_mark m CROSS JOIN json_each(?4) i
    WHERE m.name = ?2 AND m.value >= ?3 AND i.value <= m.value""",
)
NEWEST = {
    USAGE_DAY: "SELECT COALESCE(MAX(id), 0) FROM usage_record",
    LEDGER: "SELECT COALESCE(MAX(id), 0) FROM transfer",
    WALLET_HOUR: "SELECT COALESCE(MAX(id), 0) FROM transfer",
}
PAGE_OF_TRANSFERS = {
    name: f"""
    SELECT COUNT(*), MAX(id) FROM (
        SELECT t.id FROM transfer t WHERE t.id > ? AND t.id <= ? AND {but_unsummed(name, "t.id")}
        ORDER BY t.id LIMIT ?) p"""
    for name in (LEDGER, WALLET_HOUR)
}
# The first transaction that is not over. SQLite has one that writes at a time.
OLDEST = Both(
    "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)", "SELECT 1"
)
# This transaction: all that have begun to write before are below.
THIS = Both("SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)", "SELECT 1")
PASSED = "SELECT id FROM unsummed WHERE name = ? AND id <= ? ORDER BY id LIMIT ?"
COUNT = "SELECT COUNT(*) FROM unsummed WHERE name = ? AND id = ANY(?)"
REMOVE = "DELETE FROM unsummed WHERE name = ? AND id = ANY(?)"

_encode = msgspec.json.Encoder().encode


def noting(usage_ids: Sequence[int], transfer_ids: Sequence[int]) -> list[tuple[Both, list[Row]]]:
    """The bulk write that notes what of new usage records and transfers the sums have passed. It
    comes after those that add them."""
    rows: list[Row] = []
    for ids, names in ((usage_ids, (USAGE_DAY,)), (transfer_ids, (LEDGER, WALLET_HOUR))):
        if ids:
            first_id, text = min(ids), _encode(ids).decode()
            rows += [(name, line_of(name), first_id, text) for name in names]
    return [(NOTE_UNSUMMED, rows)] if rows else []


def passed(name: str) -> str:
    """A statement: the ids that are noted and these sums have passed. (What is noted above their
    mark is newer than they are like all that is there.)"""
    return (
        f"SELECT n.id FROM unsummed n WHERE n.name = '{name}' AND n.id <= "
        f"COALESCE((SELECT m.value FROM work_mark m WHERE m.name = '{name}'), 0)"
    )


def newest_id(connection: Connection, name: str) -> int:
    """The highest id of what these are the sums of; 0 where there is nothing."""
    return int(connection.rows(NEWEST[name])[0][0])


def page_of_transfers(
    connection: Connection, name: str, after_id: int, to_id: int, rows_max: int
) -> tuple[int, int]:
    """How many transfers there are after an id, up to another, without those noted; and up to which
    id they are, where there are more than a maximum."""
    bound = [after_id, to_id, rows_max]
    count, last_id = connection.rows(PAGE_OF_TRANSFERS[name], bound)[0]
    return count, last_id if count == rows_max else to_id


def put_line(connection: Connection, name: str, line_id: int, now_ms: int) -> None:
    """Have new rows noted from now on up to this id. The sums' mark is locked."""
    put_mark(connection, line_of(name), line_id, now_ms)
    put_mark(connection, fence_of(name), 0, now_ms)


def put_fence(connection: Connection, name: str, now_ms: int) -> None:
    """Put the line's fence, where it has none, or one of another server from which this database
    was copied. Nothing else was done in the transaction before."""
    line = mark(connection, line_of(name))
    this = int(connection.rows(THIS)[0][0])
    lock_mark(connection, name, now_ms)
    fence, _ = mark(connection, fence_of(name)) or (0, 0)
    if mark(connection, line_of(name)) == line and not 0 < fence <= this:
        put_mark(connection, fence_of(name), this, now_ms)


def is_passed(connection: Connection, name: str) -> bool:
    """Whether the line has a fence, and all transactions before it are over. In none that
    writes."""
    fence, _ = mark(connection, fence_of(name)) or (0, 0)
    return bool(0 < fence <= connection.rows(OLDEST)[0][0])


def passed_ids(connection: Connection, name: str, up_to_id: int, rows_max: int) -> list[int]:
    """The first ids that are noted, up to one."""
    return [row[0] for row in connection.rows(PASSED, [name, up_to_id, rows_max])]


def are_noted(connection: Connection, name: str, ids: Sequence[int]) -> bool:
    """Whether all of these are still noted."""
    return bool(connection.rows(COUNT, [name, list(ids)])[0][0] == len(ids))


def remove(connection: Connection, name: str, ids: Sequence[int]) -> None:
    """Take ids away that are in the sums now."""
    connection.run(REMOVE, [name, list(ids)])
