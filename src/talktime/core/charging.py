"""Decisions about a running call: may it be set up, how long may it talk, what is set aside for
it. Pure. What a finished call costs is in core/settling.py."""

from typing import NamedTuple

from talktime.core import explain, reported
from talktime.core.books import Books
from talktime.core.calls import OPEN, REFUSED, Call
from talktime.core.commands import Answer, Authorize, Extend
from talktime.core.ledger import Wallet
from talktime.core.meters import month_of
from talktime.core.outcomes import Granted, Noted, Paid, Refused
from talktime.core.paying import Purse, lasts_s, parts_paid, price_of_s, purse_of, used_up_guard
from talktime.core.rating import billed_seconds, price_micros
from talktime.core.refusal import Refusal
from talktime.core.shortage import too_short
from talktime.core.telling import tell_crossings, tell_refused

TO_END = "the service has ended this call before its time"


class Asked(NamedTuple):
    """What a switch says when it asks for time: how long was talked, how much more it wants, how
    long the hold is to be kept at least (seconds); `whole` if it wants all of that or nothing."""

    used_s: int
    requested_s: int
    keep_s: int
    sequence: int
    whole: bool = False


def authorize(books: Books, call: Call, command: Authorize, now_ms: int) -> Granted | Refused:
    """Decide whether a call may be set up, and hold minutes and money for its first slice.

    New calls need minutes or credit for at least the first increment, unless they are free (D7,
    R22, A23). Refuses: the command's own refusal, else what `extend` refuses.
    """
    _note_totals(books, call, command, now_ms)
    refusal = command.refusal
    outcome: Granted | Refused
    if refusal is None:
        call.state = OPEN
        outcome = _grant(
            books,
            call,
            Asked(0, command.requested_s, command.keep_s, command.sequence, command.whole),
            command.passed,
            now_ms,
        )
    else:
        outcome = Refused(refusal, call.call_key, command.sequence, command.passed)
    if type(outcome) is Refused:
        call.state = REFUSED
    return outcome


def _note_totals(books: Books, call: Call, command: Authorize, now_ms: int) -> None:
    """How many minutes there are of the pools this call looks at, by the licences of now (R48). Of
    a month that is over they are what they were: a call of it that is asked for late finds the
    total that its month ended with."""
    month = month_of(now_ms)
    payers, owner = command.payers, call.organisation_id
    for key, total_s in (
        (payers.pool, command.pool_total_s),
        (payers.guard, command.guard_total_s),
    ):
        if key:
            meter = books.meter(owner, key)
            if meter.total is None or key[:7] >= month:  # a key begins with its month
                meter.set_total(total_s, now_ms, books.terms.pool_warning_percent)
            tell_crossings(books, meter, now_ms)


def extend(books: Books, call: Call, command: Extend, now_ms: int) -> Granted | Noted | Refused:
    """Decide how much longer a running call may talk, counted from the seconds used so far.

    Units: whole seconds since answer. Refuses when what was granted is used up and no further
    increment can be paid: CALL_TOO_LONG at the longest call, else who should have paid says why
    (core/shortage.py); by the call's `ending` where it is to end. Source: RFC 8506, Intermediate
    Interrogation; D8.
    """
    refusal = reported.too_many_seconds(books.terms, call, command.used_s)
    if refusal is not None:
        # It was talked, as far as that can be: none of it is lost with the request.
        call.reported_s = max(call.reported_s, reported.most_seconds(books.terms, call))
        return Refused(refusal, call.call_key, command.sequence)
    call.reported_s = max(call.reported_s, command.used_s)
    if call.ending:
        return Refused(Refusal(call.ending, TO_END), call.call_key, command.sequence)
    if command.only_reports:
        call.deadline_ms = max(call.deadline_ms, now_ms + command.keep_s * 1000)
        return Noted(call.call_key, command.sequence, call.deadline_ms)
    asked = Asked(command.used_s, command.requested_s, command.keep_s, command.sequence)
    return _grant(books, call, asked, (), now_ms)


