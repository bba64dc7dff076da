"""Give money of a payment back (D15): by the operator's decision alone, through the provider that
was paid, or by hand where an invoice was paid.

The books are changed at once, in the transaction that writes the refund; a job asks the provider
afterwards. Where the provider finally says no, all of it is taken back, and said so.
"""

from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.charges import Absent, Misconfigured, Refunded, RefundFailed, Unknown
from talktime.core.currencies import chargeable_unit_micros
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    IDEMPOTENCY_KEY_TEXT_MAX,
    PO_NUMBER_TEXT_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.payments import STATEMENT, Payment
from talktime.core.recharging import SEND_AGAIN_MS_MAX, ask_at_ms
from talktime.core.refunding import ASKED, DONE, FAILED, REFUND, UNKNOWN, Refund
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.going_back import (
    Desk,
    give,
    left_micros,
    new_refund,
    open_desk,
    take,
    tell,
)
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_text, first
from talktime.operations.till import Counter, NoWallet, counter_refusal
from talktime.store.refunds import (
    charge_of_payment,
    refund_of_id,
    refund_of_key,
    refunds_of_payment,
    update_refund,
)

SEND, ASK = "send", "ask"
KEY_PREFIX = "refund "
KEY_TEXT_MAX = IDEMPOTENCY_KEY_TEXT_MAX - len(KEY_PREFIX)
RefundOutcome = Refunded | RefundFailed | Absent | Unknown | Misconfigured


class RefundStarted(NamedTuple):
    """A refund that was begun; `replayed` when the key had begun it before."""

    refund: Refund
    replayed: bool


class RefundStep(NamedTuple):
    """The next thing to ask a provider: `send` the refund, or `ask` what became of it."""

    verb: str
    refund_id: int
    payment_id: int
    provider: str
    charge_ref: str
    amount_micros: int
    currency: str


