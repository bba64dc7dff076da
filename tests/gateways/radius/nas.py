"""A RADIUS service on a store, and clients of it: they make and verify packets with pyrad, and
speak through sockets of their own."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop
from pyrad.packet import (
    AccountingRequest,
    AcctPacket,
    AuthPacket,
    CoAPacket,
    DisconnectACK,
    Packet,
)

from talktime.config_gateways import Listen
from talktime.core.commands import ExpireHold
from talktime.core.peers import RADIUS, Peer
from talktime.engine.engine import Engine
from talktime.gateways.radius.attributes import Attribute, Status
from talktime.gateways.radius.disconnects import Pace
from talktime.gateways.radius.gateway import RadiusGateway
from talktime.operations.execute import execute
from talktime.operations.keys import find_switch
from talktime.operations.peers import NewPeer, create_peer
from talktime.operations.sealing import Seal
from talktime.operations.seed_demo import SWITCH, Demo
from tests.loopback import family_of, place_at
from tests.served import SOURCES, clock_ms, engine_of, new_id, seeded
from tests.stores import Store

PATIENCE_S = 20
SILENCE_S = 0.3
SECRET = "correct-horse-battery"
QUICK = Pace(first_s=0.2, longest_s=0.4, tries=3, again_s=0.2)
NUMBERS = {
    *("ACCT_STATUS_TYPE", "ACCT_DELAY_TIME", "ACCT_SESSION_TIME", "ACCT_TERMINATE_CAUSE"),
    *("EVENT_TIMESTAMP", "ERROR_CAUSE"),
}


def udp(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A socket on a port, 0 for any free one."""
    made = socket.socket(family_of(host), socket.SOCK_DGRAM)
    made.bind(place_at(host, port))
    made.settimeout(PATIENCE_S)
    return made


def add_client(store: Store, name: str, address: str, **more: Any) -> Peer:
    """Make a client known; of the demo's switch."""
    control = store.control()
    asked = NewPeer(RADIUS, name, addresses=[address], **{"secret": SECRET, **more})
    with control.transaction():
        switch = find_switch(control, SWITCH)
        made = create_peer(
            *(control, Seal(store.settings.seal_keys()), switch, asked),
            now_ms=clock_ms(),
            next_id=new_id,
        )
    assert isinstance(made, Peer), made
    return made


class RadiusService:
    """An engine with the gateway before it, on an event loop in a thread."""

    def __init__(
        self,
        store: Store,
        demo: Demo,
        sources: Any = SOURCES,
        listen: str = "127.0.0.1",
        **more: Any,
    ) -> None:
        self.demo = demo
        self.engine: Engine = engine_of(store, sources)
        auth, acct = udp(listen), udp(listen)
        self.sockets = [auth, acct]
        self.auth, self.acct = auth.getsockname()[:2], acct.getsockname()[:2]
        for each in (auth, acct):
            each.setblocking(False)
        self.gateway = RadiusGateway(self.engine, auth, acct, QUICK, **more)
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="radius")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        await self.engine.start()
        await self.gateway.start()
        self._started.set()
        await self._stop.wait()
        await self.gateway.stop()
        await self.engine.stop()

    def start(self) -> None:
        """Serve; returns when packets are taken."""
        self._thread.start()
        assert self._started.wait(PATIENCE_S)

    def stop_soon(self) -> None:
        """Begin to stop in order."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def stop(self) -> None:
        """Stop in order, and wait for the end."""
        if self._thread.is_alive():
            self.stop_soon()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        for each in self.sockets:
            each.close()

    def until(self, condition: Any) -> None:
        """Wait until the engine's caches make this true."""
        with self.engine.refreshed:
            assert self.engine.refreshed.wait_for(condition, PATIENCE_S)

    def counted(self, message: str, result: str) -> int:
        """How many packets came to this."""
        return self.engine.messages.counts.get(("radius", message, result), 0)


@contextmanager
def radius_service(store: Store, demo: Demo | None = None, **more: Any) -> Iterator[RadiusService]:
    """A running service, with the demo seeded unless it was before."""
    service = RadiusService(store, demo or seeded(store), **more)
    service.start()
    try:
        yield service
    finally:
        service.stop()


