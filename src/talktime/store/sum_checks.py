"""That the sums of transfers by day and by hour are those of the transfers, up to where they are
summed: statements of the form that store/book_checks.py explains."""

from talktime.store.ledger_days import sums_of
from talktime.store.unsummed import but_unsummed
from talktime.store.wallet_hours import HOUR_MS, SUMMED_TO, sides
from talktime.store.work_marks import LEDGER, WALLET_HOUR

_UP_TO = f"(SELECT COALESCE(MAX(value), 0) FROM work_mark WHERE name = '{LEDGER}')"
_DAYS_UP_TO = f"t.id <= {_UP_TO} AND {but_unsummed(LEDGER, 't.id')}"
_HOURS_UP_TO = f"id <= {SUMMED_TO} AND {but_unsummed(WALLET_HOUR, 'transfer.id')}"


def _found(measure: str) -> str:
    return (
        f"CAST(SUM(CASE WHEN side = 1 THEN {measure} ELSE 0 END) AS BIGINT), "
        f"CAST(SUM(CASE WHEN side = 2 THEN -{measure} ELSE 0 END) AS BIGINT), COUNT(*) OVER ()"
    )


# The day's sums are over all organisations.
LEDGER_DAYS = f"""
    SELECT NULL, day, debit_account, {_found("amount_micros")}
    FROM (
        SELECT 1 AS side, day, currency, kind, debit_account, credit_account, amount_micros,
            transfers
        FROM ({sums_of(_DAYS_UP_TO)}) s
        UNION ALL SELECT 2, day, currency, kind, debit_account, credit_account, -amount_micros,
            -transfers
        FROM ledger_day) m
    GROUP BY day, currency, kind, debit_account, credit_account
    HAVING SUM(amount_micros) <> 0 OR SUM(transfers) <> 0
    ORDER BY 2, 3 LIMIT ?"""
WALLET_HOURS = f"""
    SELECT organisation_id, hour, account, {_found("effect")}
    FROM (
        SELECT 1 AS side, organisation_id, at_ms / {HOUR_MS} AS hour, account, effect, spent
        FROM ({sides(_HOURS_UP_TO)}) s
        UNION ALL SELECT 2, organisation_id, hour, account, -effect_micros, -spent_micros
        FROM wallet_hour) m
    GROUP BY organisation_id, hour, account HAVING SUM(effect) <> 0 OR SUM(spent) <> 0
    ORDER BY 1, 2, 3 LIMIT ?"""
