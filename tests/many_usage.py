"""A statement with very many usage records on it, and how much memory it takes to read them."""

import gc
import tracemalloc

from talktime.store.database import Connection
from talktime.store.tables import USAGE_RECORD

FIRST_ID = 2**59
COPIED = ", ".join(name for name in USAGE_RECORD.columns if name != "id")
SERIES = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
COPY_USAGE = f"""
    INSERT INTO usage_record (id, {COPIED})
    {SERIES} SELECT CAST(? AS BIGINT) + n.i, {COPIED} FROM n, usage_record u WHERE u.id = ?"""
COPY_PLACE = f"""
    INSERT INTO post_statement_usage (usage_id, organisation_id, statement_id)
    {SERIES} SELECT CAST(? AS BIGINT) + n.i, organisation_id, statement_id
    FROM n, post_statement_usage p WHERE p.usage_id = ?"""


def multiply_usage(connection: Connection, copies: int) -> None:
    """Copies of the only usage record on a statement, on it too."""
    with connection.transaction():
        ((usage_id,),) = connection.rows("SELECT usage_id FROM post_statement_usage")
        for statement in (COPY_USAGE, COPY_PLACE):
            connection.run(statement, [copies, FIRST_ID, usage_id])


class Peak:
    """How much more memory was in use at once while the block ran than before it: `bytes`."""

    bytes = 0

    def __enter__(self) -> "Peak":
        gc.collect()
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