class Nas:
    """A client: what it calls itself, where its packets come from."""

    def __init__(
        self,
        service: RadiusService,
        identifier: str = "nas-1",
        host: str = "127.0.0.1",
        secret: str = SECRET,
    ) -> None:
        self.service, self.host = service, host
        self.identifier = identifier
        self.secret = secret.encode()
        self.socket = udp(host)
        service.sockets.append(self.socket)
        self.class_: bytes | None = None

    def ask(self, **attributes: Any) -> Packet | None:
        """Send an Access-Request for a call of the demo's caller."""
        demo = self.service.demo
        said = {"CALLING_STATION_ID": demo.caller, "CALLED_STATION_ID": demo.callee, **attributes}
        answer = self.exchange(self.access(**said))
        if answer is not None and Attribute.CLASS in answer:
            self.class_ = answer[Attribute.CLASS][0]
        return answer

    def access(self, **attributes: Any) -> AuthPacket:
        """An Access-Request, signed."""
        packet = AuthPacket(secret=self.secret)
        packet.add_message_authenticator()
        return self._filled(packet, attributes)

    def account(self, status: Status, session: str = "c1", **attributes: Any) -> Packet | None:
        """Send an Accounting-Request."""
        return self.exchange(self.accounting(status, session, **attributes))

    def accounting(self, status: Status, session: str = "c1", **attributes: Any) -> AcctPacket:
        """An Accounting-Request."""
        said = {"ACCT_STATUS_TYPE": status, "ACCT_SESSION_ID": session, "CLASS": self.class_}
        return self._filled(AcctPacket(secret=self.secret), {**said, **attributes})

    def exchange(self, packet: Packet) -> Packet | None:
        """Send a packet, and read its answer, verified; None where none comes."""
        self.send(packet)
        while True:
            data = self.receive()
            if data is None:
                return None
            answer = packet.CreateReply(packet=data)
            if answer.id == packet.id:
                assert packet.VerifyReply(answer, enforce_ma=True)
                return answer

    def send(self, packet: Packet) -> None:
        """Send a packet to the port that it is for."""
        service = self.service
        to = service.acct if packet.code == AccountingRequest else service.auth
        host = self.host if to[0] == "::" else to[0]
        self.socket.sendto(packet.RequestPacket(), place_at(host, to[1]))

    def receive(self, within_s: float = PATIENCE_S) -> bytes | None:
        """The next packet; None where none comes."""
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(4096)
        except TimeoutError:
            return None

    def _filled(self, packet: Any, attributes: dict[str, Any]) -> Any:
        for name, value in {"NAS_IDENTIFIER": self.identifier, **attributes}.items():
            if value is None or value == "":
                continue
            if name in NUMBERS:
                value = struct.pack("!I", value)
            packet[int(Attribute[name])] = [value.encode() if isinstance(value, str) else value]
        return packet


class Listener:
    """Where a client takes Disconnect-Requests."""

    def __init__(self, secret: str = SECRET, host: str = "127.0.0.1", port: int = 0) -> None:
        self.socket = udp(host, port)
        self.sender: Any = None
        self.place = str(Listen(host, self.socket.getsockname()[1]))
        self.secret = secret.encode()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def receive(self, within_s: float = PATIENCE_S) -> CoAPacket | None:
        """The next request, verified; None where none comes."""
        self.socket.settimeout(within_s)
        try:
            data, self.sender = self.socket.recvfrom(4096)
        except TimeoutError:
            return None
        packet = CoAPacket(secret=self.secret, packet=data)
        assert packet.VerifyCoARequest()
        assert packet.verify_message_authenticator()
        return packet

    def answer(
        self, packet: CoAPacket, code: int = DisconnectACK, cause: int | None = None
    ) -> None:
        """Answer a request."""
        reply = packet.CreateReply()
        reply.code = code
        if cause is not None:
            reply[int(Attribute.ERROR_CAUSE)] = [struct.pack("!I", cause)]
        self.socket.sendto(reply.ReplyPacket(), self.sender)


def seconds(answer: Packet | None) -> int:
    """How long an Access-Accept lets talk."""
    assert answer is not None
    assert answer.code == 2, answer.get(Attribute.REPLY_MESSAGE)
    return int.from_bytes(answer[Attribute.SESSION_TIMEOUT][0], "big")


def message(answer: Packet | None) -> str:
    """Why an Access-Reject says no."""
    assert answer is not None
    assert answer.code == 3
    return answer[Attribute.REPLY_MESSAGE][0].decode()


def usage(store: Store) -> list[tuple[Any, ...]]:
    """The usage records: seconds, charge in micros, why the call ended."""
    found = []
    for name in store.cells:
        cell = store.cell(name)
        with cell.reading():
            found += cell.rows("SELECT used_s, charge_micros, cause FROM usage_record ORDER BY id")
    return [tuple(row) for row in found]


def calls(store: Store) -> list[tuple[Any, ...]]:
    """The calls: key, state, seconds reported, seconds granted."""
    found = []
    for name in store.cells:
        cell = store.cell(name)
        with cell.reading():
            found += cell.rows(
                "SELECT call_key, state, reported_s, granted_s FROM call ORDER BY id"
            )
    return [tuple(row) for row in found]


def expire(store: Store, call_key: str, after_ms: int = 400_000) -> None:
    """Close a call as its job does when so much more time has passed."""
    cell = store.cell()
    with cell.transaction():
        [(switch_id, owner)] = cell.rows(
            "SELECT switch_id, organisation_id FROM call WHERE call_key = ?", [call_key]
        )
        execute(cell, [ExpireHold(switch_id, call_key, owner)], clock_ms() + after_ms, new_id)


def leave(store: Store, micros: int) -> None:
    """Let the wallet have so much."""
    cell = store.cell()
    with cell.transaction():
        [(lots,)] = cell.rows("SELECT COUNT(*) FROM lot")
        each = micros // lots
        cell.run(
            "UPDATE lot SET remaining_micros = "
            "CASE WHEN held_micros > ? THEN held_micros ELSE ? END",
            [each, each],
        )
        cell.run(
            "UPDATE wallet SET version = version + 1, "
            "balance_micros = (SELECT SUM(remaining_micros) FROM lot)"
        )
