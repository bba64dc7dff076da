"""Access-Request: may this call be set up, or go on; Access-Accept for how long, or Access-Reject
and why."""

import asyncio
from collections.abc import Set

from pyrad.packet import AuthPacket, StatusServer

from talktime.core.calls import OPEN
from talktime.core.commands import NEXT, Extend
from talktime.core.peers import Peer
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.engine.reply import Reply
from talktime.gateways.parties import call_request
from talktime.gateways.radius.asking import NotDecided, asked, hash_of
from talktime.gateways.radius.attributes import Attribute, TerminationAction
from talktime.gateways.radius.calls import (
    Again,
    Named,
    asks_again,
    class_of,
    named,
    session_of,
    state_of,
)
from talktime.gateways.radius.disconnects import Disconnects
from talktime.gateways.radius.packets import Values, accept, first_shown, reject, text
from talktime.gateways.radius.sessions import Sessions
from talktime.gateways.radius.uses import key_after, uses_of
from talktime.gateways.told import Told, told

INTERIM_S_MIN = 60  # RFC 2869 5.16
ASKED_KEPT = 4
TAKEN = ("sequence_reused", "call_id_taken")

SENT_AGAIN = Refusal("call_settled", "the call was settled before this request")
"""What a request is told that began a call which is over: it is no new call, whoever sends it."""
RUNS = Refusal(
    "call_already_authorized", "its Acct-Session-Id is that of a running call with other numbers"
)


class Access:
    """What answers Access-Requests. Belongs to the event loop's thread."""

    def __init__(self, engine: Engine, sessions: Sessions, disconnects: Disconnects) -> None:
        self._engine = engine
        self._sessions = sessions
        self._disconnects = disconnects

    async def answer(self, peer: Peer, packet: AuthPacket, host: str) -> tuple[str, bytes]:
        """What came of a packet in one word, and the answer. Raises BadPacket, NotDecided."""
        if packet.code == StatusServer:
            return "status", accept(packet, {})
        call, again = named(packet, host, by_class=False), asks_again(packet)
        asked_s = asyncio.get_running_loop().time()
        found: Reply | Refusal
        if again is not None:
            call = call._replace(call_key=again.call_key)
            found = await self._more(peer, again)
        else:
            call, found = await self._new(peer, packet, call)
        outcome = found if isinstance(found, Refusal) else _outcome(found)
        if isinstance(outcome, Refusal):
            return outcome.code, reject(packet, f"{outcome.kind.title}: {outcome.detail}")
        until_s = outcome.granted_seconds + (again.until_s if again is not None else 0)
        if isinstance(found, Reply) and again is None and not found.replayed:
            self._begin(peer, call, asked_s)
        session = self._sessions.meet(peer, call)
        session.granted_s, session.final = until_s, outcome.final
        if again is None:
            session.asked_by = (*session.asked_by, packet.authenticator)[-ASKED_KEPT:]
        else:
            self._disconnects.watch(session, outcome.granted_seconds, outcome.valid_until)
        return "granted", accept(packet, _granted(call.call_key, outcome, until_s))

    def _begin(self, peer: Peer, call: Named, asked_s: float) -> None:
        """A new call was granted. The last one of its session id is over, where that is in a cell
        that is away as well."""
        last = self._sessions.last_of(peer.switch_id, session_of(call.call_key))
        if last is not None:
            self._disconnects.over(last)
        self._sessions.begin(peer, call, asked_s)

    async def _more(self, peer: Peer, again: Again) -> Reply:
        """The call has talked for all that it was granted: may it go on?"""
        hashed = hash_of("again", again.until_s)
        command = Extend(peer.switch_id, again.call_key, NEXT, hashed, again.until_s, 0)
        return await asked(self._engine, command)

    async def _new(
        self, peer: Peer, packet: AuthPacket, call: Named
    ) -> tuple[Named, Reply | Refusal]:
        """A call is asked for; where its session id named one that is over, under another key."""
        uses = await uses_of(self._engine, peer.switch_id, call.call_key)
        met = [self._sessions.find(peer.switch_id, use.call_key) for use in uses.calls]
        key = key_after(call.call_key, uses)
        if uses.calls and uses.calls[-1].state == OPEN and not (met[-1] and met[-1].left):
            key = uses.calls[-1].call_key
            met.pop()
        call = call._replace(call_key=key)
        for earlier in filter(None, met):
            if packet.authenticator in earlier.asked_by:
                return call, SENT_AGAIN
            # The client has one call of this id: an alarm of the last one would end the new one.
            self._disconnects.over(earlier)
        return call, await self._authorize(peer, packet, call, uses.away)

    async def _authorize(
        self, peer: Peer, packet: AuthPacket, call: Named, away: Set[str]
    ) -> Reply | Refusal:
        engine, called = self._engine, text(packet, Attribute.CALLED_STATION_ID)
        hashed = hash_of("access", call.user_name, call.calling, called)
        request = call_request(
            engine.directory.directory,
            peer,
            call.call_key,
            calling=call.calling,
            called=called,
            names=[call.user_name] if call.user_name else [],
            conference=first_shown(packet, Attribute.ACCT_MULTI_SESSION_ID),
        )
        command = engine.resolve(request, peer.switch_id, hashed)
        if isinstance(command, Refusal):
            command = await engine.reconsider(command, request, peer.switch_id, hashed)
        if isinstance(command, Refusal):
            if command.kind.status in NotDecided.STATUSES:
                raise NotDecided
            return command
        if engine.cell_of(command.organisation_id) in away:
            raise NotDecided  # what this session id has named there is not known
        command.while_open = True
        reply = await asked(engine, command)
        code = told(reply).code
        if code == "call_settled":  # since the books were read: asked again, it is another call
            raise NotDecided
        return RUNS if code in TAKEN else reply


def _outcome(reply: Reply) -> Told | Refusal:
    outcome = told(reply)
    return Refusal(outcome.code, outcome.detail) if outcome.code else outcome


def _granted(call_key: str, outcome: Told, until_s: int) -> Values:
    """What an Access-Accept says: how long, and what to do then."""
    values: Values = {
        Attribute.SESSION_TIMEOUT: outcome.granted_seconds,
        Attribute.CLASS: class_of(call_key),
        Attribute.TERMINATION_ACTION: TerminationAction.DEFAULT,
    }
    if not outcome.final:
        values[Attribute.TERMINATION_ACTION] = TerminationAction.RADIUS_REQUEST
        values[Attribute.STATE] = state_of(Again(call_key, until_s))
        values[Attribute.ACCT_INTERIM_INTERVAL] = max(INTERIM_S_MIN, outcome.granted_seconds // 2)
    return values
