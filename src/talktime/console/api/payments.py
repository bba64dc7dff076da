"""`.../purchases`, `payments`, `refunds` and `grants`: credits that come, and money that goes
back."""

from typing import Annotated

from ninja import Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    IdText,
    Moment,
    PathId,
    Sent,
    SentAmount,
    SentMoment,
    Shown,
    listing,
)
from talktime.core.ids import id_in
from talktime.core.keys import BILLING, OPERATOR, READ
from talktime.core.limits import (
    IDEMPOTENCY_KEY_TEXT_MAX,
    PO_NUMBER_TEXT_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.outcomes import Funded
from talktime.core.payments import PURCHASE
from talktime.core.payments import Payment as APayment
from talktime.core.refusal import Refusal
from talktime.operations.grants import Giver, approve, give, list_requests, reject
from talktime.operations.grants import Grant as NewGrant
from talktime.operations.money_documents import (
    Document,
    grant_document,
    lot_document,
    payment_document,
    refund_document,
    terms_document,
)
from talktime.operations.purchases import (
    cancel_payment,
    find_payment,
    list_payments,
    start_purchase,
    terms_of,
)
from talktime.operations.receipts import receive
from talktime.operations.refunds import list_refunds, start_refund
from talktime.store.grants import GrantRequest

SEES = (READ, BILLING)
payments = Resource("Payments", "Buy credits, look at what became of it; refund.")
grants = Resource(
    "Grants", "Credits that the operator gives; above a limit another's key approves."
)


class Lot(Shown):
    """One purchase or gift: what of it is left, and until when."""

    lot_id: IdText
    source: str
    promotional: bool
    amount: Amount
    remaining: Amount
    held: Amount
    purchased: Moment
    expires: Moment
    expired: bool
    reason: str
    actor: str


class Payment(Shown):
    """A payment as it stands. `confirm_url` is the bank's page, where the cardholder must act."""

    payment_id: IdText
    kind: str
    state: str
    amount: Amount
    currency: str
    refunded: Amount
    method_id: IdText | None
    po_number: str
    actor: str
    code: str
    detail: str
    confirm_url: str | None
    next_step: Moment | None
    created: Moment
    closed: Moment | None
    lot_id: IdText | None


class PurchaseTerms(Shown):
    """What holds for a purchase, before it is made."""

    amount: Amount
    currency: str
    expires: Moment
    terms: list[str]


class Refund(Shown):
    """Money that went back, or is on its way."""

    refund_id: IdText
    payment_id: IdText
    kind: str
    state: str
    amount: Amount
    taken_from_lot: Amount
    became_debt: Amount
    reason: str
    actor: str
    detail: str
    created: Moment
    closed: Moment | None


class Grant(Shown):
    """A grant: given, as a lot; or asked for, until another key decides."""

    state: str
    source: str | None = None
    grant_id: IdText | None = None
    amount: Amount | None = None
    promotional: bool | None = None
    expires: Moment | None = None
    reason: str | None = None
    asked_by: str | None = None
    decided_by: str | None = None
    lot_id: IdText | None = None
    lot: Lot | None = None


class SentPurchase(Sent):
    """A purchase as sent; a PO number goes with an invoice alone."""

    amount: SentAmount
    method_id: str = Field(pattern=r"^\d{1,19}$", description="One of the payment methods.")
    po_number: str = Field("", max_length=PO_NUMBER_TEXT_MAX)


class SentReceipt(Sent):
    """What the bank's statement says of the money that came."""

    reference: str = Field(min_length=1, max_length=IDEMPOTENCY_KEY_TEXT_MAX)


class SentReason(Sent):
    """Why."""

    reason: str = Field(min_length=1, max_length=REASON_TEXT_MAX)


class SentRefund(Sent):
    """A refund as sent; `reference` says how an invoice was given back by hand."""

    amount: SentAmount
    reason: str = Field(min_length=1, max_length=REASON_TEXT_MAX)
    reference: str = ""


class SentGrant(Sent):
    """A grant as sent; without `expires`, it lasts as long as what is bought."""

    amount: SentAmount
    reason: str = Field(min_length=1, max_length=REASON_TEXT_MAX)
    promotional: bool = False
    expires: SentMoment | None = None


class SentAdjustment(Sent):
    """A correction as sent: what is added to the balance."""

    amount: SentAmount
    reason: str = Field(min_length=1, max_length=REASON_TEXT_MAX)


BUYING = ("credits_not_offered", "amount_out_of_bounds", "unknown_payment_method")
PAYING = ("unknown_payment", "payment_not_possible")


@payments.reads("/purchases/terms", PurchaseTerms, by=SEES, refusals=BUYING[:2])
def get_terms(
    asked: Asked, amount: Annotated[SentAmount, Query(description="How much would be bought.")]
) -> Document | Refusal:
    """What holds for a purchase of so much, if it were made now."""
    found = terms_of(asked.counter, amount, asked.why_not)
    return found if isinstance(found, Refusal) else terms_document(found, asked.owner.currency)


@payments.does(
    *("POST", "/purchases", Payment),
    by=(BILLING,),
    moves_money=True,
    refusals=BUYING,
    sent={"amount": "100", "method_id": "118775836765057024"},
)
def post_purchase(asked: Asked, sent: SentPurchase) -> Document | Refusal:
    """Begin a purchase.

    A card is charged within a second or so: look at the payment again, or be told by webhook.
    """
    begun = start_purchase(
        asked.counter,
        amount_micros=sent.amount,
        method_id=id_in(sent.method_id) or 0,
        po_number=sent.po_number,
        idempotency_key=asked.idempotency_key,
        actor=asked.actor,
        why_not=asked.why_not,
    )
    return begun if isinstance(begun, Refusal) else payment_document(begun.payment)


@payments.reads("/purchases", listing("purchases", Payment), by=SEES)
def get_purchases(asked: Asked, page: AskedPage) -> Document:
    """The purchases among a page of payments, the latest first."""
    return _page(asked, page, "purchases", (PURCHASE,))


@payments.reads("/payments", listing("payments", Payment), by=SEES)
def get_payments(asked: Asked, page: AskedPage) -> Document:
    """All payments, the latest first."""
    return _page(asked, page, "payments", ())


@payments.reads("/payments/{int:payment_id}", Payment, by=SEES, refusals=PAYING[:1])
def get_payment(asked: Asked, payment_id: PathId) -> Document | Refusal:
    """One payment."""
    return _shown(find_payment(asked.counter, payment_id))


@payments.does(
    *("POST", "/payments/{int:payment_id}/receipt", Payment),
    by=(OPERATOR,),
    moves_money=True,
    refusals=(*PAYING, "approval_needed"),
    sent={"reference": "bank 4711"},
)
def post_receipt(asked: Asked, payment_id: PathId, sent: SentReceipt) -> Document | Refusal:
    """Say that the money of an invoice is there.

    Who ordered it confirms no more than one person may give in 24 hours: another operator does.
    """
    done = receive(
        *(_giver(asked), asked.counter, payment_id), reference=sent.reference, actor=asked.actor
    )
    return _shown(done)


@payments.does(
    *("POST", "/payments/{int:payment_id}/cancel", Payment),
    by=(OPERATOR,),
    moves_money=True,
    refusals=PAYING,
    sent={"reason": "ordered twice"},
)
def post_cancel(asked: Asked, payment_id: PathId, sent: SentReason) -> Document | Refusal:
    """Give up a payment that nothing was charged for."""
    return _shown(cancel_payment(asked.counter, payment_id, reason=sent.reason))


@payments.reads(
    "/payments/{int:payment_id}/refunds",
    listing("refunds", Refund, paged=False),
    by=SEES,
    refusals=PAYING[:1],
)
def get_refunds(asked: Asked, payment_id: PathId) -> Document | Refusal:
    """What of a payment went back, or is on its way."""
    payment = find_payment(asked.counter, payment_id)
    if isinstance(payment, Refusal):
        return payment
    found = list_refunds(asked.counter, payment_id)
    return {"refunds": [refund_document(each) for each in found]}


@payments.does(
    *("POST", "/payments/{int:payment_id}/refunds", Refund),
    by=(OPERATOR,),
    moves_money=True,
    refusals=(*PAYING, "amount_out_of_bounds"),
    sent={"amount": "20", "reason": "agreed with the customer"},
)
def post_refund(asked: Asked, payment_id: PathId, sent: SentRefund) -> Document | Refusal:
    """Give money of a payment back."""
    begun = start_refund(
        asked.counter,
        payment_id,
        sent.amount,
        reason=sent.reason,
        actor=asked.actor,
        idempotency_key=asked.idempotency_key,
        reference=sent.reference,
    )
    return begun if isinstance(begun, Refusal) else refund_document(begun.refund)


@grants.reads("/grants", listing("grants", Grant, paged=False), by=(OPERATOR,))
def get_grants(asked: Asked) -> Document:
    """The grants that wait for a second operator, and those that were decided."""
    return {"grants": [grant_document(each) for each in list_requests(_giver(asked))]}


@grants.does(
    *("POST", "/grants", Grant),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("credits_not_offered", "amount_out_of_bounds"),
    sent={"amount": "25", "reason": "goodwill after an outage", "promotional": True},
)
def post_grant(asked: Asked, sent: SentGrant) -> Document | Refusal:
    """Give credits, or ask for the approval of more than one person may give in 24 hours."""
    grant = NewGrant(
        *(sent.amount, sent.reason, asked.actor, asked.idempotency_key),
        *(sent.promotional, sent.expires),
    )
    return _given(asked, give(_giver(asked), grant))


@grants.does(
    *("POST", "/adjustments", Grant),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("approval_needed",),
    sent={"amount": "12.50", "reason": "a call that was charged twice"},
)
def post_adjustment(asked: Asked, sent: SentAdjustment) -> Document | Refusal:
    """Correct the balance: add to it, up to what one person may give in 24 hours."""
    adjustment = NewGrant(
        *(sent.amount, sent.reason, asked.actor, asked.idempotency_key), source="adjustment"
    )
    return _given(asked, give(_giver(asked), adjustment))


@grants.does(
    *("POST", "/grants/{int:grant_id}/approve", Grant),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("approval_needed", "payment_not_possible"),
)
def post_approval(asked: Asked, grant_id: PathId) -> Document | Refusal:
    """Give what another key asked for."""
    return _given(asked, approve(_giver(asked), grant_id, actor=asked.actor))


@grants.does(
    *("POST", "/grants/{int:grant_id}/reject", Grant),
    by=(OPERATOR,),
    moves_money=True,
    refusals=("payment_not_possible",),
)
def post_rejection(asked: Asked, grant_id: PathId) -> Document | Refusal:
    """Do not give what was asked for."""
    return _given(asked, reject(_giver(asked), grant_id, actor=asked.actor))


def _page(asked: Asked, page: AskedPage, name: str, kinds: tuple[str, ...]) -> Document:
    found = list_payments(asked.counter, before=page.before, limit=page.limit)
    answer: Document = asked.page(page, name, found, lambda each: each.id)
    rows = [payment_document(each) for each in found if not kinds or each.kind in kinds]
    return {**answer, name: rows}


def _shown(found: APayment | Refusal) -> Document | Refusal:
    return found if isinstance(found, Refusal) else payment_document(found)


def _giver(asked: Asked) -> Giver:
    counter = asked.counter
    return Giver(
        counter.cell,
        counter.organisation,
        asked.control,
        asked.catalogue,
        counter.now_ms,
        counter.next_id,
        counter.seller,
    )


def _given(asked: Asked, done: Funded | GrantRequest | Refusal) -> Document | Refusal:
    if isinstance(done, Refusal):
        return done
    if isinstance(done, Funded):
        return {"state": "given", "lot": lot_document(done.lot, asked.now_ms)}
    return grant_document(done)
