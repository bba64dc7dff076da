"""Invoices, credit notes and statements: the facts that are frozen when one is issued. Pure.

A document never changes: whoever was named, whatever was owed and said is kept with it as it was.
Its lines always add up to its amount.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from talktime.core.ledger import Lot

INVOICE, CREDIT_NOTE, STATEMENT = ("invoice", "credit_note", "statement")
GIVEN = ("grant", "adjustment")
"""Sources of lots that nobody pays for."""

NON_REFUNDABLE = "Credits are not refundable (except by the operator's decision, or by law)."
EXPIRES = "Credits that are not used by the expiry date are forfeited."
SPENT_ON_CALLS = "Credits can only be spent on calls and services, at the published rates."
LOT_TERMS = (NON_REFUNDABLE, EXPIRES, SPENT_ON_CALLS)
LOT_LINES = {
    "purchase": "Communications credits",
    "recharge": "Communications credits, by auto-recharge",
    "grant": "Communications credits, granted",
    "adjustment": "Communications credits, adjustment",
}
FREE_OF_CHARGE = "Free of charge"
REASON_LINES = {
    "refund": "Refund",
    "chargeback": "Payment taken back by the cardholder's bank",
    "take_back": "Communications credits, taken back",
}


class Seller(NamedTuple):
    """Who issues documents; `address` has a line each, `bank` is where money is transferred to."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    bank: str = ""


class Buyer(NamedTuple):
    """To whom a document is addressed; `organisation` is the name it has here."""

    organisation: str
    legal_name: str
    address: str = ""
    tax_id: str = ""


class Line(NamedTuple):
    """One line. On a statement, `quantity` counts the calls, `billed_s` is how long they were, and
    `month` names an earlier month that the line corrects."""

    text: str
    quantity: int
    amount_micros: int
    billed_s: int | None = None
    month: str = ""


class LotFacts(NamedTuple):
    """The lot that a document is about."""

    id: int
    purchased_ms: int
    expires_ms: int


class DocumentFacts(NamedTuple):
    """All that a document says but for its number and date.

    `amount_micros` is what is to be paid or was: below zero on a credit note, zero for what was
    given. `method` says in words how it was paid, `payable_ms` by when it is to be (statements).
    """

    kind: str
    currency: str
    amount_micros: int
    lines: tuple[Line, ...]
    seller: Seller
    buyer: Buyer
    time_zone: str
    lot: LotFacts | None = None
    payment_id: int | None = None
    method: str = ""
    po_number: str = ""
    reason: str = ""
    terms: tuple[str, ...] = ()
    month: str = ""
    payable_ms: int | None = None
    about: str = ""


class Document(NamedTuple):
    """A document as it was issued; `number` counts up in its cell, without gaps."""

    id: int
    organisation_id: int
    number: int
    issued_ms: int
    facts: DocumentFacts


def number_text(cell: str, number: int) -> str:
    """A document's number as people write it.

    >>> number_text("main", 42), number_text("north", 1_234_567)
    ('MAIN-000042', 'NORTH-1234567')
    """
    return f"{cell.upper()}-{number:06}"


def parsed_number(text: str) -> tuple[str, int] | None:
    """The cell and the number of a written number; None where it is none.

    >>> parsed_number("main-000042"), parsed_number("42"), parsed_number("MAIN-0")
    (('main', 42), None, None)
    """
    cell, dash, digits = text.strip().rpartition("-")
    if not dash or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    number = int(digits)
    return (cell.lower(), number) if cell and number else None


def invoice_of_lot(
    lot: Lot,
    currency: str,
    seller: Seller,
    buyer: Buyer,
    time_zone: str,
    *,
    payment_id: int | None = None,
    method: str = "",
    po_number: str = "",
) -> DocumentFacts:
    """The invoice of a lot: what was paid for it, by `method`; nothing where it was given.

    Source: R12, D5.
    """
    lines = [Line(LOT_LINES[lot.source], 1, lot.amount_micros)]
    given = lot.source in GIVEN
    if given:
        lines.append(Line(FREE_OF_CHARGE, 1, -lot.amount_micros))
    return DocumentFacts(
        INVOICE,
        currency,
        0 if given else lot.amount_micros,
        tuple(lines),
        seller,
        buyer,
        time_zone,
        LotFacts(lot.id, lot.purchased_ms, lot.expires_ms),
        payment_id,
        method,
        po_number,
        lot.reason if given else "",
        LOT_TERMS,
    )


def credit_note(
    invoice: Document | None,
    reason_kind: str,
    amount_micros: int,
    currency: str,
    seller: Seller,
    buyer: Buyer,
    time_zone: str,
    *,
    invoice_number: str = "",
    payment_id: int | None = None,
    method: str = "",
    reason: str = "",
) -> DocumentFacts:
    """The credit note of a refund, a chargeback or credits taken back (`reason_kind`), of
    `amount_micros`, above zero, of the invoice that is named; of nothing where that was of nothing.
    It says how the money goes back (D15)."""
    lot = invoice.facts.lot if invoice is not None else None
    lines = [Line(REASON_LINES[reason_kind], 1, -amount_micros)]
    if invoice is not None and not invoice.facts.amount_micros:
        lines.append(Line(FREE_OF_CHARGE, 1, amount_micros))
    return DocumentFacts(
        CREDIT_NOTE,
        currency,
        sum(line.amount_micros for line in lines),
        tuple(lines),
        seller,
        buyer,
        time_zone,
        lot,
        payment_id,
        method,
        invoice.facts.po_number if invoice is not None else "",
        reason,
        about=invoice_number,
    )


def statement_of_month(
    month: str,
    currency: str,
    lines: Iterable[Line],
    seller: Seller,
    buyer: Buyer,
    time_zone: str,
    payable_ms: int,
) -> DocumentFacts:
    """The statement of what an organisation pays after use for a month (D14, R75); its amount is
    the sum of its lines, below zero where corrections took back more than was used."""
    kept = tuple(lines)
    return DocumentFacts(
        STATEMENT,
        currency,
        sum(line.amount_micros for line in kept),
        kept,
        seller,
        buyer,
        time_zone,
        month=month,
        payable_ms=payable_ms,
    )


def body_text(facts: DocumentFacts) -> str:
    """The facts as their column keeps them: JSON, with what is not empty."""
    body = {name: value for name, value in facts._asdict().items() if value not in (None, "", ())}
    for name in ("seller", "buyer", "lot"):
        if name in body:
            body[name] = body[name]._asdict()
    body["lines"] = [line._asdict() for line in facts.lines]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def parsed_body(text: str) -> DocumentFacts:
    """Read back what `body_text` wrote."""
    body: dict[str, Any] = json.loads(text)
    seller, lot = body["seller"], body.get("lot")
    body["seller"] = Seller(**{**seller, "address": tuple(seller["address"])})
    body["buyer"] = Buyer(**body["buyer"])
    body["lot"] = LotFacts(**lot) if lot else None
    body["lines"] = tuple(Line(**line) for line in body["lines"])
    body["terms"] = tuple(body.get("terms", ()))
    return DocumentFacts(**body)
