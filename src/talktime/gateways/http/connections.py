"""How many connections a port may have, and how many of them one place: each takes a descriptor of
the process, and is kept for more than a minute without a request.

A place is an IPv4 address, or a network of 2**64 IPv6 ones; behind a proxy all clients are one. One
connection more than it may have takes the place of the one that was idle the longest, never of one
with a request; where none is idle, it is not taken.

Where all places together have as many as the port may, strangers make room: connections that have
shown no switch's key yet. The one that came first is dropped, though a request of it is half here
or it is slow to read its answer; but not while it waits for an answer. Those of switches are never
dropped for others; where nobody makes room, the new one is not taken.

Requests pay nothing for this: which are idle is looked up when a place is full, and holds until
they are used again; who is a stranger when the port is.
"""

from collections import OrderedDict
from operator import itemgetter
from typing import Protocol, Self

import structlog

from talktime.core.addresses import place_of
from talktime.core.limits import HTTP_CONNECTIONS_MAX, HTTP_CONNECTIONS_OF_ADDRESS_MAX
from talktime.gateways.complaints import Complaints

log = structlog.get_logger(__name__)

NEVER = float("inf")
PART_OF_DESCRIPTORS = 2  # the port has at most half of what the process may open
PLACES_PART_OF_DESCRIPTORS = 4
LOOK_AGAIN_S = 0.1
LOOKS_MAX = 100  # at strangers, for one connection that arrives
CLOSED, NOT_TAKEN = "idle_closed", "not_taken"
STRANGER_DROPPED, PORT_FULL = "stranger_dropped", "port_full"


class Connection(Protocol):
    """What is counted here. `known`: it has shown a switch's key."""

    known: bool

    def idle_until(self) -> float:
        """When it is closed for its silence, in seconds of the loop's clock; NEVER while a request
        is under way, or where it is being closed."""

    def awaits_client(self) -> bool:
        """Whether the client is to send or to read something next; nothing is being decided."""

    def drop(self) -> None:
        """Close it at once, whatever is under way."""


class _Place:
    """The connections of one place. `idle` are those that were found idle, longest last, each with
    when it was to be closed: as long as that has not changed, it was idle all the time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.all: set[Connection] = set()
        self.idle: list[tuple[float, Connection]] = []
        self.looked_s = -NEVER

    def longest_idle(self) -> Connection | None:
        """Which one has been idle the longest, as far as was found."""
        while self.idle:
            until_s, connection = self.idle.pop()
            if connection in self.all and connection.idle_until() == until_s:
                return connection
        return None

    def look(self, at_s: float) -> None:
        """Find those that are idle; not again at once, however often somebody knocks."""
        if at_s - self.looked_s < LOOK_AGAIN_S:
            return
        self.looked_s = at_s
        found = [(each.idle_until(), each) for each in self.all]
        self.idle = [each for each in found if each[0] != NEVER]
        self.idle.sort(key=itemgetter(0), reverse=True)


class Connections:
    """The connections of one port, at most `most`, and `most_of_place` of each place. Belongs to
    the event loop's thread. `counts` says how many were dropped, and how many not taken."""

    def __init__(
        self,
        most_of_place: int = HTTP_CONNECTIONS_OF_ADDRESS_MAX,
        most: int = HTTP_CONNECTIONS_MAX,
    ) -> None:
        self.counts = {CLOSED: 0, NOT_TAKEN: 0, STRANGER_DROPPED: 0, PORT_FULL: 0}
        self.most_of_place, self.most = most_of_place, most
        self._places: dict[str, _Place] = {}
        self._place_of: dict[Connection, _Place] = {}
        # The one that came first first; some are known by now.
        self._strangers: OrderedDict[Connection, None] = OrderedDict()
        self._complaints = Complaints()

    @classmethod
    def within(cls, descriptors: int) -> Self:
        """Those of a process that may open so many descriptors.

        >>> few = Connections.within(1_024)
        >>> few.most_of_place, few.most
        (256, 512)
        >>> many = Connections.within(65_536)
        >>> many.most_of_place, many.most
        (2000, 10000)
        """
        return cls(
            min(HTTP_CONNECTIONS_OF_ADDRESS_MAX, descriptors // PLACES_PART_OF_DESCRIPTORS),
            min(HTTP_CONNECTIONS_MAX, descriptors // PART_OF_DESCRIPTORS),
        )

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._place_of)

    def arrived(self, connection: Connection, address: str, at_s: float) -> bool:
        """Whether a connection from this address is taken; for one that is, another may be
        dropped."""
        name = place_of(address)
        place = self._places.get(name) or _Place(name)
        if len(place.all) >= self.most_of_place:
            if not self._make_room(place, at_s):
                return False
        elif self.open >= self.most and not self._make_room_at_port(at_s):
            return False
        place.all.add(connection)
        self._places[name] = self._place_of[connection] = place
        self._strangers[connection] = None
        return True

    def gone(self, connection: Connection) -> None:
        """A connection has ended, taken or not."""
        place = self._place_of.pop(connection, None)
        if place is not None:
            self._strangers.pop(connection, None)
            place.all.remove(connection)
            if not place.all:
                del self._places[place.name]

    def _make_room(self, place: _Place, at_s: float) -> bool:
        longest = place.longest_idle()
        if longest is None:
            place.look(at_s)
            longest = place.longest_idle()
        what = NOT_TAKEN if longest is None else CLOSED
        more = self._count(place.name, what, at_s)
        if more is not None:
            log.warning("http connections too many", host=place.name, done=what, more=more)
        return self._dropped(longest)

    def _make_room_at_port(self, at_s: float) -> bool:
        first = self._first_stranger()
        what = PORT_FULL if first is None else STRANGER_DROPPED
        more = self._count("", what, at_s)
        if more is not None:
            log.warning("http port full", connections=self.open, done=what, more=more)
        return self._dropped(first)

    def _first_stranger(self) -> Connection | None:
        looks = 0
        while self._strangers and looks < LOOKS_MAX:
            connection, _ = self._strangers.popitem(last=False)
            if connection.known:
                continue
            if connection.awaits_client():
                return connection
            self._strangers[connection] = None
            looks += 1
        return None

    def _count(self, name: str, what: str, at_s: float) -> int | None:
        self.counts[what] += 1
        return self._complaints.note(name, what, at_s)

    def _dropped(self, connection: Connection | None) -> bool:
        if connection is None:
            return False
        self.gone(connection)
        connection.drop()
        return True
