"""The movements that a charge makes, and the record of it. Pure.

Money comes from lots, then from post-usage billing where the call may be paid after use, else as
debt (D7, D11); each of them is a transfer to revenue.
"""

from typing import NamedTuple

from talktime.core.books import Books
from talktime.core.calls import Call, UsageRecord
from talktime.core.ledger import DEBT, POST_USAGE, REVENUE, Lot, Parts, Wallet, add_part
from talktime.core.meters import month_of
from talktime.core.outcomes import Paid, Settled
from talktime.core.payers import FREE_CALL
from talktime.core.paying import covered_s, parts_paid
from talktime.core.telling import tell_crossings


def charge(
    books: Books,
    wallet: Wallet,
    call: Call,
    micros: int,
    first: Parts,
    usage_id: int,
    kind: str,
    now_ms: int,
) -> int:
    """Take the money for a call: from the lots in `first` up to their shares, then from what is
    free, then after use or as debt. Adds to what the call was charged; returns the debt made."""
    payers, organisation_id = call.payers, call.organisation_id
    spent, left_micros = wallet.spend(
        micros, first, now_ms, first_alone=bool(payers.post_usage) and not payers.credits
    )
    books.transfers_from(wallet, spent, REVENUE, kind, usage_id, now_ms)
    for lot_id, part_micros in spent:
        call.parts = add_part(call.parts, lot_id, part_micros)
    call.charged_micros += micros
    if payers.spending:
        books.meter(organisation_id, payers.spending).use(micros, now_ms)
    if not left_micros:
        return 0
    if payers.post_usage:
        call.post_micros += left_micros
        books.meter(organisation_id, payers.post_usage).use(left_micros, now_ms)
        books.transfer(organisation_id, POST_USAGE, REVENUE, left_micros, kind, usage_id, now_ms)
        return 0
    wallet.owe(left_micros)
    books.transfer(organisation_id, DEBT, REVENUE, left_micros, "overdraft", usage_id, now_ms)
    return left_micros


def use_minutes(books: Books, call: Call, more_s: int, now_ms: int) -> None:
    """Count so many seconds of the call's pool as used; below zero, give them back."""
    if more_s:
        meter = books.meter(call.organisation_id, call.payers.pool)
        meter.use(more_s, now_ms, books.terms.pool_warning_percent)
        tell_crossings(books, meter, now_ms)
        call.pool_s += more_s


def pay_debt(books: Books, wallet: Wallet, now_ms: int) -> None:
    """Pay what is owed from what has become free."""
    if wallet.debt_micros:
        books.transfers_from(wallet, wallet.pay_debt(now_ms), DEBT, "debt_payment", None, now_ms)


class Sums(NamedTuple):
    """What a usage record adds up: seconds talked and billed, the fee, the charge with it, how
    many of the seconds minutes paid, how much of the charge is paid after use."""

    used_s: int
    billed_s: int
    fee_micros: int
    charge_micros: int
    pool_s: int
    post_micros: int


class Returned(NamedTuple):
    """Money that comes back, and nobody buys: from which account, as which kind of transfer, until
    when it lasts, by which key it is known, why and by whom."""

    account: int
    kind: str
    expires_ms: int
    idempotency_key: str
    reason: str
    actor: str


def new_lot_of(
    books: Books,
    wallet: Wallet,
    lot_id: int,
    micros: int,
    returned: Returned,
    now_ms: int,
    usage_id: int | None = None,
) -> Lot:
    """Put money that comes back into a lot of its own; the caller pays of it what is owed."""
    lot = Lot(
        lot_id,
        wallet.organisation_id,
        source="adjustment",
        priority=0,
        promotional=False,
        amount_micros=micros,
        remaining_micros=micros,
        held_micros=0,
        purchased_ms=now_ms,
        expires_ms=returned.expires_ms,
        idempotency_key=returned.idempotency_key,
        body_hash=0,
        reason=returned.reason,
        actor=returned.actor,
    )
    books.new_lots.append(lot)
    wallet.add(lot)
    account, kind = returned.account, returned.kind
    books.transfer(wallet.organisation_id, account, lot_id, micros, kind, usage_id, now_ms)
    return lot


def record(
    books: Books,
    call: Call,
    usage_id: int,
    kind: str,
    sums: Sums,
    cause: str,
    flags: tuple[str, ...],
    because: tuple[str, ...],
) -> None:
    """Write the usage record of a finished call, or of a correction."""
    rate = call.rate
    started_ms = max(call.answered_ms or 0, call.started_ms)
    capability = _capability(call, sums)
    books.usage.append(
        UsageRecord(
            usage_id,
            call.organisation_id,
            call.id,
            call.switch_id,
            call.call_key,
            kind,
            call.type,
            call.user_id,
            call.from_digits,
            call.to_digits,
            rate.destination,
            rate.prefix,
            rate.text(),
            books.wallets[call.organisation_id].currency,
            started_ms,
            started_ms + call.reported_s * 1000,
            sums.used_s,
            sums.billed_s,
            sums.fee_micros,
            sums.charge_micros,
            cause,
            capability,
            month_of(call.started_ms),
            call.payers.pool if sums.pool_s else "",
            sums.pool_s,
            sums.post_micros,
            call.conference_id,
            (*flags, "freecall") if capability == FREE_CALL else flags,
            because,
        )
    )


def _capability(call: Call, sums: Sums) -> str:
    """The code of what paid money, where any did; else of what made it free (R70)."""
    payers = call.payers
    if payers.paid_capability == FREE_CALL:
        return FREE_CALL if sums.billed_s != sums.pool_s else payers.free_capability
    free = not (call.rate.per_minute_micros or call.rate.fee_micros)
    if sums.billed_s != sums.pool_s or not payers.pool:
        return payers.free_capability if free else payers.paid_capability
    return payers.free_capability


def settled(
    call: Call,
    sequence: int,
    wallet: Wallet,
    billed_s: int,
    because: tuple[str, ...],
    now_ms: int,
) -> Settled:
    """What a switch is told of a finished call."""
    return Settled(
        call.call_key,
        sequence,
        billed_s,
        call.charged_micros,
        _paid_by(call, billed_s),
        wallet.currency,
        wallet.available_micros(now_ms),
        call.usage_id,
        because,
    )


def _paid_by(call: Call, billed_s: int) -> tuple[Paid, ...]:
    """Who pays for a call that is over: its minutes, its lots for the whole increments they cover,
    and post-usage or debt for the rest."""
    if not billed_s:
        return ()
    credit_micros = sum([micros for _, micros in call.parts])
    debt_micros = call.charged_micros - credit_micros - call.post_micros
    if not debt_micros:
        return parts_paid(call, 0, billed_s, call.pool_s, credit_micros, call.post_micros)
    by_credit_s = covered_s(credit_micros, billed_s - call.pool_s, call.rate)
    paid = [*parts_paid(call, 0, call.pool_s, call.pool_s, 0, 0)]
    if credit_micros:
        paid.append(Paid("credits", by_credit_s, credit_micros))
    return (*paid, Paid("debt", billed_s - call.pool_s - by_credit_s, debt_micros))
