"""What an organisation was billed after use and does not owe: a late report came behind its last
statement, and it is prepaid again, so that no statement will count it. The operator makes credits
of it, or notes that it was paid out."""

from typing import NamedTuple

from talktime.core.after_use_credit import CREDITS, WAYS, credit_lot
from talktime.core.audit import Facts
from talktime.core.collecting import Collector
from talktime.core.directory import Organisation
from talktime.core.documents import (
    CREDIT_NOTE,
    Document,
    DocumentFacts,
    Line,
    LotFacts,
    number_text,
)
from talktime.core.ledger import FUNDING, POST_USAGE, RECEIVABLES, Lot, Transfer
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    IDEMPOTENCY_KEY_TEXT_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.notices import notice
from talktime.core.post_usage import payable_micros
from talktime.core.refunding import REFUND
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.billing_profiles import buyer_of
from talktime.operations.commerce_models import PREPAID
from talktime.operations.documents import issue
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.operations.till import Counter, NoWallet, counter_refusal, open_till
from talktime.store import post_statements as store
from talktime.store.database import Connection
from talktime.store.documents import document_of_id
from talktime.store.money_requests import forget_request, keep_answer, reserve

KEY_PREFIX = "after_use/"
KEY_TEXT_MAX = IDEMPOTENCY_KEY_TEXT_MAX - len(KEY_PREFIX)
METHODS = {CREDITS: "Added to the credits", "payout": "Paid out"}
ON_THE_NEXT = "what was taken back counts on the organisation's next statement"


class Settled(NamedTuple):
    """What became of a credit: its credit note, what was paid out in whole minor units (0 where it
    became credits). `replayed` when the key had done it before."""

    document: Document
    paid_out_micros: int
    replayed: bool


def stuck_credit(cell: Connection, organisation: Organisation) -> int:
    """Micros that a prepaid organisation was billed after use beyond what it used; 0 where there
    are none, and for who is billed after use: there the next statement counts them. The caller
    reads in a transaction."""
    if organisation.commerce_model != PREPAID:
        return 0
    return store.credit_after_use(cell, organisation.id)


