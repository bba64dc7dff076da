"""Credit control: what a Credit-Control-Request asks of the books, and the answer (RFC 8506, 5 to
7).

A session is a call: its Session-Id is the call's key, the number of a request that of the command.
So the books keep every answer, and give it again to a request that is repeated, with the T flag or
without, before or after a restart. The server's state (RFC 8506, 7) is the call's: idle where there
is none or it is closed, open where it is; Tcc is its deadline.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog

from talktime.core.commands import Authorize, Extend, Settle
from talktime.core.limits import CALL_SECONDS_MAX, DIAMETER_CLOCK_BEHIND_MS_MAX
from talktime.core.peers import DIAMETER, Peer
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.engine.reply import NEVER_AUTHORIZED, Reply
from talktime.gateways.diameter import answers
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.codec import (
    BadAvp,
    Header,
    write,
    write_group,
    write_unsigned,
    zeros,
)
from talktime.gateways.diameter.connection import PeerConnection
from talktime.gateways.diameter.node import DO_NOT_WANT_TO_TALK_TO_YOU, Node
from talktime.gateways.diameter.parties_said import NOBODY
from talktime.gateways.diameter.peers_open import PeersOpen
from talktime.gateways.diameter.requests import (
    EVENT,
    INITIAL,
    TERMINATION,
    UPDATE,
    CreditRequest,
    read_credit,
)
from talktime.gateways.diameter.ways import Ways
from talktime.gateways.parties import call_request
from talktime.gateways.told import decided
from talktime.operations.resolve import CallRequest

log = structlog.get_logger(__name__)

SET_UP_S = 120
"""How long a call may ring. A grant counts from its answer, Validity-Time from the grant's arrival:
it must be longer than both together, or the client asks again before anything was talked."""
TCC_IN_VALIDITIES = 2
WHO_CALLS = zeros(a.SUBSCRIPTION_ID, 0, 0)
FAILED = "this request failed; the service's log says why"
KINDS = {INITIAL: "initial", UPDATE: "update", TERMINATION: "termination", EVENT: "event"}
REVOKED = Peer(0, 0, DIAMETER, "", "", (), False, True, "", 0, 0)
"""Stands for a peer that is none any more."""


class Asked(msgspec.Struct, frozen=True):
    """A request that waits for its answer: where it came from, and what it says."""

    connection: PeerConnection
    header: Header
    request: CreditRequest
    peer: Peer


class Credit:
    """What answers Credit-Control-Requests. Belongs to the event loop's thread."""

    def __init__(
        self, engine: Engine, node: Node, peers: PeersOpen, ways: Ways, slice_s: int
    ) -> None:
        self.engine = engine
        self.node = node
        self.slice_s = slice_s
        self.validity_s = slice_s + SET_UP_S
        self.keep_s = TCC_IN_VALIDITIES * self.validity_s
        self._messages = engine.messages
        self._peers = peers
        self._ways = ways
        self._on_event: Callable[[Asked], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def answer_events_by(self, on_event: Callable[[Asked], None]) -> None:
        """Who answers one-time events."""
        self._on_event = on_event

    def begin(self, connection: PeerConnection, header: Header, data: bytes) -> None:
        """Do what a request asks; its answer is sent now, or after the commit."""
        request = CreditRequest()
        peer = self._peers.peer_of(connection)
        asked = Asked(connection, header, request, peer or REVOKED)
        connection.begin()
        try:
            read_credit(data, request)
            result, why = self._unfit(request, peer)
            if result != r.SUCCESS:
                self._refuse(asked, result, why)
                if peer is None:
                    connection.disconnect(DO_NOT_WANT_TO_TALK_TO_YOU)
                return
            self._ways.remember(asked.peer.switch_id, connection.host, request)
            self._do(asked)
        except BadAvp as bad:
            log.info(
                "diameter request refused", peer=connection.host, result=bad.result, why=bad.why
            )
            self._refuse(asked, bad.result, bad.why, bad.avp)
        except Exception:
            log.exception("diameter request failed", peer=connection.host)
            self._refuse(asked, r.UNABLE_TO_COMPLY, FAILED)

    def _unfit(self, request: CreditRequest, peer: Peer | None) -> tuple[int, str]:
        if request.destination_realm.lower() not in self.node.realms:
            return r.REALM_NOT_SERVED, "the realm is not served here"
        if request.destination_host and request.destination_host.lower() != self.node.identity:
            return r.UNABLE_TO_DELIVER, "this node is another"
        if peer is None:
            return r.AUTHORIZATION_REJECTED, "the peer may not charge any more"
        return r.SUCCESS, ""

    def _do(self, asked: Asked) -> None:
        request, switch_id = asked.request, asked.peer.switch_id
        if request.kind == INITIAL:
            self.resolve(asked, partial(self._authorize, asked))
        elif request.kind == UPDATE:
            extend = Extend(
                switch_id,
                request.session_id,
                request.number,
                request.meaning(),
                request.used_s,
                request.asked_s,
                since_last=True,
                keep_s=self.keep_s,
                capped=request.used_s <= CALL_SECONDS_MAX,
                while_open=True,
                only_reports=request.only_reports,
            )
            self.engine.ask(extend, partial(self._told, asked))
        elif request.kind == EVENT and self._on_event is not None:
            self._on_event(asked)
        else:
            settle = Settle(
                switch_id,
                request.session_id,
                request.number,
                request.meaning(),
                request.used_s,
                request.cause,
                since_last=True,
                # What no call can have lasted is no report, but a fault of the client's.
                capped=request.used_s <= CALL_SECONDS_MAX,
            )
            self.engine.ask(settle, partial(self._told, asked))

    def resolve(self, asked: Asked, then: Callable[[Authorize], None]) -> None:
        """Find who calls whom, and go on with the command; what is refused outright is answered
        so."""
        request, switch_id = asked.request, asked.peer.switch_id
        said = self._call(asked)
        command = self.engine.resolve(said, switch_id, request.meaning())
        if isinstance(command, Authorize):
            then(command)
            return
        self.spawn(asked, self._reconsider(asked, command, said, then))

    async def _reconsider(
        self, asked: Asked, refusal: Refusal, said: CallRequest, then: Callable[[Authorize], None]
    ) -> None:
        hashed = asked.request.meaning()
        found = await self.engine.reconsider(refusal, said, asked.peer.switch_id, hashed)
        if isinstance(found, Refusal):
            unrated = r.result_of(found.code) == r.RATING_FAILED
            # Of a number called that is no number the command says so: this is about who calls.
            failed = WHO_CALLS if unrated and asked.request.parties.called else b""
            self.refuse(asked, found.code, found.detail, failed)
        else:
            then(found)

    def _call(self, asked: Asked) -> CallRequest:
        request, parties = asked.request, asked.request.parties
        return call_request(
            self.engine.directory.directory,
            asked.peer,
            request.session_id,
            calling=parties.calling,
            called=parties.called,
            subscribers=parties.names,
            incoming=parties.terminating,
            at_ms=self._taken(parties.at_ms),
            requested_s=request.asked_s,
            conference=parties.conference,
        )

    def _taken(self, at_ms: int | None) -> int | None:
        """When the call began, where the client's clock can be believed; else now."""
        if at_ms is None:
            return None
        return at_ms if believable(at_ms - self.engine.clock_ms()) else None

    def _authorize(self, asked: Asked, command: Authorize) -> None:
        command.keep_s, command.while_open = self.keep_s, True
        self.engine.ask(command, partial(self._told, asked))

    def _told(self, asked: Asked, reply: Reply) -> None:
        header, request = asked.header, asked.request
        try:
            found = decided(reply)
            if found.code:
                self.refuse(asked, found.code, found.detail)
            elif reply.kind == NEVER_AUTHORIZED:
                self._refuse(
                    asked, r.UNKNOWN_SESSION_ID, "the session is not known: nothing is owed"
                )
            elif found.decision == "granted":
                grant = found.granted_seconds, found.final, self.validity_s
                self.answer(asked, answers.granted(self.node, header, request, *grant))
            else:
                self.answer(asked, answers.closed(self.node, header, request))
        except Exception:
            log.exception("diameter answer failed", peer=asked.connection.host)
            self._refuse(asked, r.UNABLE_TO_COMPLY, FAILED)

    def refuse(self, asked: Asked, code: str, detail: str, failed: bytes = b"") -> None:
        """Answer with what a refusal's code means here; `failed` is the AVP that it is about, where
        that is not the number called."""
        result = r.result_of(code)
        if code == "used_seconds_out_of_range":
            unit = write_unsigned(a.CC_TIME, min(asked.request.used_s, 0xFFFFFFFF))
            failed = write_group(a.USED_SERVICE_UNIT, unit)
        elif result == r.RATING_FAILED and not failed and asked.request.parties is not NOBODY:
            failed = write(a.CALLED_PARTY_ADDRESS, asked.request.parties.called.encode())
        self._refuse(asked, result, f"{code}: {detail}", failed)

    def answer(self, asked: Asked, data: bytes, result: int = r.SUCCESS) -> None:
        """Give a request its answer, which has this Result-Code."""
        kind = KINDS.get(asked.request.kind, "other")
        self._messages.add("diameter", kind, str(result))
        asked.connection.answered(data)

    def _refuse(self, asked: Asked, result: int, why: str, failed: bytes = b"") -> None:
        data = answers.refused(self.node, asked.header, asked.request, result, why, failed)
        self.answer(asked, data, result)

    def spawn(self, asked: Asked, work: Awaitable[None]) -> None:
        """Work on a request beside the loop; it is answered whatever happens."""

        async def guarded() -> None:
            try:
                await work
            except Exception:
                log.exception("diameter request failed", peer=asked.connection.host)
                self._refuse(asked, r.UNABLE_TO_COMPLY, FAILED)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def believable(ahead_ms: int) -> bool:
    """Whether a client's time can be meant, so far ahead of the service's clock (below 0: behind
    it).

    A clock that is wrong must not refuse calls: then the service's own is used.
    """
    return -DIAMETER_CLOCK_BEHIND_MS_MAX <= ahead_ms <= 0
