"""Add up what moved in wallets by the hour, so that any balance of the past is quick to know."""

from talktime.core.ids import COUNTER_BITS, EPOCH_MS, NODE_BITS
from talktime.core.limits import WALLET_SUM_BATCH_MAX
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection
from talktime.store.wallet_hours import add_up, clear_sums
from talktime.store.work_marks import oldest_writer_ms

LATE_MS = 60_000
"""Transfers are added up when their ids are so old, and older than any transaction that still
writes: none that has an older one is still to be committed."""


def sum_wallets(sweep: Sweep) -> Swept:
    """Add new transfers to the sums of their wallets, by hour and lot; counts the transfers.

    A page of them in each transaction. Raises Outage.
    """
    now_ms = sweep.clock_ms()
    with sweep.connection.reading():
        lag_ms = LATE_MS + oldest_writer_ms(sweep.connection)
    until_id = max(now_ms - lag_ms - EPOCH_MS, 0) << (NODE_BITS + COUNTER_BITS)
    transfers = 0
    while not sweep.stopping():
        with sweep.connection.transaction():
            added = add_up(sweep.connection, until_id, WALLET_SUM_BATCH_MAX, now_ms)
        transfers += added
        if added < WALLET_SUM_BATCH_MAX:
            break
    return Swept(transfers)


def forget_wallets(cell: Connection, now_ms: int) -> None:
    """Take the sums away, so that `sum_wallets` makes them anew; balances stay right meanwhile,
    read from the transfers. Raises Outage."""
    with cell.transaction():
        clear_sums(cell, now_ms)
