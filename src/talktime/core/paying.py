"""How much of a call each payer can pay, and how a charge is split between them. Pure.

Included minutes pay whole increments first, then money: the organisation's credits, then
post-usage billing (D11). Once money has begun to pay, minutes that become free elsewhere no longer
shorten what is charged (R65).
"""

from typing import NamedTuple

from talktime.core.books import Books
from talktime.core.calls import Call
from talktime.core.limits import AMOUNT_MICROS_MAX, CALL_SECONDS_MAX
from talktime.core.meters import Meter
from talktime.core.outcomes import Paid
from talktime.core.rating import Rate, billed_seconds, payable_seconds, price_micros

NO_LIMIT_MICROS = AMOUNT_MICROS_MAX


class Purse(NamedTuple):
    """What can pay for a running call, beyond what it holds: `pool_s` are all the seconds of it
    that minutes can pay, the others micros more."""

    pool_s: int
    credit_micros: int
    post_micros: int
    limit_micros: int

    @property
    def more_micros(self) -> int:
        """How much money more the call can take."""
        return min(self.credit_micros + self.post_micros, self.limit_micros)


def purse_of(books: Books, call: Call, available_micros: int) -> Purse:
    """What can pay for the call now. Units: whole billed seconds, micros."""
    payers = call.payers
    pool_s = call.pool_s
    if payers.pool and call.granted_s <= call.pool_s:
        pool_s = whole_increments(pool_s + free_minutes_s(books, call), call.rate)
    if payers.money_code:
        return Purse(pool_s, 0, 0, 0)
    post_micros, limit_micros = 0, NO_LIMIT_MICROS
    if payers.post_usage:
        post_micros = _left(books, call, payers.post_usage, payers.post_usage_cap_micros)
    if payers.spending:
        limit_micros = _left(books, call, payers.spending, payers.spend_limit_micros)
    return Purse(
        pool_s, max(available_micros, 0) if payers.credits else 0, post_micros, limit_micros
    )


def free_minutes_s(books: Books, call: Call) -> int:
    """Seconds that are free in the call's pool; none where its guard is used up (D12)."""
    if used_up_guard(books, call) is not None:
        return 0
    return max(books.meter(call.organisation_id, call.payers.pool).free, 0)


def used_up_guard(books: Books, call: Call) -> Meter | None:
    """The other counter of the call's plan, where it has reached its limit (R42): what running
    calls hold of it they may not use, and ends nothing."""
    if not call.payers.guard:
        return None
    guard = books.meter(call.organisation_id, call.payers.guard)
    return guard if guard.used_up else None


def _left(books: Books, call: Call, key: str, limit_micros: int | None) -> int:
    if limit_micros is None:
        return NO_LIMIT_MICROS
    meter = books.meter(call.organisation_id, key)
    return max(limit_micros - meter.used - meter.held, 0)


def whole_increments(seconds: int, rate: Rate) -> int:
    """Round seconds down to what a call can be billed for.

    >>> thirty_six = Rate("49", "Germany", 15_000, 0, 30, 6)
    >>> [whole_increments(seconds, thirty_six) for seconds in (29, 30, 35, 36)]
    [0, 30, 30, 36]
    """
    seconds = min(seconds, CALL_SECONDS_MAX)
    if seconds < rate.first_increment_s:
        return 0
    return seconds - (seconds - rate.first_increment_s) % rate.next_increment_s


def payable_after(pool_s: int, budget_micros: int, rate: Rate) -> int:
    """Find the longest billed call of which minutes pay the first `pool_s` seconds, and the budget
    the rest, fee included.

    >>> sixty = Rate("49", "Germany", 15_000, 20_000, 60, 60)
    >>> [payable_after(120, budget, sixty) for budget in (0, 34_999, 35_000, 49_999)]
    [120, 120, 180, 180]
    """
    if pool_s == 0:
        return payable_seconds(budget_micros, rate)
    for_minutes_micros = budget_micros - rate.fee_micros
    if for_minutes_micros < 0:
        return pool_s
    more_s = CALL_SECONDS_MAX
    if rate.per_minute_micros:
        more_s = for_minutes_micros * 60 // rate.per_minute_micros
    return whole_increments(pool_s + more_s, rate)


def lasts_s(call: Call, purse: Purse) -> int:
    """How long the call can talk in all, with what it holds and what is in its purse."""
    rate = call.rate
    if call.payers.money_code:
        return purse.pool_s
    if not (rate.per_minute_micros or rate.fee_micros):
        return CALL_SECONDS_MAX
    return payable_after(purse.pool_s, call.held_micros + purse.more_micros, rate)


def pool_share_s(books: Books, call: Call, billed_s: int, *, money_paid: bool) -> int:
    """How many of a finished call's billed seconds its minutes pay: those it holds or has used,
    and more from what is free unless money pays some."""
    had_s = call.pool_s
    if billed_s <= had_s or money_paid or not call.payers.pool:
        return min(billed_s, had_s)
    most_s = whole_increments(had_s + free_minutes_s(books, call), call.rate)
    return min(billed_s, max(had_s, most_s))


def parts_paid(
    call: Call, from_s: int, until_s: int, pool_s: int, credit_micros: int, post_micros: int
) -> tuple[Paid, ...]:
    """Who pays for the billed seconds between two moments of a call: minutes up to `pool_s`, then
    credits for the whole increments they cover, then post-usage. What is left of an increment that
    was granted before costs no more."""
    by_pool_s = max(min(pool_s, until_s) - from_s, 0)
    by_money_s = until_s - from_s - by_pool_s
    parts = []
    if by_pool_s:
        parts.append(Paid("pool", by_pool_s, 0, call.payers.pool))
    if by_money_s and not credit_micros and not post_micros:
        before = "post_usage" if call.post_micros else "credits"
        parts.append(Paid(before if call.rate.per_minute_micros else "free", by_money_s, 0))
    elif by_money_s:
        by_credit_s = by_money_s
        if post_micros:
            by_credit_s = covered_s(credit_micros, by_money_s, call.rate)
        if credit_micros:
            parts.append(Paid("credits", by_credit_s, credit_micros))
        if post_micros:
            rest_s = by_money_s - (by_credit_s if credit_micros else 0)
            parts.append(Paid("post_usage", rest_s, post_micros))
    return tuple(parts)


def covered_s(micros: int, of_s: int, rate: Rate) -> int:
    """How many of so many paid seconds a part of their price covers, in whole increments."""
    return min(payable_seconds(micros, rate), of_s)


def price_of_s(used_s: int, pool_s: int, rate: Rate) -> int:
    """The money that so much talking costs after `pool_s` seconds of minutes."""
    return price_micros(max(billed_seconds(used_s, rate) - pool_s, 0), rate)
