"""`.../payments/ID/refunds`: money of a payment that goes back, by the operator's decision."""

from msgspec import Struct

from talktime.console.api.doors import Answer, Asked, amount_in, by_operator, door, moves_money
from talktime.core.refusal import Refusal
from talktime.operations.money_documents import refund_document
from talktime.operations.refunds import list_refunds, start_refund


class SentRefund(Struct, forbid_unknown_fields=True, kw_only=True):
    """A refund as sent; `reference` says how an invoice was given back by hand."""

    amount: str
    reason: str
    reference: str = ""


def refunds(asked: Asked, payment_id: int) -> Answer | Refusal:
    """What of a payment went back, or is on its way."""
    found = list_refunds(asked.counter, payment_id)
    return {"refunds": [refund_document(each) for each in found]}


@by_operator
@moves_money
def refund(asked: Asked, payment_id: int) -> Answer | Refusal:
    """Give money of a payment back."""
    sent = asked.body(SentRefund)
    if isinstance(sent, Refusal):
        return sent
    amount_micros = amount_in(sent.amount, "amount")
    if isinstance(amount_micros, Refusal):
        return amount_micros
    begun = start_refund(
        asked.counter,
        payment_id,
        amount_micros,
        reason=sent.reason,
        actor=asked.actor,
        idempotency_key=asked.key,
        reference=sent.reference,
    )
    return begun if isinstance(begun, Refusal) else refund_document(begun.refund)


refunds_door = door(GET=refunds, POST=refund)
