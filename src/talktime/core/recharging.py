"""When auto-recharge buys, how much, and why it does not (D1-D3). Pure.

The condition is level-triggered: it is tested after every command that lowers what is available,
after a change of the settings, and by a sweep. The first of these reasons that applies is why
nothing is bought (WHY_NOT).
"""

from typing import NamedTuple

from talktime.core.currencies import chargeable_unit_micros
from talktime.core.figures import DEFAULT_FIGURES, Figures
from talktime.core.ledger import Wallet
from talktime.core.meters import month_of
from talktime.core.money import ceil_div, decimal_text
from talktime.core.payments import AMOUNT, UP_TO, Recharge, Till

DAY_MS = 86_400_000
RECHARGES_A_DAY = 5
"""Attempts in 24 hours, unless the settings say otherwise (D2, A20)."""
SEND_AGAIN_MS_MAX = 20 * 3_600_000
"""A charge that the provider does not know of is sent again, with the same key, within this: so
long providers keep idempotency keys."""

WHY_NOT = {
    "off": "Auto-recharge is off",
    "not_offered": "No credits can be bought",
    "in_debt": "What went back has left a debt",
    "paused": "Auto-recharge is paused",
    "open_attempt": "A recharge is on its way",
    "above_trigger": "What is available is not below the trigger",
    "no_method": "There is no card to charge",
    "interval": "The last recharge was begun too short a time ago",
    "day_cap": "The number of recharges in 24 hours is reached",
    "out_of_bounds": "The amount cannot be bought at once now",
    "month_cap": "The monthly limit is reached",
}
"""Why nothing is bought, in the order in which it is looked at, in words."""


NO_BUYING = {
    "moving": "the organisation is moving to post-usage billing",
    "inactive": "the organisation is switched off",
    "draining": "the organisation uses up its credits, then pays after use",
    "post_usage": "the organisation pays after use",
    "country": "credits are not offered in its country",
    "reseller": "its reseller funds it",
    "agreement": "its billing agreement is of another country",
}
"""Why an organisation cannot buy, by the code that its wallet keeps (operations/eligibility.py)."""


class Bounds(NamedTuple):
    """What one purchase may be, in micros of the currency (R6)."""

    minimum_micros: int
    maximum_micros: int


class Wanted(NamedTuple):
    """A recharge is due: so much is to be bought in one charge."""

    amount_micros: int


class NotWanted(NamedTuple):
    """Nothing is bought, for a reason of WHY_NOT; `until_ms` where time alone takes it away."""

    code: str
    detail: str = ""
    until_ms: int | None = None

    @property
    def words(self) -> str:
        """The reason, for people."""
        return f"{WHY_NOT[self.code]}: {self.detail}" if self.detail else WHY_NOT[self.code]


def recharge_due(
    wallet: Wallet,
    till: Till,
    bounds: Bounds,
    now_ms: int,
    figures: Figures = DEFAULT_FIGURES,
) -> Wanted | NotWanted:
    """Decide whether to buy now, and how much (D1, D2); else why not. Money in micros.

    Strictly below the trigger; the amount as often as it takes to reach the trigger again, in one
    charge, within the caps. Source: R13-R21, D1, D2.
    """
    recharge = till.recharge
    if recharge is None or not recharge.enabled:
        return NotWanted("off")
    reason = _not_now(wallet, till, recharge, now_ms, figures.interval_ms)
    if reason is not None:
        return reason
    if recharge.method == AMOUNT and _least_micros(recharge, bounds) > bounds.maximum_micros:
        return NotWanted("out_of_bounds")
    available_micros = wallet.available_micros(now_ms)
    most_micros = bounds.maximum_micros
    left_micros = month_left_micros(till, recharge, now_ms)
    if left_micros is not None:
        most_micros = min(most_micros, left_micros)
    amount_micros = amount_to_buy(
        recharge, available_micros, bounds.minimum_micros, most_micros, wallet.currency
    )
    if amount_micros:
        return Wanted(amount_micros)
    return NotWanted("month_cap", until_ms=next_month_ms(now_ms))


