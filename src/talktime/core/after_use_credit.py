"""What was billed after use and taken back since, where no statement follows that would count it:
a credit, which becomes credits or is paid out. Pure.

    post_usage ──► receivables ──► a lot       what is credited, exactly
                        └────────► funding     what is paid out, in whole minor units
"""

from talktime.core.bookings import pay_debt
from talktime.core.collecting import Collector
from talktime.core.ledger import RECEIVABLES, Lot

CREDITS, PAYOUT = WAYS = ("credits", "payout")


def credit_lot(collector: Collector, micros: int, document_id: int, reason: str, actor: str) -> Lot:
    """Put a credit of so many micros into the wallet, as a lot that lasts as what is bought now;
    what is owed is paid of it first (D7)."""
    books, wallet, now_ms = collector.books, collector.wallet, collector.now_ms
    lot = Lot(
        books.next_id(),
        wallet.organisation_id,
        source="adjustment",
        priority=0,
        promotional=False,
        amount_micros=micros,
        remaining_micros=micros,
        held_micros=0,
        purchased_ms=now_ms,
        expires_ms=collector.expires_ms,
        idempotency_key=f"correction of {document_id}",
        body_hash=0,
        reason=reason,
        actor=actor,
    )
    books.new_lots.append(lot)
    wallet.add(lot)
    if wallet.first_funded_ms is None:
        wallet.first_funded_ms, wallet.newly_funded = now_ms, True
    owner = wallet.organisation_id
    books.transfer(owner, RECEIVABLES, lot.id, micros, "adjustment", None, now_ms)
    pay_debt(books, wallet, now_ms)
    return lot
