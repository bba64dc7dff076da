"""The calls that run now: how long they may talk, how much they cost so far."""

from typing import NamedTuple

from talktime.core.paying import price_of_s
from talktime.core.rating import Rate
from talktime.store.attention import RunningCall


class SoFar(NamedTuple):
    """A running call at a moment: seconds talked, what they cost (micros, the pool's share aside),
    and when what was granted ends (ms since the epoch). None where nobody said that the call was
    answered: its grant has not begun to run."""

    talked_s: int | None
    cost_micros: int
    until_ms: int | None


def so_far(call: RunningCall, now_ms: int) -> SoFar:
    """Work out how a running call stands.

    Seconds count from the answer where the switch told it, else they are those it reported last;
    more than was granted is not expected. Source: charging-api.

    >>> rate = Rate("49", "Germany", 15_000, 0, 60, 60).text()
    >>> call = RunningCall(
    ...     *(1, 1, 1, "c", "user_out", None, "", "", "", rate),
    ...     *(0, 60_000, 300, 0, 75_000, 0, 0, None, 0),
    ... )
    >>> so_far(call, 121_000)
    SoFar(talked_s=61, cost_micros=30000, until_ms=360000)
    >>> so_far(call._replace(answered_ms=None), 121_000).talked_s is None
    True
    """
    talked_s = talked_so_far(call.answered_ms, call.granted_s, call.reported_s, now_ms)
    if talked_s is None:
        return SoFar(None, 0, None)
    until_ms = None
    if call.answered_ms is not None:
        until_ms = call.answered_ms + call.granted_s * 1000
    return SoFar(talked_s, price_of_s(talked_s, call.pool_s, Rate.parse(call.rate)), until_ms)


def talked_so_far(
    answered_ms: int | None, granted_s: int, reported_s: int, now_ms: int
) -> int | None:
    """How many seconds a running call has talked, as `so_far` counts them; None where nobody said
    that it was answered.

    >>> talked_so_far(60_000, 300, 0, 121_000), talked_so_far(60_000, 30, 0, 121_000)
    (61, 30)
    >>> talked_so_far(None, 300, 40, 121_000), talked_so_far(None, 300, 0, 121_000)
    (40, None)
    """
    if answered_ms is not None:
        elapsed_s = max(now_ms - answered_ms, 0) // 1000
        return max(min(elapsed_s, granted_s), reported_s)
    return reported_s or None
