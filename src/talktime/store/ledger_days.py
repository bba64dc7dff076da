"""Sums of a cell's transfers by day, kept so that years of them can be read at once; up to which is
mark `ledger` (store/work_marks.py), but for what is noted as unsummed (store/unsummed.py). That and
the tail behind are read from the transfers themselves.

The caller opens and commits the transaction.
"""

from talktime.core.ledger import SYSTEM_ACCOUNTS
from talktime.core.ledger_sums import PAID_CREDITS, PROMOTIONAL_CREDITS, LedgerSum
from talktime.store.database import Both, Connection
from talktime.store.unsummed import but_unsummed, passed
from talktime.store.work_marks import LEDGER

_LAST_SYSTEM = max(SYSTEM_ACCOUNTS)
_LOTS = f"WHEN {{0}}.promotional THEN {PROMOTIONAL_CREDITS} ELSE {PAID_CREDITS} END"
_DEBIT = f"CASE WHEN t.debit_account <= {_LAST_SYSTEM} THEN t.debit_account {_LOTS.format('d')}"
_CREDIT = f"CASE WHEN t.credit_account <= {_LAST_SYSTEM} THEN t.credit_account {_LOTS.format('c')}"
_MONTH = (
    "to_char(to_timestamp(day * 86400.0) AT TIME ZONE 'UTC', 'YYYY-MM')",
    "strftime('%Y-%m', day * 86400, 'unixepoch')",
)

TAIL = "SELECT COUNT(*) FROM (SELECT 1 FROM transfer WHERE id > ? ORDER BY id LIMIT ?) t"


# A lot and a wallet are looked up for each transfer by their keys.
def sums_of(where: str) -> str:
    """The sums of those transfers (`t`) of which this holds."""
    return f"""
    SELECT t.at_ms / 86400000 AS day, COALESCE(w.currency, '') AS currency, t.kind,
        {_DEBIT} AS debit_account, {_CREDIT} AS credit_account,
        CAST(SUM(t.amount_micros) AS BIGINT) AS amount_micros, COUNT(*) AS transfers
    FROM transfer t LEFT JOIN wallet w ON w.organisation_id = t.organisation_id
        LEFT JOIN lot d ON d.id = t.debit_account LEFT JOIN lot c ON c.id = t.credit_account
    WHERE {where}
    GROUP BY 1, 2, 3, 4, 5"""


_SUMS = sums_of("t.id > ? AND t.id <= ?")
_OF_PASSED = sums_of(f"t.id IN ({passed(LEDGER)})")


def _adding(where: str) -> str:
    return f"""
    INSERT INTO ledger_day
        (day, currency, kind, debit_account, credit_account, amount_micros, transfers)
    {sums_of(where)}
    ON CONFLICT (day, currency, kind, debit_account, credit_account) DO UPDATE SET
        amount_micros = ledger_day.amount_micros + excluded.amount_micros,
        transfers = ledger_day.transfers + excluded.transfers"""


ADD_BETWEEN = _adding(f"t.id > ? AND t.id <= ? AND {but_unsummed(LEDGER, 't.id')}")
ADD_IDS = _adding("t.id = ANY(?)")
CLEAR_SUMS = "DELETE FROM ledger_day"
_ALL_SUMS = f"""
    SELECT PERIOD, currency, kind, debit_account, credit_account,
        CAST(SUM(amount_micros) AS BIGINT), CAST(SUM(transfers) AS BIGINT)
    FROM (
        SELECT day, currency, kind, debit_account, credit_account, amount_micros, transfers
        FROM ledger_day
        UNION ALL {_SUMS}
        UNION ALL {_OF_PASSED}) s
    WHERE day >= ? AND day < ?
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
SUMS_BY_MONTH = Both(*(_ALL_SUMS.replace("PERIOD", month) for month in _MONTH))
SUMS_AT_ONCE = _ALL_SUMS.replace("PERIOD", "''")


def clear_sums(connection: Connection) -> None:
    """Take all sums away."""
    connection.run(CLEAR_SUMS)


def add_between(connection: Connection, after_id: int, to_id: int) -> None:
    """Add the transfers after an id, up to another, but those noted as unsummed, to their days."""
    connection.run(ADD_BETWEEN, [after_id, to_id])


def add_ids(connection: Connection, ids: list[int]) -> None:
    """Add the transfers of these ids to their days."""
    connection.run(ADD_IDS, [ids])


def tail_counted(connection: Connection, after_id: int, rows_max: int) -> int:
    """How many transfers there are after an id, counted up to a maximum."""
    return int(connection.rows(TAIL, [after_id, rows_max])[0][0])


def sums_by_month(
    connection: Connection, tail: tuple[int, int], from_day: int, to_day: int
) -> list[LedgerSum]:
    """The sums of the days kept and of a tail of transfers (after an id, to another), by month."""
    bounds = [*tail, from_day, to_day]
    return [LedgerSum(*row) for row in connection.rows(SUMS_BY_MONTH, bounds)]


def sums_between(
    connection: Connection, tail: tuple[int, int], from_day: int, to_day: int
) -> list[LedgerSum]:
    """The same from one day (included) to another (not included), as one period without a name."""
    bounds = [*tail, from_day, to_day]
    return [LedgerSum(*row) for row in connection.rows(SUMS_AT_ONCE, bounds)]
