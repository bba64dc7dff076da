"""Money that went back without us: a dispute by the cardholder's bank, a refund made at the
provider's own console. Booked as the operator's refunds are (D15), once each, in any order."""

import structlog

from talktime.core.charges import Dispute, ForeignRefund, Refunded, RefundFailed
from talktime.core.money import decimal_text
from talktime.core.refunding import CHARGEBACK, DONE, LOST, OPEN, REFUND, WON, Refund
from talktime.operations.going_back import Desk, give, left_micros, new_refund, open_desk, tell
from talktime.operations.refunds import fail_refund, note_refund
from talktime.operations.till import Counter
from talktime.store.refunds import refund_of_id, refunds_of_payment, update_refund

log = structlog.get_logger(__name__)

BY_PROVIDER = "provider"


def note_dispute(counter: Counter, payment_id: int, dispute: Dispute) -> Refund | None:
    """Write down how a dispute stands: open, its money goes out of the wallet; won, it comes back;
    lost, it stays away. Noted twice, it changes nothing; opens its own transaction.

    One that was won before anybody heard of it has moved nothing. More than the payment has left is
    not booked yet, but logged. Returns its (first) chargeback, None where there is none.
    """
    with open_desk(counter, payment_id) as desk:
        if not isinstance(desk, Desk):
            log.warning("dispute of what was not paid", payment=payment_id, dispute=dispute.ref)
            return None
        rows = _rows(desk, CHARGEBACK, dispute.ref)
        if dispute.state != WON:
            more = _went_back(
                desk, CHARGEBACK, OPEN, dispute.ref, dispute.amount_micros, "Disputed", rows
            )
            if more is not None:
                tell(desk, more)
                rows.append(more)
        for refund in rows:
            _decided(desk, refund, dispute.state)
    return rows[0] if rows else None


def note_foreign_refund(counter: Counter, payment_id: int, made: ForeignRefund) -> Refund | None:
    """Write down a refund as the provider has it: one of ours is done, or has failed; one that was
    made at the provider's own console is booked, once, and comes back where it failed since.
    Returns it, None where there is none."""
    if made.refund_id is not None:
        with counter.cell.reading():
            ours = refund_of_id(counter.cell, counter.organisation.id, made.refund_id)
        if ours is not None:
            outcome = RefundFailed(made.failed) if made.failed else Refunded(made.ref)
            return note_refund(counter, payment_id, ours.id, outcome)
    with open_desk(counter, payment_id) as desk:
        if not isinstance(desk, Desk):
            log.warning("refund of what was not paid", payment=payment_id, refund=made.ref)
            return None
        rows = _rows(desk, REFUND, made.ref)
        if made.failed:
            for refund in rows:
                fail_refund(desk, refund, made.failed)
            return rows[0] if rows else None
        more = _went_back(
            desk,
            REFUND,
            DONE,
            made.ref,
            made.amount_micros,
            "Refunded at the provider's console",
            rows,
        )
        if more is not None:
            tell(desk, more)
            rows.append(more)
    return rows[0] if rows else None


def _rows(desk: Desk, kind: str, ref: str) -> list[Refund]:
    """What was booked of it before: one row, or several where there was no room for all at once."""
    payment = desk.payment
    found = refunds_of_payment(desk.counter.cell, payment.organisation_id, payment.id)
    return [each for each in found if each.kind == kind and each.provider_ref == ref]


def _went_back(
    desk: Desk,
    kind: str,
    state: str,
    ref: str,
    amount_micros: int,
    reason: str,
    rows: list[Refund],
) -> Refund | None:
    """Book what was not booked of it yet, as far as the payment has left; a refund of ours that is
    on its way may have to fail first, then the rest is booked when it is asked about again."""
    missing_micros = amount_micros - sum(each.amount_micros for each in rows)
    micros = min(missing_micros, left_micros(desk.payment))
    if micros < missing_micros:
        log.warning(
            "more went back than is left of a payment",
            payment=desk.payment.id,
            reference=ref,
            went_back=decimal_text(amount_micros),
            not_booked=decimal_text(missing_micros - max(micros, 0)),
        )
    if micros <= 0:
        return None
    named = "dispute" if kind == CHARGEBACK else "provider's refund"
    part = f", part {len(rows) + 1}" if rows else ""
    return new_refund(
        *(desk, kind, state, micros, f"{named} {ref}{part}"),
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
