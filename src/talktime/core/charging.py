"""Decisions about one call: how long it may talk, what to hold for it, and what it costs in the
end. Pure."""

from typing import NamedTuple

from talktime.core import explain
from talktime.core.books import Books
from talktime.core.calls import EXPIRED, OPEN, REFUSED, RELEASED, SETTLED, Call, UsageRecord
from talktime.core.commands import Answer, Authorize, Extend, Settle
from talktime.core.ledger import DEBT, REVENUE, Lot, Parts, Wallet, add_part
from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.outcomes import Granted, HoldExpired, Noted, Paid, Refused, Settled
from talktime.core.payers import CREDITS_CAPABILITY
from talktime.core.rating import Rate, billed_seconds, payable_seconds, price_micros
from talktime.core.refusal import Refusal

REFUND_LASTS_MS = 365 * 86_400_000
"""How long money lasts that a late report gives back and no lot can take: the debt it had paid was
cleared since."""


def authorize(books: Books, call: Call, command: Authorize, now_ms: int) -> Granted | Refused:
    """Decide whether a call may be set up, and hold the price of its first slice.

    New calls need credit for at least the first increment, unless they are free (D7, R22, A23).
    Refuses: the command's own refusal, else INSUFFICIENT_CREDIT.
    """
    wallet = books.wallets[call.organisation_id]
    refusal = command.refusal
    outcome: Granted | Refused
    if refusal is None:
        call.state = OPEN
        outcome = _grant(
            books, wallet, call, 0, command.requested_s, command.passed, command.sequence, now_ms
        )
    else:
        outcome = Refused(refusal, call.call_key, command.sequence)
    if type(outcome) is Refused:
        call.state = REFUSED
    return outcome


def extend(books: Books, call: Call, command: Extend, now_ms: int) -> Granted | Refused:
    """Decide how much longer a running call may talk, counted from the seconds used so far.

    Units: whole seconds since answer. Refuses: INSUFFICIENT_CREDIT when no further increment can
    be paid and what was granted is used up; CALL_TOO_LONG at the longest call. Source: RFC 8506,
    Intermediate Interrogation; D8.
    """
    wallet = books.wallets[call.organisation_id]
    call.reported_s = max(call.reported_s, command.used_s)
    return _grant(
        books, wallet, call, command.used_s, command.requested_s, (), command.sequence, now_ms
    )


def _grant(
    books: Books,
    wallet: Wallet,
    call: Call,
    used_s: int,
    requested_s: int,
    passed: tuple[str, ...],
    sequence: int,
    now_ms: int,
) -> Granted | Refused:
    rate, terms = call.rate, books.terms
    available_micros = wallet.available_micros(now_ms)
    asked_s = min(requested_s or terms.slice_s, terms.slice_s)
    payable_s = CALL_SECONDS_MAX
    if rate.per_minute_micros or rate.fee_micros:
        payable_s = min(
            payable_s, payable_seconds(call.held_micros + max(available_micros, 0), rate)
        )
    until_s = max(min(billed_seconds(used_s + asked_s, rate), payable_s), call.granted_s)
    if until_s <= used_s:
        refusal = _too_short(call, used_s, available_micros, wallet.currency)
        return Refused(refusal, call.call_key, sequence)
    price_until_micros = price_micros(until_s, rate)
    more_micros = price_until_micros - call.held_micros
    if more_micros > 0:
        call.parts = wallet.hold(more_micros, call.parts, now_ms)
        call.held_micros = price_until_micros
    call.granted_s = until_s
    call.deadline_ms = max(call.deadline_ms, now_ms + (until_s - used_s + terms.grace_s) * 1000)
    if price_until_micros:
        paid = Paid("credits", until_s - used_s, price_until_micros - _price_of(used_s, rate))
        held = explain.held_line(available_micros, price_until_micros, until_s, wallet.currency)
        because = (*passed, explain.rate_line(rate), held)
    else:
        paid = Paid("free", until_s - used_s, 0)
        because = (*passed, explain.rate_line(rate))
    return Granted(
        call.call_key,
        sequence,
        until_s - used_s,
        billed_seconds(until_s + 1, rate) > payable_s,
        call.deadline_ms,
        rate,
        wallet.currency,
        (paid,),
        available_micros - more_micros if more_micros > 0 else available_micros,
        because,
    )


def _price_of(used_s: int, rate: Rate) -> int:
    return price_micros(billed_seconds(used_s, rate), rate)


def _too_short(call: Call, used_s: int, available_micros: int, currency: str) -> Refusal:
    next_s = billed_seconds(used_s + 1, call.rate)
    if next_s > CALL_SECONDS_MAX:
        return Refusal(
            "call_too_long", f"a call may last {CALL_SECONDS_MAX} s; it has lasted {used_s} s"
        )
    more_micros = price_micros(next_s, call.rate) - call.held_micros
    detail = explain.shortage(call.rate, next_s - used_s, more_micros, available_micros, currency)
    return Refusal("insufficient_credit", detail)


