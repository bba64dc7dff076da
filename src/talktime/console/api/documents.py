"""`.../invoices`, `statements` and `billing-profile`: what was issued, and to whom."""

from collections.abc import Iterator
from typing import Annotated, Any

from babel import Locale, UnknownLocaleError
from django.http import HttpResponse
from ninja import Path, Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.payments import Payment, SentReason
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    IdText,
    Moment,
    PathId,
    Sent,
    SentAmount,
    Shown,
    listing,
)
from talktime.console.databases import current
from talktime.console.streaming import read_apart, streamed
from talktime.core.documents import Document, number_text, parsed_number
from talktime.core.keys import BILLING, OPERATOR, READ
from talktime.core.limits import (
    ADDRESS_TEXT_MAX,
    LEGAL_NAME_TEXT_MAX,
    REASON_TEXT_MAX,
    TAX_ID_TEXT_MAX,
)
from talktime.core.post_usage import PostStatement
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import buyer_of, set_billing_profile
from talktime.operations.close_month import deadlines_of
from talktime.operations.document_pdf import document_pdf
from talktime.operations.documents import find_document, list_documents
from talktime.operations.dunning import sync_block
from talktime.operations.money_documents import payment_document
from talktime.operations.post_statements import (
    csv_pieces,
    find_statement,
    list_statement_payments,
    list_statements,
    pay_statement,
    show_statement,
    usage_after,
    usage_pages,
    usage_row,
)
from talktime.operations.receipts import why_not_receive
from talktime.operations.undo_payment import undo_payment
from talktime.store.database import Connection

SEES = (READ, BILLING)
invoices = Resource("Invoices", "Invoices, credit notes and statements, as issued.")
statements = Resource("Statements", "What is paid after use, month by month.")
profile = Resource("Billing profile", "To whom documents are addressed.")
Answer = dict[str, Any]
Number = Annotated[str, Path(max_length=64, description="As on the document: MAIN-000042.")]
Month = Annotated[str, Path(pattern=r"^\d{4}-\d\d$", description="A month: 2026-11.")]
Language = Annotated[
    str, Query(max_length=35, description="How amounts and dates are written: de, en-US.")
]


class Seller(Shown):
    """Who issued a document; `bank` is where money is transferred to."""

    name: str
    address: list[str]
    tax_id: str
    bank: str


class Buyer(Shown):
    """To whom documents are addressed; the address has a line each."""

    organisation: str
    legal_name: str
    address: str
    tax_id: str


class Line(Shown):
    """A line of a document."""

    text: str
    quantity: int
    amount: Amount = Field(validation_alias="amount_micros")
    billed_seconds: int | None = Field(validation_alias="billed_s")
    month: str


class Invoice(Shown):
    """An invoice, a credit note or a statement, as it was issued."""

    number: str
    document_id: IdText
    kind: str
    issued: Moment
    currency: str
    amount: Amount
    method: str
    po_number: str
    reason: str
    about: str
    month: str
    payable: Moment | None
    seller: Seller
    buyer: Buyer
    lines: list[Line]
    terms: list[str]


class Statement(Shown):
    """The statement of a month, and how its payment stands."""

    month: str
    state: str
    currency: str
    amount: Amount
    paid: Amount
    left_to_pay: Amount
    closed: Moment
    payable: Moment
    overdue: Moment | None
    blocked: Moment | None
    paid_at: Moment | None


class StatementUsage(Statement):
    """A statement with a row for each usage record on a page of it."""

    usage: list[dict[str, str | int]]
    next: str | None = Field(description="The address of the following page; null on the last.")


class SentProfile(Sent):
    """To whom documents are addressed from now on."""

    legal_name: str = Field(min_length=1, max_length=LEGAL_NAME_TEXT_MAX)
    address: str = Field("", max_length=ADDRESS_TEXT_MAX, description="With a line each.")
    tax_id: str = Field("", max_length=TAX_ID_TEXT_MAX)


class SentPaid(Sent):
    """How much was paid of a statement, and how."""

    amount: SentAmount
    note: str = Field(min_length=1, max_length=REASON_TEXT_MAX)


