"""What is paid after use: when a month is closed, and what becomes of its statement. Pure.

    due ──► overdue ──► blocked        by time, each told once
     └─────────┴───────────┴──► paid   when payments have reached the amount
     ▲─────────▲───────────▲─── paid   when a payment was undone, by the statement's own day

A month is closed some hours after its end (UTC, D13), when no call of it is open any more; what is
reported later are lines of the next statement.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from talktime.core.currencies import decimals_of, micros_of
from talktime.core.meters import month_of
from talktime.core.money import half_up_minor_units
from talktime.core.notices import Notice, notice

DUE, OVERDUE, BLOCKED, PAID = ("due", "overdue", "blocked", "paid")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
REMINDED_DAYS = 7
"""So long before it is to be paid, a statement is called to mind."""


class Deadlines(NamedTuple):
    """The operator's settings: a month is closed so many hours after its end, a statement is to be
    paid so many days after, and calls are blocked so many days after that."""

    close_hours: int = 24
    pay_days: int = 30
    block_days: int = 14


class PostStatement(NamedTuple):
    """The statement of a month, as its row keeps it; `amount_micros` is exact, above zero."""

    id: int
    organisation_id: int
    month: str
    document_id: int
    state: str
    amount_micros: int
    paid_micros: int
    closed_ms: int
    payable_ms: int
    overdue_ms: int | None = None
    blocked_ms: int | None = None
    paid_ms: int | None = None
    paid_note: str = ""

    def to_pay_micros(self, currency: str) -> int:
        """What is still to be paid, in whole minor units; the amount is rounded half up."""
        return payable_micros(self.amount_micros, currency) - self.paid_micros


def payable_micros(micros: int, currency: str) -> int:
    """An exact amount as it is paid: in whole minor units of the currency, half up (D9, D19).

    >>> [payable_micros(12_345_000, code) for code in ("USD", "JPY", "KWD")]
    [12350000, 12000000, 12345000]
    """
    decimals = decimals_of(currency)
    return micros_of(half_up_minor_units(micros, decimals), decimals)


def month_end_ms(month: str) -> int:
    """The first moment after a month, in UTC (D13).

    >>> month_end_ms("2028-02") - month_end_ms("2028-01") == 29 * DAY_MS
    True
    """
    year, number = int(month[:4]), int(month[5:])
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int(after.timestamp()) * 1000


def month_before(month: str, months: int = 1) -> str:
    """The month so many months before.

    >>> month_before("2026-02"), month_before("2026-02", 13), month_before("2026-12", 0)
    ('2026-01', '2025-01', '2026-12')
    """
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 - months, 12)
    return f"{year:04}-{number + 1:02}"


def month_start_ms(month: str) -> int:
    """The first moment of a month, in UTC (D13)."""
    return month_end_ms(month_before(month))


def months_between(first: str, last: str) -> list[str]:
    """All months from the first to the last, both of them too.

    >>> months_between("2026-11", "2027-01"), months_between("2026-11", "2026-10")
    (['2026-11', '2026-12', '2027-01'], [])
    """
    found = []
    while last >= first:
        found.append(last)
        last = month_before(last)
    return found[::-1]


def last_closed_month(now_ms: int, deadlines: Deadlines) -> str:
    """The latest month that may be closed now.

    >>> last_closed_month(month_end_ms("2026-11") + DAY_MS, Deadlines())
    '2026-11'
    >>> last_closed_month(month_end_ms("2026-11") + DAY_MS - 1, Deadlines())
    '2026-10'
    """
    return month_before(month_of(now_ms - deadlines.close_hours * HOUR_MS))


def moved_on(statement: PostStatement, deadlines: Deadlines, now_ms: int) -> PostStatement:
    """The statement as time alone makes it: overdue from the moment at which it was to be paid,
    blocked some days later. What a clock that was ahead has made of it is taken back."""
    if statement.state in (OVERDUE, BLOCKED) and statement.payable_ms > now_ms:
        statement = statement._replace(state=DUE, overdue_ms=None, blocked_ms=None)
    elif statement.state == BLOCKED and (statement.blocked_ms or 0) > now_ms:
        statement = statement._replace(state=OVERDUE, blocked_ms=None)
    if statement.state == DUE and statement.payable_ms <= now_ms:
        statement = statement._replace(state=OVERDUE, overdue_ms=now_ms)
    blocks_ms = statement.payable_ms + deadlines.block_days * DAY_MS
    if statement.state == OVERDUE and blocks_ms <= now_ms:
        statement = statement._replace(state=BLOCKED, blocked_ms=now_ms)
    return statement


def with_payment(
    statement: PostStatement, micros: int, currency: str, note: str, now_ms: int
) -> PostStatement:
    """The statement after a payment; paid where nothing is left to pay."""
    paid = statement._replace(paid_micros=statement.paid_micros + micros)
    if paid.to_pay_micros(currency) > 0:
        return paid
    return paid._replace(state=PAID, paid_ms=now_ms, paid_note=note)


def without_payment(
    statement: PostStatement, micros: int, deadlines: Deadlines, now_ms: int
) -> PostStatement:
    """The statement after a payment was undone: to be paid by its own day still, and late or
    blocked where that has passed."""
    unpaid = statement._replace(
        state=DUE,
        paid_micros=statement.paid_micros - micros,
        overdue_ms=None,
        blocked_ms=None,
        paid_ms=None,
        paid_note="",
    )
    return moved_on(unpaid, deadlines, now_ms)


def statement_notice(
    kind: str, statement: PostStatement, currency: str, document_number: str, now_ms: int
) -> Notice:
    """What is told of a statement, once: closed, due, overdue, blocked or paid (each time that it
    is). The amount is what is to be paid, or was."""
    paid = kind == PAID
    key = f"statement.{kind}:{statement.id}"
    return notice(
        statement.organisation_id,
        f"statement.{kind}",
        f"{key}:{statement.paid_ms}" if paid else key,
        now_ms,
        statement_id=statement.id,
        month=statement.month,
        amount_micros=statement.paid_micros if paid else statement.to_pay_micros(currency),
        currency=currency,
        payable_ms=statement.payable_ms,
        document_number=document_number,
    )


def undone_notice(
    statement: PostStatement,
    undone_id: int,
    reason: str,
    currency: str,
    document_number: str,
    now_ms: int,
) -> Notice:
    """What is told when a payment of a statement was undone: what is left to pay now, and why."""
    return notice(
        statement.organisation_id,
        "statement.payment_undone",
        f"statement.payment_undone:{undone_id}",
        now_ms,
        statement_id=statement.id,
        month=statement.month,
        amount_micros=statement.to_pay_micros(currency),
        currency=currency,
        payable_ms=statement.payable_ms,
        document_number=document_number,
        reason=reason,
    )
