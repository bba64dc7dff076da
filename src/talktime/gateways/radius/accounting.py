"""Accounting-Request: the call was answered, has talked so far, is over.

A client sends such a request until it hears that it was taken down, so each may come twice, late,
and in any order. What can never be taken down is answered too: sending it again would not help.
"""

import asyncio
from datetime import datetime

import structlog
from pyrad.packet import AcctPacket, StatusServer

from talktime.core.calls import OPEN, REFUSED
from talktime.core.commands import NEXT, Answer, Extend, Settle
from talktime.core.limits import (
    CALL_SECONDS_MAX,
    CAUSE_TEXT_MAX,
    RADIUS_CLOCK_APART_S_MAX,
    RADIUS_DELAY_S_MAX,
    USED_SECONDS_MAX,
)
from talktime.core.peers import Peer
from talktime.engine.engine import Engine
from talktime.gateways.radius.asking import NotDecided, asked, hash_of, shown
from talktime.gateways.radius.attributes import Attribute, Status, cause_of
from talktime.gateways.radius.belonging import SET_S, belongs_to, moment_of
from talktime.gateways.radius.calls import Named, key_in_class, named
from talktime.gateways.radius.disconnects import Disconnects
from talktime.gateways.radius.packets import BadPacket, accounted, number, octets
from talktime.gateways.radius.sessions import Session, Sessions
from talktime.gateways.radius.uses import uses_of
from talktime.gateways.told import told
from talktime.store.usage import NamedCall

log = structlog.get_logger(__name__)

SETTLE_SEQUENCE = 2**31 - 1
USES_KEPT = 4
RECORDED = ("noted", "granted", "settled")


