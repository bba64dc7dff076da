"""Statements of what is paid after use, and the usage records on them.

The caller opens and commits the transaction, and locks the wallet first (`lock_wallet`).
"""

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from talktime.core.documents import parsed_body
from talktime.core.ledger import Transfer
from talktime.core.meters import post_usage_key
from talktime.core.payments import Payment
from talktime.core.post_usage import PostStatement, month_start_ms, months_between
from talktime.store.database import Connection
from talktime.store.payments import INSERT_PAYMENTS, PAYMENT
from talktime.store.tables import TRANSFER
from talktime.store.unsummed import noting

_COLUMNS = ", ".join(PostStatement._fields)
LOCK_WALLET = "SELECT currency FROM wallet WHERE organisation_id = ? FOR UPDATE"
STATEMENT_OF_MONTH = (
    f"SELECT {_COLUMNS} FROM post_statement WHERE organisation_id = ? AND month = ?"
)
STATEMENT_OF_ID = f"SELECT {_COLUMNS} FROM post_statement WHERE organisation_id = ? AND id = ?"
STATEMENTS_BEFORE = (
    f"SELECT {_COLUMNS} FROM post_statement WHERE organisation_id = ? AND month < ? "
    "ORDER BY month DESC LIMIT ?"
)
OPEN_STATEMENTS = (
    f"SELECT {_COLUMNS} FROM post_statement WHERE organisation_id = ? AND state <> 'paid' "
    "ORDER BY month"
)
INSERT_STATEMENT = (
    f"INSERT INTO post_statement ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_STATEMENT = (
    "UPDATE post_statement SET state = ?, paid_micros = ?, overdue_ms = ?, blocked_ms = ?, "
    "paid_ms = ?, paid_note = ? WHERE organisation_id = ? AND id = ?"
)
INSERT_TRANSFER = TRANSFER.insert()
_payment_row = attrgetter(*PAYMENT.columns)

PAYMENTS_OF_STATEMENT = (
    f"SELECT {', '.join(PAYMENT.columns)} FROM payment "
    "WHERE organisation_id = ? AND statement_id = ? ORDER BY created_ms, id"
)
METER_MONTHS = "SELECT MIN(key), MAX(key) FROM meter WHERE organisation_id = ?"
USED_AFTER_USE = "SELECT key, used FROM meter WHERE organisation_id = ? AND key = ANY(?)"
STATED = """
    SELECT s.month, d.body FROM post_statement s JOIN document d ON d.id = s.document_id
    WHERE s.organisation_id = ? AND d.organisation_id = ?"""
# What credit notes have settled is on no statement either.
CREDITED = """
    SELECT d.body FROM document d
    WHERE d.organisation_id = ? AND d.kind = 'credit_note' AND EXISTS (
        SELECT 1 FROM post_statement_usage p WHERE p.statement_id = d.id)"""
# By index, nothing from before the month is read. A call may be answered after the month in which
# it began, and its record starts then: so there is no such end.
_UNBILLED = """
    FROM usage_record u
    WHERE u.organisation_id = ? AND u.started_ms >= ? AND u.month = ?
        AND u.post_micros <> 0 AND NOT EXISTS (
        SELECT 1 FROM post_statement_usage p WHERE p.usage_id = u.id)"""
UNBILLED_SUMS = f"""
    SELECT u.destination, SUM(CASE u.kind WHEN 'call' THEN 1 ELSE 0 END),
        CAST(SUM(u.billed_s - u.pool_s) AS BIGINT), CAST(SUM(u.post_micros) AS BIGINT), COUNT(*)
    {_UNBILLED}
    GROUP BY u.destination ORDER BY u.destination"""
BILL_USAGE = f"""
    INSERT INTO post_statement_usage (usage_id, organisation_id, statement_id)
    SELECT u.id, u.organisation_id, CAST(? AS BIGINT) {_UNBILLED}"""