@invoices.reads("/invoices", listing("invoices", Invoice), by=SEES)
def get_invoices(asked: Asked, page: AskedPage) -> Answer:
    """Invoices, credit notes and statements, the newest first."""
    with asked.cell.reading():
        found = list_documents(asked.cell, asked.owner, before=page.before, limit=page.limit)
    answer: Answer = asked.page(page, "invoices", found, lambda each: each.number)
    return {**answer, "invoices": [_document(asked, each) for each in found]}


@invoices.reads("/invoices/{number}", Invoice, by=SEES, refusals=("unknown_document",))
def get_invoice(asked: Asked, number: Number) -> Answer | Refusal:
    """What a document says."""
    found = _numbered(asked, number)
    return found if isinstance(found, Refusal) else _document(asked, found)


@invoices.reads(
    *("/invoices/{number}/pdf", None),
    by=SEES,
    refusals=("unknown_document",),
    gives="application/pdf",
)
def get_invoice_pdf(
    asked: Asked, number: Number, language: Language = "en-GB"
) -> HttpResponse | Refusal:
    """A document as a PDF."""
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return Refusal("invalid_value", f"{language[:40]!r} is no language such as de or en-US")
    found = _numbered(asked, number)
    if isinstance(found, Refusal):
        return found
    made = document_pdf(found, asked.owner.cell, locale)
    name = f"{number_text(asked.owner.cell, found.number)}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


@statements.reads("/statements", listing("statements", Statement), by=SEES)
def get_statements(asked: Asked, page: AskedPage) -> Answer:
    """Statements of what is paid after use, the newest first."""
    before = page.cursor or "9999-99"
    with asked.cell.reading():
        found = list_statements(asked.cell, asked.owner, before=before, limit=page.limit)
    answer: Answer = asked.page(page, "statements", found, lambda each: each.month)
    return {**answer, "statements": [_statement(asked, each) for each in found]}


@statements.reads("/statements/{month}", Statement, by=SEES, refusals=("unknown_statement",))
def get_statement(asked: Asked, month: Month) -> Answer | Refusal:
    """A month's statement."""
    with asked.cell.reading():
        found = find_statement(asked.cell, asked.owner, month)
    return found if isinstance(found, Refusal) else _statement(asked, found)


@statements.reads(
    "/statements/{month}/usage", StatementUsage, by=SEES, refusals=("unknown_statement",)
)
def get_statement_usage(asked: Asked, month: Month, page: AskedPage) -> Answer | Refusal:
    """A month's statement with a row for each usage record, by time."""
    with asked.cell.snapshot():
        billed = show_statement(asked.cell, asked.owner, month)
        if isinstance(billed, Refusal):
            return billed
        found = usage_after(asked.cell, asked.owner, billed.statement, page.place, page.limit)
    currency, hidden = billed.document.facts.currency, asked.hidden_digits
    answer: Answer = asked.page(page, "usage", found, lambda each: f"{each.started_ms}-{each.id}")
    rows = [usage_row(each, currency, hidden) for each in found]
    return {**_statement(asked, billed.statement), **answer, "usage": rows}


@statements.reads(
    *("/statements/{month}/csv", None),
    by=SEES,
    refusals=("unknown_statement",),
    gives="text/csv",
)
def get_statement_csv(asked: Asked, month: Month) -> HttpResponse | Refusal:
    """A month's usage records as CSV (RFC 4180)."""
    with asked.cell.reading():
        found = show_statement(asked.cell, asked.owner, month)
    if isinstance(found, Refusal):
        return found
    billed, owner, hidden = found, asked.owner, asked.hidden_digits

    def pieces(cell: Connection) -> Iterator[bytes]:
        pages = usage_pages(cell, owner, billed.statement)
        return csv_pieces(pages, billed.document.facts.currency, hidden)

    return streamed(asked.request, read_apart(owner, pieces), "text/csv; charset=utf-8")


