"""What must hold in a cell's books, each as one statement that returns the rows where it does not.

A statement reads whole tables at once and returns (organisation_id, id, other_id, expected, found,
how many such rows in all), at most as many rows as the caller binds.

The checks are links of chains that do not overlap, so that a broken fact is named by one of them:
a wallet is its lots less its debt, lot and debt are their transfers, and transfers are between
known accounts; a wallet's hold is that of its lots, a lot's hold what calls hold of it, a call's
hold its parts.

Tables are joined by one id alone and the rest is compared afterwards: a planner that knows nothing
of the tables yet cannot choose to join by organisation, which takes hours.
"""

from talktime.core import ledger
from talktime.core.ledger import (
    ADJUSTMENTS,
    DEBT,
    FORFEITURES,
    FUNDING,
    GRANTS,
    POST_USAGE,
    RECEIVABLES,
    REVENUE,
)
from talktime.store.database import Both, Connection, Row, Statement

LAST_SYSTEM = max(ledger.SYSTEM_ACCOUNTS)
"""Accounts above it are lots."""

TABLES = (
    *("wallet", "lot", "call", "answer", "transfer", "usage_record", "meter"),
    *("document", "payment", "post_statement", "usage_day", "usage_user"),
    *("ledger_day", "wallet_hour", "taken_back"),
)
COUNT_ROWS = " UNION ALL ".join(f"SELECT '{table}', COUNT(*) FROM {table}" for table in TABLES)

# A call's parts are JSON, [[lot id, micros], ...]; a text that is no such list counts as empty.
POSTGRES_PARTS = r"""jsonb_array_elements(
    CASE WHEN c.parts ~ '^\[(\[[0-9]+,[0-9]+\](,\[[0-9]+,[0-9]+\])*)*\]$' THEN c.parts::jsonb
    ELSE '[]'::jsonb END) AS p(value)"""
SQLITE_PARTS = """json_each(
    CASE WHEN NOT json_valid(c.parts) THEN '[]' WHEN json_type(c.parts) = 'array' THEN c.parts
    ELSE '[]' END) AS p"""
SQLITE_PART = "CASE p.type WHEN 'array' THEN p.value END"


def _with_parts(text: str) -> Both:
    return Both(
        text.replace("PARTS", POSTGRES_PARTS).replace("PART", "p.value"),
        text.replace("PARTS", SQLITE_PARTS).replace("PART", SQLITE_PART),
    )


WALLET_LOTS = """
    SELECT organisation_id, organisation_id, NULL,
        CAST(SUM(lots) AS BIGINT), CAST(SUM(balance) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, balance_micros AS balance, -debt_micros AS lots FROM wallet
        UNION ALL SELECT organisation_id, NULL, remaining_micros FROM lot) b
    GROUP BY organisation_id HAVING SUM(lots) <> SUM(balance) OR SUM(balance) IS NULL
    ORDER BY 1, 2 LIMIT ?"""
LOT_TRANSFERS = f"""
    SELECT organisation_id, account, NULL,
        CAST(SUM(moved) AS BIGINT), CAST(SUM(remaining) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS account, remaining_micros AS remaining, 0 AS moved FROM lot
        UNION ALL SELECT organisation_id, credit_account, NULL, amount_micros
        FROM transfer WHERE credit_account > {LAST_SYSTEM}
        UNION ALL SELECT organisation_id, debit_account, NULL, -amount_micros
        FROM transfer WHERE debit_account > {LAST_SYSTEM}) m
    GROUP BY organisation_id, account HAVING SUM(remaining) <> SUM(moved)
    ORDER BY 1, 2 LIMIT ?"""
DEBT_TRANSFERS = f"""
    SELECT organisation_id, organisation_id, NULL,
        CAST(SUM(moved) AS BIGINT), CAST(SUM(debt) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, debt_micros AS debt, 0 AS moved FROM wallet
        UNION ALL SELECT organisation_id, NULL, amount_micros
        FROM transfer WHERE debit_account = {DEBT}
        UNION ALL SELECT organisation_id, NULL, -amount_micros
        FROM transfer WHERE credit_account = {DEBT}) m
    GROUP BY organisation_id HAVING SUM(debt) <> SUM(moved)
    ORDER BY 1, 2 LIMIT ?"""