def _grant(
    books: Books,
    call: Call,
    asked: Asked,
    passed: tuple[str, ...],
    now_ms: int,
) -> Granted | Refused:
    rate, terms, (used_s, requested_s, keep_s, sequence, whole) = (
        call.rate,
        books.terms,
        asked,
    )
    wallet = books.wallets[call.organisation_id]
    available_micros = wallet.available_micros(now_ms)
    purse = purse_of(books, call, available_micros)
    asked_s = requested_s if whole else min(requested_s or terms.slice_s, terms.slice_s)
    payable_s = lasts_s(call, purse)
    no_minutes = _no_minutes(books, call, purse)
    until_s = max(min(billed_seconds(used_s + asked_s, rate), payable_s), call.granted_s)
    if until_s <= used_s or (whole and until_s < requested_s):
        paid_s, whole_s = (until_s, requested_s) if whole else (used_s, 0)
        refusal = too_short(wallet, call, purse, paid_s, available_micros, whole_s)
        tell_refused(books, wallet, call, refusal, now_ms)
        return Refused(refusal, call.call_key, sequence, (*passed, *no_minutes))
    more_micros = _hold(books, wallet, call, purse, until_s, now_ms)
    call.granted_s = until_s
    kept_s = max(until_s - used_s + terms.grace_s, keep_s)
    call.deadline_ms = max(call.deadline_ms, now_ms + kept_s * 1000)
    available_micros -= more_micros
    return Granted(
        call.call_key,
        sequence,
        call.to_digits,
        until_s - used_s,
        billed_seconds(until_s + 1, rate) > payable_s,
        call.deadline_ms,
        rate,
        wallet.currency,
        _slice_paid(call, used_s, until_s),
        available_micros,
        (
            *passed,
            *no_minutes,
            *_minutes_held(books, call),
            *_held_lines(call, until_s, available_micros + more_micros, wallet),
        ),
    )


def _no_minutes(books: Books, call: Call, purse: Purse) -> list[str]:
    """Why the pool of a call that no money pays yet has no more minutes for it; of one that has,
    nothing."""
    payers = call.payers
    if not payers.pool or purse.pool_s > call.pool_s or call.granted_s > call.pool_s:
        return []
    meter = books.meter(call.organisation_id, payers.pool)
    return [explain.no_pool_line(meter, used_up_guard(books, call))]


def _minutes_held(books: Books, call: Call) -> list[str]:
    if not call.pool_s:
        return []
    meter = books.meter(call.organisation_id, call.payers.pool)
    return [explain.pool_line(meter, call.pool_s)]


def _hold(books: Books, wallet: Wallet, call: Call, purse: Purse, until_s: int, now_ms: int) -> int:
    """Set minutes and money aside until `until_s`; returns how much more of the credits is held."""
    payers, organisation_id = call.payers, call.organisation_id
    pool_s = min(until_s, purse.pool_s)
    if pool_s > call.pool_s:
        books.meter(organisation_id, payers.pool).hold(pool_s - call.pool_s)
        call.pool_s = pool_s
    price_until_micros = price_micros(until_s - call.pool_s, call.rate)
    more_micros = price_until_micros - call.held_micros
    if more_micros <= 0:
        return 0
    by_credit_micros = min(more_micros, purse.credit_micros)
    if by_credit_micros:
        call.parts = wallet.hold(by_credit_micros, call.parts, now_ms)
    after_use_micros = more_micros - by_credit_micros
    if after_use_micros:
        call.post_micros += after_use_micros
        books.meter(organisation_id, payers.post_usage).hold(after_use_micros)
    if payers.spending:
        books.meter(organisation_id, payers.spending).hold(more_micros)
    call.held_micros = price_until_micros
    return by_credit_micros


def _slice_paid(call: Call, used_s: int, until_s: int) -> tuple[Paid, ...]:
    """Who pays for what was just granted; post-usage, which pays last, pays its end."""
    price = call.held_micros - price_of_s(used_s, call.pool_s, call.rate)
    post_micros = min(call.post_micros, price)
    return parts_paid(call, used_s, until_s, call.pool_s, price - post_micros, post_micros)


def _held_lines(call: Call, until_s: int, available_micros: int, wallet: Wallet) -> list[str]:
    lines = [explain.rate_line(call.rate)]
    if call.held_micros:
        by_credit_micros = call.held_micros - call.post_micros
        if by_credit_micros or not call.post_micros:
            lines.append(
                explain.held_line(
                    available_micros, by_credit_micros, until_s - call.pool_s, wallet.currency
                )
            )
        if call.post_micros:
            lines.append(explain.post_line(call.post_micros, wallet.currency))
    return lines


def note_answer(books: Books, call: Call, command: Answer, now_ms: int) -> Noted:
    """Note when the call was answered: its deadline is counted from there, and never moves back."""
    answered_ms = min(command.answered_ms or now_ms, now_ms)
    if call.answered_ms is None:
        call.answered_ms = answered_ms
    until_ms = (call.granted_s + books.terms.grace_s) * 1000
    call.deadline_ms = max(call.deadline_ms, answered_ms + until_ms)
    return Noted(call.call_key, command.sequence, call.deadline_ms)
