"""One client cannot use up the connections of a port. Mirrors
src/talktime/gateways/http/connections.py."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from typing import Any

import pytest
from structlog.testing import capture_logs
from uvicorn.config import Config
from uvicorn.server import ServerState

from talktime.core.limits import HEAD_BYTES_MAX
from talktime.gateways.http.connections import LOOK_AGAIN_S, LOOKS_MAX, NEVER, Connections
from talktime.gateways.http.protocol import protocol_of
from tests.gateways.lines import Line, line
from tests.loopback import SIXES
from tests.served import PATIENCE_S, Service, serving
from tests.stores import Store
from tests.switches.programs import wait_until

HERE, OTHER = "127.0.0.1", "127.0.0.2"
ANSWERED = b"HTTP/1.1 200"
pytestmark = pytest.mark.layouts("sqlite")


@contextmanager
def full(store: Store, most: int, listen: str = HERE) -> Iterator[tuple[Service, list[Line]]]:
    """A service with just as many connections of this address as it may have, each used once, one
    after the other."""
    with serving(store, connections=Connections(most), listen=listen) as service:
        service.http.close()
        with ExitStack() as opened:
            lines = [opened.enter_context(line(service)) for _ in range(most)]
            for each in lines:
                assert asks(each) == 200
            yield service, lines


def asks(connection: Line) -> int:
    """Ask for something small; the status of the answer."""
    connection.send(connection.head("/healthz", method="GET"))
    return connection.answer()[0]


def done(connections: Connections) -> dict[str, int]:
    """What was done about too many connections, and how often."""
    return {what: number for what, number in connections.counts.items() if number}


def taken(service: Service, **where: str) -> bool:
    """Whether one more connection is taken: it is asked on."""
    with line(service, **where) as connection:
        try:
            return asks(connection) == 200
        except (OSError, IndexError):
            return False


def metrics(connection: Line) -> str:
    """What /metrics says."""
    connection.send(connection.head("/metrics", method="GET"))
    return connection.text()


def test_one_more_takes_the_place_of_the_one_that_was_idle_the_longest(store: Store) -> None:
    with capture_logs() as logged, full(store, 3) as (service, (first, second, third)):
        first.send(first.authorize("again"))
        assert first.answer()[0] == 200
        with line(service) as one, line(service) as more:
            assert [asks(one), asks(more)] == [200, 200]
            assert second.ended()
            assert third.ended()
            assert [asks(each) for each in (first, one, more)] == [200, 200, 200]
            counts = metrics(one)
    assert 'talktime_connections_too_many_total{done="idle_closed"} 2.0' in counts
    assert 'talktime_connections_too_many_total{done="not_taken"} 0.0' in counts
    [told] = [each for each in logged if each["event"] == "http connections too many"]
    assert (told["host"], told["done"], told["more"]) == (HERE, "idle_closed", 0)


def test_connections_with_a_request_are_left_alone_and_where_all_have_one_no_more_is_taken(
    store: Store,
) -> None:
    with full(store, 3) as (service, (quotes, begins, uploads)):
        quotes.send(quotes.head("/v1/quotes", "Content-Length: 2", "Expect: 100-continue"))
        assert quotes.answer()[0] == 100
        head, body = uploads.authorize("late", "Expect: 100-continue").split(b"\r\n\r\n")
        uploads.send(head + b"\r\n\r\n")
        assert uploads.answer()[0] == 100
        # What comes with a request that is answered has been read.
        whole = begins.authorize("slow")
        begins.send(begins.head("/healthz", method="GET").encode() + whole[:20])
        assert begins.answer()[0] == 200
        for _ in range(3):
            assert not taken(service)
        assert done(service.connections) == {"not_taken": 3}
        begins.send(whole[20:])
        assert begins.answer()[2]["decision"] == "granted"
        wait_until(lambda: taken(service), "a place")
        uploads.send(body)
        assert uploads.answer()[2]["decision"] == "granted"
        quotes.send("{}")
        assert quotes.answer()[0] == 422
        assert begins.ended()


def test_another_address_has_places_of_its_own(store: Store) -> None:
    with full(store, 2) as (service, lines):
        with line(service, source=OTHER) as other:
            assert asks(other) == 200
        assert [asks(each) for each in lines] == [200, 200]
        assert done(service.connections) == {}


@pytest.mark.parametrize("here", SIXES)
def test_an_ipv6_address_has_places_of_its_own(store: Store, here: str) -> None:
    with full(store, 2, "::") as (service, lines):
        with line(service, to=here) as one, line(service, to=here) as other:
            assert [asks(one), asks(other)] == [200, 200]
            with line(service, to=here) as third:
                assert asks(third) == 200
                assert one.ended()
        assert [asks(each) for each in lines] == [200, 200]


class Idle:
    """A connection of which alone the time counts."""

    known = False

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.closed = False

    def idle_until(self) -> float:
        return NEVER if self.closed else self.until_s

    def awaits_client(self) -> bool:
        return self.until_s != NEVER

    def drop(self) -> None:
        self.closed = True


def test_those_that_were_used_since_they_were_found_idle_are_not_closed() -> None:
    connections = Connections(3)
    first, second, third, *more = [Idle(75 + second) for second in range(6)]
    for each in (first, second, third):
        assert connections.arrived(each, HERE, 0)
    assert connections.arrived(more[0], HERE, 10)
    assert first.closed
    second.until_s = 200
    assert connections.arrived(more[1], HERE, 10)
    assert (second.closed, third.closed) == (False, True)
    # All that were found idle are used up, and it is too early to look again.
    assert not connections.arrived(more[2], HERE, 10 + LOOK_AGAIN_S / 2)
    assert connections.arrived(more[2], HERE, 10 + 2 * LOOK_AGAIN_S)
    assert more[0].closed


def test_places_are_addresses_of_ipv4_and_networks_of_ipv6() -> None:
    connections = Connections(1)

    def taken_from(address: str) -> bool:
        return connections.arrived(Idle(NEVER), address, 0)

    assert taken_from("2001:db8::1")
    assert not taken_from("2001:db8::2")
    assert taken_from("2001:db8:0:1::1")
    mapped = Idle(NEVER)
    assert connections.arrived(mapped, "::ffff:192.0.2.1", 0)
    assert taken_from("192.0.2.2")
    assert not taken_from("192.0.2.1")
    connections.gone(mapped)
    assert taken_from("192.0.2.1")
    assert connections.open == 4


def test_at_a_full_port_the_stranger_that_came_first_makes_room(store: Store) -> None:
    with (
        capture_logs() as logged,
        serving(store, connections=Connections(8, 4)) as service,
        ExitStack() as opened,
    ):
        service.http.close()
        places = (HERE, HERE, OTHER, OTHER)
        switch, quotes, first, half = [
            opened.enter_context(line(service, source=each)) for each in places
        ]
        switch.send(switch.authorize("granted"))
        assert switch.answer()[2]["decision"] == "granted"
        quotes.send(quotes.head("/v1/quotes", "Content-Length: 2") + "{}")
        assert quotes.answer()[0] == 422
        for each, path in ((first, "/healthz"), (half, "/readyz")):
            each.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
            assert each.answer()[0] == 200
        half.send("POST /v1/calls/c1/authorize HTTP/1.1\r\n")
        more = opened.enter_context(line(service, source="127.0.0.3"))
        more.send(more.authorize("more"))
        assert more.answer()[2]["decision"] == "granted"
        assert first.ended()
        again = opened.enter_context(line(service, source="127.0.0.4"))
        again.send(again.authorize("again"))
        assert again.answer()[2]["decision"] == "granted"
        assert half.ended()
        # Now each has shown a key: they are kept, and nobody else is taken.
        assert not taken(service, source="127.0.0.5")
        assert [asks(each) for each in (switch, quotes, more, again)] == [200] * 4
        assert done(service.connections) == {"stranger_dropped": 2, "port_full": 1}
        assert "talktime_connections 4.0" in metrics(switch)
        again.close()
        wait_until(lambda: taken(service, source="127.0.0.5"), "a place")
    told = [each for each in logged if each["event"] == "http port full"]
    assert [(each["connections"], each["done"], each["more"]) for each in told] == [
        (4, "stranger_dropped", 0),
        (4, "port_full", 0),
    ]


def test_a_stranger_that_waits_for_an_answer_is_looked_at_again_last() -> None:
    connections, names = Connections(8, LOOKS_MAX + 2), (f"192.0.2.{n}" for n in count())
    waiting = [Idle(NEVER) for _ in range(LOOKS_MAX + 1)]
    idle, more = Idle(75), Idle(75)
    for each in (*waiting, idle):
        assert connections.arrived(each, next(names), 0)
    assert not connections.arrived(more, next(names), 1)
    assert connections.arrived(more, next(names), 2)
    assert idle.closed
    assert not any(each.closed for each in waiting)
    assert done(connections) == {"port_full": 1, "stranger_dropped": 1}


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """An application that waits for the body, and answers."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def port(connections: Connections, **seconds: float) -> AsyncIterator[tuple[str, int]]:
    """Where a port without calls listens."""
    config = Config(pages, lifespan="off", log_config=None, timeout_keep_alive=75)
    config.load()
    make = partial(protocol_of(connections, **seconds), config, ServerState(), {})
    server = await asyncio.get_running_loop().create_server(make, HERE, 0)
    yield server.sockets[0].getsockname()
    server.close()


