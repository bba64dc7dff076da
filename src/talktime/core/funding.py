"""Decisions about lots: a new one comes in, an expired one is forfeited. Pure."""

from talktime.core import watch
from talktime.core.books import Books
from talktime.core.commands import ExpireLots, Fund
from talktime.core.ledger import ADJUSTMENTS, DEBT, FORFEITURES, FUNDING, GRANTS, Lot, Wallet
from talktime.core.money import decimal_text
from talktime.core.notices import Notice, notice
from talktime.core.outcomes import Funded, LotsExpired, Refused
from talktime.core.refusal import Refusal

SOURCE_ACCOUNTS = {
    "purchase": FUNDING,
    "recharge": FUNDING,
    "grant": GRANTS,
    "adjustment": ADJUSTMENTS,
}
TRANSFER_KINDS = {
    "purchase": "purchase",
    "recharge": "purchase",
    "grant": "grant",
    "adjustment": "adjustment",
}


def fund(books: Books, command: Fund, now_ms: int) -> Funded | Refused:
    """Put a lot into the wallet; the debt is paid first (D7). The same key and request: the same
    lot.

    Refuses: UNKNOWN_ORGANISATION; IDEMPOTENCY_KEY_REUSED for the same key with another request.
    Source: R2, R5, R12.
    """
    wallet = books.wallets.get(command.organisation_id)
    if wallet is None:
        return Refused(
            Refusal("unknown_organisation", f"organisation {command.organisation_id} has no wallet")
        )
    key = (command.organisation_id, command.idempotency_key)
    lot = books.lots_by_key.get(key)
    if lot is not None:
        if lot.body_hash != command.body_hash:
            funded = f"{decimal_text(lot.amount_micros)} {wallet.currency}"
            detail = f"key {command.idempotency_key!r} funded {funded} before, by another request"
            return Refused(Refusal("idempotency_key_reused", detail))
        return Funded(lot, wallet.available_micros(now_ms), True)
    lot = Lot(
        books.next_id(),
        command.organisation_id,
        command.source,
        command.priority,
        command.promotional,
        command.amount_micros,
        remaining_micros=command.amount_micros,
        held_micros=0,
        purchased_ms=now_ms,
        expires_ms=command.expires_ms,
        idempotency_key=command.idempotency_key,
        body_hash=command.body_hash,
        reason=command.reason,
        actor=command.actor,
    )
    books.lots_by_key[key] = lot
    books.new_lots.append(lot)
    wallet.add(lot)
    if wallet.first_funded_ms is None:
        wallet.first_funded_ms, wallet.newly_funded = now_ms, True
    source = SOURCE_ACCOUNTS[command.source]
    kind = TRANSFER_KINDS[command.source]
    books.transfer(wallet.organisation_id, source, lot.id, lot.amount_micros, kind, None, now_ms)
    books.transfers_from(wallet, wallet.pay_debt(now_ms), DEBT, "debt_payment", None, now_ms)
    watch.ask(wallet, now_ms)
    return Funded(lot, wallet.available_micros(now_ms), False)


def expire_lots(books: Books, command: ExpireLots, now_ms: int) -> LotsExpired:
    """Book the forfeiture of what is left, and not held, of every expired lot (R4, D5)."""
    forfeited = []
    wallet = books.wallets.get(command.organisation_id)
    for lot in wallet.lots if wallet else ():
        if wallet and lot.expires_ms <= now_ms and lot.remaining_micros > lot.held_micros:
            micros = wallet.forfeit(lot)
            books.transfer(
                wallet.organisation_id, lot.id, FORFEITURES, micros, "forfeiture", None, now_ms
            )
            forfeited.append((lot.id, micros))
            books.tell(_expired(wallet, lot, micros, now_ms))
    return LotsExpired(tuple(forfeited))


def _expired(wallet: Wallet, lot: Lot, micros: int, now_ms: int) -> Notice:
    """Told once a lot: what running calls held of it, and did not use, goes without saying."""
    return notice(
        lot.organisation_id,
        "lot.expired",
        f"lot.expired/{lot.id}",
        now_ms,
        lot_id=lot.id,
        forfeited_micros=micros,
        currency=wallet.currency,
        expires_ms=lot.expires_ms,
    )