@statements.does(
    *("POST", "/statements/{month}/payments", Statement),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("unknown_statement", "payment_not_possible", "approval_needed"),
    sent={"amount": "99.50", "note": "bank 4711"},
)
def post_statement_payment(asked: Asked, month: Month, sent: SentPaid) -> Answer | Refusal:
    """Record that a statement was paid, wholly or in part.

    Blocked calls are possible again when nothing is left to pay. The key is of an operator whom a
    second one has confirmed.
    """
    refusal = why_not_receive(asked.control, asked.actor)
    if refusal is not None:
        return refusal
    with asked.cell.transaction():
        paid = pay_statement(
            *(asked.cell, asked.owner, month),
            amount_micros=sent.amount,
            note=sent.note,
            actor=asked.actor,
            idempotency_key=asked.idempotency_key,
            now_ms=asked.now_ms,
            next_id=asked.next_id,
        )
    if isinstance(paid, Refusal):
        return paid
    sync_block(asked.control, asked.cell, asked.owner.id)
    return _statement(asked, paid)


@statements.reads(
    "/statements/{month}/payments",
    listing("payments", Payment, paged=False),
    by=SEES,
    refusals=("unknown_statement",),
)
def get_statement_payments(asked: Asked, month: Month) -> Answer | Refusal:
    """What was paid of a statement; what was undone has all of it `refunded`."""
    with asked.cell.reading():
        found = find_statement(asked.cell, asked.owner, month)
        if isinstance(found, Refusal):
            return found
        payments = list_statement_payments(asked.cell, found)
    return {"payments": [payment_document(each) for each in payments]}


@statements.does(
    *("POST", "/statements/{month}/payments/{int:payment_id}/undo", Statement),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("unknown_statement", "unknown_payment", "payment_not_possible"),
    sent={"reason": "the bank has returned it"},
)
def post_statement_undo(
    asked: Asked, month: Month, payment_id: PathId, sent: SentReason
) -> Answer | Refusal:
    """Undo a payment of a statement that was recorded by mistake, or came back.

    The statement is to be paid again, by its own day.
    """
    undone = undo_payment(
        *(asked.counter, month, payment_id, deadlines_of(current())),
        reason=sent.reason,
        actor=asked.actor,
        idempotency_key=asked.idempotency_key,
    )
    if isinstance(undone, Refusal):
        return undone
    sync_block(asked.control, asked.cell, asked.owner.id)
    return _statement(asked, undone.statement)


@profile.reads("/billing-profile", Buyer, by=SEES)
def get_profile(asked: Asked) -> Any:
    """To whom documents are addressed now."""
    with asked.cell.reading():
        return buyer_of(asked.cell, asked.owner)


@profile.does(
    *("PUT", "/billing-profile", Buyer),
    by=(BILLING,),
    sent={"legal_name": "Contoso Ltd", "address": "1 Main Street\nOslo", "tax_id": "NO 1"},
)
def put_profile(asked: Asked, sent: SentProfile) -> Any:
    """Say to whom documents are addressed from now on.

    Those that were issued stay as they are.
    """
    with asked.cell.transaction():
        return set_billing_profile(asked.cell, asked.owner, **sent.model_dump())


def _numbered(asked: Asked, text: str) -> Document | Refusal:
    cell, number = parsed_number(text) or ("", 0)
    if cell != asked.owner.cell:
        return Refusal("unknown_document", f"no document has the number {text[:40]!r}")
    with asked.cell.reading():
        return find_document(asked.cell, asked.owner.id, number)


def _document(asked: Asked, document: Document) -> Answer:
    facts = document.facts
    return {
        "number": number_text(asked.owner.cell, document.number),
        "document_id": str(document.id),
        "kind": facts.kind,
        "issued": document.issued_ms,
        "currency": facts.currency,
        "amount": facts.amount_micros,
        "method": facts.method,
        "po_number": facts.po_number,
        "reason": facts.reason,
        "about": facts.about,
        "month": facts.month,
        "payable": facts.payable_ms,
        "seller": facts.seller,
        "buyer": facts.buyer,
        "lines": facts.lines,
        "terms": facts.terms,
    }


def _statement(asked: Asked, statement: PostStatement) -> Answer:
    currency = asked.owner.currency
    return {
        "month": statement.month,
        "state": statement.state,
        "currency": currency,
        "amount": statement.amount_micros,
        "paid": statement.paid_micros,
        "left_to_pay": max(statement.to_pay_micros(currency), 0),
        "closed": statement.closed_ms,
        "payable": statement.payable_ms,
        "overdue": statement.overdue_ms,
        "blocked": statement.blocked_ms,
        "paid_at": statement.paid_ms,
    }
