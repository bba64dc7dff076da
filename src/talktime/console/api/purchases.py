"""`/api/v1/organisations/NAME/purchases` and `payments`: buy credits, and look at what became of
it; the operator says that an invoice is paid, or gives a payment up."""

from msgspec import Struct

from talktime.console.api.doors import (
    Answer,
    Asked,
    amount_in,
    by_operator,
    door,
    moves_money,
    page_asked,
)
from talktime.core.payments import PURCHASE, Payment
from talktime.core.refusal import Refusal
from talktime.operations.money_documents import payment_document, terms_document
from talktime.operations.purchases import (
    cancel_payment,
    confirm_receipt,
    find_payment,
    list_payments,
    start_purchase,
    terms_of,
)

ID_DIGITS_MAX = 18


class SentPurchase(Struct, forbid_unknown_fields=True, kw_only=True):
    """A purchase as sent; a PO number goes with an invoice alone."""

    amount: str
    method_id: str
    po_number: str = ""


class SentReceipt(Struct, forbid_unknown_fields=True, kw_only=True):
    """What the bank's statement says of the money that came."""

    reference: str


class SentReason(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a payment is given up."""

    reason: str


@moves_money
def buy(asked: Asked) -> Answer | Refusal:
    """Begin a purchase."""
    sent = asked.body(SentPurchase)
    if isinstance(sent, Refusal):
        return sent
    amount_micros = amount_in(sent.amount, "amount")
    if isinstance(amount_micros, Refusal):
        return amount_micros
    method = sent.method_id
    if not (method.isascii() and method.isdigit() and len(method) <= ID_DIGITS_MAX + 1):
        return Refusal("unknown_payment_method", f"there is no payment method {method[:40]!r}")
    begun = start_purchase(
        asked.counter,
        amount_micros=amount_micros,
        method_id=int(method),
        po_number=sent.po_number,
        idempotency_key=asked.key,
        actor=asked.actor,
        why_not=asked.why_not,
    )
    return begun if isinstance(begun, Refusal) else payment_document(begun.payment)


def terms(asked: Asked) -> Answer | Refusal:
    """What holds for a purchase of so much, if it were made now."""
    amount_micros = amount_in(asked.request.GET.get("amount", ""), "amount")
    if isinstance(amount_micros, Refusal):
        return amount_micros
    found = terms_of(asked.counter, amount_micros, asked.why_not)
    if isinstance(found, Refusal):
        return found
    return terms_document(found, asked.counter.organisation.currency)


def payments(asked: Asked) -> Answer | Refusal:
    """A page of all payments, the latest first."""
    return _page(asked, "payments", ())


def purchases(asked: Asked) -> Answer | Refusal:
    """The purchases among a page of payments."""
    return _page(asked, "purchases", (PURCHASE,))


def payment(asked: Asked, payment_id: int) -> Answer | Refusal:
    """One payment."""
    return _shown(find_payment(asked.counter, payment_id))


@by_operator
@moves_money
def receipt(asked: Asked, payment_id: int) -> Answer | Refusal:
    """The money of an invoice is there."""
    sent = asked.body(SentReceipt)
    if isinstance(sent, Refusal):
        return sent
    return _shown(
        confirm_receipt(asked.counter, payment_id, reference=sent.reference, actor=asked.actor)
    )


@by_operator
@moves_money
def cancel(asked: Asked, payment_id: int) -> Answer | Refusal:
    """Give up a payment that nothing was charged for."""
    sent = asked.body(SentReason)
    if isinstance(sent, Refusal):
        return sent
    return _shown(cancel_payment(asked.counter, payment_id, reason=sent.reason))


def _shown(found: Payment | Refusal) -> Answer | Refusal:
    return found if isinstance(found, Refusal) else payment_document(found)


def _page(asked: Asked, what: str, kinds: tuple[str, ...]) -> Answer | Refusal:
    page = page_asked(asked.request)
    if isinstance(page, Refusal):
        return page
    before, limit = page
    found = list_payments(asked.counter, before=before, limit=limit)
    following = None
    if len(found) == limit:
        following = f"{asked.request.path}?limit={limit}&before={found[-1].id}"
    rows = [payment_document(each) for each in found if not kinds or each.kind in kinds]
    return {what: rows, "next": following}


purchases_door = door(GET=purchases, POST=buy)
terms_door = door(GET=terms)
payments_door = door(GET=payments)
payment_door = door(GET=payment)
receipt_door = door(POST=receipt)
cancel_door = door(POST=cancel)
