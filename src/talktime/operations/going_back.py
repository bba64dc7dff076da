"""What every refund and chargeback does to the books, in one transaction: its row, the wallet, its
document. Used by operations/refunds.py and operations/disputes.py."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from talktime.core.collecting import Collector
from talktime.core.documents import (
    INVOICE,
    DocumentFacts,
    Line,
    LotFacts,
    credit_note,
    number_text,
)
from talktime.core.ledger import Lot
from talktime.core.notices import notice
from talktime.core.payments import SUCCEEDED, Payment
from talktime.core.refunding import CHARGEBACK, DONE, Refund, give_back, take_back
from talktime.operations.billing_profiles import buyer_of
from talktime.operations.documents import issue
from talktime.operations.till import Counter, open_till
from talktime.store.documents import invoice_of_lot_id
from talktime.store.load import load_lot
from talktime.store.refunds import (
    credit_note_number,
    has_open_chargeback,
    insert_refund,
    update_refund,
)

BACK_LINES = {"refund": "Refund that failed", "chargeback": "Dispute won: payment reinstated"}


class Desk(NamedTuple):
    """An open transaction on one payment that was paid; `lot` is what it bought, spent or not."""

    counter: Counter
    collector: Collector
    payment: Payment
    lot: Lot | None


@contextmanager
def open_desk(counter: Counter, payment_id: int) -> Iterator[Desk | Payment | None]:
    """Open the till at a payment: a Desk where it was paid, else the payment, None for none.

    Raises NoWallet, Outage.
    """
    with open_till(counter, [payment_id]) as collector:
        payment = collector.till.payments.get(payment_id)
        if payment is None or payment.state != SUCCEEDED:
            yield payment
            return
        lot = None
        if payment.lot_id is not None:
            lot = load_lot(counter.cell, collector.wallet, payment.lot_id)
        yield Desk(counter, collector, payment, lot)


def left_micros(payment: Payment) -> int:
    """What of a payment did not go back yet."""
    return payment.amount_micros - payment.refunded_micros


def new_refund(
    desk: Desk,
    kind: str,
    state: str,
    amount_micros: int,
    key: str,
    body_hash: int = 0,
    *,
    reason: str,
    actor: str,
    provider_ref: str = "",
) -> Refund:
    """Money goes back: take it out of the wallet, write the row and the credit note."""
    now_ms = desk.counter.now_ms
    refund = Refund(
        desk.counter.next_id(),
        desk.payment.organisation_id,
        desk.payment.id,
        kind,
        state,
        amount_micros,
        *(0, 0),
        key,
        body_hash,
        provider_ref,
        reason,
        actor,
        detail="",
        asked=0,
        due_ms=None,
        created_ms=now_ms,
    )
    refund.move(state, now_ms, due_ms=now_ms if state == "asked" else None)
    take(desk, refund, insert_refund)
    return refund


def take(desk: Desk, refund: Refund, write: Callable[..., None] = update_refund) -> None:
    """Take a refund's amount out of the wallet, and say so in a credit note."""
    counter, payment = desk.counter, desk.payment
    take_back(desk.collector, payment, desk.lot, refund)
    write(counter.cell, refund)
    invoice = None
    if payment.lot_id is not None:
        invoice = invoice_of_lot_id(counter.cell, payment.organisation_id, payment.lot_id)
    facts = credit_note(
        invoice,
        refund.kind,
        refund.amount_micros,
        payment.currency,
        counter.seller,
        buyer_of(counter.cell, counter.organisation),
        counter.organisation.time_zone,
        invoice_number=_written(counter, invoice.number if invoice else None),
        payment_id=payment.id,
        method=invoice.facts.method if invoice else "",
        reason=refund.reason,
    )
    _issue(counter, facts)


def give(desk: Desk, refund: Refund, state: str, detail: str) -> None:
    """The money is with us after all: put it back, and invoice it again."""
    counter, payment = desk.counter, desk.payment
    note = credit_note_number(counter.cell, refund)
    new = give_back(
        desk.collector,
        payment,
        desk.lot,
        refund,
        others_open=has_open_chargeback(counter.cell, refund.organisation_id, refund.id),
    )
    refund.move(state, counter.now_ms, detail=detail)
    update_refund(counter.cell, refund)
    facts = DocumentFacts(
        INVOICE,
        payment.currency,
        refund.amount_micros,
        (Line(BACK_LINES[refund.kind], 1, refund.amount_micros),),
        counter.seller,
        buyer_of(counter.cell, counter.organisation),
        counter.organisation.time_zone,
        LotFacts(new.id, new.purchased_ms, new.expires_ms) if new else None,
        payment.id,
        po_number=payment.po_number,
        reason=detail,
        about=_written(counter, note),
    )
    _issue(counter, facts)


def tell(desk: Desk, refund: Refund) -> None:
    """Tell of a refund that is done, or of how a dispute stands: what of it is owed still, since
    other credits may have paid, at once or until then."""
    owed_micros = min(refund.debt_micros, desk.collector.wallet.debt_micros)
    facts: dict[str, str | int | None] = {
        "amount_micros": refund.amount_micros,
        "currency": desk.payment.currency,
        "debt_micros": owed_micros,
    }
    if refund.kind == CHARGEBACK:
        kind = f"dispute.{'opened' if refund.state == 'open' else refund.state}"
    elif refund.state == DONE:
        kind = "refund.done"
        facts["voided_micros"] = refund.amount_micros - owed_micros
        facts["reason"] = refund.reason
    else:
        return
    told = notice(refund.organisation_id, kind, f"{kind}/{refund.id}", desk.counter.now_ms, **facts)
    desk.collector.books.tell(told)


def _issue(counter: Counter, facts: DocumentFacts) -> None:
    issue(
        counter.cell,
        counter.organisation.id,
        facts,
        now_ms=counter.now_ms,
        next_id=counter.next_id,
    )


def _written(counter: Counter, number: int | None) -> str:
    return "" if number is None else number_text(counter.organisation.cell, number)
