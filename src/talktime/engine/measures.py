"""Counts that cost next to nothing to keep: plain numbers, each written by one thread alone."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Distribution:
    """How many values fell into each bucket, their sum, and their number.

    >>> sizes = Distribution((1, 10))
    >>> sizes.add(1), sizes.add(7), sizes.add(70)
    (None, None, None)
    >>> sizes.counts, sizes.total
    ([1, 1, 1], 78)
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total: float = 0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Messages:
    """How many messages of each dialect but HTTP came, by what they were and what came of them.
    Counted on the event loop's thread alone.

    >>> messages = Messages()
    >>> messages.add("radius", "access", "granted")
    >>> messages.counts
    {('radius', 'access', 'granted'): 1}
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], int] = {}

    def add(self, dialect: str, message: str, result: str) -> None:
        """Count one message."""
        kind = (dialect, message, result)
        self.counts[kind] = self.counts.get(kind, 0) + 1


class JobMeasure(NamedTuple):
    """How a job of this process does in a cell: when it last worked, how long ago that is, how
    often it failed since the start."""

    job: str
    cell: str
    worked_ms: int | None
    lag_ms: int
    failures: int


class LoadNow(NamedTuple):
    """What the engine of a process has done since its start: requests on calls, refusals, how many
    requests took at most so many seconds (`bounds`, then all that took longer); commands that wait
    now, transactions and commands in them."""

    requests: int
    refusals: int
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    waiting: int
    batches: int
    commands: int


_published: list[Callable[[], LoadNow]] = []  # what `publish` was last given


def publish(load_now: Callable[[], LoadNow]) -> None:
    """Let others in this process see how the engine does; the last that was published counts.
    `load_now` may be called from any thread."""
    _published[:] = [load_now]


def published() -> LoadNow | None:
    """How the engine of this process does; None where none runs in it."""
    return _published[0]() if _published else None
