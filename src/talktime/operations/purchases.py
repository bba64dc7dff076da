"""Buying credits once: by card, or by invoice and the operator's word that the money is there."""

from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.collecting import Collector
from talktime.core.documents import LOT_TERMS
from talktime.core.ids import ID_MAX
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    INVOICE_GIVEN_UP_DAYS,
    INVOICE_REMINDED_DAYS,
    PAGE_ROWS_MAX,
    PO_NUMBER_TEXT_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.notices import Notice, notice
from talktime.core.payments import (
    CANCELLED,
    CHARGING,
    DECLINED,
    INVOICE,
    INVOICED,
    PURCHASE,
    RECHARGE,
    Payment,
    PaymentMethod,
    PaymentTry,
)
from talktime.core.recharging import DAY_MS
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.eligibility import check_amount
from talktime.operations.idempotency import check_key, request_hash
from talktime.operations.input_checks import check_text, first
from talktime.operations.till import CLOSED, Counter, NoWallet, counter_refusal, open_till
from talktime.store.payments import payment_of_id, payment_of_key, payments_before, tries_of


class Terms(NamedTuple):
    """What is shown before a purchase is confirmed: when the money would expire, and the terms."""

    amount_micros: int
    expires_ms: int
    terms: tuple[str, ...]


class Purchase(NamedTuple):
    """A purchase that was begun; `replayed` when the key had begun it before."""

    payment: Payment
    replayed: bool


def terms_of(counter: Counter, amount_micros: int, why_not: Refusal | None) -> Terms | Refusal:
    """The expiry date and terms of a purchase of so much, if it were paid now (D5, R12).

    `why_not` is what operations/eligibility.py says. Refuses: that; amount_out_of_bounds,
    invalid_value.
    """
    refusal = why_not or check_amount(
        "the amount", amount_micros, counter.bounds, counter.organisation.currency
    )
    if refusal is not None:
        return refusal
    return Terms(amount_micros, counter.lot_expires_ms, LOT_TERMS)


def start_purchase(
    counter: Counter,
    *,
    amount_micros: int,
    method_id: int,
    po_number: str = "",
    idempotency_key: str,
    actor: str,
    why_not: Refusal | None,
) -> Purchase | Refusal:
    """Begin to buy `amount_micros`: a card is charged by a job at once, an invoice waits for its
    money. The same key and request again is the same purchase; opens its own transaction.

    Refuses: what `terms_of` refuses; unknown_payment_method; invalid_value, for a PO number
    without an invoice too (R10); idempotency_key_reused.
    """
    organisation_id, body_hash = (
        counter.organisation.id,
        request_hash(amount_micros, method_id, po_number),
    )
    with counter.cell.reading():
        known = payment_of_key(counter.cell, organisation_id, idempotency_key)
    if known is not None:
        return _again(known, body_hash)
    terms = terms_of(counter, amount_micros, why_not)
    if isinstance(terms, Refusal):
        return terms
    refusal = _malformed(idempotency_key, actor, po_number)
    if refusal is not None:
        return refusal
    try:
        with open_till(counter) as collector:
            known = payment_of_key(counter.cell, organisation_id, idempotency_key)
            if known is not None:
                return _again(known, body_hash)
            method = _usable(collector, method_id, po_number)
            if isinstance(method, Refusal):
                return method
            payment = _new(
                counter, amount_micros, method, po_number, idempotency_key, body_hash, actor
            )
            _note(counter, "purchase.begun", payment, method=method.name)
            if method.kind == INVOICE:
                collector.till.payments[payment.id] = payment
                collector.books.tell(_awaited("purchase.invoiced", counter, payment))
            else:
                collector.start(payment, method)
            return Purchase(payment, False)
    except NoWallet as error:
        return counter_refusal(error)


def _malformed(idempotency_key: str, actor: str, po_number: str) -> Refusal | None:
    return first(
        check_key(idempotency_key),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the PO number", po_number, PO_NUMBER_TEXT_MAX) if po_number else None,
    )


def _usable(collector: Collector, method_id: int, po_number: str) -> PaymentMethod | Refusal:
    method = collector.till.method(method_id)
    if method is None:
        return Refusal("unknown_payment_method", f"there is no method {method_id}")
    if po_number and method.kind != INVOICE:
        return Refusal("invalid_value", "a PO number goes with an invoice alone")
    if collector.wallet.no_buying in CLOSED:  # marked since `why_not` was looked at
        return Refusal("credits_not_offered", "buying has been closed")
    return method


