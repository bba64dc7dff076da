"""Money that went back without us: a dispute by the cardholder's bank, a refund made at the
provider's own console. Booked as the operator's refunds are (D15), once each, in any order."""

import structlog

from talktime.core.charges import Dispute, ForeignRefund, Refunded
from talktime.core.money import decimal_text
from talktime.core.refunding import CHARGEBACK, DONE, LOST, OPEN, REFUND, WON, Refund
from talktime.operations.going_back import Desk, give, left_micros, new_refund, open_desk, tell
from talktime.operations.refunds import note_refund
from talktime.operations.till import Counter
from talktime.store.refunds import refund_of_id, refund_of_key, update_refund

log = structlog.get_logger(__name__)

BY_PROVIDER = "provider"


def note_dispute(counter: Counter, payment_id: int, dispute: Dispute) -> Refund | None:
    """Write down how a dispute stands: open, its money goes out of the wallet; won, it comes back;
    lost, it stays away. Noted twice, it changes nothing; opens its own transaction.

    One that was won before anybody heard of it has moved nothing. More than the payment has left is
    not booked, but logged. Returns its chargeback, None where there is none.
    """
    with open_desk(counter, payment_id) as desk:
        if not isinstance(desk, Desk):
            log.warning("dispute of what was not paid", payment=payment_id, dispute=dispute.ref)
            return None
        key = f"dispute {dispute.ref}"
        refund = refund_of_key(counter.cell, counter.organisation.id, key)
        if refund is None and dispute.state != WON:
            refund = _went_back(
                desk, CHARGEBACK, OPEN, dispute.ref, dispute.amount_micros, "Disputed"
            )
            if refund is not None:
                tell(desk, refund)
        if refund is not None:
            _decided(desk, refund, dispute.state)
    return refund


def note_foreign_refund(counter: Counter, payment_id: int, made: ForeignRefund) -> Refund | None:
    """Write down a refund as the provider has it: one of ours is done; one that was made at the
    provider's own console is booked, once. Returns it, None where there is none."""
    if made.refund_id is not None:
        with counter.cell.reading():
            ours = refund_of_id(counter.cell, counter.organisation.id, made.refund_id)
        if ours is not None:
            return note_refund(counter, payment_id, ours.id, Refunded(made.ref))
    with open_desk(counter, payment_id) as desk:
        if not isinstance(desk, Desk):
            log.warning("refund of what was not paid", payment=payment_id, refund=made.ref)
            return None
        key = f"provider's refund {made.ref}"
        refund = refund_of_key(counter.cell, counter.organisation.id, key)
        if refund is None:
            reason = "Refunded at the provider's console"
            refund = _went_back(desk, REFUND, DONE, made.ref, made.amount_micros, reason)
            if refund is not None:
                tell(desk, refund)
    return refund


def _went_back(
    desk: Desk, kind: str, state: str, ref: str, amount_micros: int, reason: str
) -> Refund | None:
    micros = min(amount_micros, left_micros(desk.payment))
    if micros < amount_micros:
        log.error(
            "more went back than was left of a payment",
            payment=desk.payment.id,
            reference=ref,
            went_back=decimal_text(amount_micros),
            booked=decimal_text(micros),
        )
    if micros <= 0:
        return None
    named = "dispute" if kind == CHARGEBACK else "provider's refund"
    return new_refund(
        *(desk, kind, state, micros, f"{named} {ref}"),
        reason=reason,
        actor=BY_PROVIDER,
        provider_ref=ref,
    )


def _decided(desk: Desk, refund: Refund, state: str) -> None:
    if state == WON and refund.state in (OPEN, LOST):
        give(desk, refund, WON, "The dispute was won")
        tell(desk, refund)
    elif state == LOST and refund.state == OPEN:
        refund.move(LOST, desk.counter.now_ms)
        update_refund(desk.counter.cell, refund)
        tell(desk, refund)
