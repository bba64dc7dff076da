"""Statements of what is paid after use: list them, export one, record what was paid of it."""

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, NamedTuple

from talktime.core.audit import Facts
from talktime.core.currencies import decimals_of, minor_units
from talktime.core.directory import Organisation
from talktime.core.documents import Document, number_text
from talktime.core.ledger import FUNDING, RECEIVABLES, Transfer
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    IDEMPOTENCY_KEY_TEXT_MAX,
    PAGE_ROWS_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.masking import masked_parties
from talktime.core.money import decimal_text
from talktime.core.payments import STATEMENT, SUCCEEDED, Payment
from talktime.core.post_usage import PAID, PostStatement, statement_notice, with_payment
from talktime.core.refusal import Refusal
from talktime.operations import audit
from talktime.operations.csv_text import safe_text
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import can_be_stored, check_text, first
from talktime.operations.render import utc_text
from talktime.store import post_statements as store
from talktime.store.database import Connection
from talktime.store.documents import document_of_id
from talktime.store.notices import insert_notices
from talktime.store.payments import payment_of_key
from talktime.store.post_statements import BilledUsage

PAGE_RECORDS = 2_000
_AFTER_ALL_MONTHS = "9999-99"
COLUMNS = (
    *("usage_id", "kind", "call_id", "month", "start_time", "end_time", "call_type"),
    *("capability", "user", "caller_number", "callee_number", "destination"),
    *("duration_seconds", "billed_seconds", "included_seconds", "connection_fee", "charge"),
    *("paid_after_use", "currency"),
)
"""The columns of an export, a row for each usage record (R75)."""


class Billed(NamedTuple):
    """A statement with its document."""

    statement: PostStatement
    document: Document


def list_statements(
    cell: Connection,
    organisation: Organisation,
    *,
    before: str = _AFTER_ALL_MONTHS,
    limit: int = PAGE_ROWS_MAX,
) -> list[PostStatement]:
    """An organisation's statements, the newest first; `before` is the last month of the page
    before."""
    return store.statements_before(cell, organisation.id, before, min(limit, PAGE_ROWS_MAX))


def find_statement(
    cell: Connection, organisation: Organisation, month: str
) -> PostStatement | Refusal:
    """The organisation's statement of a month (2026-11). Refuses: unknown_statement."""
    known = can_be_stored(month)
    found = store.statement_of_month(cell, organisation.id, month) if known else None
    if found is None:
        return Refusal("unknown_statement", f"{organisation.name} has no statement of {month!r}")
    return found


def show_statement(cell: Connection, organisation: Organisation, month: str) -> Billed | Refusal:
    """A statement with its document. Refuses: unknown_statement."""
    found = find_statement(cell, organisation, month)
    if isinstance(found, Refusal):
        return found
    document = document_of_id(cell, organisation.id, found.document_id)
    if document is None:
        raise LookupError(f"statement {found.id} has no document {found.document_id}")
    return Billed(found, document)


def list_statement_payments(cell: Connection, statement: PostStatement) -> list[Payment]:
    """All payments of a statement, those that were undone too, in their order."""
    return store.payments_of_statement(cell, statement)


def find_paid_statement(cell: Connection, payment: Payment) -> PostStatement:
    """The statement of which a payment is. Raises LookupError where it is of none."""
    found = store.statement_of_id(cell, payment.organisation_id, payment.statement_id or 0)
    if found is None:
        raise LookupError(f"payment {payment.id} is of no statement")
    return found


def usage_pages(
    cell: Connection,
    organisation: Organisation,
    statement: PostStatement,
    *,
    page_records: int = PAGE_RECORDS,
) -> Iterator[list[BilledUsage]]:
    """The usage records on a statement by time, some thousands at a time, each page read for
    itself: what is on a statement does not change. Nothing is open on the cell."""
    after: tuple[int, int] | None = None
    while True:
        with cell.reading():
            page = usage_after(cell, organisation, statement, after, page_records)
        if page:
            yield page
        if len(page) < page_records:
            return
        after = (page[-1].started_ms, page[-1].id)


def usage_after(
    cell: Connection,
    organisation: Organisation,
    statement: PostStatement,
    after: tuple[int, int] | None,
    limit: int,
) -> list[BilledUsage]:
    """So many usage records on a statement by time, those after a place: (start in ms, id); None
    for the first."""
    place = (-1, 0) if after is None else after
    return store.usage_of_statement(cell, organisation.id, statement.id, place, limit)


def csv_pieces(
    pages: Iterable[list[BilledUsage]], currency: str, hidden_digits: int
) -> Generator[bytes, None, None]:
    """A row for each usage record as CSV by RFC 4180, a page at a time: a header, quotes where
    needed, lines that end with CR LF."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for page in pages:
        for usage in page:
            row = usage_row(usage, currency, hidden_digits)
            writer.writerow({name: safe_text(str(field)) for name, field in row.items()})
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def json_pieces(
    pages: Iterable[list[BilledUsage]], head: dict[str, Any], currency: str, hidden_digits: int
) -> Generator[bytes, None, None]:
    """A JSON object with what `head` has (something), and `usage` with the rows, a page at a
    time."""
    before = "\n"
    opened = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    yield opened.encode() + b',\n "usage": ['
    for page in pages:
        rows = [
            json.dumps(usage_row(usage, currency, hidden_digits), ensure_ascii=False)
            for usage in page
        ]
        yield (before + ",\n".join(rows)).encode()
        before = ",\n"
    yield b"\n ]\n}\n"


def usage_row(usage: BilledUsage, currency: str, hidden_digits: int) -> dict[str, Any]:
    """A usage record as a row of an export: amounts are exact decimal texts, times RFC 3339 in UTC;
    of other parties' numbers so many digits are masked (R78)."""
    numbers = (_number(usage.from_digits), _number(usage.to_digits))
    caller, called = masked_parties(usage.type, *numbers, hidden_digits)
    return dict(
        zip(
            COLUMNS,
            (
                *(str(usage.id), usage.kind, usage.call_key, usage.month),
                *(utc_text(usage.started_ms), utc_text(usage.ended_ms), usage.type),
                *(usage.capability, usage.user, caller),
                *(called, usage.destination, usage.used_s, usage.billed_s),
                *(usage.pool_s, decimal_text(usage.fee_micros)),
                *(decimal_text(usage.charge_micros), decimal_text(usage.post_micros), currency),
            ),
            strict=True,
        )
    )


