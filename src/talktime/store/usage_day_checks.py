"""That the sums of usage by day are those of the usage records: statements of the form that
store/book_checks.py explains. The country and the context are worked out outside the database, and
left to be looked at by no check."""

from talktime.core.usage_spans import IN, OUT
from talktime.store.unsummed import but_unsummed
from talktime.store.usage_days import ALL_USERS, DAY_MS, NO_USER
from talktime.store.work_marks import USAGE_DAY

_MEASURES = ("records", "calls", "used_s", "billed_s", "pool_s", "charge_micros", "post_micros")
_DIFFER = " OR ".join(f"SUM({measure}) <> 0" for measure in _MEASURES)
_FOUND = (
    "CAST(SUM(CASE WHEN side = 1 THEN charge_micros ELSE 0 END) AS BIGINT), "
    "CAST(SUM(CASE WHEN side = 2 THEN -charge_micros ELSE 0 END) AS BIGINT)"
)
_SUMS = ", ".join(f"CAST(SUM({measure}) AS BIGINT) AS {measure}" for measure in _MEASURES)
_LESS = ", ".join(f"-{measure}" for measure in _MEASURES)

USAGE_DAYS = f"""
    SELECT organisation_id, day, user_id, {_FOUND}, COUNT(*) OVER ()
    FROM (
        SELECT 1 AS side, organisation_id, started_ms / {DAY_MS} AS day,
            COALESCE(user_id, {NO_USER}) AS user_id, capability, type, 1 AS records,
            CASE kind WHEN 'call' THEN 1 ELSE 0 END AS calls,
            used_s, billed_s, pool_s, charge_micros, post_micros
        FROM usage_record
        WHERE id <= (SELECT COALESCE(MAX(value), 0) FROM work_mark WHERE name = '{USAGE_DAY}')
            AND {but_unsummed(USAGE_DAY, "usage_record.id")}
        UNION ALL SELECT 2, organisation_id, day, user_id, capability, type, {_LESS}
        FROM usage_day WHERE user_id <> {ALL_USERS}) m
    GROUP BY organisation_id, day, user_id, capability, type HAVING {_DIFFER}
    ORDER BY 1, 2, 3 LIMIT ?"""
USAGE_ALL_USERS = f"""
    SELECT organisation_id, day, NULL, {_FOUND}, COUNT(*) OVER ()
    FROM (
        SELECT 1 AS side, organisation_id, day, country, context, capability, type, {_SUMS}
        FROM usage_day WHERE user_id <> {ALL_USERS}
        GROUP BY organisation_id, day, country, context, capability, type
        UNION ALL SELECT 2, organisation_id, day, country, context, capability, type, {_LESS}
        FROM usage_day WHERE user_id = {ALL_USERS}) m
    GROUP BY organisation_id, day, country, context, capability, type HAVING {_DIFFER}
    ORDER BY 1, 2, 3 LIMIT ?"""
_OF_DAYS = f"""
        SELECT 1 AS side, organisation_id, day, user_id, {_SUMS}
        FROM usage_day WHERE user_id <> {ALL_USERS} GROUP BY organisation_id, day, user_id
        UNION ALL SELECT 2, organisation_id, span, user_id, {_LESS}
        FROM usage_user WHERE scope IN ('{OUT}', '{IN}') AND span >= 0"""
# Months against days: all of a user's.
_OF_MONTHS = f"""
        SELECT 1 AS side, organisation_id, 0 AS day, user_id, {", ".join(_MEASURES)}
        FROM usage_user WHERE span >= 0
        UNION ALL SELECT 2, organisation_id, 0, user_id, {_LESS}
        FROM usage_user WHERE span < 0"""
_USERS = f"""
    SELECT organisation_id, day, user_id, {_FOUND}, COUNT(*) OVER ()
    FROM (ROWS) m
    GROUP BY organisation_id, day, user_id HAVING {_DIFFER}
    ORDER BY 1, 2, 3 LIMIT ?"""
USAGE_USERS = _USERS.replace("ROWS", _OF_DAYS)
USAGE_USER_MONTHS = _USERS.replace("ROWS", _OF_MONTHS)