LOT_AMOUNTS = f"""
    SELECT organisation_id, account, NULL,
        COALESCE(MAX(came_in), 0), MAX(amount), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS account, amount_micros AS amount, NULL AS came_in FROM lot
        UNION ALL SELECT organisation_id, credit_account, NULL, amount_micros
        FROM transfer WHERE credit_account > {LAST_SYSTEM}) m
    GROUP BY organisation_id, account HAVING MAX(amount) <> COALESCE(MAX(came_in), 0)
    ORDER BY 1, 2 LIMIT ?"""
LOT_REMAINING = """
    SELECT organisation_id, id, NULL, CASE WHEN remaining_micros < 0 THEN 0 ELSE amount_micros END,
        remaining_micros, COUNT(*) OVER ()
    FROM lot WHERE remaining_micros < 0 OR remaining_micros > amount_micros
    ORDER BY 1, 2 LIMIT ?"""
LOT_HELD = """
    SELECT organisation_id, id, NULL, CASE WHEN held_micros < 0 THEN 0 ELSE remaining_micros END,
        held_micros, COUNT(*) OVER ()
    FROM lot WHERE held_micros < 0 OR held_micros > remaining_micros
    ORDER BY 1, 2 LIMIT ?"""
LOT_SPENT = """
    SELECT organisation_id, id, NULL, NULL, remaining_micros, COUNT(*) OVER ()
    FROM lot WHERE (spent AND remaining_micros <> 0) OR (NOT spent AND remaining_micros = 0)
    ORDER BY 1, 2 LIMIT ?"""

WALLET_HOLDS = """
    SELECT organisation_id, organisation_id, NULL,
        CAST(SUM(lots) AS BIGINT), CAST(SUM(held) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, held_micros AS held, 0 AS lots FROM wallet
        UNION ALL SELECT organisation_id, NULL, held_micros FROM lot) b
    GROUP BY organisation_id HAVING SUM(lots) <> SUM(held)
    ORDER BY 1, 2 LIMIT ?"""
_HELD_BY_CALLS = """
    SELECT organisation_id, lot_id, NULL,
        CAST(SUM(called) AS BIGINT), CAST(SUM(held) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS lot_id, held_micros AS held, 0 AS called, 0 AS parts FROM lot
        UNION ALL SELECT c.organisation_id, CAST(PART ->> 0 AS BIGINT), 0,
            CAST(PART ->> 1 AS BIGINT), 1
        FROM call c CROSS JOIN PARTS WHERE c.state = 'open') h
    GROUP BY organisation_id, lot_id"""
LOT_HOLDS = _with_parts(
    f"{_HELD_BY_CALLS} HAVING SUM(held) <> SUM(called) AND SUM(parts) > 0 ORDER BY 1, 2 LIMIT ?"
)
HOLDS_WITHOUT_CALL = _with_parts(
    f"{_HELD_BY_CALLS} HAVING SUM(held) <> 0 AND SUM(parts) = 0 ORDER BY 1, 2 LIMIT ?"
)
CALL_HOLDS = _with_parts("""
    SELECT organisation_id, id, NULL, parts_micros + post_micros, held_micros, COUNT(*) OVER ()
    FROM (
        SELECT c.organisation_id, c.id, c.held_micros, c.post_micros, (
            SELECT CAST(COALESCE(SUM(CAST(PART ->> 1 AS BIGINT)), 0) AS BIGINT) FROM PARTS
        ) AS parts_micros
        FROM call c WHERE c.state = 'open') h
    WHERE held_micros <> parts_micros + post_micros
    ORDER BY 1, 2 LIMIT ?""")
CLOSED_HOLDS = """
    SELECT organisation_id, id, NULL, 0, held_micros, COUNT(*) OVER ()
    FROM call WHERE state <> 'open' AND held_micros <> 0
    ORDER BY 1, 2 LIMIT ?"""
CALL_SWEEPS = """
    SELECT organisation_id, id, NULL, NULL, NULL, COUNT(*) OVER ()
    FROM call WHERE state = 'open' AND sweep_ms > deadline_ms
    ORDER BY 1, 2 LIMIT ?"""

