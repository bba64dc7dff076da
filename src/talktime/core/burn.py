"""How fast credits are used, how long they last, what auto-recharge would have charged. Pure.

Spending is what calls took of the credits (and made of debt), less what corrections gave back, by
day: the last day is today's, so far.
"""

from collections.abc import Sequence
from typing import NamedTuple

from talktime.core.currencies import chargeable_unit_micros
from talktime.core.money import ceil_div
from talktime.core.payments import Recharge
from talktime.core.recharging import Bounds, amount_to_buy

WEEK_DAYS, MONTH_DAYS = 7, 28
TRIGGER_DAYS, CHARGE_DAYS = 4, 10
"""What is suggested: begin to recharge when so many days are left, and buy for so many."""
_STEPS = (1, 2, 5)


class Pace(NamedTuple):
    """Credits used in the last `days` (7, or 28 where nothing was used in 7; fewer where they have
    been used for a shorter time)."""

    days: int
    spent_micros: int

    @property
    def day_micros(self) -> int:
        """What is used in a day, rounded up to a micro."""
        return ceil_div(self.spent_micros, self.days)

    def days_left(self, available_micros: int) -> int:
        """How many whole days `available_micros` last at this pace; none in debt.

        >>> Pace(7, 70_000_000).days_left(99_999_999), Pace(7, 7).days_left(-5)
        (9, 0)
        """
        return max(available_micros * self.days // self.spent_micros, 0)


def pace_of(days: Sequence[int]) -> Pace | None:
    """The pace of spending, from micros by day; None where nothing was used in the last 28 days.

    >>> pace_of([0] * 26 + [5, 9]), pace_of([7] + [0] * 27), pace_of([0] * 28)
    (Pace(days=2, spent_micros=14), Pace(days=28, spent_micros=7), None)
    """
    begun = next((place for place, micros in enumerate(days) if micros), len(days))
    for length in (WEEK_DAYS, MONTH_DAYS):
        spent_micros = sum(days[-length:])
        if spent_micros > 0:
            return Pace(min(length, len(days) - begun), spent_micros)
    return None


class Suggestion(NamedTuple):
    """Values for auto-recharge that fit a pace of spending."""

    trigger_micros: int
    amount_micros: int
    month_cap_micros: int


def suggested(days: Sequence[int], bounds: Bounds, currency: str) -> Suggestion | None:
    """Recharge when some four days are left, for some ten days, within twice of what 28 days take;
    round amounts that can be bought. None where nothing was used.

    >>> bounds = Bounds(50_000_000, 50_000_000_000)
    >>> [micros // 10**6 for micros in suggested([17_000_000] * 28, bounds, "USD")]
    [100, 200, 1000]
    """
    pace = pace_of(days)
    if pace is None:
        return None
    unit_micros = chargeable_unit_micros(currency)

    def within(micros: int) -> int:
        wanted_micros = round_up(max(micros, bounds.minimum_micros), unit_micros)
        return min(wanted_micros, bounds.maximum_micros)

    amount_micros = within(pace.day_micros * CHARGE_DAYS)
    month_micros = max(pace.day_micros * MONTH_DAYS * 2, amount_micros * 2)
    return Suggestion(
        min(round_up(pace.day_micros * TRIGGER_DAYS, unit_micros), bounds.maximum_micros),
        amount_micros,
        round_up(month_micros, unit_micros),
    )


def round_up(micros: int, unit_micros: int) -> int:
    """The next 1, 2 or 5 with zeros behind it, in units of the currency.

    >>> [round_up(micros, 10_000) for micros in (1, 10_001, 30_000, 72_000_000)]
    [10000, 20000, 50000, 100000000]
    """
    scale_micros = unit_micros
    while True:
        for step in _STEPS:
            if micros <= step * scale_micros:
                return step * scale_micros
        scale_micros *= 10


class Charge(NamedTuple):
    """What would have been charged on a day, counted from 0, the first."""

    day: int
    amount_micros: int


def replay(
    days: Sequence[int], months: Sequence[str], recharge: Recharge, bounds: Bounds, currency: str
) -> list[Charge]:
    """The charges that auto-recharge with these settings would have made: the balance stands at the
    trigger, and day by day is spent what was spent. At the end of a day it is recharged as
    `amount_to_buy` says (D1), within the month's limit; `months` are those of the days.

    >>> plan = Recharge(1, True, 20_000_000, "amount", 100_000_000, None, 5, "", "", None, 0, "")
    >>> replay([30_000_000] * 3, ["2026-11"] * 3, plan, Bounds(0, 10**12), "USD")
    [Charge(day=0, amount_micros=100000000)]
    """
    available_micros, charges = recharge.trigger_micros, list[Charge]()
    bought_micros: dict[str, int] = {}
    for day, (spent_micros, month) in enumerate(zip(days, months, strict=True)):
        available_micros -= spent_micros
        if available_micros >= recharge.trigger_micros:
            continue
        most_micros = bounds.maximum_micros
        if recharge.month_cap_micros is not None:
            left_micros = recharge.month_cap_micros - bought_micros.get(month, 0)
            most_micros = min(most_micros, max(left_micros, 0))
        amount_micros = amount_to_buy(
            recharge, available_micros, bounds.minimum_micros, most_micros, currency
        )
        if amount_micros:
            charges.append(Charge(day, amount_micros))
            available_micros += amount_micros
            bought_micros[month] = bought_micros.get(month, 0) + amount_micros
    return charges