def start_refund(
    counter: Counter,
    payment_id: int,
    amount_micros: int,
    *,
    reason: str,
    actor: str,
    idempotency_key: str,
    reference: str = "",
) -> RefundStarted | Refusal:
    """Refund `amount_micros` of a payment, at most what did not go back yet; opens its own
    transaction. What is free of its lot is voided, the rest becomes a debt (D15).

    A charge is refunded by a job at once. What was paid by invoice is given back by hand:
    `reference` says how, and it is done. The same key and request again is the same refund.

    Refuses: unknown_payment; payment_not_possible where nothing was paid, or it was a statement's
    payment; amount_out_of_bounds; invalid_value; idempotency_key_reused.
    """
    key, owner = KEY_PREFIX + idempotency_key, counter.organisation.id
    body_hash = request_hash("refund", payment_id, amount_micros, reason, reference)
    refusal = first(
        check_text("the reason", reason, REASON_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the idempotency key", idempotency_key, KEY_TEXT_MAX),
        check_text("the reference", reference, PO_NUMBER_TEXT_MAX) if reference else None,
    )
    if refusal is not None:
        return refusal
    try:
        with open_desk(counter, payment_id) as desk:
            known = refund_of_key(counter.cell, owner, key)
            if known is not None:
                return _again(known, body_hash, idempotency_key)
            if not isinstance(desk, Desk):
                return _not_paid(desk, payment_id)
            charge = charge_of_payment(counter.cell, owner, payment_id)
            refusal = _wrong(desk.payment, amount_micros, charge is None, reference)
            if refusal is not None:
                return refusal
            refund = new_refund(
                *(desk, REFUND, DONE if charge is None else ASKED, amount_micros, key, body_hash),
                reason=reason,
                actor=actor,
                provider_ref=reference,
            )
            _begun(desk, refund, reason, reference)
            return RefundStarted(refund, False)
    except NoWallet as error:
        return counter_refusal(error)


def next_refund_step(counter: Counter, refund_id: int) -> RefundStep | None:
    """What is to be asked of a provider for this refund now; None where that is nothing."""
    cell, organisation_id = counter.cell, counter.organisation.id
    with cell.reading():
        refund = refund_of_id(cell, organisation_id, refund_id)
        if refund is None or refund.due_ms is None or refund.due_ms > counter.now_ms:
            return None
        charge = charge_of_payment(cell, organisation_id, refund.payment_id)
    if charge is None:
        raise ValueError(f"refund {refund_id} is of a payment that no charge has paid")
    verb = SEND if refund.state == ASKED else ASK
    currency = counter.organisation.currency
    return RefundStep(verb, refund_id, refund.payment_id, *charge, refund.amount_micros, currency)


def note_refund(
    counter: Counter, payment_id: int, refund_id: int, outcome: RefundOutcome
) -> Refund | None:
    """Write down what the provider said of a refund; done twice, it changes nothing the second
    time. Returns the refund as it stands, None where there is none.

    An answer that did not come is asked for at 5 minutes, an hour, then daily. A refund that failed
    puts the money back into the wallet (D15), even after it was called done.
    """
    with open_desk(counter, payment_id) as desk:
        refund = refund_of_id(counter.cell, counter.organisation.id, refund_id)
        if refund is None or not isinstance(desk, Desk):
            return None
        match outcome:
            case Refunded():
                _done(desk, refund, outcome.ref)
            case RefundFailed():
                fail_refund(desk, refund, outcome.detail)
            case Absent() if refund.closed_ms is None:
                _absent(desk, refund)
            case Unknown() | Misconfigured() if refund.closed_ms is None:
                _unknown(counter, refund, outcome.detail)
    return refund


def find_refund(counter: Counter, refund_id: int) -> Refund | Refusal:
    """A refund as it stands. Refuses: unknown_payment."""
    with counter.cell.reading():
        found = refund_of_id(counter.cell, counter.organisation.id, refund_id)
    return found or Refusal("unknown_payment", f"there is no refund {refund_id}")


def list_refunds(counter: Counter, payment_id: int) -> list[Refund]:
    """All that went back of a payment, refunds and chargebacks, in their order."""
    with counter.cell.reading():
        return refunds_of_payment(counter.cell, counter.organisation.id, payment_id)


def _wrong(payment: Payment, amount_micros: int, by_hand: bool, reference: str) -> Refusal | None:
    if payment.kind == STATEMENT:
        detail = f"payment {payment.id} has paid a statement: undo it there instead"
        return Refusal("payment_not_possible", detail)
    left, unit_micros = left_micros(payment), chargeable_unit_micros(payment.currency)
    if not 0 < amount_micros <= left:
        amount, most = decimal_text(amount_micros), decimal_text(left)
        detail = f"a refund must be above 0 and at most {most} {payment.currency}, not {amount}"
        return Refusal("amount_out_of_bounds", detail)
    if amount_micros % unit_micros:
        unit = decimal_text(unit_micros)
        detail = f"a refund must be a multiple of {unit} {payment.currency}"
        return Refusal("invalid_value", detail)
    if by_hand != bool(reference):
        if by_hand:
            detail = "no charge paid this: give it back by hand, and say the reference"
        else:
            detail = "a charge is refunded by its provider: there is no reference to be said"
        return Refusal("invalid_value", detail)
    return None


def _not_paid(payment: Payment | None, payment_id: int) -> Refusal:
    if payment is None:
        return Refusal("unknown_payment", f"there is no payment {payment_id}")
    detail = f"payment {payment_id} is {payment.state}: nothing was paid"
    return Refusal("payment_not_possible", detail)


def _again(known: Refund, body_hash: int, key: str) -> RefundStarted | Refusal:
    if known.body_hash == body_hash:
        return RefundStarted(known, True)
    return Refusal("idempotency_key_reused", f"key {key!r} began another refund before")


def _begun(desk: Desk, refund: Refund, reason: str, reference: str) -> None:
    tell(desk, refund)
    payment, cell = desk.payment, desk.counter.cell
    after: Facts = {
        "amount_micros": refund.amount_micros,
        "currency": payment.currency,
        "reason": reason,
        "reference": reference,
    }
    note(cell, payment.organisation_id, "refund.begun", str(payment.id), after=after)


def _done(desk: Desk, refund: Refund, ref: str) -> None:
    if refund.state == DONE:
        return
    now_ms, gone = desk.counter.now_ms, refund.state == FAILED
    refund.provider_ref = ref or refund.provider_ref
    refund.move(DONE, now_ms)
    if gone:
        take(desk, refund)  # it was called failed, and the money went after all
    else:
        update_refund(desk.counter.cell, refund)
    tell(desk, refund)


def fail_refund(desk: Desk, refund: Refund, detail: str) -> None:
    """The provider says that nothing went back, or that it came back to us: the money is in the
    wallet again (D15); once."""
    if refund.state != FAILED:
        give(desk, refund, FAILED, f"The provider could not refund it: {detail}"[:REASON_TEXT_MAX])


def _absent(desk: Desk, refund: Refund) -> None:
    """The provider knows of no such refund: sent again with the same id, or given up when the
    provider may have forgotten the id."""
    now_ms = desk.counter.now_ms
    if now_ms - refund.created_ms < SEND_AGAIN_MS_MAX:
        refund.asked += 1
        refund.move(ASKED, now_ms, due_ms=now_ms)
        update_refund(desk.counter.cell, refund)
    else:
        give(desk, refund, FAILED, "The provider has no such refund")


def _unknown(counter: Counter, refund: Refund, detail: str) -> None:
    if refund.state == UNKNOWN:
        refund.asked += 1
    due_ms = ask_at_ms(refund.created_ms, refund.asked, counter.figures)
    while due_ms <= counter.now_ms:  # after a downtime: not all that was missed
        refund.asked += 1
        due_ms = ask_at_ms(refund.created_ms, refund.asked, counter.figures)
    refund.move(UNKNOWN, counter.now_ms, due_ms=due_ms, detail=detail[:REASON_TEXT_MAX])
    update_refund(counter.cell, refund)
