"""Requests as they come over a connection. Mirrors src/talktime/gateways/http/protocol.py."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from talktime.core.limits import BODY_BYTES_MAX, HEAD_BYTES_MAX
from talktime.gateways.http.app import create_app
from talktime.gateways.http.protocol import protocol_of
from tests.served import Service, engine_of, rows_of_books, seeded
from tests.stores import Store

PATIENCE_S = 30


class Line:
    """One connection, byte by byte."""

    def __init__(self, service: Service) -> None:
        where = urlsplit(service.url)
        self._socket = socket.create_connection((where.hostname, where.port), PATIENCE_S)
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
        demo = self._service.demo
        asked = {"sequence": 0, "type": "user_out", "from": demo.caller, "to": demo.callee}
        return json.dumps(asked).encode()

    def send(self, data: bytes | str) -> None:
        """Send these bytes."""
        self._socket.sendall(data if isinstance(data, bytes) else data.encode())

    def answer(self, with_body: bool = True) -> tuple[int, dict[str, str], Any]:
        """The next answer: status, headers, JSON."""
        status = int(self._reader.readline().split()[1])
        headers = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        content = self._reader.read(int(headers.get("content-length", 0))) if with_body else b""
        return status, headers, json.loads(content) if content else None

    def ended(self) -> bool:
        """Whether the service closed the connection, and sent nothing more."""
        return self._reader.read() == b""

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._socket.close()


@contextmanager
def line(service: Service) -> Iterator[Line]:
    """A connection to the service, closed at the end."""
    connection = Line(service)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.layouts("sqlite")
def test_a_connection_carries_one_request_after_another(service: Service) -> None:
    with line(service) as connection:
        for call_id in ("a", "b%20c", "d"):
            connection.send(connection.authorize(call_id))
            status, headers, granted = connection.answer()
            assert (status, granted["decision"]) == (200, "granted")
            assert headers["content-type"] == "application/json"
            assert "date" in headers
        connection.send(connection.head("/healthz", method="GET"))
        assert connection.answer()[2] == {"status": "ok"}
        connection.send(connection.authorize("a"))
        assert connection.answer()[1]["idempotent-replayed"] == "true"


@pytest.mark.layouts("sqlite")
def test_requests_sent_without_waiting_are_answered_in_their_order(service: Service) -> None:
    with line(service) as connection:
        names = [f"p{number}" for number in range(20)]
        health = connection.head("/healthz", method="GET").encode()
        connection.send(b"".join(connection.authorize(name) + health for name in names))
        for name in names:
            assert connection.answer()[2]["call_id"] == name
            assert connection.answer()[2] == {"status": "ok"}


@pytest.mark.layouts("sqlite")
def test_a_request_may_come_in_pieces_and_in_chunks(service: Service) -> None:
    with line(service) as connection:
        for byte in connection.authorize("bytes"):
            connection.send(bytes([byte]))
        assert connection.answer()[0] == 200
        body = connection.body()
        connection.send(connection.head("/v1/calls/chunks/authorize", "Transfer-Encoding: chunked"))
        for at in range(0, len(body), 7):
            piece = body[at : at + 7]
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send("0\r\n\r\n")
        assert connection.answer()[2]["call_id"] == "chunks"


@pytest.mark.layouts("sqlite")
def test_who_expects_to_be_told_to_continue_is_told(service: Service) -> None:
    with line(service) as connection:
        whole = connection.authorize("careful", "Expect: 100-continue")
        head, _, body = whole.partition(b"\r\n\r\n")
        connection.send(head + b"\r\n\r\n")
        assert connection.answer()[0] == 100
        connection.send(body)
        assert connection.answer()[2]["call_id"] == "careful"


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("version", "headers"), [("1.0", ()), ("1.1", ("Connection: close",))], ids=["1.0", "close"]
)
def test_a_connection_that_is_not_kept_is_closed_after_the_answer(
    service: Service, version: str, headers: tuple[str, ...]
) -> None:
    with line(service) as connection:
        connection.send(connection.authorize("last", *headers, version=version))
        status, answered, granted = connection.answer()
        assert (status, granted["call_id"]) == (200, "last")
        assert answered["connection"] == "close"
        assert connection.ended()


@pytest.mark.layouts("sqlite")
def test_a_refused_key_or_a_body_too_large_is_answered_before_the_body_has_come(
    service: Service, store: Store
) -> None:
    before = rows_of_books(store)
    path, length = "/v1/calls/large/authorize", 2 * BODY_BYTES_MAX
    with line(service) as connection:
        connection.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
        assert connection.answer()[0] == 401
        connection.send(b" " * length)
        connection.send(connection.head(path, f"Content-Length: {length}"))
        connection.send(b" " * (length - 1))
        status, _, refused = connection.answer()
        assert (status, refused["code"], refused["call_id"]) == (413, "body_too_large", "large")
        connection.send(b" ")
        connection.send(connection.head("/healthz", method="GET"))
        assert connection.answer()[0] == 200
    assert rows_of_books(store) == before


@pytest.mark.layouts("sqlite")
def test_what_is_no_http_or_has_a_head_without_end_is_refused(service: Service) -> None:
    for sent in ("nonsense\r\n\r\n", "GET /healthz HTTP/1.1\r\nX: " + "x" * (HEAD_BYTES_MAX + 1)):
        with line(service) as connection:
            connection.send(sent)
            assert int(connection._reader.readline().split()[1]) == 400


@pytest.mark.layouts("sqlite")
def test_a_query_and_another_method_are_as_good_as_ever(service: Service) -> None:
    with line(service) as connection:
        whole = connection.authorize("asked").replace(b"/authorize ", b"/authorize?x=1 ", 1)
        connection.send(whole)
        assert connection.answer()[2]["call_id"] == "asked"
        connection.send(connection.head("/v1/calls/asked/settle", method="OPTIONS"))
        status, headers, _ = connection.answer()
        assert (status, headers["allow"]) == (204, "POST, OPTIONS")


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed.set()

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


HALF_A_BODY = (
    b"POST /v1/calls/slow/settle HTTP/1.1\r\nContent-Length: 9\r\n"
    b"Authorization: Bearer KEY\r\n\r\n{"
)


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /v1/calls/slow/settle HTTP/1.1\r\nHost: x\r\nAuthor", b"408"),
        (b"GET / HTTP/1.1\r\nHost", b"408"),
        (HALF_A_BODY, b"408"),
        (b"", b""),
    ],
    ids=["head", "head of a page", "body", "silence"],
)
def test_what_does_not_come_whole_is_not_waited_for_for_ever(
    store: Store, sent: bytes, status: bytes
) -> None:
    async def wait() -> bytes:
        key = seeded(store).switch_key.encode()
        engine = engine_of(store)
        await engine.start()
        api = create_app(engine)
        config = Config(api, lifespan="off", log_config=None, timeout_keep_alive=0)
        config.load()
        make = protocol_of(api.verbs, request_s=0.01)
        protocol = make(config, ServerState(), {}, asyncio.get_running_loop())
        pipe = Pipe()
        protocol.connection_made(pipe)
        if sent:
            protocol.data_received(sent.replace(b"KEY", key))
        await asyncio.wait_for(pipe.closed.wait(), PATIENCE_S)
        protocol.connection_lost(None)
        await engine.stop()
        return pipe.written

    written = asyncio.run(wait())
    assert written[9:12] == status
    if status:
        assert b"connection: close" in written
        assert b'"code":"request_timeout"' in written