OPEN_CALLS = (
    "SELECT COUNT(*) FROM call WHERE state = 'open' AND organisation_id = ? AND started_ms < ?"
)
CALLS_AFTER_USE = (
    "SELECT COUNT(*) FROM call WHERE state = 'open' AND organisation_id = ? AND post_micros > 0"
)
WALLETS_TO_CLOSE = """
    SELECT DISTINCT w.organisation_id FROM wallet w
    JOIN meter m ON m.organisation_id = w.organisation_id AND m.key = ANY(?)
    WHERE w.organisation_id > ? AND m.used > 0 AND NOT EXISTS (
        SELECT 1 FROM post_statement s
        WHERE s.organisation_id = w.organisation_id AND s.month = ?)
    ORDER BY w.organisation_id LIMIT ?"""
STATEMENTS_TO_MOVE = f"""
    SELECT {_COLUMNS} FROM post_statement
    WHERE state <> 'paid' AND (payable_ms <= ? OR state <> 'due') AND id > ?
    ORDER BY id LIMIT ?"""
USAGE_OF_STATEMENT = """
    SELECT u.id, u.kind, u.call_key, u.month, u.started_ms, u.ended_ms, u.type, u.capability,
        COALESCE(w.name, ''), u.from_digits, u.to_digits, u.destination, u.used_s, u.billed_s,
        u.pool_s, u.fee_micros, u.charge_micros, u.post_micros
    FROM post_statement_usage p JOIN usage_record u ON u.id = p.usage_id
    LEFT JOIN person w ON w.id = u.user_id AND w.organisation_id = u.organisation_id
    WHERE p.statement_id = ? AND p.organisation_id = ? AND u.organisation_id = ?
        AND (u.started_ms, u.id) > (?, ?)
    ORDER BY u.started_ms, u.id LIMIT ?"""


class UnbilledSum(NamedTuple):
    """Usage records of a month to a destination that are on no statement yet."""

    month: str
    destination: str
    calls: int
    billed_s: int
    post_micros: int
    records: int


class BilledUsage(NamedTuple):
    """A usage record on a statement; `user` is a sign-in name, `pool_s` was paid by minutes."""

    id: int
    kind: str
    call_key: str
    month: str
    started_ms: int
    ended_ms: int
    type: str
    capability: str
    user: str
    from_digits: str
    to_digits: str
    destination: str
    used_s: int
    billed_s: int
    pool_s: int
    fee_micros: int
    charge_micros: int
    post_micros: int


def lock_wallet(connection: Connection, organisation_id: int) -> str | None:
    """Let nobody else move the organisation's money until the transaction ends; its currency."""
    rows = connection.rows(LOCK_WALLET, (organisation_id,))
    return rows[0][0] if rows else None


def statement_of_month(
    connection: Connection, organisation_id: int, month: str
) -> PostStatement | None:
    """An organisation's statement of a month."""
    rows = connection.rows(STATEMENT_OF_MONTH, (organisation_id, month))
    return PostStatement(*rows[0]) if rows else None


def statement_of_id(
    connection: Connection, organisation_id: int, statement_id: int
) -> PostStatement | None:
    """An organisation's statement of this id."""
    rows = connection.rows(STATEMENT_OF_ID, (organisation_id, statement_id))
    return PostStatement(*rows[0]) if rows else None


def statements_before(
    connection: Connection, organisation_id: int, month: str, limit: int
) -> list[PostStatement]:
    """An organisation's statements of earlier months than this, the newest first."""
    rows = connection.rows(STATEMENTS_BEFORE, (organisation_id, month, limit))
    return [PostStatement(*row) for row in rows]


def open_statements(connection: Connection, organisation_id: int) -> list[PostStatement]:
    """An organisation's statements that are not paid, the oldest first."""
    return [PostStatement(*row) for row in connection.rows(OPEN_STATEMENTS, (organisation_id,))]


def insert_statement(connection: Connection, statement: PostStatement) -> None:
    """Add a statement."""
    connection.run(INSERT_STATEMENT, statement)


def update_statement(connection: Connection, statement: PostStatement) -> None:
    """Write what may change of a statement: its state, and what was paid of it."""
    s = statement
    values = (s.state, s.paid_micros, s.overdue_ms, s.blocked_ms, s.paid_ms, s.paid_note)
    connection.run(SET_STATEMENT, (*values, s.organisation_id, s.id))


