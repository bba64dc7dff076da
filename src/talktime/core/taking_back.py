"""Credits that an operator entered by mistake: what taking them back does to the wallet. Pure.

    amount = voided + debt

As with a refund (core/refunding.py), `voided` is what was free of the lot. What is not free any
more was spent, or is held by running calls: nobody is made to owe it unless the operator says so.
"""

from typing import NamedTuple

from talktime.core.collecting import Collector
from talktime.core.funding import SOURCE_ACCOUNTS
from talktime.core.ledger import DEBT, Lot
from talktime.core.meters import day_of
from talktime.core.money import decimal_text
from talktime.core.payments import TAKEN_BACK
from talktime.core.refunding import freeze
from talktime.core.refusal import Refusal

TAKE_BACK = "take_back"
OF_A_PAYMENT = "payment "
NOT_ENTERED = (OF_A_PAYMENT, "correction of ", "reinstatement of ")
"""How the idempotency keys of lots begin that nobody entered: a payment bought them, or they came
back from a call or a payment. (operations/idempotency.py keeps these from everybody else.)"""


class TakenBack(NamedTuple):
    """What was taken back of a lot at once. A row, never changed."""

    id: int
    organisation_id: int
    lot_id: int
    amount_micros: int
    voided_micros: int
    debt_micros: int
    idempotency_key: str
    body_hash: int
    reason: str
    actor: str
    at_ms: int


def free_micros(lot: Lot, left_micros: int) -> int:
    """What can be taken back of a lot without a debt; `left_micros` of it was neither taken back
    nor forfeited."""
    return min(lot.remaining_micros - lot.held_micros, left_micros)


def why_nothing(lot: Lot, left_micros: int) -> Refusal | None:
    """Why nothing of a lot can be taken back, of which `left_micros` was neither taken back nor
    forfeited.

    Refuses: payment_not_possible for what a payment bought; nothing_to_take_back for what
    came back by itself, and where nothing is left.
    """
    key = lot.idempotency_key
    if key.startswith(OF_A_PAYMENT):
        paid_by = key.removeprefix(OF_A_PAYMENT)
        detail = f"payment {paid_by} has bought lot {lot.id}: refund the payment instead"
        return Refusal("payment_not_possible", detail)
    if key.startswith(NOT_ENTERED):
        detail = f"nobody has entered lot {lot.id}: it came back by itself"
        return Refusal("nothing_to_take_back", detail)
    if left_micros <= 0:
        detail = f"all of lot {lot.id} was taken back or has expired"
        return Refusal("nothing_to_take_back", detail)
    return None


def why_not(
    lot: Lot, amount_micros: int, left_micros: int, currency: str, *, owe: bool
) -> Refusal | None:
    """Why so much of a lot cannot be taken back; `owe`: what is not free becomes a debt.

    Refuses: as `why_nothing`; amount_out_of_bounds for more than `left_micros`; lot_spent.
    """
    refusal = why_nothing(lot, left_micros)
    if refusal is not None:
        return refusal
    amount = decimal_text(amount_micros)
    if not 0 < amount_micros <= left_micros:
        most = decimal_text(left_micros)
        detail = f"what is taken back must be above 0 and at most {most} {currency}, not {amount}"
        return Refusal("amount_out_of_bounds", detail)
    free = free_micros(lot, left_micros)
    if amount_micros > free and not owe:
        detail = f"{decimal_text(free)} {currency} of lot {lot.id} is free, not {amount}"
        return Refusal("lot_spent", detail)
    return None


def take_back_lot(collector: Collector, lot: Lot, wanted: TakenBack) -> TakenBack:
    """Take `wanted.amount_micros` back: what is free of the lot goes where it came from, the rest
    becomes a debt, which whatever else is free pays at once. A debt that is left pauses
    auto-recharge, as that of a refund does (D15). The caller has asked `why_not`."""
    books, wallet, now_ms = collector.books, collector.wallet, collector.now_ms
    owner, account = wallet.organisation_id, SOURCE_ACCOUNTS[lot.source]
    voided_micros = wallet.void(lot, wanted.amount_micros)
    if voided_micros:
        books.transfer(owner, lot.id, account, voided_micros, TAKE_BACK, None, now_ms)
    debt_micros = wanted.amount_micros - voided_micros
    if debt_micros:
        wallet.owe(debt_micros)
        books.transfer(owner, DEBT, account, debt_micros, TAKE_BACK, None, now_ms)
        books.transfers_from(wallet, wallet.pay_debt(now_ms), DEBT, "debt_payment", None, now_ms)
        if wallet.debt_micros:
            taken = f"{decimal_text(wanted.amount_micros)} {wallet.currency}"
            day = day_of(lot.purchased_ms)
            why = f"Credits of {day} were taken back: {taken}"
            freeze(collector, TAKEN_BACK, why, wanted.id)
    return wanted._replace(voided_micros=voided_micros, debt_micros=debt_micros)
