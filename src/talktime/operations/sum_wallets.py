"""Add up what moved in wallets by the hour, so that any balance of the past is quick to know."""

from talktime.core.limits import WALLET_SUM_BATCH_MAX
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.what_to_sum import TransferSums, sum_transfers
from talktime.store import wallet_hours as store
from talktime.store.database import Connection
from talktime.store.work_marks import WALLET_HOUR, lock_mark, put_mark

SUMS = TransferSums(WALLET_HOUR, store.add_between, store.add_ids)


def sum_wallets(sweep: Sweep) -> Swept:
    """Add new transfers to the sums of their wallets, by hour and lot; counts the transfers.

    Pages of them, each in a transaction. Raises Outage.
    """
    return sum_transfers(sweep, SUMS, WALLET_SUM_BATCH_MAX)


def forget_wallets(cell: Connection, now_ms: int) -> None:
    """Take the sums away, so that `sum_wallets` makes them anew; balances stay right meanwhile,
    read from the transfers. Raises Outage."""
    with cell.transaction():
        lock_mark(cell, WALLET_HOUR, now_ms)
        store.clear_sums(cell)
        put_mark(cell, WALLET_HOUR, 0, now_ms)
