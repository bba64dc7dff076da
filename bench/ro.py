"""Diameter Ro: whole calls over one connection, pipelined, from a process of its own.

The messages are written once by another library than the service's own (python-diameter), in the
form that Kamailio's have; then only what differs is put in its place, so that the client is not
what is measured. That library also reads the first answer of each kind.
"""

import asyncio
import json
import random
import socket
import struct
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import count

import uvloop
from diameter.message import Message
from diameter.message.avp.grouped import (
    ImsInformation,
    RequestedServiceUnit,
    ServiceInformation,
    UsedServiceUnit,
)
from diameter.message.commands import CapabilitiesExchangeRequest, CreditControlRequest

from bench.http import made
from bench.installations import clock_ms
from bench.load import CALLEES, Measured, caller
from talktime.config import Settings
from talktime.core.ids import Ids
from talktime.core.peers import DIAMETER
from talktime.operations.keys import find_switch
from talktime.operations.peers import NewPeer, create_peer
from talktime.operations.sealing import Seal
from talktime.store.database import connect

HOST, REALM = "kamailio.bench.example", "bench.example"
OUR_HOST, OUR_REALM = "charging.bench.example", "talktime.example"
SESSION = "kamailio.bench.example;0000000000;00000000"
INITIAL, UPDATE, TERMINATION = 1, 2, 3
SUCCESS = struct.pack(">III", 268, 0x4000000C, 2001)
AT_ONCE = 256


@dataclass
class RoLoad:
    """What to send: whole calls of `wallets` callers, `at_once` of them at any time."""

    port: int
    seconds: float
    wallets: int
    seed: int = 1
    at_once: int = AT_ONCE


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(port: int) -> dict[str, str]:
    """What makes a service listen for Diameter."""
    return {
        "TALKTIME_DIAMETER_LISTEN": f"127.0.0.1:{port}",
        "TALKTIME_DIAMETER_IDENTITY": OUR_HOST,
        "TALKTIME_DIAMETER_REALM": OUR_REALM,
    }


def add_peer(settings: Settings) -> None:
    """Let the client charge as the bench's switch."""
    with closing(connect(settings.control_plane)) as control, control.transaction():
        made(
            create_peer(
                control,
                Seal(settings.seal_keys()),
                made(find_switch(control, "bench")),
                NewPeer(DIAMETER, HOST, REALM, ("127.0.0.1",)),
                now_ms=clock_ms(),
                next_id=Ids(2, clock_ms).next,
            )
        )


