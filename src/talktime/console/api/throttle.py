"""How many requests a key may make: a bucket each, refilled with time, in this process's memory."""

from collections import OrderedDict
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
        self._buckets: OrderedDict[int, Bucket] = OrderedDict()
        self._lock = Lock()

    def takes(self, key_id: int, now_ms: int) -> bool:
        """Whether this key may make a request now; it is counted where it may."""
        with self._lock:
            old = self._buckets.pop(key_id, Bucket(self._at_once, now_ms))
            since_ms = max(now_ms - old.at_ms, 0)
            left = min(old.left + since_ms * self._a_second / 1000, self._at_once)
            taken = left >= 1
            self._buckets[key_id] = Bucket(left - 1 if taken else left, now_ms)
            if len(self._buckets) > self._keys_max:
                self._buckets.popitem(last=False)
            return taken


throttle = Throttle()
