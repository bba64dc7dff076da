"""What a finished call costs: its charge, what is freed, its usage record. Pure."""

from talktime.core import explain
from talktime.core.bookings import Sums, charge, pay_debt, record, settled, use_minutes
from talktime.core.books import Books
from talktime.core.calls import EXPIRED, OPEN, REFUSED, RELEASED, SETTLED, Call
from talktime.core.commands import Settle
from talktime.core.correcting import correct
from talktime.core.ledger import Wallet
from talktime.core.outcomes import HoldExpired, Settled
from talktime.core.paying import pool_share_s
from talktime.core.rating import billed_seconds, price_micros


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
        nothing = ("the call was refused: nothing is owed",)
        return settled(call, command.sequence, wallet, 0, nothing, now_ms)
    if call.state == EXPIRED:
        return correct(books, wallet, call, command, now_ms)
    because = _close(books, wallet, call, command.used_s, command.cause, (), now_ms)
    call.state = SETTLED if call.charged_micros or call.pool_s else RELEASED
    return settled(
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
    """Charge `used_s` seconds, free the rest of what was held, write the usage record."""
    rate = call.rate
    billed_s = billed_seconds(used_s, rate)
    usage_id = books.next_id()
    held_parts = call.parts
    pool_s = pool_share_s(books, call, billed_s, money_paid=call.granted_s > call.pool_s)
    _release(books, wallet, call)
    charge_micros = price_micros(billed_s - pool_s, rate)
    call.reported_s, call.closed_ms, call.usage_id = used_s, now_ms, usage_id
    use_minutes(books, call, pool_s, now_ms)
    because = explain.charge_lines(call, pool_s, used_s, billed_s, charge_micros, wallet.currency)
    if charge_micros and charge(
        books, wallet, call, charge_micros, held_parts, usage_id, "usage", now_ms
    ):
        flags = (*flags, "overdraft")
    pay_debt(books, wallet, now_ms)
    fee_micros = rate.fee_micros if billed_s > pool_s else 0
    sums = Sums(used_s, billed_s, fee_micros, charge_micros, pool_s, call.post_micros)
    record(books, call, usage_id, "call", sums, cause, flags, because)
    return because


def _release(books: Books, wallet: Wallet, call: Call) -> None:
    """Free all that the call holds: of its lots, its pool, the limits it counts against."""
    payers, organisation_id = call.payers, call.organisation_id
    wallet.release(call.parts)
    if call.pool_s:
        books.meter(organisation_id, payers.pool).hold(-call.pool_s)
    if call.post_micros:
        books.meter(organisation_id, payers.post_usage).hold(-call.post_micros)
    if payers.spending:
        books.meter(organisation_id, payers.spending).hold(-call.held_micros)
    call.parts, call.held_micros, call.pool_s, call.post_micros = [], 0, 0, 0
