"""Disconnect-Requests (RFC 5176): calls that are to end are told to the client that has them.

One that is not answered is sent again, later and later (RFC 5080 2.2.1), the same bytes; then, once
a minute, it is begun anew, as long as the call runs in the books. A client that has no such call
says so, and is left alone.
"""

import asyncio
import random
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

import structlog
from pyrad.packet import DisconnectACK, DisconnectNAK

from talktime.core.calls import RELEASED, SETTLED
from talktime.core.limits import RADIUS_TELLING_MAX
from talktime.core.peers import Peer
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.gateways.radius.asking import NotDecided
from talktime.gateways.radius.attributes import SESSION_CONTEXT_NOT_FOUND, Attribute
from talktime.gateways.radius.calls import Client, Named, parts_of, session_of
from talktime.gateways.radius.lines import Lines, Place, Reply
from talktime.gateways.radius.packets import Values
from talktime.gateways.radius.sessions import Session, Sessions
from talktime.gateways.radius.uses import uses_of
from talktime.store.endings import Ending

log = structlog.get_logger(__name__)

PORT = 3799
TIME_OVER, DEADLINE = "granted_time_over", "deadline_passed"
PARTS = 0.1  # by which part a wait is longer or shorter, by chance


class Pace(NamedTuple):
    """How long an answer is waited for at first and at most, how often a request is sent, and after
    how long it is begun anew."""

    first_s: float = 2
    longest_s: float = 16
    tries: int = 5
    again_s: float = 60


PACE = Pace()


class Disconnects:
    """Who is told to end which call. Belongs to the event loop's thread."""

    def __init__(
        self,
        engine: Engine,
        sessions: Sessions,
        lines: Lines,
        pace: Pace = PACE,
        most: int = RADIUS_TELLING_MAX,
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._lines = lines
        self._pace = pace
        self._most = most
        self._telling: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._later: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._telling)

    def now(self, session: Session, why: str) -> None:
        """Ask the client to end this call; nothing where that is being done."""
        session.peer = self._peer_now(session)
        key = (session.peer.id, session.named.call_key)
        if key in self._telling:
            return
        if len(self._telling) >= self._most:
            self._wait(session, why)
            return
        task = asyncio.get_running_loop().create_task(self._tell(session, why))
        self._telling[key] = task
        task.add_done_callback(lambda _: self._telling.pop(key, None))

    def _wait(self, session: Session, why: str) -> None:
        """Ask later: a call that was met by its own alarm, any other when all are looked at."""
        loop, again_s = asyncio.get_running_loop(), self._pace.again_s
        if self._sessions.find(session.peer.switch_id, session.named.call_key) is session:
            session.let_run()
            session.ends = loop.call_later(again_s, self.now, session, why)
        elif self._later is None:
            self._later = loop.call_later(again_s, self.ending)

    def watch(self, session: Session, left_s: float, until: datetime | None) -> None:
        """Ask for its end when its time is over, unless it gets more meanwhile: a last grant's when
        the seconds left of it have passed, any other's at the call's deadline."""
        session.let_run()
        after_s, why = left_s, TIME_OVER
        if not session.final and until is not None:
            after_s, why = until.timestamp() - self._engine.clock_ms() / 1000, DEADLINE
        loop = asyncio.get_running_loop()
        session.ends = loop.call_later(max(0, after_s), self.now, session, why)

    def over(self, session: Session) -> None:
        """The client has ended the call."""
        session.over = True
        session.let_run()
        task = self._telling.get((session.peer.id, session.named.call_key))
        if task is not None:
            task.cancel()

    def ending(self) -> None:
        """Ask for the end of all calls of RADIUS clients that the service wants to end."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        clients = self._engine.peers.radius_clients()
        for switch_id in {peer.switch_id for peer in clients}:
            for ending in self._engine.endings.of_switch(switch_id):
                session = self._sessions.find(switch_id, ending.call_key)
                if session is not None:
                    if not session.over and not session.denied:
                        self.now(session, ending.code)
                    continue
                for peer in clients:
                    if peer.switch_id == switch_id and (found := remade(peer, ending)):
                        self.now(found, ending.code)

    async def close(self) -> None:
        """Tell nobody any more."""
        if self._later is not None:
            self._later.cancel()
        tasks = list(self._telling.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, session: Session, why: str) -> None:
        told = log.bind(client=session.peer.name, call=session.named.call_key, why=why)
        while True:
            try:
                if await self._ends_another(session, why):
                    return
                reply = await self._ask(session)
            except OSError as error:
                told.warning("disconnect not sent", error=str(error))
                reply = None
            except Nowhere as nowhere:
                told.warning("disconnect not sent", error=str(nowhere))
                return
            except Exception:  # noqa: BLE001 - other calls are to end too
                told.exception("disconnect failed")
                return
            if reply is None:
                told.warning("disconnect not answered")
            elif reply.code == DisconnectACK:
                told.info("disconnect acknowledged")
            elif reply.code == DisconnectNAK:
                told.warning("disconnect refused", error_cause=reply.error_cause)
                session.denied = reply.error_cause == SESSION_CONTEXT_NOT_FOUND
                if session.denied:
                    return
            await asyncio.sleep(self._pace.again_s)
            if session.over or not await self._runs(session):
                return

    async def _ask(self, session: Session) -> Reply | None:
        """The client's answer; None where none came. Raises OSError, Nowhere."""
        session.peer = self._peer_now(session)
        line = await self._lines.to(place_of(session))
        values = {
            **identified(session.named),
            Attribute.EVENT_TIMESTAMP: self._engine.clock_ms() // 1000,
        }
        async with line.number() as identifier:
            asked = line.ask(identifier, session.peer.secret.encode(), values)
            wait_s = _about(self._pace.first_s)
            for _ in range(self._pace.tries):
                asked.send()
                reply = await asked.reply(wait_s)
                if reply is not None:
                    return reply
                wait_s = min(wait_s + _about(wait_s), _about(self._pace.longest_s))
        return None

    def _peer_now(self, session: Session) -> Peer:
        """Who the client is now: it may have got another secret since it was heard."""
        host = session.named.client.host
        found = self._engine.peers.radius(host) if host else None
        known = found is not None and found.switch_id == session.peer.switch_id
        return found if found is not None and known else session.peer

    async def _ends_another(self, session: Session, why: str) -> bool:
        """Whether the client would end another call of this session id: it has been told, or has
        asked, elsewhere, or before this process was started. In doubt it is asked: it may talk."""
        switch_id, call_key = session.peer.switch_id, session.named.call_key
        try:
            uses = await uses_of(self._engine, switch_id, session_of(call_key))
        except NotDecided:
            return False
        if not uses.calls or (uses.away and all(use.call_key != call_key for use in uses.calls)):
            return False
        last = uses.calls[-1]
        ended = last.state in (SETTLED, RELEASED) and why in (TIME_OVER, DEADLINE)
        return last.call_key != call_key or (ended and not uses.away)

    async def _runs(self, session: Session) -> bool:
        shown = await self._engine.show(session.peer.switch_id, session.named.call_key)
        if isinstance(shown, Refusal):
            return shown.code != "unknown_call"
        return '"state":"open"' in shown


