"""Sums of a cell's transfers by day, kept so that years of them can be read at once; up to which is
mark `ledger` (store/work_marks.py). The tail behind is read from the transfers themselves.

The caller opens and commits the transaction.
"""

from talktime.core.ledger import SYSTEM_ACCOUNTS
from talktime.core.ledger_sums import PAID_CREDITS, PROMOTIONAL_CREDITS, LedgerSum
from talktime.store.database import Both, Connection

_LAST_SYSTEM = max(SYSTEM_ACCOUNTS)
_LOTS = f"WHEN {{0}}.promotional THEN {PROMOTIONAL_CREDITS} ELSE {PAID_CREDITS} END"
_DEBIT = f"CASE WHEN t.debit_account <= {_LAST_SYSTEM} THEN t.debit_account {_LOTS.format('d')}"
_CREDIT = f"CASE WHEN t.credit_account <= {_LAST_SYSTEM} THEN t.credit_account {_LOTS.format('c')}"
_MONTH = (
    "to_char(to_timestamp(day * 86400.0) AT TIME ZONE 'UTC', 'YYYY-MM')",
    "strftime('%Y-%m', day * 86400, 'unixepoch')",
)

LAST_OF_PAGE = (
    "SELECT MAX(id), COUNT(*) "
    "FROM (SELECT id FROM transfer WHERE id > ? AND id < ? ORDER BY id LIMIT ?) p"
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
ADD_SUMS = f"""
    INSERT INTO ledger_day
        (day, currency, kind, debit_account, credit_account, amount_micros, transfers)
    {_SUMS}
    ON CONFLICT (day, currency, kind, debit_account, credit_account) DO UPDATE SET
        amount_micros = ledger_day.amount_micros + excluded.amount_micros,
        transfers = ledger_day.transfers + excluded.transfers"""
CLEAR_SUMS = "DELETE FROM ledger_day"
_ALL_SUMS = f"""
    SELECT PERIOD, currency, kind, debit_account, credit_account,
        CAST(SUM(amount_micros) AS BIGINT), CAST(SUM(transfers) AS BIGINT)
    FROM (
        SELECT day, currency, kind, debit_account, credit_account, amount_micros, transfers
        FROM ledger_day
        UNION ALL {_SUMS}) s
    WHERE day >= ? AND day < ?
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
SUMS_BY_MONTH = Both(*(_ALL_SUMS.replace("PERIOD", month) for month in _MONTH))
SUMS_AT_ONCE = _ALL_SUMS.replace("PERIOD", "''")


def last_of_page(
    connection: Connection, after_id: int, before_id: int, rows_max: int
) -> tuple[int, int]:
    """The last of so many transfers after an id and before another, and how many they are; (0, 0)
    where there are none."""
    last, count = connection.rows(LAST_OF_PAGE, [after_id, before_id, rows_max])[0]
    return last or 0, count


def clear_sums(connection: Connection) -> None:
    """Take all sums away."""
    connection.run(CLEAR_SUMS)


def add_sums(connection: Connection, after_id: int, to_id: int) -> None:
    """Add the transfers after an id, to another (included), to their days."""
    connection.run(ADD_SUMS, [after_id, to_id])


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
