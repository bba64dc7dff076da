"""The invoice that every funding event has (R2, R18)."""

from collections.abc import Callable

from talktime.core.directory import Organisation
from talktime.core.documents import Document, Seller, invoice_of_lot
from talktime.core.ledger import Lot
from talktime.operations.billing_profiles import buyer_of
from talktime.operations.documents import issue
from talktime.store.database import Connection

UNNAMED = Seller("Talktime")
"""The seller where the operator has not said who sells (TALKTIME_SELLER)."""


def invoice_lot(
    cell: Connection,
    organisation: Organisation,
    lot: Lot,
    *,
    seller: Seller = UNNAMED,
    payment_id: int | None = None,
    method: str = "",
    po_number: str = "",
    now_ms: int,
    next_id: Callable[[], int],
) -> Document:
    """Issue the invoice of a lot, inside the transaction in which it came in; for what was given,
    its total is zero."""
    facts = invoice_of_lot(
        lot,
        organisation.currency,
        seller,
        buyer_of(cell, organisation),
        organisation.time_zone,
        payment_id=payment_id,
        method=method,
        po_number=po_number,
    )
    return issue(cell, organisation.id, facts, now_ms=now_ms, next_id=next_id)
