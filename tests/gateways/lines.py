"""Connections byte by byte: a client's socket, and the protocol on a transport of its own."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from uvicorn.config import Config
from uvicorn.server import ServerState

from talktime.gateways.http.app import ChargingApi, create_app
from talktime.gateways.http.protocol import PortProtocol, protocol_of
from talktime.operations.seed_demo import Demo
from tests.served import Service, engine_of, seeded
from tests.stores import Store

PATIENCE_S = 30


def body_of_authorize(demo: Demo) -> bytes:
    """What asks for a call of the demo's caller."""
    asked = {"sequence": 0, "type": "user_out", "from": demo.caller, "to": demo.callee}
    return json.dumps(asked).encode()


class Line:
    """One connection, byte by byte."""

    def __init__(self, service: Service, to: str = "127.0.0.1", source: str = "") -> None:
        here = (source or to, 0)
        self._socket = socket.create_connection((to, service.port), PATIENCE_S, here)
        self._reader = self._socket.makefile("rb")
        self._service = service

    def head(self, path: str, *headers: str, version: str = "1.1", method: str = "POST") -> str:
        """The head of a request with the demo's key."""
        lines = (
            f"{method} {path} HTTP/{version}",
            "Host: localhost",
            f"Authorization: Bearer {self._service.demo.switch_key}",
            *headers,
        )
        return "\r\n".join(lines) + "\r\n\r\n"

    def authorize(self, call_id: str, *headers: str, version: str = "1.1") -> bytes:
        """A whole authorize of the demo's caller."""
        body = self.body()
        head = self.head(
            f"/v1/calls/{call_id}/authorize",
            f"Content-Length: {len(body)}",
            *headers,
            version=version,
        )
        return head.encode() + body

    def body(self) -> bytes:
        """The body of an authorize."""
        return body_of_authorize(self._service.demo)

    def send(self, data: bytes | str) -> None:
        """Send these bytes."""
        self._socket.sendall(data if isinstance(data, bytes) else data.encode())

    def text(self) -> str:
        """The body of the next answer."""
        _, headers, _ = self.answer(with_body=False)
        return self._reader.read(int(headers["content-length"])).decode()

    def answer(self, with_body: bool = True) -> tuple[int, dict[str, str], Any]:
        """The next answer: status, headers, JSON."""
        status = int(self._reader.readline().split()[1])
        headers = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        content = self._reader.read(int(headers.get("content-length", 0))) if with_body else b""
        return status, headers, json.loads(content) if content else None

    def send_no_more(self) -> None:
        """Half-close: the client still reads."""
        self._socket.shutdown(socket.SHUT_WR)

    def ended(self) -> bool:
        """Whether the service closed the connection, and sent nothing more."""
        return self._reader.read() == b""

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._socket.close()


@contextmanager
def line(service: Service, **where: str) -> Iterator[Line]:
    """A connection to the service, closed at the end."""
    connection = Line(service, **where)
    try:
        yield connection
    finally:
        connection.close()


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.wrote = asyncio.Event()
        self.closed = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += data
        self.wrote.set()

    def statuses(self) -> list[bytes]:
        """Of the answers that were written."""
        return re.findall(rb"HTTP/1\.1 (\d+) ", self.written)

    def close(self) -> None:
        self.closed.set()

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Wired(NamedTuple):
    """A protocol and the ends it is tied to."""

    protocol: PortProtocol
    pipe: Pipe
    api: ChargingApi
    demo: Demo

    def receive(self, data: bytes) -> None:
        """Let the protocol have these bytes in one read; BEARER stands for the demo's key."""
        bearer = f"Authorization: Bearer {self.demo.switch_key}".encode()
        self.protocol.data_received(data.replace(b"BEARER", bearer))

    def authorize(self, call_id: bytes) -> bytes:
        """A whole authorize of the demo's caller."""
        body = body_of_authorize(self.demo)
        head = b"POST /v1/calls/%s/authorize HTTP/1.1\r\nBEARER\r\nContent-Length: %d\r\n\r\n"
        return head % (call_id, len(body)) + body

    async def until_closed(self) -> None:
        """Return when the protocol has closed its transport."""
        await asyncio.wait_for(self.pipe.closed.wait(), PATIENCE_S)


@asynccontextmanager
async def wired(store: Store, **seconds: float) -> AsyncIterator[Wired]:
    """The protocol without a socket; `seconds` are its limits. What is idle is closed at once."""
    demo = seeded(store)
    engine = engine_of(store)
    await engine.start()
    api = create_app(engine)
    config = Config(api, lifespan="off", log_config=None, access_log=False, timeout_keep_alive=0)
    config.load()
    make = protocol_of(api.connections, api.verbs, **seconds)
    protocol = make(config, ServerState(), {}, asyncio.get_running_loop())
    pipe = Pipe()
    protocol.connection_made(pipe)
    try:
        yield Wired(protocol, pipe, api, demo)
    finally:
        protocol.connection_lost(None)
        # No application goes on waiting for who is gone.
        await asyncio.wait_for(asyncio.gather(*protocol.tasks), PATIENCE_S)
        await engine.stop()
