"""A report that comes after the deadline has closed its call: the difference is booked, once (D8).
Pure."""

from typing import NamedTuple

from talktime.core import explain
from talktime.core.bookings import (
    Returned,
    Sums,
    charge,
    new_lot_of,
    pay_debt,
    record,
    settled,
    use_minutes,
)
from talktime.core.books import Books
from talktime.core.calls import RELEASED, SETTLED, Call
from talktime.core.commands import Settle
from talktime.core.ledger import DEBT, POST_USAGE, REVENUE, Parts, Wallet
from talktime.core.outcomes import Settled
from talktime.core.paying import pool_share_s
from talktime.core.rating import billed_seconds, price_micros

REFUND_LASTS_MS = 365 * 86_400_000
"""How long money lasts that a late report gives back and no lot can take: the debt it had paid was
cleared since."""


class Correction(NamedTuple):
    """What a call comes to, against what was booked: its seconds, the cause and the flag of the
    record, a line that says why, the number of the request."""

    used_s: int
    cause: str
    flag: str
    line: str
    sequence: int


def correct(books: Books, wallet: Wallet, call: Call, command: Settle, now_ms: int) -> Settled:
    """Book the difference between what the deadline charged and what was really talked."""
    before_s = billed_seconds(call.reported_s, call.rate)
    line = f"the deadline had charged {before_s} s: the difference is booked"
    correction = Correction(command.used_s, command.cause, "late_report", line, command.sequence)
    return book_difference(books, wallet, call, correction, now_ms)


def book_difference(
    books: Books, wallet: Wallet, call: Call, command: Correction, now_ms: int
) -> Settled:
    """Book the difference between what was charged and what the call comes to, as a record of its
    own."""
    rate = call.rate
    billed_s = billed_seconds(command.used_s, rate)
    before_s = billed_seconds(call.reported_s, rate)
    pool_s = pool_share_s(books, call, billed_s, money_paid=before_s > call.pool_s)
    charge_micros = price_micros(billed_s - pool_s, rate)
    lines = explain.charge_lines(
        call, pool_s, command.used_s, billed_s, charge_micros, wallet.currency
    )
    because = (*lines, command.line)
    if command.used_s != call.reported_s:
        usage_id = books.next_id()
        before = Sums(
            call.reported_s,
            before_s,
            rate.fee_micros if before_s > call.pool_s else 0,
            call.charged_micros,
            call.pool_s,
            call.post_micros,
        )
        use_minutes(books, call, pool_s - call.pool_s, now_ms)
        more_micros = charge_micros - call.charged_micros
        if more_micros > 0:
            charge(books, wallet, call, more_micros, [], usage_id, "correction", now_ms)
        elif more_micros < 0:
            _give_back(books, wallet, call, -more_micros, usage_id, now_ms)
        fee_micros = rate.fee_micros if billed_s > pool_s else 0
        after = Sums(command.used_s, billed_s, fee_micros, charge_micros, pool_s, call.post_micros)
        call.reported_s = command.used_s
        sums = Sums(*[new - old for new, old in zip(after, before, strict=True)])
        record(books, call, usage_id, "correction", sums, command.cause, (command.flag,), because)
    call.state = SETTLED if charge_micros or pool_s else RELEASED
    return settled(call, command.sequence, wallet, billed_s, because, now_ms)


def _give_back(
    books: Books, wallet: Wallet, call: Call, micros: int, usage_id: int, now_ms: int
) -> None:
    """Undo a charge, the last of it first: the debt it made, as far as it is owed; what is paid
    after use; what its lots paid; the rest, debt that other money has paid since, is a lot of its
    own.

    What a lot gets back pays the debt of other calls, even where the lot has expired since: else it
    would be forfeited and the debt stay.
    """
    organisation_id = call.organisation_id
    spent_micros = sum([part_micros for _, part_micros in call.parts])
    made_debt_micros = call.charged_micros - spent_micros - call.post_micros
    call.charged_micros -= micros
    if call.payers.spending:
        books.meter(organisation_id, call.payers.spending).use(-micros, now_ms)
    owed_micros = min(micros, made_debt_micros, wallet.debt_micros)
    if owed_micros:
        wallet.forgive(owed_micros)
        books.transfer(organisation_id, REVENUE, DEBT, owed_micros, "correction", usage_id, now_ms)
        micros -= owed_micros
    micros -= _bill_less(books, call, min(micros, call.post_micros), usage_id, now_ms)
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
        key, lasts_until_ms = f"correction of {call.id}", now_ms + REFUND_LASTS_MS
        late = Returned(REVENUE, "correction", lasts_until_ms, key, "late report", "service")
        new_lot_of(books, wallet, books.next_id(), micros, late, now_ms, usage_id)
    pay_debt(books, wallet, now_ms)


def _bill_less(books: Books, call: Call, micros: int, usage_id: int, now_ms: int) -> int:
    """Take back what was to be paid after use; returns it."""
    if micros:
        books.meter(call.organisation_id, call.payers.post_usage).use(-micros, now_ms)
        books.transfer(
            call.organisation_id, REVENUE, POST_USAGE, micros, "correction", usage_id, now_ms
        )
        call.post_micros -= micros
    return micros
