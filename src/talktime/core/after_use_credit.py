"""What was billed after use and taken back since, where no statement follows that would count it:
a credit, which becomes credits or is paid out. Pure.

    post_usage ──► receivables ──► a lot       what is credited, exactly
                        └────────► funding     what is paid out, in whole minor units
"""

from talktime.core.bookings import Returned, new_lot_of, pay_debt
from talktime.core.collecting import Collector
from talktime.core.ledger import RECEIVABLES, Lot

CREDITS, PAYOUT = WAYS = ("credits", "payout")


def credit_lot(collector: Collector, micros: int, document_id: int, reason: str, actor: str) -> Lot:
    """Put a credit of so many micros into the wallet, as a lot that lasts as what is bought now;
    what is owed is paid of it first (D7)."""
    books, wallet, now_ms = collector.books, collector.wallet, collector.now_ms
    key, expires_ms = f"correction of {document_id}", collector.expires_ms
    credit = Returned(RECEIVABLES, "adjustment", expires_ms, key, reason, actor)
    lot = new_lot_of(books, wallet, books.next_id(), micros, credit, now_ms)
    if wallet.first_funded_ms is None:
        wallet.first_funded_ms, wallet.newly_funded = now_ms, True
    pay_debt(books, wallet, now_ms)
    return lot