def _not_now(
    wallet: Wallet, till: Till, recharge: Recharge, now_ms: int, interval_ms: int
) -> NotWanted | None:
    if wallet.no_buying is not None:
        return NotWanted("not_offered", NO_BUYING.get(wallet.no_buying, wallet.no_buying))
    if recharge.frozen(wallet.debt_micros):
        owed = f"{decimal_text(wallet.debt_micros)} {wallet.currency} is owed"
        return NotWanted("in_debt", owed)
    if recharge.paused_code:
        return NotWanted("paused", recharge.paused_detail)
    if till.open_recharge() is not None:
        return NotWanted("open_attempt")
    if wallet.available_micros(now_ms) >= recharge.trigger_micros:
        return NotWanted("above_trigger")
    if not till.cards():
        return NotWanted("no_method")
    # What a clock that was set back since has begun far ahead is neither just begun nor of today.
    begun = [(abs(now_ms - at_ms), at_ms, counts) for at_ms, _, counts in till.started]
    last_ms = max((at_ms for apart_ms, at_ms, _ in begun if apart_ms < interval_ms), default=None)
    if last_ms is not None:
        return NotWanted("interval", until_ms=last_ms + interval_ms)
    today = sorted(at_ms for apart_ms, at_ms, counts in begun if counts and apart_ms < DAY_MS)
    if len(today) >= recharge.day_max:
        return NotWanted("day_cap", until_ms=today[-recharge.day_max] + DAY_MS)
    return None


def month_left_micros(till: Till, recharge: Recharge, now_ms: int) -> int | None:
    """What may still be bought in this calendar month (UTC, D13); None without a cap."""
    if recharge.month_cap_micros is None:
        return None
    month = month_of(now_ms)
    bought_micros = sum(
        micros
        for created_ms, micros, counts in till.started
        if counts and month_of(created_ms) == month
    )
    return max(recharge.month_cap_micros - bought_micros, 0)


def amount_to_buy(
    recharge: Recharge,
    available_micros: int,
    minimum_micros: int,
    maximum_micros: int,
    currency: str,
) -> int:
    """How much lifts `available_micros` to the trigger, or to the amount where it is topped up to
    that (D1), and is no less than the minimum; 0 where the maximum does not allow it. Whole minor
    units of the currency.

    >>> plan = Recharge(1, True, 100_000_000, "amount", 30_000_000, None, 5, "", "", None, 0, "")
    >>> [amount_to_buy(plan, has * 10**6, 0, 10**15, "USD") // 10**6 for has in (99, 70, 69, -5)]
    [30, 30, 60, 120]
    >>> amount_to_buy(plan, 0, 0, 70_000_000, "USD") // 10**6
    60
    >>> amount_to_buy(plan, 99_000_000, 50_000_000, 10**15, "USD") // 10**6
    60
    """
    if recharge.method == UP_TO:
        unit = chargeable_unit_micros(currency)
        missing_micros = recharge.amount_micros - available_micros
        wanted_micros = max(ceil_div(missing_micros, unit) * unit, minimum_micros)
        within_micros = maximum_micros - maximum_micros % unit
        amount_micros = min(wanted_micros, within_micros)
        return amount_micros if amount_micros >= max(minimum_micros, 1) else 0
    missing_micros = max(recharge.trigger_micros - available_micros, minimum_micros)
    times = max(ceil_div(missing_micros, recharge.amount_micros), 1)
    amount_micros = min(times, maximum_micros // recharge.amount_micros) * recharge.amount_micros
    return amount_micros if amount_micros >= minimum_micros else 0


def _least_micros(recharge: Recharge, bounds: Bounds) -> int:
    """The least whole multiple of the amount that can be bought at once."""
    times = max(ceil_div(bounds.minimum_micros, recharge.amount_micros), 1)
    return times * recharge.amount_micros


def next_month_ms(now_ms: int) -> int:
    """When the next calendar month begins, in UTC.

    >>> next_month_ms(1_795_428_000_000) - 1_795_428_000_000
    655200000
    """
    month, at_ms = month_of(now_ms), now_ms - now_ms % DAY_MS
    while month_of(at_ms) == month:
        at_ms += DAY_MS
    return at_ms


def retry_at_ms(
    first_declined_ms: int, declines: int, figures: Figures = DEFAULT_FIGURES
) -> int | None:
    """When all methods are tried again after so many declines of all (D3); None: never.

    >>> [retry_at_ms(0, declines) for declines in (1, 2, 3, 4)]
    [3600000, 10800000, 25200000, None]
    """
    if declines > len(figures.retry_ms):
        return None
    return first_declined_ms + figures.retry_ms[declines - 1]


def ask_at_ms(charged_ms: int, asked: int, figures: Figures = DEFAULT_FIGURES) -> int:
    """When an outcome that is unknown is asked about for the next time (D3).

    >>> [ask_at_ms(0, asked) // 60_000 for asked in (0, 1, 2, 3)]
    [5, 60, 1440, 2880]
    """
    if asked < len(figures.ask_ms):
        return charged_ms + figures.ask_ms[asked]
    return charged_ms + (asked - len(figures.ask_ms) + 1) * DAY_MS
