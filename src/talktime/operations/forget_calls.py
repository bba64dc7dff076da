"""Forget calls that ended long ago: the call and the answers its switch was given.

They are kept so that the same request again gets the same answer; nothing else needs them. Usage
records and transfers are never deleted.
"""

from talktime.core.ids import first_id_at
from talktime.core.limits import FORGET_BATCH_MAX
from talktime.operations.sweep import Sweep, Swept
from talktime.store import due

DAY_MS = 86_400_000
KEPT_MS_MIN = DAY_MS
"""The charging API promises to know an idempotency key for a day after the call's end."""
KEPT_MS = 7 * DAY_MS


def forget_calls(sweep: Sweep, kept_ms: int = KEPT_MS) -> Swept:
    """Delete the calls of a cell of which nothing was asked for `kept_ms`; counts them.

    A refused call ends when it was last asked about. Works in pages, each its own transaction.
    Raises ValueError for less than KEPT_MS_MIN, Outage where the database fails.
    """
    if kept_ms < KEPT_MS_MIN:
        raise ValueError(f"calls are kept for {KEPT_MS_MIN} ms at least, not {kept_ms}")
    moment_ms = sweep.clock_ms() - kept_ms
    # An id tells when its call began, so old calls are found without an index of their own.
    below_id = first_id_at(moment_ms)
    forgotten, after_id = 0, -1
    while not sweep.stopping():
        with sweep.connection.reading():
            calls = due.calls_closed_before(
                sweep.connection, moment_ms, after_id, below_id, FORGET_BATCH_MAX
            )
        if calls:
            with sweep.connection.transaction():
                forgotten += due.forget(sweep.connection, calls, moment_ms)
        if len(calls) < FORGET_BATCH_MAX:
            break
        after_id = calls[-1][0]
    return Swept(forgotten)
