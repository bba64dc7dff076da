"""Requests as they come over a connection. Mirrors src/talktime/gateways/http/protocol.py."""

import asyncio
import re

import pytest

from talktime.core.limits import BODY_BYTES_MAX, HEAD_BYTES_MAX
from tests.gateways.lines import line, wired
from tests.served import Service, rows_of_books
from tests.stores import Store


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
        status, headers, _ = connection.answer()
        assert (status, headers["connection"]) == (401, "close")
        connection.send(b" " * length)
        assert connection.ended()
    with line(service) as connection:
        connection.send(connection.head(path, f"Content-Length: {length}"))
        connection.send(b" " * (length - 1))
        status, headers, refused = connection.answer()
        assert (status, refused["code"], refused["call_id"]) == (413, "body_too_large", "large")
        assert headers["connection"] == "close"
        connection.send(b" ")
        assert connection.ended()
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


@pytest.mark.layouts("sqlite")
def test_a_refused_request_that_came_whole_leaves_the_connection_open(store: Store) -> None:
    body = b"Content-Length: %d\r\n\r\n%s"
    small, large = body % (1, b"{"), body % (BODY_BYTES_MAX + 1, b" " * (BODY_BYTES_MAX + 1))

    async def ask() -> list[bytes]:
        async with wired(store) as wire:
            wire.receive(
                b"POST /v1/calls/a/settle HTTP/1.1\r\n" + small
                + b"POST /v1/calls/%zz/settle HTTP/1.1\r\nBEARER\r\n" + small
                + b"POST /v1/calls/c/settle HTTP/1.1\r\nBEARER\r\n" + large
            )  # fmt: skip
            assert not wire.pipe.closed.is_set()
            return wire.pipe.statuses()

    assert asyncio.run(ask()) == [b"401", b"422", b"413"]


SETTLE = b"POST /v1/calls/slow/settle HTTP/1.1\r\n"
HALF_A_BODY = b"Content-Length: 90000\r\n\r\n{"


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (SETTLE + b"Host: x\r\nAuthor", b"408"),
        (b"GET / HTTP/1.1\r\nHost", b"408"),
        (SETTLE + b"BEARER\r\n" + HALF_A_BODY, b"408"),
        (b"POST /v1/calls:batch HTTP/1.1\r\nBEARER\r\n" + HALF_A_BODY, b"408"),
        (b"POST /v1/quotes HTTP/1.1\r\nBEARER\r\n" + HALF_A_BODY, b"408"),
        (b"", b""),
    ],
    ids=["head", "head of a page", "body", "body of a batch", "body of a quote", "silence"],
)
def test_what_does_not_come_whole_is_not_waited_for_for_ever(
    store: Store, sent: bytes, status: bytes
) -> None:
    async def wait() -> bytes:
        async with wired(store, request_s=0.01, upload_s=0.01) as wire:
            if sent:
                wire.receive(sent)
            await wire.until_closed()
            return wire.pipe.written

    written = asyncio.run(wait())
    assert written[9:12] == status
    if status:
        assert b"connection: close" in written
        assert b'"code":"request_timeout"' in written


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (SETTLE + HALF_A_BODY, b"401"),
        (b"POST /v1/calls/%zz/settle HTTP/1.1\r\nBEARER\r\n" + HALF_A_BODY, b"422"),
        (SETTLE + b"BEARER\r\n" + HALF_A_BODY + b" " * BODY_BYTES_MAX, b"413"),
        (b"POST /nowhere HTTP/1.1\r\n" + HALF_A_BODY, b"404"),
    ],
    ids=["key", "call_id", "size", "address"],
)
def test_who_was_answered_early_and_sends_no_more_is_closed_without_a_second_answer(
    store: Store, sent: bytes, status: bytes
) -> None:
    async def wait() -> tuple[list[bytes], bytes]:
        async with wired(store, request_s=0.01, upload_s=0.01) as wire:
            wire.receive(sent)
            await wire.until_closed()
            return wire.pipe.statuses(), (await wire.api._metrics({}, None, b"")).body

    statuses, metrics = asyncio.run(wait())
    assert statuses == [status]
    assert b'code="request_timeout"' not in metrics


