"""How many requests a key may make, and how many with unknown keys an address: a bucket each,
refilled with time, in this process's memory."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import NamedTuple

from talktime.core.limits import (
    KEY_REQUESTS_A_SECOND_MAX,
    KEY_REQUESTS_AT_ONCE_MAX,
    KEYS_THROTTLED_MAX,
)


class Bucket(NamedTuple):
    """How many requests were left at a time (ms)."""

    left: float
    at_ms: int


class Throttle:
    """The buckets of all keys that were seen lately.

    >>> throttle = Throttle(a_second=1, at_once=2)
    >>> [throttle.takes(7, 0) for _ in range(3)], throttle.takes(7, 1_000)
    ([True, True, False], True)
    """

    def __init__(
        self,
        a_second: int = KEY_REQUESTS_A_SECOND_MAX,
        at_once: int = KEY_REQUESTS_AT_ONCE_MAX,
        keys_max: int = KEYS_THROTTLED_MAX,
    ) -> None:
        self._a_second, self._at_once, self._keys_max = a_second, at_once, keys_max
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()
        self._lock = Lock()

    def takes(self, key: Hashable, now_ms: int) -> bool:
        """Whether this key (or address) may make a request now; it is counted where it may."""
        with self._lock:
            old = self._buckets.pop(key, Bucket(self._at_once, now_ms))
            since_ms = max(now_ms - old.at_ms, 0)
            left = min(old.left + since_ms * self._a_second / 1000, self._at_once)
            taken = left >= 1
            self._buckets[key] = Bucket(left - 1 if taken else left, now_ms)
            if len(self._buckets) > self._keys_max:
                self._buckets.popitem(last=False)
            return taken


class Known:
    """The hashes of keys that opened something lately: they need not be looked for in vain.

    >>> known = Known(most=1)
    >>> known.add("a"), known.add("b"), "a" in known, "b" in known
    (None, None, False, True)
    """

    def __init__(self, most: int = KEYS_THROTTLED_MAX) -> None:
        self._most, self._hashes, self._lock = most, OrderedDict[str, None](), Lock()

    def __contains__(self, hashed: str) -> bool:
        return hashed in self._hashes

    def add(self, hashed: str) -> None:
        """Remember one; the one that was remembered longest is forgotten."""
        with self._lock:
            self._hashes[hashed] = None
            self._hashes.move_to_end(hashed)
            if len(self._hashes) > self._most:
                self._hashes.popitem(last=False)

    def discard(self, hashed: str) -> None:
        """Forget one that opens nothing any more."""
        with self._lock:
            self._hashes.pop(hashed, None)


throttle = Throttle()
strangers = Throttle()
"""By address: requests whose key this process has not seen open anything."""
known = Known()
