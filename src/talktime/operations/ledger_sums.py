"""The operator's accounts of a cell: the ledger's sums by month and as of a day.

Transfers are summed by day, once, when they are old enough that none can still be committed before
them (`sum_ledger`, a job); what is newer is summed when somebody looks. So a figure is always that
of the transfers, and takes as long whether there are thousands of them or a hundred million.
"""

from collections import defaultdict
from collections.abc import Iterable

from talktime.core.ids import EPOCH_MS, first_id_at
from talktime.core.ledger_sums import LedgerSum
from talktime.core.limits import LEDGER_BATCH_MAX
from talktime.core.recharging import DAY_MS
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection
from talktime.store.ledger_days import (
    LEDGER,
    add_sums,
    last_of_page,
    mark,
    put_mark,
    sums_between,
    sums_by_month,
)

SETTLED_MS = 10 * 60_000
"""A transfer's id is made in its transaction: after this, none of an earlier id is to come."""
_FIRST_DAY, _LAST_DAY = 0, 2**31


def sum_ledger(sweep: Sweep) -> Swept:
    """Add transfers that are ten minutes old to the sums of their days; counts them by pages.
    Raises Outage."""
    cell, now_ms = sweep.connection, sweep.clock_ms()
    before_id = first_id_at(max(now_ms - SETTLED_MS, EPOCH_MS))
    with cell.transaction():
        put_if_new(cell, now_ms)
        summed = mark(cell, LEDGER, locked=True)
        after_id = summed[0] if summed else 0
        last_id = last_of_page(cell, after_id, before_id, LEDGER_BATCH_MAX)
        if last_id is None:
            return Swept(0)
        add_sums(cell, after_id, last_id)
        put_mark(cell, LEDGER, last_id, now_ms)
    return Swept(1, more=not sweep.stopping())


def put_if_new(cell: Connection, now_ms: int) -> None:
    """Make the row of the mark, which is then locked, where there is none yet."""
    if mark(cell, LEDGER) is None:
        put_mark(cell, LEDGER, 0, now_ms)


def sums_of_months(cell: Connection) -> list[LedgerSum]:
    """All transfers of a cell by month, currency, kind and accounts, in micros. The connection must
    not be in a transaction: all is read at one moment. Raises Outage."""
    with cell.snapshot():
        return sums_by_month(cell, _summed_to(cell), _FIRST_DAY, _LAST_DAY)


def sums_to_day(cell: Connection, to_day: int) -> list[LedgerSum]:
    """All transfers of a cell before a day (days since 1970, UTC), as `sums_of_months` reads them.
    Raises Outage."""
    with cell.snapshot():
        return sums_between(cell, _summed_to(cell), _FIRST_DAY, to_day)


def sums_of_day(cell: Connection, now_ms: int) -> list[LedgerSum]:
    """What moved in a cell on the UTC day of a moment. Raises Outage."""
    day = now_ms // DAY_MS
    with cell.snapshot():
        return sums_between(cell, _summed_to(cell), day, day + 1)


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


def _summed_to(cell: Connection) -> int:
    summed = mark(cell, LEDGER)
    return summed[0] if summed else 0
