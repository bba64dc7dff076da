"""Which peers are connected, and who may be."""

from collections.abc import Callable

from talktime.core.limits import DIAMETER_CONNECTIONS_MAX
from talktime.core.peers import Peer
from talktime.engine.engine import Engine
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.connection import PeerConnection
from talktime.gateways.diameter.node import Capabilities, Node


class PeersOpen:
    """The connections, one for each peer. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, node: Node) -> None:
        self._engine = engine
        self._node = node
        self.all: set[PeerConnection] = set()
        self._by_host: dict[str, PeerConnection] = {}

    def connected(self) -> list[tuple[str, PeerConnection]]:
        """The peers that are connected, by their hosts."""
        return [each for each in self._by_host.items() if each[1].alive]

    def of(self, host: str) -> PeerConnection | None:
        """The connection of a peer, if it is open."""
        found = self._by_host.get(host)
        return found if found is not None and found.alive else None

    def arrived(self, connection: PeerConnection) -> None:
        """A connection was made; one too many is closed."""
        self.all.add(connection)
        if len(self.all) > DIAMETER_CONNECTIONS_MAX:
            connection.close("too many connections")

    def gone(self, connection: PeerConnection) -> None:
        """A connection has ended."""
        self.all.discard(connection)
        if self._by_host.get(connection.host) is connection:
            del self._by_host[connection.host]

    def decide(
        self, connection: PeerConnection, capabilities: Capabilities, tell: Callable[[int], None]
    ) -> None:
        """Whether this peer may talk here.

        A peer has one connection. Where it makes another, the older one is asked whether it is
        alive: if it is, the new one has lost (RFC 6733, 5.6.4); a dead one gives way, so that a
        client that was restarted need not wait for a watchdog.
        """
        host = capabilities.host
        result = self._result(connection, capabilities, self._engine.peers.diameter(host))
        older = self._by_host.get(host)
        if result != r.SUCCESS or older is None or older is connection or not older.alive:
            self._take(connection, result, tell)
            return

        def found(alive: bool) -> None:
            if alive and self.of(host) is older:
                tell(r.ELECTION_LOST)
                return
            older.abort("the peer has made another connection")
            self._take(connection, result, tell)

        older.probe(self._node.timings.contest_s, found)

    def _take(self, connection: PeerConnection, result: int, tell: Callable[[int], None]) -> None:
        if result == r.SUCCESS and connection in self.all:
            self._by_host[connection.host] = connection
        tell(result)

    def _result(
        self, connection: PeerConnection, capabilities: Capabilities, peer: Peer | None
    ) -> int:
        if peer is None or not peer.may_come_from(connection.address):
            return r.UNKNOWN_PEER
        if peer.realm and peer.realm.lower() != capabilities.realm:
            return r.UNKNOWN_PEER
        if peer.tls and not connection.secure:
            return r.NO_COMMON_SECURITY
        return r.SUCCESS if capabilities.common else r.NO_COMMON_APPLICATION