def insert_transfer(connection: Connection, transfer: Transfer) -> None:
    """Add a transfer that no wallet takes part in."""
    connection.write_all([(INSERT_TRANSFER, [tuple(transfer)]), *noting([], [transfer.id])])


def insert_payment(connection: Connection, payment: Payment) -> None:
    """Add a payment that was made already."""
    connection.write_all([(INSERT_PAYMENTS, [_payment_row(payment)])])


def payments_of_statement(connection: Connection, statement: PostStatement) -> list[Payment]:
    """All payments of a statement, those that were undone too, in their order."""
    bound = (statement.organisation_id, statement.id)
    rows = connection.rows(PAYMENTS_OF_STATEMENT, bound)
    return [Payment(*row) for row in rows]


def unbilled_by_month(connection: Connection, organisation_id: int) -> dict[str, int]:
    """Micros paid after use of each month that are on no statement: what its meter has counted
    and no line of a statement, or of a credit note of statements, names; below zero where more was
    taken back. No usage is read."""
    ((first, last),) = connection.rows(METER_MONTHS, (organisation_id,))
    if first is None:
        return {}
    months = {post_usage_key(month): month for month in months_between(first[:7], last[:7])}
    used = connection.rows(USED_AFTER_USE, [organisation_id, list(months)])
    left = Counter({months[key]: micros for key, micros in used})
    for month, body in connection.rows(STATED, (organisation_id, organisation_id)):
        for line in parsed_body(body).lines:
            left[line.month or month] -= line.amount_micros
    for (body,) in connection.rows(CREDITED, (organisation_id,)):
        for line in parsed_body(body).lines:
            left[line.month] -= line.amount_micros
    return {month: micros for month, micros in left.items() if micros}


def credit_after_use(connection: Connection, organisation_id: int) -> int:
    """Micros by which what is on no statement takes back more than it was; 0 for none."""
    return max(-sum(unbilled_by_month(connection, organisation_id).values()), 0)


def unbilled(connection: Connection, organisation_id: int, month: str) -> list[UnbilledSum]:
    """What of this month is on no statement yet, by destination."""
    rows = connection.rows(UNBILLED_SUMS, (organisation_id, month_start_ms(month), month))
    return [UnbilledSum(month, *row) for row in rows]


def bill_usage(connection: Connection, organisation_id: int, month: str, statement_id: int) -> int:
    """Put all of `unbilled` on a statement; how many usage records that were."""
    return connection.run(BILL_USAGE, (statement_id, organisation_id, month_start_ms(month), month))


def open_calls_before(connection: Connection, organisation_id: int, at_ms: int) -> int:
    """How many calls that began before a moment are still open."""
    return int(connection.rows(OPEN_CALLS, (organisation_id, at_ms))[0][0])


def calls_after_use(connection: Connection, organisation_id: int) -> int:
    """How many open calls hold what will be paid after use."""
    return int(connection.rows(CALLS_AFTER_USE, (organisation_id,))[0][0])


def wallets_to_close(
    connection: Connection, keys: Iterable[str], month: str, after_id: int, limit: int
) -> list[int]:
    """Organisations with something in one of these meters and no statement of the month."""
    rows = connection.rows(WALLETS_TO_CLOSE, [list(keys), after_id, month, limit])
    return [row[0] for row in rows]


def statements_to_move(
    connection: Connection, payable_before_ms: int, after_id: int, limit: int
) -> list[PostStatement]:
    """Statements that are not paid and were to be by this moment, or are said to be overdue."""
    rows = connection.rows(STATEMENTS_TO_MOVE, (payable_before_ms, after_id, limit))
    return [PostStatement(*row) for row in rows]


def usage_of_statement(
    connection: Connection,
    organisation_id: int,
    statement_id: int,
    after: tuple[int, int],
    limit: int,
) -> list[BilledUsage]:
    """The usage records on a statement by time, so many after a place: start and id."""
    bound = (statement_id, organisation_id, organisation_id, *after, limit)
    return [BilledUsage(*row) for row in connection.rows(USAGE_OF_STATEMENT, bound)]
