"""Put money into a wallet by hand: an operator's purchase, grant or adjustment."""

from collections.abc import Callable

from talktime.core.audit import Facts
from talktime.core.commands import Fund
from talktime.core.decide import decide
from talktime.core.directory import Organisation
from talktime.core.documents import Seller, number_text
from talktime.core.expiry import expires_ms
from talktime.core.figures import DEFAULT_FIGURES
from talktime.core.funding import SOURCE_ACCOUNTS
from talktime.core.ledger import Lot
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    AMOUNT_MICROS_MAX,
    EXPIRES_MS_MAX,
    LOT_PRIORITY_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.notices import Notice, notice
from talktime.core.outcomes import Funded, Refused
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.eligibility import owed_at_most_micros
from talktime.operations.execute import DEFAULT_TERMS
from talktime.operations.idempotency import check_key, request_hash
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.operations.invoices import UNNAMED, invoice_lot
from talktime.operations.till import CLOSED
from talktime.store.database import Connection
from talktime.store.load import load
from talktime.store.save import save

BY_HAND = "By the operator"
"""How a purchase was paid that an operator enters."""
GONE_ALREADY = Refusal("invalid_value", "the money would have expired before it is there")
ENTERED = ("purchase", "grant", "adjustment")
"""What an operator may enter; a recharge is what a card has paid."""


def fund(
    cell: Connection,
    organisation: Organisation,
    *,
    amount_micros: int,
    source: str = "purchase",
    reason: str,
    actor: str,
    idempotency_key: str,
    lasts_until_ms: int | None = None,
    priority: int = 0,
    promotional: bool = False,
    why_not: Refusal | None = None,
    seller: Seller = UNNAMED,
    lot_months: int = DEFAULT_FIGURES.lot_months,
    now_ms: int,
    next_id: Callable[[], int],
) -> Funded | Refusal:
    """As `fund_within`, in a transaction of its own; the key is the caller's own. `why_not` is what
    `why_not_enter` says (operations/eligibility.py)."""
    refusal = first(check_key(idempotency_key), check_one_of("the source", source, ENTERED))
    if refusal is not None:
        return refusal
    with cell.transaction():
        funded = fund_within(
            cell,
            organisation,
            amount_micros=amount_micros,
            source=source,
            reason=reason,
            actor=actor,
            idempotency_key=idempotency_key,
            lasts_until_ms=lasts_until_ms,
            priority=priority,
            promotional=promotional,
            why_not=why_not,
            seller=seller,
            lot_months=lot_months,
            now_ms=now_ms,
            next_id=next_id,
        )
        if isinstance(funded, Funded) and not funded.replayed:
            after: Facts = {
                "amount_micros": amount_micros,
                "currency": organisation.currency,
                "source": source,
                "reason": reason,
            }
            note(cell, organisation.id, "wallet.funded", str(funded.lot.id), after=after)
        return funded


def fund_within(
    cell: Connection,
    organisation: Organisation,
    *,
    amount_micros: int,
    source: str,
    reason: str,
    actor: str,
    idempotency_key: str,
    lasts_until_ms: int | None = None,
    priority: int = 0,
    promotional: bool = False,
    why_not: Refusal | None = None,
    seller: Seller = UNNAMED,
    lot_months: int = DEFAULT_FIGURES.lot_months,
    now_ms: int,
    next_id: Callable[[], int],
) -> Funded | Refusal:
    """Put a new lot into the organisation's wallet, with its invoice, in the caller's transaction.

    `source`: purchase, grant, recharge or adjustment. The lot expires `lot_months` from now in
    the organisation's time zone (D5), or at `lasts_until_ms`. The same key and request again is
    the same lot: nobody funds twice by accident. Operators name who did it and why (R12); lots of
    lower `priority` are spent first, then those that expire earlier (D6).

    Refuses: `why_not`; credits_not_offered for a purchase of more than is owed where buying is
    closed (D14); invalid_value; unknown_organisation where the cell has no wallet for it;
    idempotency_key_reused for the same key with another request.
    """
    asked = (source, amount_micros, reason, actor, lasts_until_ms, priority, promotional)
    command = Fund(
        organisation.id,
        idempotency_key,
        request_hash(*asked),
        source,
        amount_micros,
        expires_ms(now_ms, organisation.time_zone, lot_months)
        if lasts_until_ms is None
        else lasts_until_ms,
        reason,
        actor,
        priority,
        promotional,
    )
    refusal = _malformed(command)
    if refusal is not None:
        return refusal
    return _funded(cell, organisation, command, why_not, seller, now_ms, next_id)


