"""Which call a packet is about where several had its session id, one after the other, and no Class
says which: what comes late of an earlier one must not end the one that runs.

Time is the event loop's: a clock that is set does not change what is late. A client's own clock is
known by what it said before, whatever it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyrad.packet import AcctPacket

from talktime.core.limits import RADIUS_DELAY_S_MAX
from talktime.gateways.radius.attributes import Attribute, Status
from talktime.gateways.radius.packets import number

APART_S = 5
"""How far seconds may be apart that were rounded by both sides."""
SET_S = 60
"""By how much a clock may have been set meanwhile, or two engines' clocks may differ."""
LONG_S = 7 * 86_400
"""How long a call is remembered after its end: what is said to be older is of none."""
STOPS_KEPT = 4


class Moment(NamedTuple):
    """When a packet came (the loop's seconds), and what it says of the time before: since when it
    was to be sent, how long was talked, when it happened by the client's clock. `stop` is its
    authenticator, where it ends a call."""

    at_s: float
    delay_s: int
    used_s: int
    event_s: int | None
    stop: bytes | None


@dataclass(slots=True)
class Life:
    """When a call was asked for (the loop's seconds; None where another process was asked), what
    ended it: authenticators, and times by the client's clock; and what that clock showed when the
    loop's began. `apart_s` is how far off `begun_s` may be."""

    begun_s: float | None = None
    apart_s: int = APART_S
    stops: tuple[bytes, ...] = ()
    ended_s: tuple[int, ...] = ()
    clock_s: float | None = None

    def begin(self, at_s: float, apart_s: int = APART_S) -> None:
        """The call was asked for then."""
        self.begun_s, self.apart_s = at_s, apart_s

    def note(self, moment: Moment) -> None:
        """A packet about this call was heard."""
        if moment.event_s is not None:
            self.clock_s = moment.event_s - (moment.at_s - moment.delay_s)
        if moment.stop is not None:
            self.stops = (*self.stops, moment.stop)[-STOPS_KEPT:]
            if moment.event_s is not None:
                self.ended_s = (*self.ended_s, moment.event_s)[-STOPS_KEPT:]


def moment_of(packet: AcctPacket, at_s: float) -> Moment:
    """What a packet says of its time. Raises BadPacket where it cannot be read."""
    ends = number(packet, Attribute.ACCT_STATUS_TYPE) == Status.STOP
    return Moment(
        at_s,
        min(number(packet, Attribute.ACCT_DELAY_TIME) or 0, RADIUS_DELAY_S_MAX),
        number(packet, Attribute.ACCT_SESSION_TIME) or 0,
        number(packet, Attribute.EVENT_TIMESTAMP),
        bytes(packet.authenticator) if ends else None,
    )


def belongs_to(moment: Moment, lives: Sequence[Life]) -> int:
    """Which of these calls, the earliest first, a packet is about: the one that it ended before,
    else the latest that can have been answered as long ago as it says; else the first."""
    for place, life in enumerate(lives):
        if moment.stop is not None and _ended_by(life, moment):
            return place
    clocks = [life.clock_s for life in lives if life.clock_s is not None]
    clock_s = clocks[-1] if clocks else None
    for place in range(len(lives) - 1, 0, -1):
        if not _is_before(moment, lives[place], clock_s):
            return place
    return 0


def _ended_by(life: Life, moment: Moment) -> bool:
    return moment.stop in life.stops or moment.event_s in life.ended_s


def _is_before(moment: Moment, life: Life, clock_s: float | None) -> bool:
    """Whether the call of the packet was answered before this one was asked for."""
    begun_s, apart_s = life.begun_s, life.apart_s + moment.used_s // 1000
    if begun_s is None:
        return False
    if moment.at_s - moment.delay_s - moment.used_s < begun_s - apart_s:
        return True
    if moment.event_s is None or clock_s is None:
        return False
    answered_s = moment.event_s - clock_s - moment.used_s
    # A client that begins anew may have lost its clock: what it says then is no time at all.
    return begun_s - LONG_S < answered_s < begun_s - SET_S - apart_s