@pytest.mark.layouts("sqlite")
def test_a_connection_whose_body_came_after_the_answer_is_closed_when_it_is_idle(
    store: Store,
) -> None:
    async def wait() -> list[bytes]:
        async with wired(store) as wire:
            wire.receive(b"POST /nowhere HTTP/1.1\r\nContent-Length: 2\r\n\r\n{")
            while not wire.pipe.written:
                await asyncio.wait_for(wire.pipe.wrote.wait(), 30)
            wire.receive(b"}")
            await wire.until_closed()
            return wire.pipe.statuses()

    assert asyncio.run(wait()) == [b"404"]


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize("piece", [b"a: " + b"b" * 1_000 + b"\r\n", b"b" * 1_000])
@pytest.mark.parametrize(
    ("path", "statuses"),
    [(b"/v1/calls/a/settle", [b"401"]), (b"/v1/quotes", []), (b"/healthz", [])],
)
def test_trailers_without_end_are_not_kept(
    store: Store, path: bytes, statuses: list[bytes], piece: bytes
) -> None:
    async def send() -> tuple[int, list[bytes]]:
        async with wired(store) as wire:
            wire.receive(b"POST " + path + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            wire.receive(b"0\r\na: ")
            sent = 0
            while sent < 2 * HEAD_BYTES_MAX and not wire.pipe.closed.is_set():
                wire.receive(piece)
                sent += len(piece)
            assert wire.protocol.headers == [(b"transfer-encoding", b"chunked")]
            return sent, wire.pipe.statuses()

    sent, answered = asyncio.run(send())
    assert HEAD_BYTES_MAX - 2_000 < sent < HEAD_BYTES_MAX + 2_000
    assert answered == (statuses or [b"400"])


@pytest.mark.layouts("sqlite")
def test_a_head_has_its_maximum_however_it_comes(store: Store) -> None:
    async def answers(*reads: bytes) -> bytes:
        async with wired(store) as wire:
            for read in reads:
                wire.receive(read)
            await wire.until_closed()
            return wire.pipe.written

    begin = b"GET /healthz HTTP/1.1\r\nX: "
    large = begin + b"x" * 70_000 + b"\r\n\r\n"
    for reads in ([large], [large[:40_000], large[40_000:]], [large[:-4]]):
        written = asyncio.run(answers(*reads))
        assert written[9:12] == b"400"
        assert written.endswith(b"The head of the request is too large.")
    just = begin + b"x" * (HEAD_BYTES_MAX - 100) + b"\r\n\r\n"
    assert asyncio.run(answers(just[:40_000], just[40_000:]))[9:12] == b"200"


@pytest.mark.layouts("sqlite")
def test_what_came_before_a_head_in_one_read_is_no_part_of_it(service: Service) -> None:
    batch = b'{"requests":[' + b" " * 93_000 + b"]}"
    with line(service) as connection:
        head = connection.head("/v1/calls:batch", f"Content-Length: {len(batch)}").encode()
        whole = connection.authorize("after")
        connection.send(head + batch + whole[:50])
        assert connection.answer()[2] == {"answers": []}
        connection.send(whole[50:])
        assert connection.answer()[2]["call_id"] == "after"
        names = [f"many{number}" for number in range(1_000)]
        connection.send(b"".join(connection.authorize(name) for name in names))
        assert [connection.answer()[2]["call_id"] for _ in names] == names


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    "after",
    [
        b"\x00\r\n\r\n",
        b"POST /v1/quotes HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"GET /healthz HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n",
    ],
    ids=["no HTTP", "a broken body", "a head too large"],
)
def test_what_cannot_be_read_does_not_take_the_place_of_an_answer_that_is_due(
    store: Store, after: bytes
) -> None:
    async def answers(*requests: bytes) -> bytes:
        async with wired(store) as wire:
            asked = b"".join(wire.authorize(r) if r.isalpha() else r for r in requests)
            wire.receive(asked + after)
            await wire.until_closed()
            return wire.pipe.written

    health = b"GET /healthz HTTP/1.1\r\n\r\n"
    for requests in ([b"a"], [b"b", health, b"c"], [b"d", health], [health]):
        written = asyncio.run(answers(*requests))
        assert re.findall(rb"HTTP/1\.1 (\d+) ", written) == [b"200"] * len(requests)
        names = [request for request in requests if request != health]
        assert re.findall(rb'"call_id":"(.)"', written) == names
        assert written.rpartition(b"HTTP/1.1")[2].count(b"connection: close") == 1
    assert store.cell().rows("SELECT COUNT(*) FROM call WHERE state = 'open'") == [(4,)]


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize("rest", [b"", b"POST /v1/quotes HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"])
def test_who_sends_no_more_still_gets_the_answers_that_are_due(
    service: Service, rest: bytes
) -> None:
    with line(service) as connection:
        health = connection.head("/healthz", method="GET").encode()
        connection.send(connection.authorize("a") + health + connection.authorize("b") + rest)
        connection.send_no_more()
        assert connection.answer()[2]["call_id"] == "a"
        assert connection.answer()[2] == {"status": "ok"}
        assert connection.answer()[2]["call_id"] == "b"
        assert connection.ended()
    with line(service) as connection:
        connection.send(connection.authorize("c"))
        connection.send_no_more()
        assert connection.answer()[2]["call_id"] == "c"
        assert connection.ended()