def note_answer(books: Books, call: Call, command: Answer, now_ms: int) -> Noted:
    """Note when the call was answered: its deadline is counted from there, and never moves back."""
    answered_ms = min(command.answered_ms or now_ms, now_ms)
    if call.answered_ms is None:
        call.answered_ms = answered_ms
    until_ms = (call.granted_s + books.terms.grace_s) * 1000
    call.deadline_ms = max(call.deadline_ms, answered_ms + until_ms)
    return Noted(call.call_key, command.sequence, call.deadline_ms)


def settle(books: Books, call: Call, command: Settle, now_ms: int) -> Settled:
    """Charge what was talked, free the rest, write the usage record (R60, R61).

    A settle above its hold takes the excess from what is free and then makes debt (D7); how far
    above, core/reported.py bounds. After the deadline has closed the call, the first settle books
    the difference, once (D8). A refused call owes nothing.
    """
    wallet = books.wallets[call.organisation_id]
    call.settle_sequence = command.sequence
    if call.state == REFUSED:
        call.state, call.closed_ms = RELEASED, now_ms
        return _settled(
            call, command.sequence, wallet, 0, ("the call was refused: nothing is owed",), now_ms
        )
    if call.state == EXPIRED:
        return _correct(books, wallet, call, command, now_ms)
    because = _close(books, wallet, call, command.used_s, command.cause, (), now_ms)
    call.state = SETTLED if call.charged_micros else RELEASED
    return _settled(
        call, command.sequence, wallet, billed_seconds(command.used_s, call.rate), because, now_ms
    )


def expire(books: Books, call: Call, now_ms: int) -> HoldExpired:
    """Close a call whose deadline has passed, at the last seconds its switch reported, and flag it
    (D8)."""
    if call.state != OPEN or call.deadline_ms > now_ms:
        return HoldExpired(call.call_key, False)
    wallet = books.wallets[call.organisation_id]
    _close(books, wallet, call, call.reported_s, "deadline_passed", ("expired",), now_ms)
    call.state, call.changed = EXPIRED, True
    return HoldExpired(call.call_key, True)


def _close(
    books: Books,
    wallet: Wallet,
    call: Call,
    used_s: int,
    cause: str,
    flags: tuple[str, ...],
    now_ms: int,
) -> tuple[str, ...]:
    rate = call.rate
    billed_s = billed_seconds(used_s, rate)
    charge_micros = price_micros(billed_s, rate)
    usage_id = books.next_id()
    held_parts = call.parts
    wallet.release(held_parts)
    call.parts, call.held_micros, call.charged_micros = [], 0, charge_micros
    call.reported_s, call.closed_ms, call.usage_id = used_s, now_ms, usage_id
    because = (explain.charge_line(used_s, billed_s, rate, charge_micros, wallet.currency),)
    debt_micros = 0
    if charge_micros:
        call.parts, debt_micros = _charge(
            books, wallet, charge_micros, held_parts, usage_id, "usage", now_ms
        )
    if debt_micros:
        flags = (*flags, "overdraft")
    _pay_debt(books, wallet, now_ms)
    sums = Sums(used_s, billed_s, rate.fee_micros if billed_s else 0, charge_micros)
    _record(books, call, usage_id, "call", sums, cause, flags, because)
    return because


def _charge(
    books: Books,
    wallet: Wallet,
    charge_micros: int,
    first: list[tuple[int, int]],
    usage_id: int,
    kind: str,
    now_ms: int,
) -> tuple[list[tuple[int, int]], int]:
    spent, debt_micros = wallet.take(charge_micros, first, now_ms)
    books.transfers_from(wallet, spent, REVENUE, kind, usage_id, now_ms)
    if debt_micros:
        books.transfer(
            wallet.organisation_id, DEBT, REVENUE, debt_micros, "overdraft", usage_id, now_ms
        )
    return spent, debt_micros


def _pay_debt(books: Books, wallet: Wallet, now_ms: int) -> None:
    if wallet.debt_micros:
        books.transfers_from(wallet, wallet.pay_debt(now_ms), DEBT, "debt_payment", None, now_ms)


