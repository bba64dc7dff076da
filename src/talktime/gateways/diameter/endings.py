"""Calls that are to end: their clients are told, with a Re-Auth-Request (RFC 8506, 5.5).

The client answers it, and asks for more with a Credit-Control-Request, which is refused for the
reason that ends the call. It is told again after a while, until the call has closed: who did not
listen may have missed it.
"""

import asyncio

import structlog

from talktime.core.limits import DIAMETER_TOLD_AT_ONCE_MAX
from talktime.engine.engine import Engine
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.answers import APPLICATION
from talktime.gateways.diameter.codec import write, write_unsigned
from talktime.gateways.diameter.connection import PeerConnection
from talktime.gateways.diameter.node import AUTHORIZE_ONLY, Node
from talktime.gateways.diameter.peers_open import PeersOpen
from talktime.gateways.diameter.results import UNKNOWN_SESSION_ID
from talktime.gateways.diameter.ways import Way, Ways

log = structlog.get_logger(__name__)

CallKey = tuple[int, str]
PAUSE_S = 0.1
"""After this pause the next are told: all calls of a large organisation may have to end."""
NEVER = float("inf")


class Endings:
    """Tells clients which of their calls are to end. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, node: Node, peers: PeersOpen, ways: Ways) -> None:
        self._engine, self._node, self._peers, self._ways = engine, node, peers, ways
        self._due_s: dict[CallKey, float] = {}
        """When each call that is to end is told of next, by the loop's clock."""
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
        due_s: dict[CallKey, float] = {}
        left = DIAMETER_TOLD_AT_ONCE_MAX
        for switch_id, connections in self._by_switch().items():
            for ending in self._engine.endings.of_switch(switch_id):
                key = switch_id, ending.call_key
                at_s = self._due_s.get(key, now_s)
                if at_s <= now_s and left:
                    left -= 1
                    at_s = now_s + again_s
                    self._tell(key, ending.code, connections)
                due_s[key] = at_s
        self._due_s = due_s
        if due_s:
            next_s = max(min(due_s.values()), now_s + PAUSE_S)
            if next_s < NEVER:
                self._timer = loop.call_at(next_s, self.look)

    def stop(self) -> None:
        """Tell nobody any more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _by_switch(self) -> dict[int, list[PeerConnection]]:
        found: dict[int, list[PeerConnection]] = {}
        for connection in self._peers.connected():
            peer = self._peers.peer_of(connection)
            if peer is not None:
                found.setdefault(peer.switch_id, []).append(connection)
        return found

    def _tell(self, key: CallKey, code: str, connections: list[PeerConnection]) -> None:
        way = self._ways.of(key)
        connection = self._peers.of(way.peer) if way is not None else None
        if connection not in connections:
            connection = None
        if way is None or connection is None:
            connection = connections[0]
            way = Way(connection.host, connection.host, connection.realm)
        call_key, client = key[1], way

        def told(result: int) -> None:
            if result == UNKNOWN_SESSION_ID and key in self._due_s:
                # It is no session of theirs (any more): its supervision ends it.
                self._due_s[key] = NEVER
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