def _number(digits: str) -> str:
    return f"+{digits}" if digits else ""


def pay_statement(
    cell: Connection,
    organisation: Organisation,
    month: str,
    *,
    amount_micros: int,
    note: str,
    actor: str,
    idempotency_key: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> PostStatement | Refusal:
    """Record that an organisation has paid so much of a statement, wholly or in part.

    The same key and payment again is recorded once. The caller opens and commits the transaction;
    the wallet is locked here. Where a block was in force, `sync_block` (operations/dunning.py)
    lifts it afterwards. Refuses: invalid_value, also for more than is left to pay;
    unknown_statement; idempotency_key_reused for the same key with another payment.
    """
    refusal = first(
        check_text("the note", note, REASON_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the idempotency key", idempotency_key, IDEMPOTENCY_KEY_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    currency = store.lock_wallet(cell, organisation.id)
    found = find_statement(cell, organisation, month)
    if isinstance(found, Refusal) or currency is None:
        detail = f"{organisation.name} has no wallet in this cell"
        return found if isinstance(found, Refusal) else Refusal("unknown_organisation", detail)
    body_hash = request_hash(STATEMENT, found.id, amount_micros, note)
    before = payment_of_key(cell, organisation.id, idempotency_key)
    if before is not None:
        if before.body_hash == body_hash:
            return found
        detail = f"key {idempotency_key!r} was used for another payment before"
        return Refusal("idempotency_key_reused", detail)
    refusal = _wrong_amount(found, amount_micros, currency)
    if refusal is not None:
        return refusal
    payment = _payment(found, amount_micros, currency, note, actor, now_ms, next_id())
    payment.idempotency_key, payment.body_hash = idempotency_key, body_hash
    store.insert_payment(cell, payment)
    after: Facts = {"amount_micros": amount_micros, "currency": currency, "note": note}
    audit.note(cell, organisation.id, "statement.paid", month, after=after)
    return credit_payment(cell, organisation, found, payment, now_ms=now_ms, next_id=next_id)


def credit_payment(
    cell: Connection,
    organisation: Organisation,
    statement: PostStatement,
    payment: Payment,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> PostStatement:
    """Book the money of a payment that has succeeded to its statement: its transfer (which has the
    payment's id), what is paid now, and, where that is all, its notice.

    The wallet is locked; the payment's row is the caller's to write.
    """
    paid = with_payment(statement, payment.amount_micros, payment.currency, payment.detail, now_ms)
    store.update_statement(cell, paid)
    store.insert_transfer(
        cell,
        Transfer(
            *(payment.id, organisation.id, FUNDING, RECEIVABLES),
            *(payment.amount_micros, "payment", None, now_ms),
        ),
    )
    if paid.state == PAID:
        tell(cell, organisation, "paid", paid, payment.currency, now_ms=now_ms, next_id=next_id)
    return paid


def tell(
    cell: Connection,
    organisation: Organisation,
    kind: str,
    statement: PostStatement,
    currency: str,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> None:
    """Write the notice of a statement that became due, overdue, blocked or paid; once."""
    document = document_of_id(cell, organisation.id, statement.document_id)
    number = number_text(organisation.cell, document.number) if document else ""
    insert_notices(cell, [statement_notice(kind, statement, currency, number, now_ms)], next_id)


def _payment(
    statement: PostStatement,
    amount_micros: int,
    currency: str,
    note: str,
    actor: str,
    now_ms: int,
    payment_id: int,
) -> Payment:
    return Payment(
        id=payment_id,
        organisation_id=statement.organisation_id,
        kind=STATEMENT,
        state=SUCCEEDED,
        method_id=None,
        amount_micros=amount_micros,
        currency=currency,
        idempotency_key="",
        body_hash=0,
        po_number="",
        actor=actor,
        declines=0,
        code="",
        detail=note,
        action_url="",
        due_ms=None,
        created_ms=now_ms,
        closed_ms=now_ms,
        statement_id=statement.id,
    )


def _wrong_amount(statement: PostStatement, micros: int, currency: str) -> Refusal | None:
    left_micros = statement.to_pay_micros(currency)
    if statement.state == PAID or not 0 < micros <= left_micros:
        left = decimal_text(max(left_micros, 0))
        detail = f"{left} {currency} of the statement of {statement.month} is left to pay"
        return Refusal("invalid_value", detail)
    try:
        minor_units(micros, decimals_of(currency))
    except ValueError:
        detail = f"{decimal_text(micros)} is no amount that can be paid in {currency}"
        return Refusal("invalid_value", detail)
    return None