def confirm_receipt(
    counter: Counter, payment_id: int, *, reference: str, actor: str
) -> Payment | Refusal:
    """The operator says that an invoice's money is there: its credits are added; once, and
    again, with whatever reference, it is the same. The lot names who said so.

    Refuses: unknown_payment; payment_not_possible where it waits for no money; invalid_value.
    """
    refusal = first(
        check_text("the reference", reference, PO_NUMBER_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    with open_till(counter, [payment_id]) as collector:
        payment = collector.till.payments.get(payment_id)
        if payment is None:
            return _unknown(payment_id)
        if payment.state == INVOICED:
            collector.receive(payment, f"Invoice, received: {reference}", actor)
            _note(counter, "purchase.received", payment, reference=reference)
        elif payment.state != "succeeded":
            return _not_possible(payment, "it waits for no money")
    return payment


def cancel_payment(counter: Counter, payment_id: int, *, reason: str) -> Payment | Refusal:
    """Give up a payment that nothing was charged for: an invoice that was not paid, a recharge
    that waits to be tried again; auto-recharge is paused then, or it would begin another. Once more
    it is the same.

    Refuses: unknown_payment; payment_not_possible where money is, or may be, on its way;
    invalid_value.
    """
    refusal = check_text("the reason", reason, REASON_TEXT_MAX)
    if refusal is not None:
        return refusal
    with open_till(counter, [payment_id]) as collector:
        payment = collector.till.payments.get(payment_id)
        if payment is None:
            return _unknown(payment_id)
        if payment.state == CANCELLED:
            return payment
        if payment.state not in (INVOICED, DECLINED):
            return _not_possible(payment, "only what waits, with nothing charged, is cancelled")
        payment.code, payment.detail = "cancelled", reason
        payment.move(CANCELLED, counter.now_ms)
        _note(counter, "payment.cancelled", payment, reason=reason)
        recharge = collector.till.recharge
        if payment.kind == RECHARGE and recharge is not None and recharge.enabled:
            recharge.pause("cancelled", reason, counter.now_ms)
    return payment


def invoice_due(counter: Counter, payment_id: int) -> None:
    """Call to mind a purchase by invoice whose money has not come, once; later give it up. Its own
    transaction; nothing where it does not wait any more."""
    with open_till(counter, [payment_id]) as collector:
        payment = collector.till.payments[payment_id]
        if payment.state != INVOICED:
            return
        given_up_ms = _given_up_ms(payment)
        if counter.now_ms < given_up_ms:
            payment.move(INVOICED, counter.now_ms, due_ms=given_up_ms)
            collector.books.tell(_awaited("purchase.reminded", counter, payment))
            return
        method = collector.till.method(payment.method_id)
        collector.not_paid(
            payment,
            f"No payment was received in {INVOICE_GIVEN_UP_DAYS} days",
            method.name if method else "an invoice",
        )
        _note(counter, "payment.cancelled", payment, reason=payment.detail)


def find_payment(counter: Counter, payment_id: int) -> Payment | Refusal:
    """A payment as it stands. Refuses: unknown_payment."""
    with counter.cell.reading():
        payment = payment_of_id(counter.cell, counter.organisation.id, payment_id)
    return payment or _unknown(payment_id)


def find_purchase(counter: Counter, idempotency_key: str) -> Payment | None:
    """The purchase that was begun with this key; None where none was."""
    with counter.cell.reading():
        return payment_of_key(counter.cell, counter.organisation.id, idempotency_key)


def list_payments(
    counter: Counter, *, before: int | None = None, limit: int = PAGE_ROWS_MAX
) -> list[Payment]:
    """An organisation's payments, the latest first, at most PAGE_ROWS_MAX; `before` is the id of
    the last one of the page before."""
    before_id = ID_MAX if before is None else before
    with counter.cell.reading():
        return payments_before(
            counter.cell, counter.organisation.id, before_id, min(limit, PAGE_ROWS_MAX)
        )


def list_tries(counter: Counter, payment_ids: list[int]) -> dict[int, list[PaymentTry]]:
    """The charges that these payments asked of a provider, in order, by payment."""
    found: dict[int, list[PaymentTry]] = {payment_id: [] for payment_id in payment_ids}
    with counter.cell.reading():
        for each in tries_of(counter.cell, counter.organisation.id, payment_ids):
            found[each.payment_id].append(each)
    return found


def _note(counter: Counter, action: str, payment: Payment, **facts: str) -> None:
    after: Facts = {
        "amount_micros": payment.amount_micros,
        "currency": payment.currency,
        "po_number": payment.po_number,
        **facts,
    }
    note(counter.cell, payment.organisation_id, action, str(payment.id), after=after)


def _new(
    counter: Counter,
    amount_micros: int,
    method: PaymentMethod,
    po_number: str,
    key: str,
    body_hash: int,
    actor: str,
) -> Payment:
    state = INVOICED if method.kind == INVOICE else CHARGING
    po_number = po_number or method.po_number
    return Payment(
        counter.next_id(),
        counter.organisation.id,
        PURCHASE,
        state,
        method.id,
        amount_micros,
        counter.organisation.currency,
        key,
        body_hash,
        po_number,
        actor,
        *(0, "", "", ""),
        due_ms=counter.now_ms + INVOICE_REMINDED_DAYS * DAY_MS if state == INVOICED else None,
        created_ms=counter.now_ms,
        new=True,
    )


def _awaited(kind: str, counter: Counter, payment: Payment) -> Notice:
    """That money is awaited: where it is to go, and what is to be named with it."""
    return notice(
        payment.organisation_id,
        kind,
        f"{kind}/{payment.id}",
        counter.now_ms,
        payment_id=payment.id,
        amount_micros=payment.amount_micros,
        currency=payment.currency,
        po_number=payment.po_number or None,
        reference=payment.po_number or str(payment.id),
        bank=counter.seller.bank or None,
        given_up_ms=_given_up_ms(payment),
        **({"document_number": None} if kind == "purchase.invoiced" else {}),
    )


def _given_up_ms(payment: Payment) -> int:
    return payment.created_ms + INVOICE_GIVEN_UP_DAYS * DAY_MS


def _again(known: Payment, body_hash: int) -> Purchase | Refusal:
    if known.body_hash == body_hash and known.kind == PURCHASE:
        return Purchase(known, True)
    detail = f"key {known.idempotency_key!r} began another payment before"
    return Refusal("idempotency_key_reused", detail)


def _unknown(payment_id: int) -> Refusal:
    return Refusal("unknown_payment", f"there is no payment {payment_id}")


def _not_possible(payment: Payment, why: str) -> Refusal:
    return Refusal("payment_not_possible", f"payment {payment.id} is {payment.state}: {why}")
