"""Undo what was recorded as paid of a statement: it was another's money, or came back from the
bank. Nothing is deleted: the payment stays, and beside it stands what of it went back."""

from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.documents import number_text
from talktime.core.ledger import FUNDING, RECEIVABLES, Transfer
from talktime.core.limits import ACTOR_TEXT_MAX, IDEMPOTENCY_KEY_TEXT_MAX, REASON_TEXT_MAX
from talktime.core.payments import STATEMENT, Payment
from talktime.core.post_usage import Deadlines, PostStatement, undone_notice, without_payment
from talktime.core.refunding import DONE, REFUND, Refund
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.going_back import Desk, open_desk
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_text, first
from talktime.operations.post_statements import find_statement
from talktime.operations.till import Counter, NoWallet, counter_refusal
from talktime.store import post_statements as store
from talktime.store.documents import document_of_id
from talktime.store.notices import insert_notices
from talktime.store.refunds import charge_of_payment, insert_refund, refund_of_key

KEY_PREFIX = "undo "
KEY_TEXT_MAX = IDEMPOTENCY_KEY_TEXT_MAX - len(KEY_PREFIX)


class Undone(NamedTuple):
    """A statement after a payment of it was undone; `replayed` when the key had done it before."""

    statement: PostStatement
    refund: Refund
    replayed: bool


def undo_payment(
    counter: Counter,
    month: str,
    payment_id: int,
    deadlines: Deadlines,
    *,
    reason: str,
    actor: str,
    idempotency_key: str,
) -> Undone | Refusal:
    """Undo all of a payment of the statement of a month (2026-11); opens its own transaction.

    So much is to be paid of the statement again, by its own day: where that has passed, it is
    overdue, or blocks, at once; `sync_block` (operations/dunning.py) is the caller's to call. The
    same key and request again is the same.

    Refuses: unknown_statement; unknown_payment, also for another statement's; payment_not_possible
    for what went back already; invalid_value; idempotency_key_reused; unknown_organisation.
    """
    key = KEY_PREFIX + idempotency_key
    body_hash = request_hash("undo", month, payment_id, reason)
    refusal = first(
        check_text("the reason", reason, REASON_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the idempotency key", idempotency_key, KEY_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    try:
        with open_desk(counter, payment_id) as desk:
            found = find_statement(counter.cell, counter.organisation, month)
            if isinstance(found, Refusal):
                return found
            known = refund_of_key(counter.cell, counter.organisation.id, key)
            if known is not None:
                return _again(known, found, body_hash, idempotency_key)
            payment = _to_undo(counter, desk, payment_id, found)
            if isinstance(payment, Refusal):
                return payment
            refund = _refund(counter, payment, key, body_hash, reason, actor)
            return Undone(_booked(counter, payment, found, refund, deadlines), refund, False)
    except NoWallet as error:
        return counter_refusal(error)


def _to_undo(
    counter: Counter, desk: Desk | Payment | None, payment_id: int, statement: PostStatement
) -> Payment | Refusal:
    payment = desk.payment if isinstance(desk, Desk) else desk
    if payment is None or payment.kind != STATEMENT or payment.statement_id != statement.id:
        detail = f"the statement of {statement.month} has no payment {payment_id}"
        return Refusal("unknown_payment", detail)
    if payment.refunded_micros:
        return Refusal("payment_not_possible", f"payment {payment_id} went back already")
    if charge_of_payment(counter.cell, payment.organisation_id, payment_id) is not None:
        detail = f"a card has paid payment {payment_id}: its bank alone takes it back"
        return Refusal("payment_not_possible", detail)
    return payment


def _again(known: Refund, statement: PostStatement, body_hash: int, key: str) -> Undone | Refusal:
    if known.body_hash == body_hash:
        return Undone(statement, known, True)
    return Refusal("idempotency_key_reused", f"key {key!r} has undone another payment before")


def _refund(
    counter: Counter, payment: Payment, key: str, body_hash: int, reason: str, actor: str
) -> Refund:
    return Refund(
        counter.next_id(),
        payment.organisation_id,
        payment.id,
        REFUND,
        DONE,
        payment.amount_micros,
        *(payment.amount_micros, 0),  # all of it out of what the statement had got
        key,
        body_hash,
        provider_ref="",
        reason=reason,
        actor=actor,
        detail="",
        asked=0,
        due_ms=None,
        created_ms=counter.now_ms,
        closed_ms=counter.now_ms,
    )


def _booked(
    counter: Counter,
    payment: Payment,
    statement: PostStatement,
    refund: Refund,
    deadlines: Deadlines,
) -> PostStatement:
    """Its row, its transfer (which has the row's id), the statement, what is told and kept."""
    cell, owner, now_ms = counter.cell, counter.organisation, counter.now_ms
    micros, currency = payment.amount_micros, payment.currency
    insert_refund(cell, refund)
    payment.refunded_micros, payment.changed = micros, True
    unpaid = without_payment(statement, micros, deadlines, now_ms)
    store.update_statement(cell, unpaid)
    back = Transfer(refund.id, owner.id, RECEIVABLES, FUNDING, micros, REFUND, None, now_ms)
    store.insert_transfer(cell, back)
    document = document_of_id(cell, owner.id, statement.document_id)
    number = number_text(owner.cell, document.number) if document else ""
    told = undone_notice(unpaid, refund.id, refund.reason, currency, number, now_ms)
    insert_notices(cell, [told], counter.next_id)
    after: Facts = {
        "amount_micros": micros,
        "currency": currency,
        "payment": str(payment.id),
        "note": payment.detail,
        "reason": refund.reason,
    }
    note(cell, owner.id, "statement.payment_undone", statement.month, after=after)
    return unpaid
