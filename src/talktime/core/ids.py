"""Ids that sort by time, made by the application: 41 bits of milliseconds, 10 of a node, 12 of a
counter.

Two processes that drew the same node meet sooner or later on a primary key: that batch fails,
nothing is lost, and the one that failed draws another node and tries again.
"""

from collections.abc import Callable

EPOCH_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: the ids of 41 bits of milliseconds last until 2095."""
NODE_BITS, COUNTER_BITS = 10, 12
NODES = 1 << NODE_BITS
ID_MAX = 2**63 - 1
"""What a column of ids can have at most."""
_DIGITS = len(str(ID_MAX))


def id_in(text: str) -> int | None:
    """The id that a text is in digits; None where it is anything else, or more than an id can be.

    Ids have 18 digits until the middle of 2033, and 19 from then on.

    >>> id_in("42"), id_in(str(ID_MAX)), id_in(str(ID_MAX + 1))
    (42, 9223372036854775807, None)
    >>> id_in(""), id_in("-1"), id_in("4 2"), id_in("٤"), id_in("9" * 5_000)
    (None, None, None, None, None)
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        return None
    id_ = int(text)
    return id_ if id_ <= ID_MAX else None


def made_ms(id_: int) -> int:
    """When an id was made, by the clock of its source (a little later where that went back).

    >>> made_ms(4214784) - EPOCH_MS
    1
    """
    return (id_ >> (NODE_BITS + COUNTER_BITS)) + EPOCH_MS


def first_id_at(at_ms: int) -> int:
    """The least id that can be made at a moment: those made before are below it.

    >>> made_ms(first_id_at(EPOCH_MS + 7)) - EPOCH_MS
    7
    """
    return max(at_ms - EPOCH_MS, 0) << (NODE_BITS + COUNTER_BITS)


class Ids:
    """A source of ids for one process. Not for two threads at once.

    >>> ids = Ids(5, lambda: EPOCH_MS + 1)
    >>> ids.next(), ids.next()
    (4214784, 4214785)
    """

    def __init__(self, node: int, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self.use_node(node)

    def use_node(self, node: int) -> None:
        """Make ids as another node from now on."""
        if not 0 <= node < NODES:
            raise ValueError(f"a node is 0 to {NODES - 1}, not {node}")
        self._node = node << COUNTER_BITS
        # Used up: a clock before the epoch begins at its first millisecond, above all system
        # accounts.
        self._ms, self._counter = 0, (1 << COUNTER_BITS) - 1

    def next(self) -> int:
        """A new id, above all that this source has made as this node; a clock that goes back does
        no harm."""
        now_ms = self._clock_ms() - EPOCH_MS
        if now_ms > self._ms:
            self._ms, self._counter = now_ms, 0
        else:
            self._counter += 1
            if self._counter >> COUNTER_BITS:
                self._ms, self._counter = self._ms + 1, 0
        return self._ms << (NODE_BITS + COUNTER_BITS) | self._node | self._counter
