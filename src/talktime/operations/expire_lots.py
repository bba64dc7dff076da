"""Book the forfeiture of what is left in expired lots (R4, D5).

Expiry itself is a fact of time: nothing in a lot is spendable from `expires_ms` on, whether or not
this has run.
"""

from talktime.core.commands import ExpireLots
from talktime.core.limits import EXPIRE_BATCH_MAX
from talktime.core.outcomes import LotsExpired
from talktime.operations.sweep import Sweep, Swept, execute_batch
from talktime.store import due


def expire_lots(sweep: Sweep) -> Swept:
    """Forfeit the free money of every expired lot of a cell; counts the lots.

    What a running call holds of such a lot stays held; what it does not use is forfeited by a later
    run. Works in pages until none is left, each in transactions of its own. Raises Outage.
    """
    forfeited, failures, after_id = 0, list[str](), 0
    while not sweep.stopping():
        with sweep.connection.reading():
            organisation_ids = due.wallets_with_expired_lots(
                sweep.connection, sweep.clock_ms(), after_id, EXPIRE_BATCH_MAX
            )
        commands = [ExpireLots(organisation_id) for organisation_id in organisation_ids]
        for done in execute_batch(sweep, commands, failures):
            if isinstance(done.outcome, LotsExpired):
                forfeited += len(done.outcome.forfeited)
        if len(organisation_ids) < EXPIRE_BATCH_MAX:
            break
        after_id = organisation_ids[-1]
    return Swept(forfeited, tuple(failures))
