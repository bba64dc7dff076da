"""What a call costs, and how long an amount of money lasts. Closed forms, never a loop.

A rate bills the first increment whole and then whole next increments; the price of the billed
seconds is exact in micros, rounded up once at the end (D9, R60, R61).
"""

import json
from functools import lru_cache
from typing import NamedTuple

from talktime.core.limits import CALL_SECONDS_MAX, RATES_CACHED_MAX
from talktime.core.money import ceil_div


class Rate(NamedTuple):
    """The terms on which a call to a prefix is charged; a running call keeps the ones it began on.

    >>> Rate("49", "Germany", 15_000, 0, 60, 60).text()
    '["49","Germany",15000,0,60,60]'
    """

    prefix: str
    destination: str
    per_minute_micros: int
    fee_micros: int
    first_increment_s: int
    next_increment_s: int

    def text(self) -> str:
        """The rate as a compact JSON array, as the call's row keeps it."""
        return _rate_text(self)

    @staticmethod
    def parse(text: str) -> "Rate":
        """Read back what `text` wrote.

        >>> Rate.parse('["49","Germany",15000,0,60,60]').destination
        'Germany'
        """
        return _parsed_rate(text)


@lru_cache(RATES_CACHED_MAX)
def _rate_text(rate: Rate) -> str:
    return json.dumps(rate, separators=(",", ":"), ensure_ascii=False)


@lru_cache(RATES_CACHED_MAX)
def _parsed_rate(text: str) -> Rate:
    return Rate(*json.loads(text))


def billed_seconds(used_s: int, rate: Rate) -> int:
    """Round talked seconds up to whole increments; an unanswered call (0 s) bills nothing (R60).

    >>> thirty_six = Rate("49", "Germany", 15_000, 0, 30, 6)
    >>> [billed_seconds(used_s, thirty_six) for used_s in (0, 1, 30, 31, 37)]
    [0, 30, 30, 36, 42]
    """
    if used_s <= 0:
        return 0
    if used_s <= rate.first_increment_s:
        return rate.first_increment_s
    increments = ceil_div(used_s - rate.first_increment_s, rate.next_increment_s)
    return rate.first_increment_s + increments * rate.next_increment_s


def price_micros(billed_s: int, rate: Rate) -> int:
    """Price billed seconds: the fee once, and the minutes, rounded up once (R61, D9).

    >>> price_micros(120, Rate("49", "Germany", 15_000, 20_000, 60, 60))
    50000
    >>> price_micros(1, Rate("49", "Germany", 15_001, 0, 1, 1)), price_micros(
    ...     0, Rate("49", "Germany", 15_000, 20_000, 60, 60)
    ... )
    (251, 0)
    """
    if billed_s <= 0:
        return 0
    return rate.fee_micros - (-rate.per_minute_micros * billed_s // 60)


def payable_seconds(budget_micros: int, rate: Rate) -> int:
    """Find the longest whole-increment call whose price fits the budget; 0 when none does.

    Never longer than limits.CALL_SECONDS_MAX, which is also the answer's bound when the minutes
    are free.

    >>> payable_seconds(960_000, Rate("49", "Germany", 600_000, 0, 60, 6))
    96
    >>> payable_seconds(599_999, Rate("49", "Germany", 600_000, 0, 60, 6))
    0
    """
    for_minutes_micros = budget_micros - rate.fee_micros
    if for_minutes_micros < 0:
        return 0
    longest_s = CALL_SECONDS_MAX
    if rate.per_minute_micros:
        longest_s = min(longest_s, for_minutes_micros * 60 // rate.per_minute_micros)
    if longest_s < rate.first_increment_s:
        return 0
    beyond_first_s = longest_s - rate.first_increment_s
    return longest_s - beyond_first_s % rate.next_increment_s