def _funded(
    cell: Connection,
    organisation: Organisation,
    command: Fund,
    why_not: Refusal | None,
    seller: Seller,
    now_ms: int,
    next_id: Callable[[], int],
) -> Funded | Refusal:
    books = load(cell, [command], next_id, DEFAULT_TERMS)
    wallet = books.wallets.get(organisation.id)
    debt_micros = 0 if wallet is None else wallet.debt_micros
    outcome = decide(books, command, now_ms)
    if isinstance(outcome, Refused):
        return outcome.refusal
    if not isinstance(outcome, Funded):
        raise TypeError(f"funding came to {outcome!r}")
    if not outcome.replayed:
        closed = books.wallets[organisation.id].no_buying in CLOSED
        most_micros = owed_at_most_micros(debt_micros, organisation.currency)
        if command.source == "purchase" and closed and command.amount_micros > most_micros:
            why_not = why_not or Refusal("credits_not_offered", "buying has been closed")
        if command.expires_ms <= now_ms:
            why_not = why_not or GONE_ALREADY
        if why_not is not None:
            return why_not
        document = invoice_lot(
            cell,
            organisation,
            outcome.lot,
            seller=seller,
            method=BY_HAND if command.source == "purchase" else "",
            now_ms=now_ms,
            next_id=next_id,
        )
        balance_micros = books.wallets[organisation.id].balance_micros
        number = number_text(organisation.cell, document.number)
        books.tell(_told(outcome.lot, organisation.currency, balance_micros, number))
    save(cell, books, now_ms)
    return outcome


def _told(lot: Lot, currency: str, balance_micros: int, number: str) -> Notice:
    if lot.source != "purchase":
        return notice(
            lot.organisation_id,
            "grant.added",
            f"grant.added/{lot.id}",
            lot.purchased_ms,
            amount_micros=lot.amount_micros,
            currency=currency,
            reason=lot.reason,
            expires_ms=lot.expires_ms,
        )
    return notice(
        lot.organisation_id,
        "purchase.succeeded",
        f"purchase.succeeded/{lot.id}",
        lot.purchased_ms,
        payment_id=None,
        amount_micros=lot.amount_micros,
        currency=currency,
        balance_micros=balance_micros,
        expires_ms=lot.expires_ms,
        document_number=number,
        method=BY_HAND,
        po_number=None,
    )


def _malformed(command: Fund) -> Refusal | None:
    refusal = first(
        check_one_of("the source", command.source, SOURCE_ACCOUNTS),
        check_text("the reason", command.reason, REASON_TEXT_MAX),
        check_text("the actor", command.actor, ACTOR_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    if not 0 < command.amount_micros <= AMOUNT_MICROS_MAX:
        most = decimal_text(AMOUNT_MICROS_MAX)
        return Refusal("invalid_value", f"the amount must be above 0 and at most {most}")
    if abs(command.priority) > LOT_PRIORITY_MAX:
        detail = f"the priority must be from -{LOT_PRIORITY_MAX} to {LOT_PRIORITY_MAX}"
        return Refusal("invalid_value", detail)
    if command.expires_ms > EXPIRES_MS_MAX:
        return Refusal("invalid_value", "the money must expire before the year 2200")
    return None
