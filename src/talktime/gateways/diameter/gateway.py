"""The Diameter gateway: listens for peers, hands on what they ask, and stops in order."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence

import structlog

from talktime.engine.engine import Engine
from talktime.gateways.diameter.codec import Header
from talktime.gateways.diameter.connection import PeerConnection
from talktime.gateways.diameter.credit import Credit
from talktime.gateways.diameter.doorman import Doorman, Handshakes
from talktime.gateways.diameter.endings import Endings
from talktime.gateways.diameter.events import Events
from talktime.gateways.diameter.node import Capabilities, Node, Timings
from talktime.gateways.diameter.peers_open import PeersOpen
from talktime.gateways.diameter.results import SUCCESS
from talktime.gateways.diameter.ways import Ways

log = structlog.get_logger(__name__)

BACKLOG = 128
ANSWER_S_MAX = 10
TLS_GOODBYE_S = 1
USUAL = Timings()


class DiameterGateway:
    """A node that peers connect to, on `plain` and, with TLS, on `secure` sockets, which are bound.

    `realms` are those it answers for, its own first; `slice_s` is how long one answer lets a call
    talk.
    """

    def __init__(
        self,
        engine: Engine,
        identity: str,
        realms: tuple[str, ...],
        *,
        plain: Sequence[socket.socket] = (),
        secure: Sequence[socket.socket] = (),
        tls: ssl.SSLContext | None = None,
        slice_s: int = 300,
        timings: Timings = USUAL,
    ) -> None:
        self.node = Node(identity, realms, engine.clock_ms() // 1000, timings)
        self.peers = PeersOpen(engine, self.node)
        self._engine = engine
        self._plain, self._secure, self._tls = plain, secure, tls
        ways = Ways()
        self._credit = Credit(engine, self.node, self.peers, ways, slice_s)
        self._credit.answer_events_by(Events(self._credit).begin)
        self._endings = Endings(engine, self.node, self.peers, ways)
        self._servers: list[asyncio.Server] = []
        self._handshakes: Handshakes | None = None
        self._deaf: Callable[[], None] = self._endings.stop

    async def start(self) -> None:
        """Listen; returns when peers can connect."""
        loop = asyncio.get_running_loop()

        def plain() -> PeerConnection:
            return PeerConnection(self, False, loop)

        for each in self._plain:
            self._servers.append(await loop.create_server(plain, sock=each, backlog=BACKLOG))
        if self._tls is not None:
            known = self._engine.peers.diameter_from
            within_s = self.node.timings.capabilities_s
            self._handshakes = Handshakes(
                self._tls, within_s, TLS_GOODBYE_S, known, self.peers.not_taken
            )
            for each in self._secure:
                server = await loop.create_server(self._doorman, sock=each, backlog=BACKLOG)
                self._servers.append(server)
        self._deaf = self._engine.endings.listen(self._endings.look)

    def _doorman(self) -> Doorman:
        loop = asyncio.get_running_loop()
        assert self._handshakes is not None
        return Doorman(self._handshakes, lambda: PeerConnection(self, True, loop))

    async def stop(self) -> None:
        """Take no more peers and requests, answer what was taken, say goodbye."""
        for server in self._servers:
            server.close()
        for task in tuple(self._handshakes.tasks) if self._handshakes else ():
            task.cancel()
        self._deaf()
        self._endings.stop()
        connections = list(self.peers.all)
        busy = [each.stop_taking() for each in connections]
        if busy:
            await asyncio.wait(busy, timeout=ANSWER_S_MAX)
        for each in connections:
            each.disconnect()
        if connections:
            wait_s = self.node.timings.goodbye_s + 1
            await asyncio.wait([each.ended for each in connections], timeout=wait_s)
        for each in list(self.peers.all):
            each.abort("stopping")

    def arrived(self, connection: PeerConnection) -> None:
        """A connection was made."""
        self.peers.arrived(connection)

    def decide(
        self, connection: PeerConnection, capabilities: Capabilities, tell: Callable[[int], None]
    ) -> None:
        """Whether this peer may talk here."""

        def told(result: int) -> None:
            tell(result)
            if result == SUCCESS:
                self._endings.look()

        self.peers.decide(connection, capabilities, told)

    def credit(self, connection: PeerConnection, header: Header, data: bytes) -> None:
        """A Credit-Control-Request has come."""
        self._credit.begin(connection, header, data)

    def may_stay(self, connection: PeerConnection) -> bool:
        """Whether the peer that connected may still talk here."""
        return self.peers.peer_of(connection) is not None

    def gone(self, connection: PeerConnection) -> None:
        """A connection has ended."""
        self.peers.gone(connection)
