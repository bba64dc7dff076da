"""One connection of a peer: its state, its watchdog, the messages that begin and end it.

Of the peer state machine (RFC 6733, 5.6) this is the responder's side: closed until the peer's
capabilities have come and are taken, then open, then closing. What cannot be framed ends the
connection, for nothing after it can be read; what can be framed is answered.
"""

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import Any, Protocol, cast

import structlog

from talktime.core.limits import DIAMETER_ASKS_MAX, DIAMETER_MESSAGE_BYTES_MAX, DIAMETER_WAITING_MAX
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.codec import (
    HEADER_BYTES,
    VERSION,
    BadAvp,
    Header,
    answer,
    failed_avp,
    message,
    read_avps,
    read_header,
    session_of,
    unsigned,
    write_unsigned,
)
from talktime.gateways.diameter.node import (
    DO_NOT_WANT_TO_TALK_TO_YOU,
    REBOOTING,
    Capabilities,
    Node,
    certified_names,
    peer_address,
    read_capabilities,
)

log = structlog.get_logger(__name__)

CLOSED, DECIDING, OPEN, CLOSING = "closed", "deciding", "open", "closing"
_word = Struct(">I").unpack_from
_IDENTIFIERS = 1 << 32


class Owner(Protocol):
    """What a connection belongs to: who decides over peers, and does what they ask."""

    node: Node

    def arrived(self, connection: "PeerConnection") -> None:
        """A connection was made."""

    def decide(
        self, connection: "PeerConnection", capabilities: Capabilities, tell: Callable[[int], None]
    ) -> None:
        """Whether this peer may talk here: `tell` gets the Result-Code, now or later."""

    def credit(self, connection: "PeerConnection", header: Header, data: bytes) -> None:
        """A Credit-Control-Request has come."""

    def may_stay(self, connection: "PeerConnection") -> bool:
        """Whether the peer that connected may still talk here."""

    def gone(self, connection: "PeerConnection") -> None:
        """The connection has ended."""


