"""Each decision in words a person can read: one line for each gate passed, one for each step of
the sum."""

from functools import lru_cache

from talktime.core.calls import Call
from talktime.core.meters import Meter
from talktime.core.money import decimal_text
from talktime.core.rating import Rate


@lru_cache(maxsize=65_536)
def rate_line(rate: Rate) -> str:
    """The rate in one line.

    >>> rate_line(Rate("49", "Germany", 15_000, 0, 60, 60))
    '49 Germany at 0.015/min, 60/60'
    """
    fee = f" and {decimal_text(rate.fee_micros)} at answer" if rate.fee_micros else ""
    return (
        f"{rate.prefix} {rate.destination} at {decimal_text(rate.per_minute_micros)}/min{fee}, "
        f"{rate.first_increment_s}/{rate.next_increment_s}"
    ).lstrip()


def held_line(available_micros: int, price_micros: int, until_s: int, currency: str) -> str:
    """What was free, and what is held of it now.

    >>> held_line(99_955_000, 75_000, 300, "USD")
    'credits: 0.075 USD held for 300 s of 99.955 USD available'
    """
    return (
        f"credits: {decimal_text(price_micros)} {currency} held for {until_s} s "
        f"of {decimal_text(available_micros)} {currency} available"
    )


def charge_line(used_s: int, billed_s: int, rate: Rate, charge_micros: int, currency: str) -> str:
    """The whole sum of one call.

    >>> charge_line(61, 120, Rate("49", "Germany", 15_000, 20_000, 60, 60), 50_000, "USD")
    '49 Germany at 0.015/min and 0.02 at answer, 60/60, 61 s billed as 120 s: 0.05 USD'
    """
    charge = decimal_text(charge_micros)
    return f"{rate_line(rate)}, {used_s} s billed as {billed_s} s: {charge} {currency}"


def pool_line(meter: Meter, held_s: int) -> str:
    """Which minutes the call holds, and what of them is left for others.

    >>> pool_line(Meter(1, "2026-11/minutes/P/US/domestic", 60, 120, 600), 120)
    'included minutes: 120 s held of 2026-11/minutes/P/US/domestic, 420 s of 600 s left'
    """
    total = f"{meter.free} s of {meter.total} s left"
    return f"included minutes: {held_s} s held of {meter.key}, {total}"


def no_pool_line(meter: Meter, guard: Meter | None) -> str:
    """Why minutes pay nothing: the other counter of the plan is used up (`guard`), or too little is
    left.

    >>> domestic, abroad = Meter(1, "domestic", 540, 30, 600), Meter(1, "international", 60, 0, 60)
    >>> no_pool_line(domestic, None)
    'included minutes: 30 s of 600 s left of domestic, too little for the next increment'
    >>> no_pool_line(domestic, abroad)
    'included minutes: all 60 s of international are used, which ends domestic'
    """
    key = meter.key
    if guard is not None:
        used_s, other = guard.used, guard.key
        return f"included minutes: all {used_s} s of {other} are used, which ends {key}"
    left_s, total_s = max(meter.free, 0), meter.total or 0
    return (
        f"included minutes: {left_s} s of {total_s} s left of {key}, "
        "too little for the next increment"
    )


def post_line(micros: int, currency: str) -> str:
    """What will be paid after use.

    >>> post_line(75_000, "USD")
    'post-usage: 0.075 USD to be paid after use'
    """
    return f"post-usage: {decimal_text(micros)} {currency} to be paid after use"


def charge_lines(
    call: Call, pool_s: int, used_s: int, billed_s: int, charge_micros: int, currency: str
) -> tuple[str, ...]:
    """The whole sum of one call: what minutes paid, and what money."""
    if not pool_s:
        return (charge_line(used_s, billed_s, call.rate, charge_micros, currency),)
    line = f"{used_s} s billed as {billed_s} s: {pool_s} s of {call.payers.pool}"
    if pool_s == billed_s:
        return (line,)
    charge = decimal_text(charge_micros)
    return (line, f"{rate_line(call.rate)}, {billed_s - pool_s} s: {charge} {currency}")


def limit_reached(limit_micros: int, more_micros: int, currency: str) -> str:
    """Why a limit lets nothing more through.

    >>> limit_reached(5_000_000, 15_000, "USD")
    'the limit is 5 USD a month, and 0.015 USD more would pass it'
    """
    more = f"{decimal_text(more_micros)} {currency} more would pass it"
    return f"the limit is {decimal_text(limit_micros)} {currency} a month, and {more}"


def shortage(
    rate: Rate, first_s: int, price_micros: int, available_micros: int, currency: str
) -> str:
    """Why there is not enough credit.

    >>> shortage(Rate("49", "Germany", 15_000, 0, 60, 60), 60, 15_000, 4_000, "USD")
    '60 s to Germany cost 0.015 USD; 0.004 USD is available'
    """
    return (
        f"{first_s} s to {rate.destination} cost {decimal_text(price_micros)} {currency}; "
        f"{decimal_text(available_micros)} {currency} is available"
    )