def measure(load: RoLoad) -> Measured:
    """Send a load from a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.ro", json.dumps(asdict(load))],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if ran.returncode != 0:
        raise RuntimeError(ran.stderr[-2_000:])
    return Measured(**json.loads(ran.stdout))


def capabilities() -> bytes:
    """The first message."""
    asked = CapabilitiesExchangeRequest()
    asked.origin_host, asked.origin_realm = HOST.encode(), REALM.encode()
    asked.host_ip_address, asked.vendor_id, asked.product_name = ["127.0.0.1"], 0, "bench"
    asked.auth_application_id = [4]
    return asked.as_bytes()


def credit(kind: int, number: int, asked_s: int, used_s: int) -> bytes:
    """A Credit-Control-Request as Kamailio's ims_charging writes it, with fields to be filled
    in."""
    asked = CreditControlRequest()
    asked.header.is_proxyable, asked.header.application_id = True, 4
    asked.session_id = SESSION
    asked.origin_host, asked.origin_realm = HOST.encode(), REALM.encode()
    asked.destination_realm, asked.destination_host = OUR_REALM.encode(), OUR_HOST.encode()
    asked.auth_application_id, asked.service_context_id = 4, "ext.01.001.8.32260@3gpp.org"
    asked.cc_request_type, asked.cc_request_number = kind, number
    asked.add_subscription_id(2, f"sip:{caller(0)}@127.0.0.1:5080")
    asked.add_multiple_services_credit_control(
        requested_service_unit=RequestedServiceUnit(cc_time=asked_s) if asked_s else None,
        used_service_unit=[UsedServiceUnit(cc_time=used_s)] if used_s else [],
        service_identifier=[1000],
        rating_group=100,
    )
    ims = ImsInformation(role_of_node=0, node_functionality=6, user_session_id="1@127.0.0.1")
    ims.calling_party_address = [f"sip:{caller(0)}@127.0.0.1:5080"]
    ims.called_party_address = f"sip:{CALLEES[0]}@127.0.0.1"
    asked.service_information = ServiceInformation(ims_information=ims)
    return asked.as_bytes()


class Client(asyncio.Protocol):
    """One connection with many calls at once, each of three requests."""

    STEPS = (
        credit(INITIAL, 0, 300, 0),
        credit(UPDATE, 1, 300, 290),
        credit(TERMINATION, 2, 0, 141),
    )

    def __init__(self, load: RoLoad) -> None:
        self.load = load
        self.chance = random.Random(load.seed)
        self.numbers = count(1)
        self.calls: dict[int, tuple[int, bytes, bytes, bytes, float]] = {}
        self.rest = b""
        self.latencies_s: list[float] = []
        self.looked_at: set[int] = set()
        self.stop_at = self.started = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(capabilities())  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the service has closed"))

    def data_received(self, data: bytes) -> None:
        data, at = self.rest + data, 0
        out: list[bytes] = []
        while len(data) - at >= 20:
            length = int.from_bytes(data[at + 1 : at + 4], "big")
            if len(data) - at < length:
                break
            self.take(data[at : at + length], out)
            at += length
        self.rest = data[at:]
        if out:
            self.transport.write(b"".join(out))  # type: ignore[attr-defined]

    def take(self, answer: bytes, out: list[bytes]) -> None:
        """Send the next request of the answered call, or begin another call."""
        if SUCCESS not in answer:
            self.fail(answer)
            return
        if answer[5:8] == b"\0\1\1":
            self.started = time.perf_counter()
            self.stop_at = self.started + self.load.seconds
            out += [self.begin() for _ in range(self.load.at_once)]
            return
        now = time.perf_counter()
        step, session, calling, called, sent = self.calls.pop(int.from_bytes(answer[12:16], "big"))
        if step not in self.looked_at:
            self.look_at(step, answer)
        self.latencies_s.append(now - sent)
        if now >= self.stop_at:
            if not self.calls and not self.done.done():
                self.done.set_result(None)
        elif step < 2:
            out.append(self.request(step + 1, session, calling, called))
        else:
            out.append(self.begin())

    def look_at(self, step: int, answer: bytes) -> None:
        """Read an answer with the other library, once for each kind."""
        self.looked_at.add(step)
        read = Message.from_bytes(answer)
        assert read.result_code == 2001, read
        if step < 2:
            service = read.multiple_services_credit_control[0]
            assert service.granted_service_unit.cc_time >= 300, service

    def fail(self, answer: bytes) -> None:
        """Stop at the first answer that is no success."""
        if not self.done.done():
            self.done.set_exception(RuntimeError(repr(Message.from_bytes(answer).avps)))

    def begin(self) -> bytes:
        """The first request of a new call."""
        number = next(self.numbers)
        session = f"kamailio.bench.example;{self.load.seed:010};{number:08}".encode()
        calling = caller(self.chance.randrange(self.load.wallets) + 1).encode()
        return self.request(0, session, calling, self.chance.choice(CALLEES).encode())

    def request(self, step: int, session: bytes, calling: bytes, called: bytes) -> bytes:
        """The request of a step, with what differs in its place."""
        hop = next(self.numbers)
        self.calls[hop] = (step, session, calling, called, time.perf_counter())
        body = self.STEPS[step][20:].replace(SESSION.encode(), session, 1)
        body = body.replace(caller(0).encode(), calling).replace(CALLEES[0].encode(), called)
        return self.STEPS[step][:12] + struct.pack(">II", hop, hop) + body


async def run(load: RoLoad) -> Measured:
    """Send the whole load."""
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(lambda: Client(load), "127.0.0.1", load.port)
    await client.done
    elapsed_s = time.perf_counter() - client.started
    transport.close()
    ordered = sorted(client.latencies_s)
    rate = len(ordered) / elapsed_s
    return Measured(
        rate, rate, ordered[len(ordered) // 2] * 1_000, ordered[len(ordered) * 99 // 100] * 1_000
    )


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(run(RoLoad(**json.loads(sys.argv[1])))))))
