"""The operator's accounts of a cell: the ledger's sums by month and as of a day.

Transfers are summed by day, once, when none can still come before them (`sum_ledger`, a job); what
is newer, and what came behind, is summed when somebody looks, unless it is more than
can be read at once: then the figures are those of some minutes ago, and say so. So a figure is
always that of the transfers, and is had as soon whether there are thousands or a hundred million.
"""

from collections import defaultdict
from collections.abc import Iterable

from talktime.core.ids import ID_MAX
from talktime.core.ledger_sums import LedgerSum
from talktime.core.limits import LEDGER_BATCH_MAX, LEDGER_TAIL_MAX
from talktime.core.recharging import DAY_MS
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.what_to_sum import LAG_MS, TransferSums, sum_transfers
from talktime.store.database import Connection
from talktime.store.ledger_days import (
    add_between,
    add_ids,
    clear_sums,
    sums_between,
    sums_by_month,
    tail_counted,
)
from talktime.store.work_marks import LEDGER, lock_mark, mark, put_mark

SUMS = TransferSums(LEDGER, add_between, add_ids)
_FIRST_DAY, _LAST_DAY, LAST_ID = 0, 2**31, ID_MAX


def sum_ledger(sweep: Sweep, batch_max: int = LEDGER_BATCH_MAX) -> Swept:
    """Add new transfers to the sums of their days; counts them. Raises Outage."""
    return sum_transfers(sweep, SUMS, batch_max)


def forget_ledger(cell: Connection, now_ms: int) -> None:
    """Take the sums away, so that `sum_ledger` makes them anew. Raises Outage."""
    with cell.transaction():
        lock_mark(cell, LEDGER, now_ms)
        clear_sums(cell)
        put_mark(cell, LEDGER, 0, now_ms)


def sums_of_months(cell: Connection, tail_max: int = LEDGER_TAIL_MAX) -> list[LedgerSum]:
    """All transfers of a cell by month, currency, kind and accounts, in micros. The connection must
    not be in a transaction: all is read at one moment. Raises Outage."""
    with cell.snapshot():
        return sums_by_month(cell, _tail(cell, tail_max), _FIRST_DAY, _LAST_DAY)


def sums_to_day(cell: Connection, to_day: int) -> list[LedgerSum]:
    """All transfers of a cell before a day (days since 1970, UTC), as `sums_of_months` reads them.
    Raises Outage."""
    with cell.snapshot():
        return sums_between(cell, _tail(cell), _FIRST_DAY, to_day)


def sums_of_day(cell: Connection, now_ms: int) -> list[LedgerSum]:
    """What moved in a cell on the UTC day of a moment. Raises Outage."""
    day = now_ms // DAY_MS
    with cell.snapshot():
        return sums_between(cell, _tail(cell), day, day + 1)


def added(sums: Iterable[LedgerSum]) -> list[LedgerSum]:
    """The sums of several cells as one.

    >>> one = LedgerSum("2026-11", "USD", "purchase", 1, 101, 50, 1)
    >>> [(each.amount_micros, each.transfers) for each in added([one, one])]
    [(100, 2)]
    """
    totals: dict[tuple[str, str, str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for each in sums:
        total = totals[each[:5]]
        total[0] += each.amount_micros
        total[1] += each.transfers
    return [LedgerSum(*key, *total) for key, total in sorted(totals.items())]


def summed_until(cell: Connection, tail_max: int = LEDGER_TAIL_MAX) -> int | None:
    """Until when the sums are those of a cell, in ms; None where they are of now. The caller opens
    the reading."""
    summed_to_id, at_ms = mark(cell, LEDGER) or (0, 0)
    behind = tail_counted(cell, summed_to_id, tail_max + 1) > tail_max
    return max(at_ms - LAG_MS, 0) if behind else None


def _tail(cell: Connection, tail_max: int = LEDGER_TAIL_MAX) -> tuple[int, int]:
    """The transfers that are summed now: after one id, to another."""
    summed_to_id, _at_ms = mark(cell, LEDGER) or (0, 0)
    if tail_counted(cell, summed_to_id, tail_max + 1) > tail_max:
        return summed_to_id, summed_to_id
    return summed_to_id, LAST_ID