TRANSFER_ACCOUNTS = f"""
    SELECT organisation_id, id, unknown_account, 0, amount_micros, COUNT(*) OVER ()
    FROM (
        SELECT t.organisation_id, t.id, t.amount_micros, CASE
            WHEN t.debit_account NOT BETWEEN 1 AND {LAST_SYSTEM}
                AND COALESCE(d.organisation_id <> t.organisation_id, TRUE) THEN t.debit_account
            WHEN t.credit_account NOT BETWEEN 1 AND {LAST_SYSTEM}
                AND COALESCE(c.organisation_id <> t.organisation_id, TRUE) THEN t.credit_account
            END AS unknown_account
        FROM transfer t
        LEFT JOIN lot d ON d.id = t.debit_account
        LEFT JOIN lot c ON c.id = t.credit_account) a
    WHERE unknown_account IS NOT NULL
    ORDER BY 1, 2 LIMIT ?"""
_FROM_LOT, _TO_LOT = f"debit_account > {LAST_SYSTEM}", f"credit_account > {LAST_SYSTEM}"
_FROM_PAYER = f"(debit_account = {POST_USAGE} OR {_FROM_LOT})"
_FROM_LOT_OR_DEBT = f"({_FROM_LOT} OR debit_account = {DEBT})"
TRANSFER_KINDS = f"""
    SELECT organisation_id, id, NULL, NULL, NULL, COUNT(*) OVER ()
    FROM transfer WHERE amount_micros <= 0 OR (
        CASE WHEN usage_id IS NULL THEN CASE kind
            WHEN 'purchase' THEN debit_account = {FUNDING} AND {_TO_LOT}
            WHEN 'grant' THEN debit_account = {GRANTS} AND {_TO_LOT}
            WHEN 'adjustment' THEN debit_account IN ({ADJUSTMENTS}, {RECEIVABLES}) AND {_TO_LOT}
            WHEN 'forfeiture' THEN {_FROM_LOT} AND credit_account = {FORFEITURES}
            WHEN 'debt_payment' THEN {_FROM_LOT} AND credit_account = {DEBT}
            WHEN 'statement' THEN debit_account + credit_account = {RECEIVABLES + POST_USAGE}
                AND debit_account IN ({RECEIVABLES}, {POST_USAGE})
            WHEN 'payment' THEN debit_account = {FUNDING} AND credit_account = {RECEIVABLES}
            WHEN 'refund' THEN credit_account = {FUNDING}
                AND ({_FROM_LOT_OR_DEBT} OR debit_account = {RECEIVABLES})
            WHEN 'chargeback' THEN {_FROM_LOT_OR_DEBT} AND credit_account = {FUNDING}
            WHEN 'take_back' THEN {_FROM_LOT_OR_DEBT}
                AND credit_account IN ({FUNDING}, {GRANTS}, {ADJUSTMENTS})
            WHEN 'reinstatement' THEN debit_account = {FUNDING}
                AND (credit_account = {DEBT} OR {_TO_LOT})
            END
        ELSE CASE kind
            WHEN 'usage' THEN {_FROM_PAYER} AND credit_account = {REVENUE}
            WHEN 'overdraft' THEN debit_account = {DEBT} AND credit_account = {REVENUE}
            WHEN 'correction' THEN ({_FROM_PAYER} AND credit_account = {REVENUE})
                OR (debit_account = {REVENUE}
                    AND (credit_account IN ({DEBT}, {POST_USAGE}) OR {_TO_LOT}))
            END
        END) IS NOT TRUE
    ORDER BY 1, 2 LIMIT ?"""
# What became a debt is of no lot: it stands beside the debt's transfers, lot 5 of the organisation.
TAKEN_BACK = f"""
    SELECT organisation_id, account, NULL,
        CAST(SUM(moved) AS BIGINT), CAST(SUM(taken) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, lot_id AS account, voided_micros AS taken, 0 AS moved
        FROM taken_back
        UNION ALL SELECT organisation_id, {DEBT}, debt_micros, 0 FROM taken_back
        UNION ALL SELECT organisation_id, debit_account, 0, amount_micros
        FROM transfer WHERE kind = 'take_back') m
    GROUP BY organisation_id, account HAVING SUM(taken) <> SUM(moved)
    ORDER BY 1, 2 LIMIT ?"""
