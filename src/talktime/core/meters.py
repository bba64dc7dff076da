"""What was used of something in a calendar month: included minutes, a user's spending, spending
after use.

A meter's key begins with its month (D13: UTC, the month in which the call began), so that a new
month begins with meters that do not exist yet: nothing has to be reset.

    2026-11/minutes/MCOPSTN1/US/domestic          seconds; of a plan that is not pooled: …/USER_ID
    2026-11/spending/214784                       micros, of this user
    2026-11/post_usage                            micros, of the organisation
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

WARNED_PERCENT, FULL_PERCENT = 80, 100
DOMESTIC, INTERNATIONAL, CONFERENCE = COUNTERS = ("domestic", "international", "conference")


@dataclass(slots=True)
class Meter:
    """Used, and held for running calls; `total` is how much there is, None for no end.

    used + held <= total always: where licences are taken away, the total falls to what is used and
    held, not below it (R48). `warned_ms` and `full_ms` say when it was used to the warned per cent
    and whole for the first time (R27); `crossed` are those of the two that happened in this batch,
    in percent.
    """

    organisation_id: int
    key: str
    used: int = 0
    held: int = 0
    total: int | None = None
    warned_ms: int | None = None
    full_ms: int | None = None
    changed: bool = False
    crossed: tuple[int, ...] = ()

    def written(self) -> None:
        """All of it stands in the database now, as if it had just been read from there."""
        self.changed, self.crossed = False, ()

    @property
    def free(self) -> int:
        """What can still be held; of a meter without a total, nothing is known to be free."""
        return 0 if self.total is None else self.total - self.used - self.held

    @property
    def used_up(self) -> bool:
        """Whether all of it is used, whatever running calls hold; without a total, it is."""
        return self.total is None or self.used >= self.total

    def set_total(self, total: int, now_ms: int, warned_percent: int = WARNED_PERCENT) -> None:
        """There is this much of it from now on."""
        total = max(total, self.used + self.held)
        if total != self.total:
            self.total, self.changed = total, True
            self._note_crossings(now_ms, warned_percent)

    def hold(self, amount: int) -> None:
        """Set aside for a running call; below zero, free again."""
        if amount:
            self.held += amount
            self.changed = True

    def use(self, amount: int, now_ms: int, warned_percent: int = WARNED_PERCENT) -> None:
        """Count as used, or (below zero) give back what was."""
        if amount:
            self.used += amount
            self.changed = True
            self._note_crossings(now_ms, warned_percent)

    def _note_crossings(self, now_ms: int, warned_percent: int) -> None:
        if self.total is None or self.total <= 0:
            return
        if self.warned_ms is None and self.used * 100 >= self.total * warned_percent:
            self.warned_ms = now_ms
            self.crossed += (warned_percent,)
        if self.full_ms is None and self.used >= self.total:
            self.full_ms = now_ms
            self.crossed += (FULL_PERCENT,)


def month_of(at_ms: int) -> str:
    """The calendar month of a moment, in UTC (D13).

    >>> month_of(1_795_428_000_000)
    '2026-11'
    """
    return _month_of_day(at_ms // 86_400_000)


@lru_cache(1_024)
def _month_of_day(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m")


def day_of(at_ms: int) -> str:
    """The day of a moment, in UTC.

    >>> day_of(1_795_428_000_000)
    '2026-11-23'
    """
    return datetime.fromtimestamp(at_ms // 1_000, UTC).strftime("%Y-%m-%d")


def minutes_prefix(month: str) -> str:
    """What the keys of all minute pools of a month begin with."""
    return f"{month}/minutes/"


def minutes_key(month: str, plan: str, area: str, counter: str, user_id: int | None = None) -> str:
    """The meter of a plan's included minutes (R36); with a user, of that user alone (R37).

    >>> minutes_key("2026-11", "MCOPSTN1", "US", DOMESTIC)
    '2026-11/minutes/MCOPSTN1/US/domestic'
    """
    key = f"{month}/minutes/{plan}/{area}/{counter}"
    return key if user_id is None else f"{key}/{user_id}"


def spending_key(month: str, user_id: int) -> str:
    """The meter of what a user's calls cost (R50)."""
    return f"{month}/spending/{user_id}"


def post_usage_key(month: str) -> str:
    """The meter of what an organisation pays after use (D14)."""
    return f"{month}/post_usage"
