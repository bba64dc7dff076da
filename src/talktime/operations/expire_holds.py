"""Close the calls whose deadline has passed, without any switch's help (D8)."""

from talktime.core.commands import ExpireHold
from talktime.core.limits import EXPIRE_BATCH_MAX
from talktime.core.outcomes import HoldExpired
from talktime.operations.sweep import Sweep, Swept, execute_batch
from talktime.store import due
from talktime.store.due import CallToSweep


def expire_holds(sweep: Sweep) -> Swept:
    """Settle every due call of a cell at the last seconds its switch reported; counts those closed.

    Works in pages until none is due, each page in transactions of its own; the connection must not
    be in one. Several at once are right: a call is looked at again under its wallet's lock, and
    closed once. Raises Outage.
    """
    closed, failures, after = 0, list[str](), (-1, -1)
    while not sweep.stopping():
        now_ms = sweep.clock_ms()
        with sweep.connection.reading():
            calls = due.calls_to_sweep(sweep.connection, now_ms, after, EXPIRE_BATCH_MAX)
        late = [call for call in calls if call.deadline_ms <= now_ms]
        closed += _closed(sweep, late, failures)
        moved_on = [call for call in calls if call.deadline_ms > now_ms]
        if moved_on:
            with sweep.connection.transaction():
                due.sweep_at_deadline(sweep.connection, moved_on)
        if len(calls) < EXPIRE_BATCH_MAX:
            break
        after = (calls[-1].sweep_ms, calls[-1].id)
    return Swept(closed, tuple(failures))


def _closed(sweep: Sweep, calls: list[CallToSweep], failures: list[str]) -> int:
    commands = [ExpireHold(call.switch_id, call.call_key, call.organisation_id) for call in calls]
    outcomes = [done.outcome for done in execute_batch(sweep, commands, failures)]
    return sum(1 for outcome in outcomes if isinstance(outcome, HoldExpired) and outcome.closed)