def _correct(books: Books, wallet: Wallet, call: Call, command: Settle, now_ms: int) -> Settled:
    """Book the difference between what the deadline charged and what was really talked."""
    rate = call.rate
    billed_s = billed_seconds(command.used_s, rate)
    before_s = billed_seconds(call.reported_s, rate)
    charge_micros = price_micros(billed_s, rate)
    more_micros = charge_micros - call.charged_micros
    line = explain.charge_line(command.used_s, billed_s, rate, charge_micros, wallet.currency)
    because = (line, f"the deadline had charged {before_s} s: the difference is booked")
    if command.used_s != call.reported_s:
        usage_id = books.next_id()
        if more_micros > 0:
            spent, _ = _charge(books, wallet, more_micros, [], usage_id, "correction", now_ms)
            for lot_id, micros in spent:
                call.parts = add_part(call.parts, lot_id, micros)
        elif more_micros < 0:
            _give_back(books, wallet, call, -more_micros, usage_id, now_ms)
        fee_micros = (rate.fee_micros if billed_s else 0) - (rate.fee_micros if before_s else 0)
        used_more_s, billed_more_s = command.used_s - call.reported_s, billed_s - before_s
        call.reported_s = command.used_s
        sums = Sums(used_more_s, billed_more_s, fee_micros, more_micros)
        _record(books, call, usage_id, "correction", sums, command.cause, ("late_report",), because)
    call.state = SETTLED if charge_micros else RELEASED
    call.charged_micros = charge_micros
    return _settled(call, command.sequence, wallet, billed_s, because, now_ms)


def _give_back(
    books: Books, wallet: Wallet, call: Call, micros: int, usage_id: int, now_ms: int
) -> None:
    """Undo a charge, the last of it first: the debt it made, as far as it is owed; what its lots
    paid; the rest, debt that other money has paid since, is a lot of its own.

    What a lot gets back pays the debt of other calls, even where the lot has expired since: else it
    would be forfeited and the debt stay.
    """
    organisation_id = call.organisation_id
    made_debt_micros = call.charged_micros - sum([part_micros for _, part_micros in call.parts])
    owed_micros = min(micros, made_debt_micros, wallet.debt_micros)
    if owed_micros:
        wallet.forgive(owed_micros)
        books.transfer(organisation_id, REVENUE, DEBT, owed_micros, "correction", usage_id, now_ms)
        micros -= owed_micros
    kept: Parts = []
    for lot_id, part_micros in reversed(call.parts):
        back_micros = min(micros, part_micros)
        if back_micros:
            wallet.put_back(lot_id, back_micros)
            books.transfer(
                organisation_id, REVENUE, lot_id, back_micros, "correction", usage_id, now_ms
            )
            paid = wallet.pay_debt_from(lot_id, back_micros)
            books.transfers_from(wallet, paid, DEBT, "debt_payment", None, now_ms)
            micros -= back_micros
        if part_micros > back_micros:
            kept.insert(0, (lot_id, part_micros - back_micros))
    call.parts = kept
    if micros:
        lot = _refund_lot(books.next_id(), call, micros, now_ms)
        books.new_lots.append(lot)
        wallet.add(lot)
        books.transfer(
            organisation_id, REVENUE, lot.id, lot.amount_micros, "correction", usage_id, now_ms
        )
    _pay_debt(books, wallet, now_ms)


def _refund_lot(lot_id: int, call: Call, micros: int, now_ms: int) -> Lot:
    return Lot(
        lot_id,
        call.organisation_id,
        source="adjustment",
        priority=0,
        promotional=False,
        amount_micros=micros,
        remaining_micros=micros,
        held_micros=0,
        purchased_ms=now_ms,
        expires_ms=now_ms + REFUND_LASTS_MS,
        idempotency_key=f"correction of {call.id}",
        body_hash=0,
        reason="late report",
        actor="service",
    )


class Sums(NamedTuple):
    """What a usage record adds up: seconds talked and billed, the fee, the charge with it."""

    used_s: int
    billed_s: int
    fee_micros: int
    charge_micros: int


def _record(
    books: Books,
    call: Call,
    usage_id: int,
    kind: str,
    sums: Sums,
    cause: str,
    flags: tuple[str, ...],
    because: tuple[str, ...],
) -> None:
    rate = call.rate
    started_ms = max(call.answered_ms or 0, call.started_ms)
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
            *sums,
            cause,
            CREDITS_CAPABILITY if rate.per_minute_micros or rate.fee_micros else "",
            call.payers.pool,
            0,
            0,
            flags,
            because,
        )
    )


def _settled(
    call: Call,
    sequence: int,
    wallet: Wallet,
    billed_s: int,
    because: tuple[str, ...],
    now_ms: int,
) -> Settled:
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
    """Who pays for a call that is over: its lots for the whole increments they cover, and debt for
    the rest."""
    if not billed_s:
        return ()
    if not call.charged_micros:
        return (Paid("free", billed_s, 0),)
    spent_micros = sum([micros for _, micros in call.parts])
    debt_micros = call.charged_micros - spent_micros
    if not debt_micros:
        return (Paid("credits", billed_s, spent_micros),)
    spent_s = min(payable_seconds(spent_micros, call.rate), billed_s)
    debt = Paid("debt", billed_s - spent_s, debt_micros)
    return (Paid("credits", spent_s, spent_micros), debt) if spent_micros else (debt,)
