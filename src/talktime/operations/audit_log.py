"""The audit log: what was changed, by whom, from where; of the control plane and cells together."""

from collections.abc import Iterable

from talktime.core.audit import Change
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.store.audit import Sought, changes_before
from talktime.store.database import Connection


def list_changes(
    connections: Iterable[Connection], sought: Sought, *, limit: int = PAGE_ROWS_MAX
) -> list[Change]:
    """What is looked for in these databases, the newest first, at most `limit`; the next page is
    before the last one's (at_ms, id)."""
    found: list[Change] = []
    for connection in connections:
        with connection.reading():
            found += changes_before(connection, sought, limit)
    found.sort(key=lambda change: (change.at_ms, change.id), reverse=True)
    return found[:limit]