def test_a_port_without_calls_is_bounded_too() -> None:
    asked = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    posted = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"

    async def run() -> None:
        async with port(Connections(2)) as place:
            ends = [await asyncio.open_connection(*place) for _ in range(2)]
            for reader, writer in ends:
                writer.write(asked)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(ANSWERED)
            (busy, sends), (idle, _) = ends
            sends.write(posted)
            await sends.drain()
            more, asks_too = await asyncio.open_connection(*place)
            asks_too.write(asked)
            assert (await more.readuntil(b"\r\n\r\n")).startswith(ANSWERED)
            assert await idle.read() == b""
            sends.write(b"x")
            assert (await busy.readuntil(b"\r\n\r\n")).startswith(ANSWERED)
            for writer in (sends, asks_too, ends[1][1]):
                writer.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_S))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost:", b"408"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhalf", b"408"),
        (b"GET / HTTP/1.1\r\nX: " + HEAD_BYTES_MAX * b"x", b"400"),
    ],
)
def test_a_port_without_calls_waits_for_no_request_without_end(sent: bytes, status: bytes) -> None:
    async def run() -> bytes:
        async with port(Connections(), request_s=0.01, upload_s=0.01) as place:
            reader, writer = await asyncio.open_connection(*place)
            writer.write(sent)
            answered = await reader.read()
            writer.close()
            return answered

    answered = asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
    assert answered.startswith(b"HTTP/1.1 " + status)
