"""Which peers are connected, and who may be."""

import asyncio
from collections import Counter
from collections.abc import Callable

import structlog

from talktime.core.addresses import place_of
from talktime.core.limits import (
    DIAMETER_CONNECTIONS_MAX,
    DIAMETER_CONNECTIONS_OF_ADDRESS_MAX,
    DIAMETER_CONNECTIONS_UNMET_MAX,
)
from talktime.core.peers import Peer
from talktime.engine.engine import Engine
from talktime.gateways.complaints import Complaints
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.connection import PeerConnection
from talktime.gateways.diameter.node import DO_NOT_WANT_TO_TALK_TO_YOU, Capabilities, Node

log = structlog.get_logger(__name__)

NOT_CERTIFIED = "no peer comes from this address, and TALKTIME_DIAMETER_CA asks for no certificate"


class PeersOpen:
    """The connections, one for each peer. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, node: Node) -> None:
        self._engine = engine
        self._node = node
        self.all: set[PeerConnection] = set()
        self._of: Counter[str] = Counter()
        self._by_host: dict[str, PeerConnection] = {}
        self._complaints = Complaints()

    def connected(self) -> list[PeerConnection]:
        """The connections of peers that can be talked to."""
        return [each for each in self._by_host.values() if each.alive]

    def of(self, host: str) -> PeerConnection | None:
        """The connection of a peer, if it is open."""
        found = self._by_host.get(host)
        return found if found is not None and found.alive else None

    def peer_of(self, connection: PeerConnection) -> Peer | None:
        """The peer that a connection is of; None where it was revoked, whoever has its name now."""
        peer = self._engine.peers.diameter(connection.host)
        return peer if peer is not None and peer.id == connection.peer_id else None

    def arrived(self, connection: PeerConnection) -> None:
        """A connection was made; one that cannot become a peer's, or is one too many, is closed."""
        self.all.add(connection)
        self._of[place_of(connection.address)] += 1
        why = self._unwanted(connection)
        if why:
            self.not_taken(connection.address, why)
            connection.close(why)

    def not_taken(self, address: str, why: str) -> None:
        """Write down that a connection is not taken; now and then, for anybody can make them."""
        at_s = asyncio.get_running_loop().time()
        more = self._complaints.note(place_of(address), why, at_s)
        if more is not None:
            log.warning("diameter connection not taken", address=address, why=why, more=more)

    def _unwanted(self, connection: PeerConnection) -> str:
        if not connection.certified and not self._engine.peers.diameter_from(connection.address):
            return NOT_CERTIFIED if connection.secure else "no peer comes from this address"
        unmet = [each for each in self.all if not each.peer_id]
        if (
            len(self.all) > DIAMETER_CONNECTIONS_MAX
            or self._of[place_of(connection.address)] > DIAMETER_CONNECTIONS_OF_ADDRESS_MAX
            or len(unmet) > DIAMETER_CONNECTIONS_UNMET_MAX
        ):
            return "too many connections"
        return ""

    def gone(self, connection: PeerConnection) -> None:
        """A connection has ended."""
        self.all.discard(connection)
        place = place_of(connection.address)
        self._of[place] -= 1
        if not self._of[place]:
            del self._of[place]
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
        peer = self._engine.peers.diameter(host)
        result = self._result(connection, capabilities, peer)
        peer_id = peer.id if peer is not None else 0
        older = self._by_host.get(host)
        if older is not None and older is not connection and self.peer_of(older) is None:
            older.disconnect(DO_NOT_WANT_TO_TALK_TO_YOU)
            older = None
        if result != r.SUCCESS or older is None or older is connection or not older.alive:
            self._take(connection, peer_id, result, tell)
            return

        def found(alive: bool) -> None:
            if alive and self.of(host) is older:
                tell(r.ELECTION_LOST)
                return
            older.abort("the peer has made another connection")
            if self.of(host) is None:
                self._take(connection, peer_id, result, tell)
            elif connection in self.all:
                # A third one was faster: it is the older one now.
                self.decide(connection, capabilities, tell)

        older.probe(self._node.timings.contest_s, found)

    def _take(
        self, connection: PeerConnection, peer_id: int, result: int, tell: Callable[[int], None]
    ) -> None:
        if result == r.SUCCESS and connection in self.all:
            connection.peer_id = peer_id
            self._by_host[connection.host] = connection
        tell(result)

    def _result(
        self, connection: PeerConnection, capabilities: Capabilities, peer: Peer | None
    ) -> int:
        if peer is None or not peer.may_come_from(connection.address):
            return r.UNKNOWN_PEER
        if peer.realm and peer.realm.lower() != capabilities.realm:
            return r.UNKNOWN_PEER
        why = _unproven(connection, capabilities.host, peer)
        if why:
            log.warning(
                "diameter peer not proven",
                peer=capabilities.host,
                address=connection.address,
                why=why,
            )
            return r.NO_COMMON_SECURITY
        return r.SUCCESS if capabilities.common else r.NO_COMMON_APPLICATION


def _unproven(connection: PeerConnection, host: str, peer: Peer) -> str:
    """Why it is not believed who speaks; empty where it is. An Origin-Host is no identity: what
    proves it is the client's certificate, or else the address, as far as that is the peer's."""
    if peer.tls and not connection.secure:
        return "the peer needs TLS"
    if connection.certified:
        return "" if host in connection.certified else "its certificate has another name"
    if not peer.networks:
        return NOT_CERTIFIED
    return ""
