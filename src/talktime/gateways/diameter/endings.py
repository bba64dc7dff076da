"""Calls that are to end: their clients are told, with a Re-Auth-Request (RFC 8506, 5.5).

The client answers it, and asks for more with a Credit-Control-Request, which is refused for the
reason that ends the call. It is told again after a while, until the call has closed: who did not
listen may have missed it.
"""

import asyncio

import structlog

from talktime.engine.engine import Engine
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.answers import APPLICATION
from talktime.gateways.diameter.codec import write, write_unsigned
from talktime.gateways.diameter.connection import PeerConnection
from talktime.gateways.diameter.node import AUTHORIZE_ONLY, Node
from talktime.gateways.diameter.peers_open import PeersOpen
from talktime.gateways.diameter.ways import Way, Ways

log = structlog.get_logger(__name__)

CallKey = tuple[int, str]


class Endings:
    """Tells clients which of their calls are to end. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, node: Node, peers: PeersOpen, ways: Ways) -> None:
        self._engine, self._node, self._peers, self._ways = engine, node, peers, ways
        self._told: dict[CallKey, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def look(self) -> None:
        """Tell of each call that is to end and was not told of lately."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._stopped:
            return
        loop = asyncio.get_running_loop()
        now_s, again_s = loop.time(), self._node.timings.retell_s
        told: dict[CallKey, float] = {}
        for switch_id, connections in self._by_switch().items():
            for ending in self._engine.endings.of_switch(switch_id):
                key = switch_id, ending.call_key
                at_s = self._told.get(key)
                if at_s is None or now_s - at_s >= again_s:
                    at_s = now_s
                    self._tell(key, ending.code, connections)
                told[key] = at_s
        self._told = told
        if told:
            self._timer = loop.call_later(min(told.values()) + again_s - now_s, self.look)

    def stop(self) -> None:
        """Tell nobody any more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _by_switch(self) -> dict[int, list[PeerConnection]]:
        found: dict[int, list[PeerConnection]] = {}
        for host, connection in self._peers.connected():
            peer = self._engine.peers.diameter(host)
            if peer is not None:
                found.setdefault(peer.switch_id, []).append(connection)
        return found

    def _tell(self, key: CallKey, code: str, connections: list[PeerConnection]) -> None:
        way = self._ways.of(key)
        connection = self._peers.of(way.peer) if way is not None else None
        if way is None or connection is None:
            connection = connections[0]
            way = Way(connection.host, connection.host, connection.realm)
        call_key, client = key[1], way

        def told(result: int) -> None:
            log.info("diameter session told to end", session=call_key, peer=client.peer,
                     code=code, result=result)  # fmt: skip

        connection.ask(
            a.RE_AUTH,
            a.CREDIT_CONTROL_APPLICATION,
            a.PROXIABLE,
            write(a.SESSION_ID, call_key.encode()),
            self._node.origin,
            write(a.DESTINATION_REALM, way.realm.encode()),
            write(a.DESTINATION_HOST, way.host.encode()),
            APPLICATION,
            write_unsigned(a.RE_AUTH_REQUEST_TYPE, AUTHORIZE_ONLY),
            tell=told,
        )
