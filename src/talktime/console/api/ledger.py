"""`.../lots` and `transactions`: every purchase and gift, what was taken back of them, and every
movement of the wallet."""

from typing import Any

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    IdText,
    Moment,
    Page,
    PathId,
    Sent,
    SentAmount,
    Shown,
    listing,
)
from talktime.core.keys import BILLING, OPERATOR, READ
from talktime.core.limits import REASON_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.lots import LotView, find_lot, list_lots
from talktime.operations.money_documents import taken_back_document
from talktime.operations.take_back import list_taken_back, take_back
from talktime.operations.transactions import (
    LATEST,
    Moved,
    Movements,
    list_lot_movements,
    list_transactions,
)
from talktime.store.wallet_hours import Place

SEES = (READ, BILLING)
ledger = Resource("Lots and transactions", "Every purchase and gift; every movement of money.")
Answer = dict[str, Any]


class LotUsed(Shown):
    """A lot: bought or given, used by calls, held by running ones, left, gone otherwise."""

    lot_id: IdText
    source: str
    promotional: bool
    state: str
    amount: Amount
    used: Amount
    held: Amount
    remaining: Amount
    gone: Amount
    purchased: Moment
    expires: Moment
    payment_id: IdText | None
    reason: str
    actor: str


class CallOf(Shown):
    """The call that money moved for."""

    usage_id: IdText = Field(validation_alias="id")
    type: str
    user: str
    destination: str
    started: Moment = Field(validation_alias="started_ms")
    used_seconds: int = Field(validation_alias="used_s")


class Transaction(Shown):
    """A movement: what it did to the balance, and the balance that it left."""

    transaction_id: IdText
    kind: str
    at: Moment
    amount: Amount
    balance: Amount | None
    lot_id: IdText | None
    call: CallOf | None


class TakenBack(Shown):
    """What the operator took back of a lot that was entered by mistake."""

    taken_back_id: IdText
    lot_id: IdText
    amount: Amount
    taken_from_lot: Amount
    became_debt: Amount
    reason: str
    actor: str
    taken: Moment


class SentTakeBack(Sent):
    """How much is to be taken back, and why. With `owe`, what is not free any more is owed."""

    amount: SentAmount
    reason: str = Field(min_length=1, max_length=REASON_TEXT_MAX)
    owe: bool = False


TRANSACTIONS = listing("transactions", Transaction)


@ledger.reads("/lots", listing("lots", LotUsed), by=SEES)
def get_lots(asked: Asked, page: AskedPage, open: bool = False) -> Answer:  # noqa: A002
    """The lots, the latest first; with `open`, those with something left."""
    found = list_lots(asked.cell, asked.owner, open_=open, before=page.before, limit=page.limit)
    answer: Answer = asked.page(page, "lots", found, lambda each: each.lot.id)
    return {**answer, "lots": [_lot(asked, each) for each in found]}


@ledger.reads("/lots/{int:lot_id}", LotUsed, by=SEES)
def get_lot(asked: Asked, lot_id: PathId) -> Answer | Refusal:
    """One lot."""
    found = find_lot(asked.cell, asked.owner, lot_id)
    return _no_lot(lot_id) if found is None else _lot(asked, found)


@ledger.reads("/lots/{int:lot_id}/transactions", TRANSACTIONS, by=SEES)
def get_lot_transactions(asked: Asked, lot_id: PathId, page: AskedPage) -> Answer | Refusal:
    """What moved in a lot, the latest first: its purchase, the calls that spent it."""
    if find_lot(asked.cell, asked.owner, lot_id) is None:
        return _no_lot(lot_id)
    found = list_lot_movements(
        asked.cell, asked.owner.id, lot_id, before=_before(page), limit=page.limit
    )
    return _moved(asked, page, found)


@ledger.reads(
    "/lots/{int:lot_id}/taken-back", listing("taken_back", TakenBack, paged=False), by=SEES
)
def get_taken_back(asked: Asked, lot_id: PathId) -> Answer | Refusal:
    """What was taken back of a lot."""
    if find_lot(asked.cell, asked.owner, lot_id) is None:
        return _no_lot(lot_id)
    found = list_taken_back(asked.counter, lot_id)
    return {"taken_back": [taken_back_document(each) for each in found]}


@ledger.does(
    *("POST", "/lots/{int:lot_id}/taken-back", TakenBack),
    by=(OPERATOR,),
    moves_money=True,
    refusals=(
        *("unknown_lot", "payment_not_possible", "amount_out_of_bounds"),
        *("lot_spent", "nothing_to_take_back"),
    ),
    sent={"amount": "900", "reason": "1,000 was entered instead of 100"},
)
def post_taken_back(asked: Asked, lot_id: PathId, sent: SentTakeBack) -> Answer | Refusal:
    """Take back credits that were entered by hand, by mistake.

    What is spent or held by calls is refused, unless it is to be owed.
    """
    took = take_back(
        *(asked.counter, lot_id, sent.amount),
        reason=sent.reason,
        actor=asked.actor,
        idempotency_key=asked.idempotency_key,
        owe=sent.owe,
    )
    return took if isinstance(took, Refusal) else taken_back_document(took.taken)


@ledger.reads("/transactions", TRANSACTIONS, by=SEES)
def get_transactions(asked: Asked, page: AskedPage) -> Answer:
    """Every movement of the wallet with the balance that it left, the latest first."""
    found = list_transactions(asked.cell, asked.owner.id, before=_before(page), limit=page.limit)
    return _moved(asked, page, found)


def _moved(asked: Asked, page: Page, found: Movements) -> Answer:
    older = found.older
    following = None if older is None else asked.following(page, f"{older.at_ms}-{older.id}")
    return {"transactions": [_transaction(each) for each in found.moved], "next": following}


def _transaction(moved: Moved) -> Answer:
    return {
        "transaction_id": moved.transfer.id,
        "kind": moved.transfer.kind,
        "at": moved.transfer.at_ms,
        "amount": moved.effect_micros,
        "balance": moved.balance_micros,
        "lot_id": None if moved.lot is None else moved.lot.id,
        "call": moved.call,
    }


def _lot(asked: Asked, view: LotView) -> Answer:
    lot = view.lot
    return {
        "lot_id": lot.id,
        "source": lot.source,
        "promotional": lot.promotional,
        "state": view.state(asked.now_ms),
        "amount": lot.amount_micros,
        "used": view.used_micros,
        "held": lot.held_micros,
        "remaining": lot.remaining_micros,
        "gone": view.gone_micros,
        "purchased": lot.purchased_ms,
        "expires": lot.expires_ms,
        "payment_id": view.payment_id,
        "reason": lot.reason,
        "actor": lot.actor,
    }


def _no_lot(lot_id: int) -> Refusal:
    return Refusal("not_found", f"the organisation has no lot {lot_id}")


def _before(page: Page) -> Place:
    return LATEST if page.place is None else Place(*page.place)
