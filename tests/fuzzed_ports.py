"""The ports of a running service, each with real messages to damage and a way to send them.

`Port.throw` sends one damaged message and sees to it that the port goes on; `Port.call` makes a
good call, and is true when it was granted.
"""

import json
import socket
from contextlib import suppress
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import urlsplit

from talktime.gateways.radius.attributes import Attribute, Status
from talktime.operations.seed_demo import Demo
from tests.damage import damaged, wrong_lengths
from tests.gateways.diameter import asked
from tests.gateways.radius.nas import Nas

CALLS = 40
WAIT_S = 0.05
PATIENCE_S = 20
DEEP = 20_000


class Port(Protocol):
    """One door of the service."""

    name: str

    def throw(self, chance: Random) -> None:
        """Send one damaged message."""

    def call(self, name: str) -> bool:
        """Whether a good call is granted."""

    def close(self) -> None:
        """Hang up."""


class HttpPort:
    """The charging API."""

    name = "http"

    def __init__(self, url: str, demo: Demo) -> None:
        where = urlsplit(url)
        self._place = (where.hostname or "", where.port or 0)
        self._demo = demo

    def throw(self, chance: Random) -> None:
        """A connection of its own for each: some are cut off in the middle."""
        path, body = self._message(chance)
        if chance.random() < 0.5:
            # The head holds, so that the body is read.
            body = chance.choice((damaged, damaged, self._deep))(chance, body)
            data = self._request(path, body)
        else:
            data = damaged(chance, self._request(path, body))
        self._answer(data, WAIT_S)

    def call(self, name: str) -> bool:
        """Authorized, and settled unanswered."""
        demo = self._demo
        numbers = {"from": demo.caller, "to": demo.callee}
        ask = json.dumps({"sequence": 0, "type": "user_out", **numbers}).encode()
        end = json.dumps({"sequence": 1, "used_seconds": 0}).encode()
        said = [
            self._answer(self._request(f"/v1/calls/{name}/{verb}", body), PATIENCE_S)
            for verb, body in (("authorize", ask), ("settle", end))
        ]
        return all(each.startswith(b"HTTP/1.1 200 ") for each in said)

    def close(self) -> None:
        """Nothing is open."""

    def _message(self, chance: Random) -> tuple[str, bytes]:
        demo, number = self._demo, chance.randrange(CALLS)
        ask = {"sequence": 0, "type": "user_out", "from": demo.caller, "to": demo.callee}
        path, body = chance.choice(
            (
                (f"/v1/calls/asked-{number}/authorize", ask),
                (f"/v1/calls/told-{number}/extend", {"sequence": 1, "used_seconds": 10}),
                (f"/v1/calls/told-{number}/settle", {"sequence": 2, "used_seconds": 60}),
                (f"/v1/calls/told-{number}/answer", {"sequence": 1}),
                ("/v1/quotes", {**ask, "for_seconds": 60}),
                (
                    "/v1/calls:batch",
                    {"requests": [{"request": "authorize", "call_id": f"b-{number}", **ask}]},
                ),
            )
        )
        return path, json.dumps(body).encode()

    def _deep(self, chance: Random, body: bytes) -> bytes:
        """JSON within JSON."""
        depth = chance.randrange(10, DEEP)
        opened, shut = chance.choice(((b"[", b"]"), (b'{"requests":', b"}"), (b'{"to":', b"}")))
        return opened * depth + body + shut * chance.choice((0, depth))

    def _request(self, path: str, body: bytes) -> bytes:
        lines = (
            f"POST {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self._demo.switch_key}",
            "Connection: close",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def _answer(self, data: bytes, within_s: float) -> bytes:
        answer = b""
        with (
            suppress(OSError),
            socket.create_connection(self._place, PATIENCE_S) as line,
        ):
            line.settimeout(within_s)
            line.sendall(data)
            while found := line.recv(65_536):
                answer += found
        return answer


class DiameterPort:
    """Diameter, before the capabilities are exchanged and after."""

    name = "diameter"

    def __init__(self, port: int, demo: Demo) -> None:
        self._place = ("127.0.0.1", port)
        self._demo = demo
        self._line: socket.socket | None = None

    def throw(self, chance: Random) -> None:
        """On the connection that there is, with a watchdog behind it that must be answered, unless
        the service has closed the connection or waits for the rest."""
        if chance.random() < 0.1:
            with suppress(OSError), socket.create_connection(self._place, PATIENCE_S) as line:
                line.sendall(damaged(chance, asked.capabilities().as_bytes()))
            return
        try:
            line = self._connected()
            line.settimeout(WAIT_S)
            line.sendall(damaged(chance, self._message(chance)) + self._watchdog())
            if not line.recv(65_536):
                self.close()
        except OSError:
            self.close()

    def call(self, name: str) -> bool:
        """Granted, and ended unanswered."""
        self.close()
        line = self._connected()
        line.settimeout(PATIENCE_S)
        said = []
        for kind, number in ((asked.INITIAL, 0), (asked.TERMINATION, 1)):
            line.sendall(self._credit(name, kind, number))
            said.append(line.recv(65_536))
        self.close()
        return all((2001).to_bytes(4, "big") in each for each in said)

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _connected(self) -> socket.socket:
        if self._line is None:
            self._line = socket.create_connection(self._place, PATIENCE_S)
            self._line.settimeout(PATIENCE_S)
            self._line.sendall(asked.capabilities().as_bytes())
            if not self._line.recv(65_536):
                raise ConnectionError("the service has closed")
        return self._line

    def _watchdog(self) -> bytes:
        return bytes(asked.watchdog().as_bytes())

    def _message(self, chance: Random) -> bytes:
        number = chance.randrange(CALLS)
        kind = chance.choice((asked.INITIAL, asked.INITIAL, asked.UPDATE, asked.TERMINATION))
        name = f"asked-{number}" if kind == asked.INITIAL else f"told-{number}"
        return self._credit(name, kind, 0 if kind == asked.INITIAL else 1)

    def _credit(self, name: str, kind: int, number: int) -> bytes:
        demo = self._demo
        return bytes(
            asked.credit(
                name, kind, number,
                asked=60 if kind == asked.INITIAL else None,
                used=0 if kind == asked.TERMINATION else None,
                calling=f"tel:{demo.caller}", called=f"tel:{demo.callee}",
            ).as_bytes()
        )  # fmt: skip


class RadiusPort:
    """Both ports of RADIUS: packets that are damaged, and packets that are damaged and then
    signed."""

    name = "radius"

    def __init__(self, auth: int, acct: int, demo: Demo) -> None:
        self._sockets: list[socket.socket] = []
        service: Any = SimpleNamespace(
            demo=demo, auth=("127.0.0.1", auth), acct=("127.0.0.1", acct), sockets=self._sockets
        )
        self._nas, self._other = Nas(service), Nas(service)
        self._service = service

    def throw(self, chance: Random) -> None:
        """Datagrams; every now and then a good one, whose answer is waited for."""
        packet, place = self._message(chance)
        if chance.random() < 0.5:
            self._spoil(chance, packet)
            data = packet.RequestPacket()
        else:
            data = damaged(chance, packet.RequestPacket())
        self._nas.socket.sendto(data[:65_000], place)
        if chance.random() < 0.02:
            assert self._other.account(Status.ACCOUNTING_ON, "on") is not None

    def call(self, name: str) -> bool:
        """Granted, and ended unanswered."""
        nas = Nas(self._service)
        granted = nas.ask(ACCT_SESSION_ID=name)
        ended = nas.account(Status.STOP, name, ACCT_SESSION_TIME=0)
        return granted is not None and granted.code == 2 and ended is not None

    def close(self) -> None:
        """Close the sockets."""
        for each in self._sockets:
            each.close()

    def _message(self, chance: Random) -> tuple[Any, tuple[str, int]]:
        demo, number, nas = self._service.demo, chance.randrange(CALLS), self._nas
        if chance.random() < 0.5:
            numbers = {"CALLING_STATION_ID": demo.caller, "CALLED_STATION_ID": demo.callee}
            return nas.access(ACCT_SESSION_ID=f"asked-{number}", **numbers), self._service.auth
        status = chance.choice((Status.START, Status.INTERIM_UPDATE, Status.STOP))
        packet = nas.accounting(status, f"told-{number}", ACCT_SESSION_TIME=60)
        return packet, self._service.acct

    def _spoil(self, chance: Random, packet: Any) -> None:
        """Other values in some attributes, and attributes that are not expected."""
        for _ in range(chance.randrange(1, 5)):
            attribute = chance.choice((*Attribute, 26, 79, chance.randrange(256)))
            if attribute in (Attribute.MESSAGE_AUTHENTICATOR, Attribute.ACCT_SESSION_ID):
                continue
            value = packet.get(int(attribute), [b"talktime:"])[0]
            value = chance.choice((damaged, wrong_lengths))(chance, value or b"\0")
            packet[int(attribute)] = [value[:253]] * chance.randrange(1, 12)
