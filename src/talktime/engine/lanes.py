"""The lanes of one cell, each with a writer of its own, and which of them takes what.

While the database works for one writer, another decides. What belongs to one organisation always
takes the same lane: it keeps its order, and no two writers of a service wait for one wallet.
"""

from collections.abc import Callable, Sequence
from typing import Self

from talktime.engine.lane import Lane
from talktime.engine.owners import CallKey
from talktime.engine.writer import Writer, lane_name

SPREAD = 10_007
"""A prime, because ids end in zeros where they are made one at a time."""


class Lanes(tuple[Lane, ...]):
    """At least one."""

    __slots__ = ()

    @classmethod
    def of_cell(
        cls, cell: str, writers: Sequence[Writer], clock_ms: Callable[[], int], queue_max: int
    ) -> Self:
        """A lane for each of a cell's writers."""
        return cls(
            Lane(lane_name(cell, number), writer, clock_ms, queue_max)
            for number, writer in enumerate(writers, 1)
        )

    def of_organisation(self, organisation_id: int) -> Lane:
        """The lane of an organisation."""
        return self[place_of(organisation_id, len(self))]

    def of_lost(self, key: CallKey) -> Lane:
        """The lane that is asked for a call whose organisation is not known: any would do, for the
        wallet's lock keeps it right, but requests on one call are not to overtake each other."""
        return self[hash(key) % len(self)]


def place_of(organisation_id: int, lanes: int) -> int:
    """Which of so many lanes an organisation has, from 0.

    >>> [place_of(millisecond << 22, 2) for millisecond in range(12)]
    [0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0]
    """
    return organisation_id % SPREAD % lanes