class Accounting:
    """What answers Accounting-Requests. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, sessions: Sessions, disconnects: Disconnects) -> None:
        self._engine = engine
        self._sessions = sessions
        self._disconnects = disconnects

    async def answer(self, peer: Peer, packet: AcctPacket, host: str) -> tuple[str, bytes]:
        """What came of a packet in one word, and the answer. Raises BadPacket, NotDecided."""
        if packet.code == StatusServer:
            return "status", accounted(packet)
        status = number(packet, Attribute.ACCT_STATUS_TYPE)
        if status is None:
            raise BadPacket("no_status")
        if status in (Status.START, Status.INTERIM_UPDATE, Status.STOP):
            call = await self._call_of(Status(status), peer, packet, host)
            taken = await self._take(Status(status), peer, packet, call)
            return taken, accounted(packet)
        if status in (Status.ACCOUNTING_ON, Status.ACCOUNTING_OFF):
            self._restarts(Status(status), peer, packet, host)
            return "noted", accounted(packet)
        # Of a tunnel (RFC 2867), or "failed", which no RFC defines and a proxy may say of a
        # re-INVITE as well: a call that talks on must not end in the books.
        log.info("radius accounting passed over", client=peer.name, status=status)
        return "passed_over", accounted(packet)

    def _restarts(self, status: Status, peer: Peer, packet: AcctPacket, host: str) -> None:
        """The client has no call any more that it asked for before. In the books they end by their
        deadline: a Stop that comes late is charged until then."""
        log.info("radius client restarts", client=peer.name, status=status.name.lower())
        moment = moment_of(packet, asyncio.get_running_loop().time())
        client = named(packet, host).client.name
        self._sessions.leave(peer.switch_id, client, moment.at_s - moment.delay_s)

    async def _call_of(self, status: Status, peer: Peer, packet: AcctPacket, host: str) -> Named:
        """The call that a packet is about; of an earlier one nobody is asked any more to end it."""
        call, moment = named(packet, host), moment_of(packet, asyncio.get_running_loop().time())
        if not call.session_id and not octets(packet, Attribute.CLASS):
            raise BadPacket("no_session")
        if key_in_class(packet):
            self._sessions.meet(peer, call).life.note(moment)
            return call
        sessions = await self._met(peer, call, moment.at_s)
        place = belongs_to(moment, [session.life for session in sessions])
        sessions[place].life.note(moment)
        for earlier in sessions[:-1]:
            self._disconnects.over(earlier)
        call_key = sessions[place].named.call_key
        if place < len(sessions) - 1:
            log.warning(
                "radius accounting of an earlier call",
                client=peer.name,
                call=call_key,
                status=status.name.lower(),
            )
        return call._replace(call_key=call_key)

    async def _met(self, peer: Peer, call: Named, now_s: float) -> list[Session]:
        """The calls that this session id has named, the earliest first, as the books have them:
        another engine may have been asked, or this one before it was started anew."""
        uses = await uses_of(self._engine, peer.switch_id, call.call_key)
        if uses.away and not any(self._runs(peer, call, use) for use in uses.calls):
            raise NotDecided  # the running one may be where nobody answers
        # What was refused last may be talking all the same.
        calls = [use for use in uses.calls if use.state != REFUSED or use is uses.calls[-1]]
        now_ms, sessions = self._engine.clock_ms(), []
        for use in calls[-USES_KEPT:]:
            session = self._sessions.meet(peer, call._replace(call_key=use.call_key))
            if session.life.begun_s is None and use.started_ms <= now_ms:
                begun_s = now_s - (now_ms - use.started_ms) / 1000
                session.life.begin(begun_s, SET_S)  # by the clock of whoever was asked
            sessions.append(session)
        return sessions or [self._sessions.meet(peer, call)]

    def _runs(self, peer: Peer, call: Named, use: NamedCall) -> bool:
        """Whether a call that is open in the books is the one that its session id names now, as far
        as this process knows: the client has not left it, nor begun another since."""
        session = self._sessions.find(peer.switch_id, use.call_key)
        last = self._sessions.last_of(peer.switch_id, call.call_key)
        left = session is not None and session.left
        after = last is not None and not last.over and last.named.call_key > use.call_key
        return use.state == OPEN and not left and not after

    async def _take(self, status: Status, peer: Peer, packet: AcctPacket, call: Named) -> str:
        used_s = number(packet, Attribute.ACCT_SESSION_TIME)
        if used_s is None and status is Status.STOP:
            used_s = await self._talked_s(peer, packet, call)
        if status is Status.START:
            code = await self._answered(peer, packet, call)
        elif used_s is None:
            raise BadPacket("no_session_time")
        elif status is Status.STOP:
            cause = cause_of(number(packet, Attribute.ACCT_TERMINATE_CAUSE))
            code = await self._over(peer, call, min(used_s, USED_SECONDS_MAX), cause)
        else:
            delay_s = number(packet, Attribute.ACCT_DELAY_TIME) or 0
            code = await self._going_on(peer, call, min(used_s, USED_SECONDS_MAX), delay_s)
        if code not in RECORDED:
            log.warning(
                "radius accounting not taken",
                client=peer.name,
                call=call.call_key,
                status=status.name.lower(),
                code=code,
            )
        return code

    async def _talked_s(self, peer: Peer, packet: AcctPacket, call: Named) -> int | None:
        """How long a call has talked that ends now; None where it was not answered, as far as is
        known. A client need not count (RFC 2866 5.13: 0-1), and SIP proxies do not."""
        answered_at = (await shown(self._engine, peer.switch_id, call.call_key)).get("answered_at")
        if answered_at is None:
            return None
        # By the delay alone, as the end of a grant is: two clocks may differ.
        delay_s = min(number(packet, Attribute.ACCT_DELAY_TIME) or 0, RADIUS_DELAY_S_MAX)
        ended_s = self._engine.clock_ms() // 1000 - delay_s
        return max(1, ended_s - int(datetime.fromisoformat(answered_at).timestamp()))

    async def _answered(self, peer: Peer, packet: AcctPacket, call: Named) -> str:
        session = self._sessions.meet(peer, call)
        at_ms = answered_ms(packet, self._engine.clock_ms())
        hashed = hash_of("start", at_ms)
        command = Answer(peer.switch_id, call.call_key, NEXT, hashed, at_ms)
        outcome = told(await asked(self._engine, command))
        if outcome.code == "time_out_of_range":  # by the client's clock, before it was asked for
            command = Answer(peer.switch_id, call.call_key, NEXT, hash_of("start", None), None)
            outcome = told(await asked(self._engine, command))
        if outcome.code:
            self._refused(session, outcome.code)
        elif not session.over and not (session.final and session.used_s):
            # By the delay alone: a call must not be cut because two clocks differ. Where an
            # Interim-Update came first, the end is counted from that, which was granted since.
            passed_s = min(number(packet, Attribute.ACCT_DELAY_TIME) or 0, RADIUS_DELAY_S_MAX)
            self._disconnects.watch(session, session.granted_s - passed_s, outcome.valid_until)
        if session.denied and not session.over:
            # It has the call after all, and a Start is taken down of one that is to end, too.
            session.denied = False
            self._disconnects.ending()
        return outcome.code or outcome.decision

    async def _going_on(self, peer: Peer, call: Named, used_s: int, delay_s: int) -> str:
        session = self._sessions.meet(peer, call)
        hashed = hash_of("interim", used_s)
        command = Extend(
            *(peer.switch_id, call.call_key, NEXT, hashed, used_s, 0),
            capped=used_s <= CALL_SECONDS_MAX,
        )
        outcome = told(await asked(self._engine, command))
        if outcome.code:
            self._refused(session, outcome.code)
        elif used_s >= session.used_s:
            session.used_s, session.final = used_s, outcome.final
            left_s = outcome.granted_seconds - min(delay_s, RADIUS_DELAY_S_MAX)
            self._disconnects.watch(session, left_s, outcome.valid_until)
        return outcome.code or outcome.decision

    async def _over(self, peer: Peer, call: Named, used_s: int, cause: str) -> str:
        hashed = hash_of("stop", used_s, cause)
        command = Settle(
            *(peer.switch_id, call.call_key, SETTLE_SEQUENCE, hashed, used_s),
            cause[:CAUSE_TEXT_MAX],
            # What no call can have lasted is no report, but a fault of the client's.
            capped=used_s <= CALL_SECONDS_MAX,
        )
        outcome = told(await asked(self._engine, command))
        self._disconnects.over(self._sessions.meet(peer, call))
        return outcome.code or outcome.decision

    def _refused(self, session: Session, code: str) -> None:
        """The call talks, and may not: its answer cannot say so, a request of ours can."""
        if not session.over:
            self._disconnects.now(session, code)


def answered_ms(packet: AcctPacket, now_ms: int) -> int | None:
    """When a call was answered, by the client's delay, or its clock where that is about right; None
    for now."""
    delay_s = number(packet, Attribute.ACCT_DELAY_TIME)
    if delay_s is not None:
        return now_ms - min(delay_s, RADIUS_DELAY_S_MAX) * 1000
    at_s = number(packet, Attribute.EVENT_TIMESTAMP)
    if at_s is not None and abs(at_s - now_ms // 1000) <= RADIUS_CLOCK_APART_S_MAX:
        return at_s * 1000
    return None