class Nowhere(Exception):
    """It is not known where, or of which call, a client could be asked."""


def _about(seconds: float) -> float:
    return seconds * random.uniform(1 - PARTS, 1 + PARTS)


def place_of(session: Session) -> Place:
    """Where the client takes requests: as its peer says, else where it was last heard from.

    Raises Nowhere.
    """
    peer = session.peer
    if peer.disconnect_to:
        host, _, port = peer.disconnect_to.rpartition(":")
        return Place(host.strip("[]"), int(port))
    if session.named.client.host:
        return Place(session.named.client.host, PORT)
    alone = [net for net in peer.networks if net.num_addresses == 1]
    if len(peer.networks) == 1 and alone:
        return Place(str(alone[0].network_address), PORT)
    raise Nowhere("the client's address is not known; set one for its disconnects")


def identified(named: Named) -> Values:
    """What names a call for its client (RFC 5176 3). Raises Nowhere."""
    client = named.client
    values: Values = {}
    if client.identifier:
        values[Attribute.NAS_IDENTIFIER] = client.identifier
    if client.ip:
        values[Attribute.NAS_IP_ADDRESS] = ip_address(client.ip).packed
    if client.ipv6:
        values[Attribute.NAS_IPV6_ADDRESS] = ip_address(client.ipv6).packed
    if named.session_id:
        values[Attribute.ACCT_SESSION_ID] = named.session_id
    elif named.user_name or named.calling:
        if named.user_name:
            values[Attribute.USER_NAME] = named.user_name
        if named.calling:
            values[Attribute.CALLING_STATION_ID] = named.calling
    else:
        raise Nowhere("the client has named no session")
    return values


def remade(peer: Peer, ending: Ending) -> Session | None:
    """The session of a call that this process has not met, from its key; None where the key is not
    of a RADIUS client."""
    parts = parts_of(ending.call_key)
    if parts is None:
        return None
    name, session_id = parts
    client = Client("", name, "", "")
    try:
        at = ip_address(name)
    except ValueError:
        return Session(peer, Named(ending.call_key, client, session_id, "", ""))
    host = name if peer.networks and peer.may_come_from(name) else ""
    client = Client(host, "", name, "") if at.version == 4 else Client(host, "", "", name)
    return Session(peer, Named(ending.call_key, client, session_id, "", ""))
