"""`.../billed-too-much`: what a prepaid organisation was billed after use and does not owe."""

from typing import Any, Literal

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import Amount, IdText, Sent, Shown
from talktime.core.documents import number_text
from talktime.core.keys import BILLING, OPERATOR, READ
from talktime.core.limits import REASON_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.after_use_credit import settle_credit, stuck_credit

billed_too_much = Resource(
    "Billed too much", "What was billed after use and taken back behind the last statement."
)
Answer = dict[str, Any]


class BilledTooMuch(Shown):
    """How much that is; 0 where it is nothing, or the next statement counts it."""

    amount: Amount
    currency: str


class SentSettlement(Sent):
    """What becomes of it, and why: of a payout the bank's reference."""

    way: Literal["credits", "payout"]
    reason: str = Field(min_length=1, max_length=REASON_TEXT_MAX)


class Settlement(Shown):
    """The credit note by which it was settled, and what was paid out."""

    number: str
    amount: Amount
    paid_out: Amount
    currency: str
    lot_id: IdText | None


@billed_too_much.reads("/billed-too-much", BilledTooMuch, by=(READ, BILLING))
def get_billed_too_much(asked: Asked) -> Answer:
    """What the organisation was billed after use beyond what it used."""
    with asked.cell.reading():
        micros = stuck_credit(asked.cell, asked.owner)
    return {"amount": micros, "currency": asked.owner.currency}


@billed_too_much.does(
    *("POST", "/billed-too-much/settlements", Settlement),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("payment_not_possible",),
    sent={"way": "credits", "reason": "late reports of November"},
)
def post_settlement(asked: Asked, sent: SentSettlement) -> Answer | Refusal:
    """Make credits of all of it, or note that it was paid out."""
    settled = settle_credit(
        *(asked.counter, sent.way),
        reason=sent.reason,
        actor=asked.actor,
        idempotency_key=asked.idempotency_key,
    )
    if isinstance(settled, Refusal):
        return settled
    facts = settled.document.facts
    return {
        "number": number_text(asked.owner.cell, settled.document.number),
        "amount": facts.amount_micros,
        "paid_out": settled.paid_out_micros,
        "currency": facts.currency,
        "lot_id": None if facts.lot is None else facts.lot.id,
    }
