"""How often a password may be guessed.

Failures are counted in this process's memory, for a while, by who tried what:

- one e-mail address from one place: 5, then wait until the first is a quarter of an hour old
- one place, whatever the e-mail address: 20, the same
- one e-mail address from all places: 20, then one attempt a minute, but for places from where it
  was signed in before

So a guesser at one place keeps nobody out elsewhere, and many together delay others by minutes.
It is the same for accounts that are not there.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from math import ceil

from talktime.core.addresses import place_of
from talktime.core.limits import (
    SIGN_IN_FAILURES_OF_EMAIL_MAX,
    SIGN_IN_FAILURES_OF_PAIR_MAX,
    SIGN_IN_FAILURES_OF_PLACE_MAX,
    SIGN_IN_KEYS_MAX,
)

WINDOW_S = 15 * 60
EMAIL_GAP_S = 60

Key = tuple[str, str]


class Throttle:
    """Counts attempts to sign in. For many threads."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()
        self._known: OrderedDict[Key, None] = OrderedDict()

    def begin(self, address: str, email: str) -> int:
        """How many seconds to wait, or 0: then the attempt counts as failed until told otherwise.

        It counts from its beginning, so that many at once are not more than one after another.
        """
        pair, place, anywhere = keys = _keys(address, email)
        with self._lock:
            now_s = self._clock_s()
            waits = [
                self._wait_s(pair, SIGN_IN_FAILURES_OF_PAIR_MAX, now_s),
                self._wait_s(place, SIGN_IN_FAILURES_OF_PLACE_MAX, now_s),
                0
                if pair in self._known
                else self._wait_s(anywhere, SIGN_IN_FAILURES_OF_EMAIL_MAX, now_s, EMAIL_GAP_S),
            ]
            if any(waits):
                return max(waits)
            for key in keys:
                self._failures.setdefault(key, deque()).append(now_s)
                self._failures.move_to_end(key)
            _forget_oldest(self._failures)
        return 0

    def succeeded(self, address: str, email: str) -> None:
        """The password was right."""
        pair, *others = _keys(address, email)
        with self._lock:
            self._failures.pop(pair, None)
            self._take_back(others)
            self._known[pair] = None
            self._known.move_to_end(pair)
            _forget_oldest(self._known)

    def not_tried(self, address: str, email: str) -> None:
        """The password could not be looked at."""
        with self._lock:
            self._take_back(_keys(address, email))

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._failures.clear()
            self._known.clear()

    def _wait_s(self, key: Key, most: int, now_s: float, gap_s: int = 0) -> int:
        times = self._failures.get(key)
        if times is None:
            return 0
        while times and times[0] <= now_s - WINDOW_S:
            times.popleft()
        if len(times) < most:
            return 0
        until_s = times[-1] + gap_s if gap_s else times[-most] + WINDOW_S
        return max(0, ceil(until_s - now_s))

    def _take_back(self, keys: Iterable[Key]) -> None:
        for key in keys:
            times = self._failures.get(key)
            if times:
                times.pop()


def _keys(address: str, email: str) -> tuple[Key, Key, Key]:
    place = place_of(address)
    return (place, email), (place, ""), ("", email)


def _forget_oldest(kept: OrderedDict[Key, deque[float]] | OrderedDict[Key, None]) -> None:
    while len(kept) > SIGN_IN_KEYS_MAX:
        kept.popitem(last=False)