class PeerConnection(asyncio.Protocol):
    """One connection. `host` and `realm` are the peer's, once it has said them, `peer_id` is its
    once it may talk; `secure` is whether it is TLS, `certified` the names in the client's
    certificate, where one was asked for."""

    def __init__(self, owner: Owner, secure: bool, loop: asyncio.AbstractEventLoop) -> None:
        self.host = self.realm = self.address = ""
        self.secure = secure
        self.certified: frozenset[str] = frozenset()
        self.peer_id = self.waiting = 0
        self.state = CLOSED
        self._owner, self._node, self._loop = owner, owner.node, loop
        self._rest = b""
        self._unsent: list[bytes] = []
        self._local = "0.0.0.0"
        self._hop = 0
        self._asked: dict[int, Callable[[int], None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._heard = self._probed = False
        self._why = "the peer closed it"
        # Why nothing more is read: too many requests wait, or the answers are not read.
        self._crowded = self._unread = self._deaf = False
        self._drained: asyncio.Future[None] | None = None
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.address = peer_address(transport)
        self.certified = certified_names(transport.get_extra_info("peercert"))
        self._local = str((transport.get_extra_info("sockname") or (self._local,))[0])
        self._after(self._node.timings.capabilities_s, self._silent)
        self._owner.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.state != CLOSED:
            log.info("diameter peer gone", peer=self.host, address=self.address, why=self._why)
        self.state = CLOSED
        for tell in list(self._asked.values()):
            tell(0)
        self._asked.clear()
        self._let_go()
        self._owner.gone(self)
        if not self.ended.done():
            self.ended.set_result(None)

    @property
    def alive(self) -> bool:
        """Whether the peer can be talked to, as far as is known."""
        return self.state == OPEN and not self._transport.is_closing()

    def pause_writing(self) -> None:
        """Who does not read the answers is not read either."""
        self._unread = True
        self._listen_or_not()

    def resume_writing(self) -> None:
        self._unread = False
        self._listen_or_not()

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while size - at >= 4:
            word = _word(data, at)[0]
            length = word & 0xFFFFFF
            if word >> 24 != VERSION:
                self._unframed(data[at:], r.UNSUPPORTED_VERSION, "the version is not 1")
                return
            if length < HEADER_BYTES or length & 3 or length > DIAMETER_MESSAGE_BYTES_MAX:
                self._unframed(data[at:], r.INVALID_MESSAGE_LENGTH, f"a message has {length} bytes")
                return
            if size - at < length:
                break
            self._heard = True
            self._take(data[at : at + length])
            if self._transport.is_closing():
                return
            at += length
        self._rest = data[at:]

    def send(self, data: bytes) -> None:
        """Write a message, with all others of this turn of the loop: a batch's answers are one
        write."""
        if not self._unsent:
            self._loop.call_soon(self._write)
        self._unsent.append(data)

    def _write(self) -> None:
        if self._unsent and not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def begin(self) -> None:
        """A request waits for its answer from now on."""
        self.waiting += 1
        if self.waiting == DIAMETER_WAITING_MAX:
            self._crowded = True
            self._listen_or_not()

    def answered(self, data: bytes) -> None:
        """Its answer is here."""
        self.waiting -= 1
        if self._crowded and self.waiting == DIAMETER_WAITING_MAX // 2:
            self._crowded = False
            self._listen_or_not()
        self.send(data)
        if not self.waiting:
            self._let_go()

    def ask(self, command: int, application: int, flags: int, *avps: bytes, tell: Any) -> None:
        """Ask the peer; `tell` gets the Result-Code of its answer, 0 where none comes."""
        self._hop = (self._hop + 1) % _IDENTIFIERS
        while len(self._asked) >= DIAMETER_ASKS_MAX:
            self._asked.pop(next(iter(self._asked)))(0)
        self._asked[self._hop] = tell
        self.send(
            message(Header(flags | a.REQUEST, command, application, self._hop, self._hop), *avps)
        )

    def stop_taking(self) -> asyncio.Future[None]:
        """Take no more requests; what is returned is done when the last of them is answered."""
        self._drained = self._loop.create_future()
        if not self.waiting:
            self._let_go()
        return self._drained

    def probe(self, within_s: float, tell: Callable[[bool], None]) -> None:
        """Find out whether the peer still answers."""
        told = False

        def once(result: int) -> None:
            nonlocal told
            if not told:
                told = True
                timer.cancel()
                tell(bool(result))

        timer = self._loop.call_later(within_s, once, 0)
        self.ask(
            a.DEVICE_WATCHDOG, a.BASE_APPLICATION, 0, self._node.origin, self._node.state, tell=once
        )

    def disconnect(self, cause: int = REBOOTING) -> None:
        """Say goodbye, and close when the peer has answered, or has not in a while."""
        if self.state != OPEN:
            self.close("said goodbye")
            return
        self.state, self._why = CLOSING, "said goodbye"
        said = write_unsigned(a.DISCONNECT_CAUSE, cause)
        self._after(self._node.timings.goodbye_s, self.close)
        self.ask(
            a.DISCONNECT_PEER, a.BASE_APPLICATION, 0, self._node.origin, said,
            tell=lambda _: self.close(),
        )  # fmt: skip

    def close(self, why: str = "") -> None:
        """Close it, once what was written is sent."""
        self._why = why or self._why
        if self.state != CLOSED:
            self.state = CLOSING
        self._write()
        self._transport.close()

    def abort(self, why: str) -> None:
        """Close a connection that nobody answers on."""
        self._why = why
        self._transport.abort()

    def _listen_or_not(self) -> None:
        deaf = self._crowded or self._unread
        if deaf == self._deaf or self._transport.is_closing():
            return
        self._deaf = deaf
        if deaf:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _let_go(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _take(self, data: bytes) -> None:
        header = read_header(data)
        if not header.flags & a.REQUEST:
            self._told(header, data)
        elif header.flags & a.ERROR:
            self.refuse(header, data, r.INVALID_HDR_BITS, "a request has the E flag")
        elif (
            header.command == a.CREDIT_CONTROL
            and header.application == a.CREDIT_CONTROL_APPLICATION
        ):
            if self.state == OPEN and self._drained is None:
                self._owner.credit(self, header, data)
            elif self.state in (OPEN, CLOSING):
                self.refuse(header, data, r.UNABLE_TO_DELIVER, "this node is stopping")
            else:
                self._dropped("a request came before the capabilities")
        elif header.application == a.BASE_APPLICATION:
            self._between_peers(header, data)
        elif self.state in (CLOSED, DECIDING):
            self._dropped("a request came before the capabilities")
        elif header.application not in (a.CREDIT_CONTROL_APPLICATION, a.RELAY_APPLICATION):
            self.refuse(
                header, data, r.APPLICATION_UNSUPPORTED, "this node does credit control alone"
            )
        else:
            self.refuse(header, data, r.COMMAND_UNSUPPORTED, "the command is not known here")

    def _between_peers(self, header: Header, data: bytes) -> None:
        if header.command == a.CAPABILITIES_EXCHANGE:
            if self.state != DECIDING:
                self._meet(header, data)
        elif self.state in (CLOSED, DECIDING):
            self._dropped("a request came before the capabilities")
        elif header.command == a.DEVICE_WATCHDOG:
            self.send(answer(header, self._node.result(r.SUCCESS), self._node.state))
        elif header.command == a.DISCONNECT_PEER:
            self.state, self._why = CLOSING, "the peer said goodbye"
            self.send(answer(header, self._node.result(r.SUCCESS)))
            # The peer closes; who says goodbye and stays is closed.
            self._after(self._node.timings.goodbye_s, self.close)
        else:
            self.refuse(header, data, r.COMMAND_UNSUPPORTED, "the command is not known here")

    def _meet(self, header: Header, data: bytes) -> None:
        try:
            capabilities = read_capabilities(data)
        except BadAvp as bad:
            self._turn_away(header, bad.result, bad.why, failed_avp(bad.avp))
            return
        if self.state == OPEN and capabilities.host != self.host:
            self._turn_away(header, r.UNABLE_TO_COMPLY, "a peer does not change its name")
            return
        again = self.state == OPEN

        def decided(result: int) -> None:
            if self._transport.is_closing():
                return
            if result != r.SUCCESS:
                self._turn_away(header, result, r.NAMES[result])
                return
            self.state = OPEN
            self.send(
                answer(header, self._node.result(result), self._node.capabilities(self._local))
            )
            if not again:
                self._after(self._node.timings.watchdog_s, self._watch)
                log.info("diameter peer", peer=self.host, address=self.address, tls=self.secure)

        if not again:
            timings = self._node.timings
            self._after(timings.capabilities_s + timings.contest_s, self._silent)
        self.host, self.realm, self.state = capabilities.host, capabilities.realm, DECIDING
        self._owner.decide(self, capabilities, decided)

    def _turn_away(self, header: Header, result: int, why: str, *avps: bytes) -> None:
        """Answer the capabilities with a no, and close."""
        who = {"peer": self.host, "realm": self.realm, "address": self.address}
        log.warning("diameter peer refused", **who, why=why, result=result)
        flags = a.ERROR if r.is_protocol_error(result) else 0
        self.send(answer(header, self._node.result(result, why), *avps, flags=flags))
        self.state = CLOSED
        self._write()
        self._transport.close()

    def refuse(self, header: Header, data: bytes, result: int, why: str) -> None:
        """Answer a request that is not looked into, with its session where it has one."""
        flags = a.ERROR if r.is_protocol_error(result) else 0
        self.send(answer(header, session_of(data), self._node.result(result, why), flags=flags))

    def _told(self, header: Header, data: bytes) -> None:
        """An answer to what was asked here; any other is dropped (RFC 6733, 6.2.1)."""
        tell = self._asked.pop(header.hop, None)
        if tell is None:
            return
        result = 1
        try:
            for avp in read_avps(data, HEADER_BYTES, len(data)):
                if avp[0] == a.RESULT_CODE:
                    result = unsigned(data, avp)
        except BadAvp as bad:
            log.warning("diameter answer malformed", peer=self.host, why=bad.why)
        tell(result)

    def _unframed(self, data: bytes, result: int, why: str) -> None:
        """What comes is no message: say so where its head is there, and close."""
        log.warning("diameter connection dropped", peer=self.host, address=self.address, why=why)
        if len(data) >= HEADER_BYTES and data[4] & a.REQUEST and self.state == OPEN:
            self.send(answer(read_header(data), self._node.result(result, why)))
        self.close(why)

    def _dropped(self, why: str) -> None:
        log.warning("diameter connection dropped", peer=self.host, address=self.address, why=why)
        self.close(why)

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)

    def _silent(self) -> None:
        self._dropped("no capabilities came")

    def _watch(self) -> None:
        """The watchdog's: silence is asked about once, and then ends the connection."""
        if self.state != OPEN:
            return
        if not self._owner.may_stay(self):
            self.disconnect(DO_NOT_WANT_TO_TALK_TO_YOU)
            return
        if self._heard:
            self._heard = self._probed = False
        elif self._probed:
            log.warning("diameter peer silent", peer=self.host, address=self.address)
            self.abort("the peer does not answer")
            return
        else:
            self._probed = True
            self.ask(
                a.DEVICE_WATCHDOG, a.BASE_APPLICATION, 0, self._node.origin, self._node.state,
                tell=lambda _: None,
            )  # fmt: skip
        self._after(self._node.timings.watchdog_s, self._watch)
