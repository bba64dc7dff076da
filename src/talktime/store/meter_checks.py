"""What must hold between meters, calls and usage records: statements of the same form as
book_checks.py, with a meter's key where others have a row's id."""

from talktime.core.calls import OUTBOUND_TYPES
from talktime.core.ledger import POST_USAGE, REVENUE
from talktime.store.database import Both

_OUTBOUND = ", ".join(f"'{type_}'" for type_ in OUTBOUND_TYPES)

METER_USED = f"""
    SELECT organisation_id, key, NULL,
        CAST(SUM(recorded) AS BIGINT), CAST(COALESCE(SUM(used), 0) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, key, used, 0 AS recorded FROM meter
        UNION ALL SELECT organisation_id, pool, 0, pool_s FROM usage_record WHERE pool <> ''
        UNION ALL SELECT organisation_id, month || '/spending/' || user_id, 0, charge_micros
        FROM usage_record WHERE user_id IS NOT NULL AND type IN ({_OUTBOUND})
        UNION ALL SELECT organisation_id, month || '/post_usage', 0, post_micros
        FROM usage_record WHERE post_micros <> 0) m
    GROUP BY organisation_id, key HAVING SUM(recorded) <> SUM(used)
    ORDER BY 1, 2 LIMIT ?"""
_METER_HELD = """
    SELECT organisation_id, key, NULL,
        CAST(SUM(called) AS BIGINT), CAST(SUM(held) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, key, held, 0 AS called FROM meter
        UNION ALL SELECT organisation_id, PAYERS ->> 0, 0, pool_s
        FROM call WHERE state = 'open' AND payers <> '' AND pool_s <> 0
        UNION ALL SELECT organisation_id, PAYERS ->> 2, 0, held_micros
        FROM call WHERE state = 'open' AND payers <> '' AND held_micros <> 0
        UNION ALL SELECT organisation_id, PAYERS ->> 3, 0, post_micros
        FROM call WHERE state = 'open' AND payers <> '' AND post_micros <> 0) m
    WHERE key <> '' GROUP BY organisation_id, key HAVING SUM(called) <> SUM(held)
    ORDER BY 1, 2 LIMIT ?"""
METER_HELD = Both(
    _METER_HELD.replace("PAYERS", "CAST(payers AS json)"), _METER_HELD.replace("PAYERS", "payers")
)
METER_TOTAL = """
    SELECT organisation_id, key, NULL, total, used + held, COUNT(*) OVER ()
    FROM meter WHERE used < 0 OR held < 0 OR used + held > total
    ORDER BY 1, 2 LIMIT ?"""
USAGE_PARTS = """
    SELECT organisation_id, id, NULL, billed_s, pool_s, COUNT(*) OVER ()
    FROM usage_record
    WHERE kind = 'call' AND (pool_s NOT BETWEEN 0 AND billed_s
        OR post_micros NOT BETWEEN 0 AND charge_micros OR (pool_s <> 0 AND pool = ''))
    ORDER BY 1, 2 LIMIT ?"""
USAGE_AFTER_USE = f"""
    SELECT organisation_id, usage_id, NULL,
        CAST(SUM(moved) AS BIGINT), CAST(SUM(recorded) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS usage_id, post_micros AS recorded, 0 AS moved
        FROM usage_record
        UNION ALL SELECT organisation_id, usage_id, 0, CASE
            WHEN debit_account = {POST_USAGE} AND credit_account = {REVENUE} THEN amount_micros
            WHEN credit_account = {POST_USAGE} THEN -amount_micros ELSE 0 END
        FROM transfer WHERE usage_id IS NOT NULL) m
    GROUP BY organisation_id, usage_id HAVING SUM(recorded) <> SUM(moved)
    ORDER BY 1, 2 LIMIT ?"""
