"""The sockets that requests of our own leave from, and what tells their answers apart."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from pyrad.packet import CoAPacket, DisconnectACK, DisconnectNAK, PacketError

from talktime.core.limits import RADIUS_DISCONNECTS_MAX
from talktime.gateways.radius.attributes import Attribute
from talktime.gateways.radius.packets import BadPacket, Values, disconnect, number, whole

IDENTIFIERS = 256


Address = tuple[Any, ...]
"""Of a socket: host and port, and with IPv6 flow label and zone."""


class Place(NamedTuple):
    """Where a client takes requests; the host may be a name."""

    host: str
    port: int


class Reply(NamedTuple):
    """What a client answered: the code of its packet, and its Error-Cause where it gave one."""

    code: int
    error_cause: int | None


class Request:
    """One request under way: the same bytes each time, until one good answer has come."""

    def __init__(self, line: "Line", packet: CoAPacket) -> None:
        self._line = line
        self._packet = packet
        self._data: bytes = packet.RequestPacket()
        self._answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def send(self) -> None:
        """Send it (again)."""
        self._line.transport.sendto(self._data, self._line.address)

    async def reply(self, within_s: float) -> Reply | None:
        """The answer, if one comes within so many seconds."""
        await asyncio.wait([self._answered], timeout=within_s)
        return self._answered.result() if self._answered.done() else None

    def receive(self, data: bytes) -> None:
        """Look at what came with the request's number; what the client did not sign is no
        answer."""
        try:
            answer = self._packet.CreateReply(packet=whole(data))
            good = answer.code in (DisconnectACK, DisconnectNAK)
            if good and self._packet.VerifyReply(answer) and not self._answered.done():
                error_cause = number(answer, Attribute.ERROR_CAUSE)
                self._answered.set_result(Reply(answer.code, error_cause))
        except (BadPacket, PacketError):
            return


class Line:
    """What is under way to one place: at most RADIUS_DISCONNECTS_MAX requests, each with a number
    of its own."""

    def __init__(self, transport: asyncio.DatagramTransport, address: Address) -> None:
        self.transport = transport
        self.address = address
        self._under_way: dict[int, Request | None] = {}
        self._free = asyncio.Semaphore(RADIUS_DISCONNECTS_MAX)
        self._last = 0

    @asynccontextmanager
    async def number(self) -> AsyncIterator[int]:
        """A number that no other request to this place has."""
        async with self._free:
            while self._last in self._under_way:
                self._last = (self._last + 1) % IDENTIFIERS
            identifier = self._last
            self._under_way[identifier] = None
            try:
                yield identifier
            finally:
                del self._under_way[identifier]
                self._last = (identifier + 1) % IDENTIFIERS

    def ask(self, identifier: int, secret: bytes, values: Values) -> Request:
        """A request with this number, not yet sent."""
        request = Request(self, disconnect(identifier, secret, values))
        self._under_way[identifier] = request
        return request

    def receive(self, data: bytes) -> None:
        """Hand a packet to the request that it may answer."""
        request = self._under_way.get(data[1]) if len(data) > 1 else None
        if request is not None:
            request.receive(data)


class _Answers(asyncio.DatagramProtocol):
    """Hands what comes in to the line of the place it comes from."""

    def __init__(self, lines: dict[Address, Line]) -> None:
        self._lines = lines
        self.closed = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self.closed.set()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A packet, from wherever."""
        line = self._lines.get(addr)
        if line is not None:
            line.receive(data)


_ANY: dict[int, str] = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


class Lines:
    """The lines to all places, over one socket for each family of addresses."""

    def __init__(self) -> None:
        self._lines: dict[Address, Line] = {}
        self._sockets: dict[int, tuple[asyncio.DatagramTransport, _Answers]] = {}

    async def open(self) -> None:
        """Open the sockets, of the families that this machine has."""
        loop = asyncio.get_running_loop()
        for family, any_address in _ANY.items():
            with suppress(OSError):
                self._sockets[family] = await loop.create_datagram_endpoint(
                    lambda: _Answers(self._lines), family=family, local_addr=(any_address, 0)
                )

    async def to(self, place: Place) -> Line:
        """The line to a place. Raises OSError where its name or its network is not known."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM)
        family, _, _, _, address = found[0]
        _, _, zone = place.host.partition("%")
        if zone:  # which the loop's own look-up loses
            address = (*address[:3], int(zone) if zone.isdecimal() else socket.if_nametoindex(zone))
        known = self._lines.get(address)
        if known is not None:
            return known
        if family not in self._sockets:
            raise OSError(f"there is no network of the family of {address[0]}")
        return self._lines.setdefault(address, Line(self._sockets[family][0], address))

    async def close(self) -> None:
        """Close the sockets."""
        for transport, answers in self._sockets.values():
            transport.close()
            await answers.closed.wait()