def settle_credit(
    counter: Counter, way: str, *, reason: str, actor: str, idempotency_key: str
) -> Settled | Refusal:
    """Make credits of all that was billed and taken back since (`credits`), or note that it was
    paid out (`payout`); with a credit note; opens its own transaction. The same key and request
    again is the same.

    The usage records are settled by it: no later statement counts them. Refuses:
    payment_not_possible for who is billed after use, where nothing is to be credited, and for a
    payout of less than can be paid; invalid_value; idempotency_key_reused; unknown_organisation.
    """
    refusal = first(
        check_one_of("what becomes of it", way, WAYS),
        check_text("the reason", reason, REASON_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the idempotency key", idempotency_key, KEY_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    cell, owner = counter.cell, counter.organisation
    key, body_hash = KEY_PREFIX + idempotency_key, request_hash("after_use", way, reason)
    try:
        with open_till(counter) as collector:
            known = reserve(cell, owner.id, key, body_hash, counter.now_ms)
            if known.body_hash != body_hash:
                detail = f"key {idempotency_key!r} was used for another request before"
                return Refusal("idempotency_key_reused", detail)
            if known.answer:
                return _again(counter, known.answer)
            credit_micros = stuck_credit(cell, owner)
            refusal = _why_not(counter, way, credit_micros)
            if refusal is not None:
                forget_request(cell, owner.id, key)
                return refusal
            settled = _settled(counter, collector, way, credit_micros, reason, actor)
            keep_answer(cell, owner.id, key, f"{settled.document.id} {settled.paid_out_micros}")
            return settled
    except NoWallet as error:
        return counter_refusal(error)


def _why_not(counter: Counter, way: str, credit_micros: int) -> Refusal | None:
    owner = counter.organisation
    if owner.commerce_model != PREPAID:
        return Refusal("payment_not_possible", ON_THE_NEXT)
    if not credit_micros:
        detail = f"{owner.name} was billed nothing after use that it does not owe"
        return Refusal("payment_not_possible", detail)
    if way != CREDITS and not payable_micros(credit_micros, owner.currency):
        detail = f"{decimal_text(credit_micros)} {owner.currency} is less than can be paid out"
        return Refusal("payment_not_possible", detail)
    return None


def _again(counter: Counter, answer: str) -> Settled:
    document_id, paid_out_micros = map(int, answer.split())
    document = document_of_id(counter.cell, counter.organisation.id, document_id)
    if document is None:
        raise LookupError(f"the credit note {document_id} is not there")
    return Settled(document, paid_out_micros, True)


def _settled(
    counter: Counter, collector: Collector, way: str, micros: int, reason: str, actor: str
) -> Settled:
    """The credit note, the usage records that it settles, its transfers, what is told and kept."""
    cell, owner, now_ms = counter.cell, counter.organisation, counter.now_ms
    months = sorted(store.unbilled_by_month(cell, owner.id), reverse=True)
    sums = [each for month in months for each in store.unbilled(cell, owner.id, month)]
    # The lot names the credit note, which names the lot.
    document_id, lot, paid_micros = counter.next_id(), None, 0
    exact = (document_id, owner.id, POST_USAGE, RECEIVABLES)
    store.insert_transfer(cell, Transfer(*exact, micros, "statement", None, now_ms))
    if way == CREDITS:
        lot = credit_lot(collector, micros, document_id, reason, actor)
    else:
        paid_micros = payable_micros(micros, owner.currency)
        paid = (counter.next_id(), owner.id, RECEIVABLES, FUNDING)
        store.insert_transfer(cell, Transfer(*paid, paid_micros, REFUND, None, now_ms))
    lines = [
        Line(each.destination or "Free", each.calls, each.post_micros, each.billed_s, each.month)
        for each in sums
    ]
    facts = _credit_note(counter, way, lines, lot, reason)
    document = issue(cell, owner.id, facts, now_ms=now_ms, next_id=lambda: document_id)
    billed = sum(store.bill_usage(cell, owner.id, month, document_id) for month in months)
    if facts.amount_micros != -micros or billed != sum(each.records for each in sums):
        raise RuntimeError(f"the records of {owner.id} come to other than the credit of {micros}")
    after: Facts = {
        "amount_micros": micros,
        "currency": owner.currency,
        "to": way,
        "paid_out_micros": paid_micros,
        "reason": reason,
    }
    note(cell, owner.id, "statement.credit_settled", owner.name, after=after)
    if lot is not None:
        _tell(counter, collector, lot)
    return Settled(document, paid_micros, False)


def _credit_note(
    counter: Counter, way: str, lines: list[Line], lot: Lot | None, reason: str
) -> DocumentFacts:
    cell, owner = counter.cell, counter.organisation
    [last] = store.statements_before(cell, owner.id, "9999-99", 1)
    corrected = document_of_id(cell, owner.id, last.document_id)
    return DocumentFacts(
        CREDIT_NOTE,
        owner.currency,
        sum(line.amount_micros for line in lines),
        tuple(lines),
        counter.seller,
        buyer_of(cell, owner),
        owner.time_zone,
        None if lot is None else LotFacts(lot.id, lot.purchased_ms, lot.expires_ms),
        method=METHODS[way],
        reason=reason,
        about="" if corrected is None else number_text(owner.cell, corrected.number),
    )


def _tell(counter: Counter, collector: Collector, lot: Lot) -> None:
    told = notice(
        *(lot.organisation_id, "grant.added", f"grant.added/{lot.id}", counter.now_ms),
        amount_micros=lot.amount_micros,
        currency=counter.organisation.currency,
        reason=lot.reason,
        expires_ms=lot.expires_ms,
    )
    collector.books.tell(told)
