"""How many connections one place may have: each takes a descriptor of the process, and is kept for
more than a minute without a request.

A place is an IPv4 address, or a network of 2**64 IPv6 ones; behind a proxy all clients are one. One
connection more than it may have takes the place of the one that was idle the longest, never of one
with a request; where none is idle, it is not taken. Requests pay nothing for this: which are idle
is looked up when a place is full, and holds until they are used again.
"""

from asyncio import AbstractEventLoop, BaseTransport, Transport
from operator import itemgetter
from typing import Any, Protocol, cast

import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from talktime.core.addresses import place_of
from talktime.core.limits import HTTP_CONNECTIONS_OF_ADDRESS_MAX
from talktime.gateways.complaints import Complaints

log = structlog.get_logger(__name__)

NEVER = float("inf")
PART_OF_DESCRIPTORS = 4  # one place has at most a quarter of what the process may open
LOOK_AGAIN_S = 0.1
CLOSED, NOT_TAKEN = "idle_closed", "not_taken"


class Connection(Protocol):
    """What is counted here."""

    def idle_until(self) -> float:
        """When it is closed for its silence, in seconds of the loop's clock; NEVER while a request
        is under way, or where it is being closed."""

    def close_idle(self) -> None:
        """Close it; it has no request."""


class _Place:
    """The connections of one place. `idle` are those that were found idle, longest last, each with
    when it was to be closed: as long as that has not changed, it was idle all the time."""

    def __init__(self) -> None:
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
    """The connections of one port, at most `most` of each place. Belongs to the event loop's
    thread. `counts` says how many were closed, and how many not taken."""

    def __init__(self, most: int = HTTP_CONNECTIONS_OF_ADDRESS_MAX) -> None:
        self.counts = {CLOSED: 0, NOT_TAKEN: 0}
        self._most = most
        self._places: dict[str, _Place] = {}
        self._complaints = Complaints()

    def arrived(self, connection: Connection, address: str, at_s: float) -> bool:
        """Whether a connection from this address is taken; for one that is, another may be
        closed."""
        name = place_of(address)
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = _Place()
        if len(place.all) >= self._most and not self._make_room(place, name, at_s):
            return False
        place.all.add(connection)
        return True

    def gone(self, connection: Connection, address: str) -> None:
        """A connection has ended, taken or not."""
        name = place_of(address)
        place = self._places.get(name)
        if place is not None:
            place.all.discard(connection)
            if not place.all:
                del self._places[name]

    def _make_room(self, place: _Place, name: str, at_s: float) -> bool:
        longest = place.longest_idle()
        if longest is None:
            place.look(at_s)
            longest = place.longest_idle()
        what = NOT_TAKEN if longest is None else CLOSED
        self.counts[what] += 1
        more = self._complaints.note(name, what, at_s)
        if more is not None:
            log.warning("http connections too many", host=name, done=what, more=more)
        if longest is None:
            return False
        place.all.discard(longest)
        longest.close_idle()
        return True


def most_of(descriptors: int) -> int:
    """How many connections a place may have in a process of so many descriptors.

    >>> most_of(1_024), most_of(65_536)
    (256, 2000)
    """
    return min(HTTP_CONNECTIONS_OF_ADDRESS_MAX, descriptors // PART_OF_DESCRIPTORS)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with places that are bounded, as it stands for a port without calls."""

    def __init__(
        self,
        places: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._places = places
        self._address = ""
        self._made_s = self.loop.time()

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        if self.client is not None:
            self._address = self.client[0]
        if not self._places.arrived(self, self._address, self._made_s):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._places.gone(self, self._address)
        super().connection_lost(exc)

    def idle_until(self) -> float:
        """When it is closed for its silence. One that has not asked for anything yet counts as
        idle since it was made, though the head of a request may have begun to come."""
        if self.transport.is_closing():
            return NEVER
        if self.timeout_keep_alive_task is not None:
            return self.timeout_keep_alive_task.when()
        asked: object = self.cycle
        return NEVER if asked is not None else self._made_s + self.timeout_keep_alive

    def close_idle(self) -> None:
        """Close it; it has no request."""
        self.transport.close()
