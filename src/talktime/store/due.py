"""What has come due in a cell: calls past their deadline, lots past their expiry, calls to forget.

Reads look without a lock, a page at a time; what is then done locks the wallets and looks again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from talktime.store.database import Connection
from talktime.store.load import LOCK_WALLETS

CALLS_TO_SWEEP = """
    SELECT organisation_id, id, switch_id, call_key, deadline_ms, sweep_ms FROM call
    WHERE state = 'open' AND sweep_ms <= ? AND (sweep_ms, id) > (?, ?)
    ORDER BY sweep_ms, id LIMIT ?"""
SWEEP_AT_DEADLINE = (
    "UPDATE call SET sweep_ms = deadline_ms "
    "WHERE organisation_id = ANY(?) AND id = ANY(?) AND state = 'open'"
)
WALLETS_WITH_EXPIRED_LOTS = """
    SELECT DISTINCT organisation_id FROM lot
    WHERE organisation_id > ? AND NOT spent AND expires_ms <= ? AND remaining_micros > held_micros
    ORDER BY organisation_id LIMIT ?"""
# A refused call was never closed; its deadline is when it was last asked about.
CALLS_CLOSED_BEFORE = """
    SELECT id, organisation_id FROM call
    WHERE id > ? AND id < ? AND state <> 'open' AND COALESCE(closed_ms, deadline_ms) < ?
    ORDER BY id LIMIT ?"""
FORGET_CALLS = """
    DELETE FROM call
    WHERE organisation_id = ANY(?) AND id = ANY(?) AND state <> 'open'
        AND COALESCE(closed_ms, deadline_ms) < ?
        AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.call_id = call.id AND a.at_ms >= ?)
    RETURNING id"""
FORGET_ANSWERS = "DELETE FROM answer WHERE organisation_id = ANY(?) AND call_id = ANY(?)"


class CallToSweep(NamedTuple):
    """An open call whose time to be looked at has come. Its deadline may have moved on."""

    organisation_id: int
    id: int
    switch_id: int
    call_key: str
    deadline_ms: int
    sweep_ms: int


def calls_to_sweep(
    connection: Connection, now_ms: int, after: tuple[int, int], rows_max: int
) -> list[CallToSweep]:
    """A page of open calls to be looked at, in order, after (sweep_ms, id)."""
    rows = connection.rows(CALLS_TO_SWEEP, [now_ms, *after, rows_max])
    return [CallToSweep(*row) for row in rows]


def sweep_at_deadline(connection: Connection, calls: Sequence[CallToSweep]) -> None:
    """Look at these calls again when their deadline, as it stands now, has passed."""
    organisation_ids = _lock_wallets(connection, [call.organisation_id for call in calls])
    connection.run(SWEEP_AT_DEADLINE, [organisation_ids, [call.id for call in calls]])


def wallets_with_expired_lots(
    connection: Connection, now_ms: int, after_id: int, rows_max: int
) -> list[int]:
    """A page of organisations with free money in expired lots, in order of their ids."""
    rows = connection.rows(WALLETS_WITH_EXPIRED_LOTS, [after_id, now_ms, rows_max])
    return [row[0] for row in rows]


def calls_closed_before(
    connection: Connection, moment_ms: int, after_id: int, below_id: int, rows_max: int
) -> list[tuple[int, int]]:
    """A page of calls that were over before a moment, as (id, organisation_id), by id."""
    rows = connection.rows(CALLS_CLOSED_BEFORE, [after_id, below_id, moment_ms, rows_max])
    return [(row[0], row[1]) for row in rows]


def forget(connection: Connection, calls: Sequence[tuple[int, int]], moment_ms: int) -> int:
    """Delete calls and their answers, but those of which anything was asked since a moment."""
    organisation_ids = _lock_wallets(connection, [call[1] for call in calls])
    ids = [call[0] for call in calls]
    rows = connection.rows(FORGET_CALLS, [organisation_ids, ids, moment_ms, moment_ms])
    forgotten = [row[0] for row in rows]
    if forgotten:
        connection.run(FORGET_ANSWERS, [organisation_ids, forgotten])
    return len(forgotten)


def _lock_wallets(connection: Connection, organisation_ids: Sequence[int]) -> list[int]:
    in_order = sorted(set(organisation_ids))
    connection.rows(LOCK_WALLETS, [in_order])
    return in_order
