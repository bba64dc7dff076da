"""A clock that is set while a service runs by it, as by NTP or when a machine is resumed."""

from talktime.core.ids import Ids
from talktime.engine.engine import Sources
from talktime.operations.check_books import check_books
from talktime.operations.expire_holds import expire_holds
from talktime.operations.sweep import Sweep
from tests.books_check import faults
from tests.served import SOURCES, clock_ms
from tests.stores import Store

JUMPS_S = (-3_600, -120, -3, 3, 120, 3_600)
"""By seconds, minutes, an hour, back and forward."""


class SetClock:
    """The machine's clock, as far ahead as it was set."""

    def __init__(self) -> None:
        self.ahead_s = 0

    def __call__(self) -> int:
        return clock_ms() + self.ahead_s * 1000

    def jump(self, by_s: int) -> None:
        """Set it: all at once, from one reading to the next."""
        self.ahead_s += by_s

    @property
    def sources(self) -> Sources:
        """What an engine takes its time from."""
        return SOURCES._replace(clock_ms=self)


def closed_by_deadline(store: Store, clock: SetClock) -> int:
    """Let supervision look for calls that are due by this clock; how many it closed."""
    node = SOURCES.draw_node()
    return sum(
        expire_holds(Sweep(store.cell(cell), clock, Ids(node, clock).next)).rows
        for cell in store.cells
    )


def books_faults(store: Store, clock: SetClock) -> list[str]:
    """What is wrong in the books by this clock."""
    found: list[str] = []
    for cell in store.cells:
        found += map(str, check_books(store.cell(cell), clock).findings)
        found += faults(store.cell(cell))
    return found
