"""The RADIUS gateway: two ports, who may speak to them, and what becomes of a packet."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from pyrad.packet import PacketError

from talktime.core.addresses import plain_address
from talktime.core.limits import RADIUS_PENDING_MAX, RADIUS_TELLING_MAX
from talktime.core.peers import Peer
from talktime.engine.engine import Engine
from talktime.gateways.complaints import Complaints
from talktime.gateways.radius.access import Access
from talktime.gateways.radius.accounting import Accounting
from talktime.gateways.radius.asking import NotDecided
from talktime.gateways.radius.disconnects import PACE, Disconnects, Pace
from talktime.gateways.radius.lines import Lines
from talktime.gateways.radius.memory import Answers, Sender, Sent, sent_by
from talktime.gateways.radius.packets import BadPacket, read_access, read_accounting, whole
from talktime.gateways.radius.sessions import Sessions

log = structlog.get_logger(__name__)

ACCESS, ACCOUNTING = "access", "accounting"
STOP_S_MAX = 20

Read = Callable[[bytes, bytes], Any]
Answer = Callable[[Peer, Any, str], Awaitable[tuple[str, bytes]]]


class RadiusGateway:
    """What clients of RADIUS talk to. Belongs to the event loop that `start` runs on."""

    def __init__(
        self,
        engine: Engine,
        auth: socket.socket | None,
        acct: socket.socket | None,
        pace: Pace = PACE,
        tellings_max: int = RADIUS_TELLING_MAX,
    ) -> None:
        self.engine = engine
        self.complaints = Complaints()
        self.sessions = Sessions()
        self._lines = Lines()
        self.disconnects = Disconnects(engine, self.sessions, self._lines, pace, tellings_max)
        self._sockets = {ACCESS: auth, ACCOUNTING: acct}
        self._doors: list[Door] = []
        self._unlisten: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Begin to take packets from the sockets, which are bound already."""
        access = Access(self.engine, self.sessions, self.disconnects)
        accounting = Accounting(self.engine, self.sessions, self.disconnects)
        doors = {
            ACCESS: Door(self, ACCESS, read_access, access.answer),
            ACCOUNTING: Door(self, ACCOUNTING, read_accounting, accounting.answer),
        }
        await self._lines.open()
        for name, bound in self._sockets.items():
            if bound is not None:
                await doors[name].open(bound)
                self._doors.append(doors[name])
        self._unlisten = self.engine.endings.listen(self.disconnects.ending)
        self.disconnects.ending()

    async def stop(self) -> None:
        """Take nothing more, answer what was taken, close everything."""
        self._unlisten()
        for door in self._doors:
            await door.close()
        self.sessions.close()
        await self.disconnects.close()
        await self._lines.close()


class Door(asyncio.DatagramProtocol):
    """One port. Unknown senders and bad packets get no answer: they are counted, and now and then
    complained about."""

    def __init__(self, gateway: RadiusGateway, name: str, read: Read, answer: Answer) -> None:
        self._gateway = gateway
        self._name = name
        self._read = read
        self._answer = answer
        self._answers = Answers()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport

    async def open(self, bound: socket.socket) -> None:
        """Begin to take packets."""
        self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=bound)

    async def close(self) -> None:
        """Take nothing more, answer what was taken."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S_MAX)
        self._transport.close()
        await self._closed.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The port is closed."""
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """A packet, from wherever."""
        if self._closing:
            return
        sender = Sender(_host(addr), addr[1])
        peer = self._gateway.engine.peers.radius(sender.host)
        try:
            if peer is None:
                raise BadPacket("unknown_client")
            if len(self._tasks) >= RADIUS_PENDING_MAX:
                raise BadPacket("too_many_pending")
            data = whole(data)
            packet = self._read(data, peer.secret.encode())
        except BadPacket as bad:
            self._drop(sender, bad.reason)
            return
        except PacketError:
            self._drop(sender, "unreadable")
            return
        sent = sent_by(sender, self._name == ACCOUNTING, data)
        if self._answers.known(sent, self._loop.time()):
            self._count("sent_again")
            answer = self._answers.answer(sent)
            if answer is not None:
                self._transport.sendto(answer, addr)
            return
        task = self._loop.create_task(self._work(peer, packet, sent, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, peer: Peer, packet: Any, sent: Sent, addr: tuple[Any, ...]) -> None:
        try:
            result, answer = await self._answer(peer, packet, sent.sender.host)
        except BadPacket as bad:
            self._answers.forget(sent)
            self._drop(sent.sender, bad.reason)
            return
        except NotDecided:
            self._answers.forget(sent)
            self._count("not_decided")
            return
        except Exception:
            # Whatever it was: the next packet is another one.
            self._answers.forget(sent)
            self._count("failed")
            log.exception("radius request failed", client=peer.name)
            return
        self._answers.keep(sent, answer)
        self._count(result)
        self._transport.sendto(answer, addr)

    def _drop(self, sender: Sender, reason: str) -> None:
        self._count(reason)
        more = self._gateway.complaints.note(sender.host, reason, self._loop.time())
        if more is not None:  # never with what was in a packet
            log.warning("radius packet dropped", host=sender.host, reason=reason, more=more)

    def _count(self, result: str) -> None:
        self._gateway.engine.messages.add("radius", self._name, result)


def _host(addr: tuple[Any, ...]) -> str:
    """The address that a packet came from, with its zone where it has one: without that, nothing
    can be sent there."""
    plain = plain_address(addr[0])
    return f"{plain}%{addr[3]}" if plain.is_link_local and plain.version == 6 else str(plain)