TRANSFER_USAGE = """
    SELECT t.organisation_id, t.id, t.usage_id, 0, t.amount_micros, COUNT(*) OVER ()
    FROM transfer t
    LEFT JOIN usage_record u ON u.id = t.usage_id
    WHERE t.usage_id IS NOT NULL AND COALESCE(u.organisation_id <> t.organisation_id, TRUE)
    ORDER BY 1, 2 LIMIT ?"""
USAGE_TRANSFERS = f"""
    SELECT organisation_id, usage_id, NULL,
        CAST(SUM(moved) AS BIGINT), CAST(SUM(charge) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS usage_id, charge_micros AS charge, 0 AS moved, 0 AS transfers
        FROM usage_record
        UNION ALL SELECT organisation_id, usage_id, NULL, CASE
            WHEN credit_account = {REVENUE} THEN amount_micros
            WHEN debit_account = {REVENUE} THEN -amount_micros ELSE 0 END, 1
        FROM transfer WHERE usage_id IS NOT NULL) m
    GROUP BY organisation_id, usage_id
    HAVING SUM(charge) <> SUM(moved) OR (SUM(charge) = 0 AND SUM(transfers) > 0)
    ORDER BY 1, 2 LIMIT ?"""
USAGE_ONCE = """
    SELECT organisation_id, call_id, NULL, 1, COUNT(*), COUNT(*) OVER ()
    FROM usage_record GROUP BY organisation_id, call_id
    HAVING SUM(CASE kind WHEN 'call' THEN 1 ELSE 0 END) <> 1
        OR SUM(CASE kind WHEN 'correction' THEN 1 ELSE 0 END) > 1
    ORDER BY 1, 2 LIMIT ?"""
USAGE_CALLS = """
    SELECT u.organisation_id, u.id, u.call_id, NULL, NULL, COUNT(*) OVER ()
    FROM usage_record u JOIN call c ON c.id = u.call_id
    WHERE c.organisation_id <> u.organisation_id
        OR c.switch_id <> u.switch_id OR c.call_key <> u.call_key
    ORDER BY 1, 2 LIMIT ?"""
USAGE_CURRENCY = """
    SELECT u.organisation_id, u.id, NULL, NULL, NULL, COUNT(*) OVER ()
    FROM usage_record u JOIN wallet w ON w.organisation_id = u.organisation_id
    WHERE w.currency <> u.currency
    ORDER BY 1, 2 LIMIT ?"""
CALL_CHARGES = """
    SELECT organisation_id, call_id, NULL,
        CAST(SUM(recorded) AS BIGINT), CAST(SUM(charged) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS call_id, charged_micros AS charged, 0 AS recorded FROM call
        UNION ALL SELECT organisation_id, call_id, NULL, charge_micros FROM usage_record) m
    GROUP BY organisation_id, call_id HAVING SUM(charged) <> SUM(recorded)
    ORDER BY 1, 2 LIMIT ?"""
CALL_USAGE = """
    SELECT c.organisation_id, c.id, c.usage_id, NULL, NULL, COUNT(*) OVER ()
    FROM call c LEFT JOIN usage_record u ON u.id = c.usage_id
    WHERE CASE WHEN c.usage_id IS NULL THEN c.state IN ('settled', 'expired')
        WHEN u.id IS NULL THEN TRUE
        ELSE u.call_id <> c.id OR u.organisation_id <> c.organisation_id OR u.kind <> 'call'
            OR c.state IN ('open', 'refused') END
    ORDER BY 1, 2 LIMIT ?"""
ANSWER_CALLS = """
    SELECT a.organisation_id, a.call_id, a.sequence, NULL, NULL, COUNT(*) OVER ()
    FROM answer a LEFT JOIN call c ON c.id = a.call_id
    WHERE COALESCE(c.organisation_id <> a.organisation_id, TRUE)
    ORDER BY 1, 2 LIMIT ?"""


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each table of the books has."""
    return dict(connection.rows(COUNT_ROWS))


def broken_rows(connection: Connection, statement: Statement, rows_max: int) -> list[Row]:
    """The first rows for which a check does not hold."""
    return connection.rows(statement, [rows_max])
